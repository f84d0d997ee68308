"""Packs a safe programme for programme.h; included by _core.pyx."""


def _delay(step):
    return step[0]


cdef int _pack(Core core, programme *made, list steps) except -1:
    cdef safe_step *step
    cdef bytes data
    if len(steps) > LBL_STEPS:
        raise ValueError(f"{len(steps)} steps in the safe programme, at most {STEPS}")
    for i, (delay_ns, channel, data) in enumerate(steps):
        core._known(channel)
        if not 0 < len(data) <= LBL_DATA_MAX or not 0 <= delay_ns <= _FAR_NS:
            raise ValueError(
                f"safe step {i} on {core._name(channel)!r}: {len(data)} bytes (1 to {DATA_MAX}) "
                f"after {delay_ns} ns (0 or more)"
            )
        step = &made.steps[<Py_ssize_t>i]
        step.delay_ns = delay_ns
        step.channel = channel
        step.size = <uint32_t>len(data)
        memcpy(step.data, <const uint8_t *>data, step.size)
    made.count = <uint32_t>len(steps)
    return 0
