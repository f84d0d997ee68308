"""What the operating system grants the pacer, and the control loop it is measured against.

Included by _core.pyx. A refusal is told, never raised: the pacer works without any of it.
"""


cdef dict _realtime(Core core, int fifo, bint lock_memory, int cpu):
    cdef int error
    cdef dict force = {"fifo": 0, "lock_memory": False, "cpu": -1, "timer_slack_ns": 0}
    force["refused"] = {}
    if core.virtual:
        if fifo or lock_memory or cpu >= 0:
            force["refused"]["virtual"] = "a virtual clock has no thread"
        return force
    error = pacer_fifo(core._core, fifo)
    force["fifo"] = 0 if error else fifo
    _refused(force, "fifo", error)
    if cpu >= 0:
        error = pacer_pin(core._core, cpu)
        force["cpu"] = -1 if error else cpu
        _refused(force, "cpu", error)
    if lock_memory:
        error = errno if mlockall(MCL_CURRENT | MCL_FUTURE) else 0
        force["lock_memory"] = error == 0
        _refused(force, "lock_memory", error)
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)  # the caller waits too; the pacer has set its own
    force["timer_slack_ns"] = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0)
    return force


cdef int _refused(dict force, str what, int error) except -1:
    if error:
        force["refused"][what] = os.strerror(error)
    return 0


def control(deadlines_ns, *, int fifo=0, int cpu=-1):
    import numpy
    cdef bytearray woken = bytearray(8 * len(deadlines_ns))
    cdef bytes wanted = numpy.ascontiguousarray(deadlines_ns, dtype=numpy.int64).tobytes()
    cdef const int64_t *at_ns = <const int64_t *><const char *>wanted
    cdef int64_t *woken_ns = <int64_t *><char *>woken
    cdef size_t count = <size_t>len(deadlines_ns)
    cdef int error
    with nogil:
        error = control_loop(at_ns, woken_ns, count, fifo, cpu)
    if error:
        raise OSError(error, f"control loop with fifo {fifo}, cpu {cpu}: {os.strerror(error)}")
    return numpy.frombuffer(bytes(woken), dtype=numpy.int64)
