/* See control.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "control.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#define SECOND_NS 1000000000LL

struct job {
    const int64_t *deadlines_ns;
    int64_t *woken_ns;
    size_t count;
    int fifo;
    int cpu;
};

static int adopt_policy(const struct job *job) {
    struct sched_param param = {.sched_priority = job->fifo};
    cpu_set_t set;
    int error = 0;
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    if (job->cpu >= 0) {
        CPU_ZERO(&set);
        CPU_SET((size_t)job->cpu, &set);
        error = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    }
    if (error == 0 && job->fifo > 0) {
        error = pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
    }
    return error;
}

static void *keep(void *argument) {
    const struct job *job = argument;
    int error = adopt_policy(job);
    for (size_t i = 0; i < job->count && error == 0; i++) {
        int64_t at_ns = job->deadlines_ns[i];
        struct timespec at = {.tv_sec = (time_t)(at_ns / SECOND_NS),
                              .tv_nsec = (long)(at_ns % SECOND_NS)};
        struct timespec now;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
        job->woken_ns[i] = (int64_t)now.tv_sec * SECOND_NS + (int64_t)now.tv_nsec;
    }
    return error == 0 ? NULL : (void *)(intptr_t)error;
}

int control_loop(const int64_t *deadlines_ns, int64_t *woken_ns, size_t count, int fifo, int cpu) {
    struct job job = {deadlines_ns, woken_ns, count, fifo, cpu};
    pthread_t thread;
    sigset_t all, before;
    void *end = NULL;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, NULL, keep, &job);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        pthread_join(thread, &end);
        error = (int)(intptr_t)end;
    }
    return error;
}
