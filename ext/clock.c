/* See clock.h. Two ways to wait: a futex on Linux, a condition variable with LBL_NO_FUTEX.
 * Must never sleep relative to "now": a relative sleep drifts and counts its own overhead.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "clock.h"

#include <errno.h>
#include <limits.h>
#include <time.h>
#ifndef LBL_NO_FUTEX
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define SECOND_NS 1000000000LL

int64_t clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND_NS + (int64_t)now.tv_nsec;
}

uint32_t bell_count(const struct bell *bell) {
    return atomic_load(&bell->count);
}

static struct timespec timespec_of(int64_t at_ns) {
    return (struct timespec){.tv_sec = (time_t)(at_ns / SECOND_NS),
                             .tv_nsec = (long)(at_ns % SECOND_NS)};
}

#ifndef LBL_NO_FUTEX

int bell_init(struct bell *bell) {
    atomic_init(&bell->count, 0);
    return 0;
}

void bell_destroy(struct bell *bell) {
    (void)bell;
}

void bell_ring(struct bell *bell) {
    atomic_fetch_add(&bell->count, 1);
    syscall(SYS_futex, &bell->count, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

enum clock_end bell_wait(struct bell *bell, uint32_t seen, int64_t deadline_ns) {
    if (bell_count(bell) != seen) {
        return CLOCK_RUNG;
    }
    if (deadline_ns <= clock_now()) {
        return CLOCK_REACHED;
    }
    struct timespec at = timespec_of(deadline_ns);
    long end = syscall(SYS_futex, &bell->count, FUTEX_WAIT_BITSET_PRIVATE, seen,
                       deadline_ns == CLOCK_NEVER ? NULL : &at, NULL, FUTEX_BITSET_MATCH_ANY);
    if (end == 0 || errno == EAGAIN) {
        return CLOCK_RUNG;
    }
    return errno == EINTR ? CLOCK_INTERRUPTED : CLOCK_REACHED;
}

#else

#define SLICE_NS 50000000LL /* a condition variable is deaf to signals for at most this long */

int bell_init(struct bell *bell) {
    pthread_condattr_t attributes;
    atomic_init(&bell->count, 0);
    int error = pthread_condattr_init(&attributes);
    if (error == 0) {
        error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    }
    if (error == 0) {
        error = pthread_cond_init(&bell->rung, &attributes);
    }
    pthread_condattr_destroy(&attributes);
    return error != 0 ? error : pthread_mutex_init(&bell->lock, NULL);
}

void bell_destroy(struct bell *bell) {
    pthread_cond_destroy(&bell->rung);
    pthread_mutex_destroy(&bell->lock);
}

void bell_ring(struct bell *bell) {
    pthread_mutex_lock(&bell->lock);
    atomic_fetch_add(&bell->count, 1);
    pthread_cond_broadcast(&bell->rung);
    pthread_mutex_unlock(&bell->lock);
}

enum clock_end bell_wait(struct bell *bell, uint32_t seen, int64_t deadline_ns) {
    int64_t slice_ns = clock_now() + SLICE_NS;
    struct timespec at = timespec_of(deadline_ns < slice_ns ? deadline_ns : slice_ns);
    int error = 0;
    pthread_mutex_lock(&bell->lock);
    while (bell_count(bell) == seen && error == 0) {
        error = pthread_cond_timedwait(&bell->rung, &bell->lock, &at);
    }
    pthread_mutex_unlock(&bell->lock);
    if (bell_count(bell) != seen) {
        return CLOCK_RUNG;
    }
    return clock_now() >= deadline_ns ? CLOCK_REACHED : CLOCK_SLICE;
}

#endif
