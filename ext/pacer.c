/* The thread that steps the core in real time. See core.h.
 *
 * It never touches Python, takes no lock and has every signal blocked; it sleeps on one futex and
 * looks again whenever something was armed, confirmed, released or asked for.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "core.h"

#define STACK_BYTES (256 * 1024)
#define SETTLE_NS 100000000LL /* a wait outlasts its deadline by no more, however late the pacer */

static void *pace(void *self) {
    struct core *core = self;
#ifdef __linux__
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* 50 us unless told; ignored under SCHED_FIFO */
#endif
    while (!atomic_load(&core->stop)) {
        uint32_t seen = bell_count(&core->work);
        int64_t next_ns = core_step(core, core_now(core));
        if (atomic_load(&core->watchers) > 0) {
            bell_ring(&core->steps);
        }
        bell_wait(&core->work, seen, core_real(core, next_ns));
    }
    return NULL;
}

int pacer_start(struct core *core) {
    pthread_attr_t attributes;
    sigset_t all, before;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return error;
    }
    sigfillset(&all);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&core->thread, &attributes, pace, core);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    core->started = error == 0;
    return error;
}

/* A forked child has the table but not the thread: there is nothing to join there. */
void pacer_stop(struct core *core) {
    if (!core->started || core->process != getpid()) {
        return;
    }
    atomic_store(&core->stop, 1);
    core_ring(core);
    pthread_join(core->thread, NULL);
    core->started = 0;
}

static int due(struct core *core, int64_t deadline_ns) {
    int64_t lease_ns = atomic_load(&core->lease_ns);
    int32_t parking = atomic_load(&core->parking);
    if ((lease_ns != 0 && lease_ns <= deadline_ns) || parking == PARK_ASKED ||
        (parking == PARK_PLAYING && atomic_load(&core->safe_ns) <= deadline_ns)) {
        return 1;
    }
    for (size_t i = 0; i < LBL_ENTRIES && atomic_load(&core->active) > 0; i++) {
        enum entry_state state = core_state(atomic_load(&core->heads[i].word));
        if ((state == ENTRY_ARMED || state == ENTRY_CONFIRMED || state == ENTRY_FIRING) &&
            atomic_load(&core->heads[i].deadline_ns) <= deadline_ns) {
            return 1;
        }
    }
    return 0;
}

/* Has the pacer step, and waits until it has judged everything due by deadline_ns. */
static enum clock_end watch(struct core *core, int64_t deadline_ns, int64_t end_ns) {
    enum clock_end end = CLOCK_RUNG;
    atomic_fetch_add(&core->watchers, 1);
    core_ring(core);
    while (end == CLOCK_RUNG || end == CLOCK_SLICE) {
        uint32_t seen = bell_count(&core->steps);
        if (atomic_load(&core->stepped_ns) >= deadline_ns) {
            break;
        }
        end = bell_wait(&core->steps, seen, end_ns);
    }
    atomic_fetch_sub(&core->watchers, 1);
    return end;
}

enum clock_end pacer_settle(struct core *core, int64_t deadline_ns) {
    if (!due(core, deadline_ns)) {
        return CLOCK_REACHED;
    }
    return watch(core, deadline_ns, core_real(core, deadline_ns) + SETTLE_NS);
}

int pacer_answers(struct core *core, int64_t within_ns) {
    int64_t asked_ns = core_now(core);
    int64_t end_ns = clock_now() + within_ns;
    enum clock_end end = CLOCK_INTERRUPTED;
    while (end == CLOCK_INTERRUPTED) { /* ends: a signal does not move end_ns */
        end = watch(core, asked_ns, end_ns);
    }
    return end == CLOCK_RUNG;
}

int pacer_fifo(struct core *core, int priority) {
    struct sched_param param = {.sched_priority = priority};
    return pthread_setschedparam(core->thread, priority > 0 ? SCHED_FIFO : SCHED_OTHER, &param);
}

int pacer_pin(struct core *core, int cpu) {
#ifdef __linux__
    cpu_set_t set;
    if (cpu < 0 || cpu >= CPU_SETSIZE) {
        return EINVAL;
    }
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return pthread_setaffinity_np(core->thread, sizeof set, &set);
#else
    (void)core;
    (void)cpu;
    return ENOSYS;
#endif
}
