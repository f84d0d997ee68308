"""Declarations of core.h, clock.h and control.h for Cython; nothing else."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef extern from "clock.h" nogil:
    int64_t CLOCK_NEVER
    enum clock_end:
        CLOCK_REACHED
        CLOCK_RUNG
        CLOCK_INTERRUPTED
        CLOCK_SLICE
    ctypedef struct bell "struct bell":
        pass
    int64_t clock_now()
    uint32_t bell_count(const bell *)
    void bell_ring(bell *)
    clock_end bell_wait(bell *, uint32_t seen, int64_t deadline_ns)

cdef extern from "programme.h" nogil:
    enum:
        LBL_STEPS
        LBL_DATA_MAX
        LBL_CHANNELS
    ctypedef struct safe_step "struct safe_step":
        int64_t delay_ns
        int32_t channel
        uint32_t size
        uint8_t data[1]
    ctypedef struct programme "struct programme":
        uint32_t count
        safe_step steps[1]

cdef extern from "visa.h" nogil:
    ctypedef int32_t (*visa_write)(uint32_t, const uint8_t *, uint32_t, uint32_t *) noexcept

cdef extern from "core.h" nogil:
    enum:
        LBL_ENTRIES
        LBL_RECORDS
    enum:
        PARK_NONE
        PARK_ASKED
        PARK_PLAYING
        PARK_DONE
    ctypedef int64_t (*channel_call)(void *, int32_t, const uint8_t *, size_t) noexcept
    ctypedef struct record "struct record":
        int64_t entry
    ctypedef struct order "struct order":
        int32_t channel
        int32_t replies
        int64_t deadline_ns
        int64_t latest_ns
        int64_t tag
        const uint8_t *data
        uint32_t size
    ctypedef struct core "struct core":
        bell work
        bell wakes
    int core_init(core *, int virtual_clock, int64_t start_ns)
    void core_scale(core *, int64_t start_ns, double speed)
    int core_destroy(core *)
    int64_t core_now(core *)
    int64_t core_real(const core *, int64_t at_ns)
    void core_set_now(core *, int64_t now_ns)
    void core_ring(core *)
    void core_wake(core *)
    int32_t core_add_wire(core *, int fd)
    int32_t core_add_visa(core *, visa_write write, uint32_t session)
    int32_t core_add_call(core *, channel_call call, void *object)
    int core_remove(core *, int32_t channel)
    int core_known(core *, int32_t channel)
    int32_t core_acquire(core *, int32_t channel, int64_t hold_ns)
    int core_collected(core *, int32_t channel, int32_t replies)
    int core_release(core *, int32_t channel)
    int64_t core_next_deadline(core *, int32_t channel)
    int64_t core_arm(core *, const order *)
    int core_confirm(core *, int64_t entry)
    int core_entry(core *, int64_t entry, int64_t *fired_ns)
    void core_hold(core *)
    int core_clear(core *)
    void core_park(core *)
    int core_set_programme(core *, const programme *)
    void core_lease(core *, int64_t until_ns)
    int core_held(core *)
    int core_parking(core *)
    int core_verdict(core *, int32_t *channel, int64_t *entry, int *error)
    int64_t core_lost(core *)
    int64_t core_step(core *, int64_t now_ns)
    size_t core_recorded(core *)
    size_t core_drain(core *, record *, size_t room)
    int pacer_start(core *)
    void pacer_stop(core *)
    clock_end pacer_settle(core *, int64_t deadline_ns)
    int pacer_answers(core *, int64_t within_ns) nogil
    int pacer_fifo(core *, int priority)
    int pacer_pin(core *, int cpu)
