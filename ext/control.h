/* The plainest C loop that keeps deadlines: what the pacer is measured against, on the same
 * machine, in the same minute, with the same policy. It must never share code with the pacer. */
#ifndef LBL_CONTROL_H
#define LBL_CONTROL_H

#include <stddef.h>
#include <stdint.h>

/* Sleeps to each deadline (CLOCK_MONOTONIC, rising) in a thread of its own and notes when it woke.
 * fifo 0: SCHED_OTHER; cpu -1: any. 0, or the errno of what was refused. */
int control_loop(const int64_t *deadlines_ns, int64_t *woken_ns, size_t count, int fifo, int cpu);

#endif
