"""Declarations of guardian.h, control.h and the kernel's policies for Cython; nothing else."""

from libc.stdint cimport int32_t, int64_t

from core cimport programme

cdef extern from "guardian.h" nogil:
    enum guardian_kind:
        GUARDIAN_ADD
        GUARDIAN_REMOVE
        GUARDIAN_LOCK
        GUARDIAN_NOTE
    ctypedef struct guardian "struct guardian":
        int pid
    int guardian_start(guardian *)
    int guardian_give(guardian *, guardian_kind kind, int32_t channel, int fd)
    int guardian_teach(guardian *, const programme *)
    int guardian_release(guardian *)
    int guardian_alive(guardian *)

cdef extern from "control.h" nogil:
    int control_loop "control_loop"(
        const int64_t *deadlines, int64_t *woken, size_t count, int fifo, int cpu
    )

cdef extern from "<sys/mman.h>" nogil:
    int MCL_CURRENT
    int MCL_FUTURE
    int mlockall(int flags)

cdef extern from "<sys/prctl.h>" nogil:
    int PR_SET_TIMERSLACK
    int PR_GET_TIMERSLACK
    int prctl(int option, unsigned long, unsigned long, unsigned long, unsigned long)
