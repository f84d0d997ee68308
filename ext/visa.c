/* See visa.h. The thread that sends must never wait here; the thread of viWrite may, for ever. */
#include "visa.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "programme.h"

#define PATIENCE_NS 1000000000LL /* with a last viWrite */

enum job { JOB_NONE, JOB_GIVEN };

struct visa {
    struct visa_call call;
    struct bell bell;
    _Atomic int32_t job;
    _Atomic int32_t stop, ended;
    int64_t entry;
    uint32_t size;
    uint8_t data[LBL_DATA_MAX];
    pthread_t thread;
};

static void perform(struct visa *visa) {
    uint32_t written = 0;
    int64_t entry = visa->entry;
    int32_t status = visa->call.write(visa->call.session, visa->data, visa->size, &written);
    int error = status < 0 || written != visa->size ? EIO : 0;
    /* Idle before it is told: whoever is told may hand over the next job at once. */
    atomic_store(&visa->job, JOB_NONE);
    visa->call.done(visa->call.self, visa->call.channel, entry, error);
}

static void *serve(void *self) {
    struct visa *visa = self;
    for (;;) {
        uint32_t seen = bell_count(&visa->bell);
        if (atomic_load(&visa->job) == JOB_GIVEN) {
            perform(visa);
        } else if (atomic_load(&visa->stop)) {
            break;
        } else {
            bell_wait(&visa->bell, seen, CLOCK_NEVER);
        }
    }
    atomic_store(&visa->ended, 1);
    return NULL;
}

static int start(struct visa *visa) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&visa->thread, NULL, serve, visa);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct visa *visa_open(const struct visa_call *call) {
    struct visa *visa = calloc(1, sizeof *visa);
    if (visa == NULL) {
        return NULL;
    }
    visa->call = *call;
    int error = bell_init(&visa->bell);
    error = error != 0 ? error : start(visa);
    if (error != 0) {
        free(visa);
        errno = error;
        return NULL;
    }
    return visa;
}

int64_t visa_send(struct visa *visa, const uint8_t *data, size_t size, int64_t entry) {
    if (atomic_load(&visa->job) != JOB_NONE) {
        return 0;
    }
    memcpy(visa->data, data, size);
    visa->size = (uint32_t)size;
    visa->entry = entry;
    atomic_store(&visa->job, JOB_GIVEN);
    bell_ring(&visa->bell);
    return (int64_t)size;
}

int visa_idle(const struct visa *visa) {
    return atomic_load(&visa->job) == JOB_NONE;
}

int visa_close(struct visa *visa) {
    int64_t give_up_ns = clock_now() + PATIENCE_NS;
    atomic_store(&visa->stop, 1);
    bell_ring(&visa->bell);
    while (!atomic_load(&visa->ended)) {
        if (clock_now() > give_up_ns) {
            return EBUSY;
        }
        sched_yield();
    }
    pthread_join(visa->thread, NULL);
    bell_destroy(&visa->bell);
    free(visa);
    return 0;
}
