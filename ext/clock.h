/* Monotonic time and one absolute, wakeable wait.
 *
 * A wait on a bell ends at its deadline, when the bell is rung, or when a signal arrives. Nothing
 * can wake a nanosleep, so work that arrives during one is late; a futex wait is as precise.
 * Nothing here may allocate, log, or know of Python.
 */
#ifndef LBL_CLOCK_H
#define LBL_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

#if !defined(__linux__) && !defined(LBL_NO_FUTEX)
#define LBL_NO_FUTEX 1
#endif
#ifdef LBL_NO_FUTEX
#include <pthread.h>
#endif

#define CLOCK_NEVER INT64_MAX

enum clock_end { CLOCK_REACHED, CLOCK_RUNG, CLOCK_INTERRUPTED, CLOCK_SLICE };

struct bell {
    _Atomic uint32_t count; /* rung so often */
#ifdef LBL_NO_FUTEX
    pthread_mutex_t lock;
    pthread_cond_t rung;
#endif
};

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t clock_now(void);

/* Prepares a bell; 0 or an errno. */
int bell_init(struct bell *bell);
void bell_destroy(struct bell *bell);

uint32_t bell_count(const struct bell *bell);

/* Wakes every waiter; safe from any thread. */
void bell_ring(struct bell *bell);

/* Waits until deadline_ns unless the bell has been rung since it showed `seen`.
 * CLOCK_INTERRUPTED: a signal arrived. CLOCK_SLICE: nothing happened, look for signals and wait on
 * (only without futexes, where a signal cannot end the wait). */
enum clock_end bell_wait(struct bell *bell, uint32_t seen, int64_t deadline_ns);

#endif
