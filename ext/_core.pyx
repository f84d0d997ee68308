# cython: language_level=3, auto_pickle=False, autotestdict=False
"""The compiled timing core as Python sees it: a thin layer over core.h and guardian.h.

It turns names into numbers and refusals into sentences. It must never decide when anything fires:
that is rule.c. The contract, with all that a caller needs to know, is lbl/_core.pyi.
"""

import os

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.errno cimport EBUSY, errno
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from core cimport *
from guardian cimport *

ENTRIES = LBL_ENTRIES
CHANNELS = LBL_CHANNELS
STEPS = LBL_STEPS
DATA_MAX = LBL_DATA_MAX
RECORDS = LBL_RECORDS
REASONS = ("fired", "unconfirmed", "busy", "late", "choked", "failed", "lease", "safe")

cdef tuple _STATES = (
    "dropped", "armed", "armed", "confirmed", "confirmed", "fired", "missed", "dropped"
)
cdef tuple _FIELDS = (
    "entry", "tag", "channel", "deadline_ns", "latest_ns", "actual_ns", "reason"
)
cdef int64_t _FAR_NS = 1 << 62
cdef double _SLOW = 1e-3
cdef double _FAST = 1e9
cdef int64_t _LAG_NS = 1_000_000_000  # a scaled clock makes up for so much and no more


cdef int64_t _call(void *self, int32_t channel, const uint8_t *data, size_t size) noexcept with gil:
    """Writes to a channel that is a Python callable; what it raises is a failed write."""
    cdef Core core = <Core>self
    try:
        core._calls[channel](data[:<Py_ssize_t>size])
    except BlockingIOError:
        return 0
    except Exception as error:
        core._failure = error
        return -5
    except BaseException as error:
        core._failure = core._raised = error
        return -5
    return <int64_t>size


@cython.final
cdef class Core:
    cdef core *_core
    cdef readonly bint virtual
    cdef double _speed
    cdef dict _names
    cdef dict _calls
    cdef dict _fds
    cdef object _failure
    cdef object _raised
    cdef bint _stepping
    cdef bint _waiting
    cdef uint32_t _woken
    cdef int64_t _anchor_ns
    cdef int64_t _anchor_virtual_ns
    cdef Guardian _guardian
    cdef list _steps

    def __cinit__(self, *, bint virtual, int64_t start_ns=0, double speed=0.0):
        cdef int error
        if not (speed == 0.0 or _SLOW <= speed <= _FAST):
            raise ValueError(f"speed {speed} is neither 0 nor from {_SLOW} to {_FAST}")
        if start_ns < 0 or start_ns > _FAR_NS:
            raise ValueError(f"start_ns {start_ns} is not from 0 to 2**62")
        self.virtual = virtual
        self._speed = speed
        self._names = {}
        self._calls = {}
        self._fds = {}
        self._steps = []
        self._core = <core *>calloc(1, sizeof(core))
        if self._core is NULL:
            raise MemoryError("no memory for the timing core")
        error = core_init(self._core, virtual, start_ns)
        if speed and not virtual:
            core_scale(self._core, start_ns, speed)
        if not error and not virtual:
            error = pacer_start(self._core)
        if error:
            raise OSError(error, f"the pacer cannot start: {os.strerror(error)}")

    def __dealloc__(self):
        cdef int error
        if self._core is not NULL:
            with nogil:
                pacer_stop(self._core)
                error = core_destroy(self._core)
            if not error:  # else a viWrite that never returned may still return, and finds it
                free(self._core)

    # Time

    def now_ns(self):
        return core_now(self._core)

    def wake(self):
        core_wake(self._core)

    def wait_until_ns(self, int64_t deadline_ns):
        return self._wait_virtual(deadline_ns) if self.virtual else self._wait_real(deadline_ns)

    cdef bint _was_woken(self):
        cdef uint32_t count = bell_count(&self._core.wakes)
        cdef bint woken = count != self._woken
        self._woken = count
        return woken

    cdef bint _wait_real(self, int64_t deadline_ns) except -1:
        cdef clock_end end = CLOCK_SLICE
        cdef int64_t real_ns = core_real(self._core, deadline_ns)
        if clock_now() < real_ns and self._was_woken():
            return False
        while end == CLOCK_SLICE:
            with nogil:
                end = bell_wait(&self._core.wakes, self._woken, real_ns)
            PyErr_CheckSignals()
        if end == CLOCK_REACHED or clock_now() >= real_ns:
            with nogil:
                pacer_settle(self._core, deadline_ns)
            PyErr_CheckSignals()
            return True
        self._was_woken()
        return False

    cdef bint _wait_virtual(self, int64_t deadline_ns) except -1:
        cdef int64_t next_ns
        if self._waiting or self._stepping:
            raise RuntimeError("a virtual clock has one waiter, and a channel's write cannot wait")
        self._waiting = True
        try:
            while True:
                next_ns = self._step()
                if core_now(self._core) >= deadline_ns:
                    return True
                if self._was_woken():
                    return False
                if deadline_ns < next_ns:
                    next_ns = deadline_ns
                if self._speed and not self._sleep(next_ns):
                    return core_now(self._core) >= deadline_ns
                if not self._speed:
                    core_set_now(self._core, next_ns)
        finally:
            self._waiting = False

    cdef int64_t _step(self) except? -1:
        """Virtual time: judges what is due; a write that steps again is left to the outer step."""
        cdef int64_t next_ns = 0
        if self._stepping:
            return next_ns
        self._stepping = True
        next_ns = core_step(self._core, core_now(self._core))
        self._stepping = False
        if self._raised is not None:
            raised = self._raised
            self._raised = None
            raise raised
        return next_ns

    cdef bint _sleep(self, int64_t until_ns) except -1:
        """Moves a scaled clock towards until_ns; False: a signal came, the caller should return."""
        cdef uint32_t seen = bell_count(&self._core.work)
        cdef int64_t now_ns = core_now(self._core)
        cdef int64_t real_ns = clock_now()
        cdef int64_t lag_ns = real_ns - self._real_of(now_ns)
        cdef int64_t target_ns
        cdef clock_end end
        if self._anchor_ns == 0 or not -_LAG_NS < lag_ns < _LAG_NS:
            self._anchor_ns = real_ns
            self._anchor_virtual_ns = now_ns
        target_ns = self._real_of(until_ns)
        with nogil:
            end = bell_wait(&self._core.work, seen, target_ns)
        if end == CLOCK_REACHED or clock_now() >= target_ns:
            core_set_now(self._core, until_ns)
        else:
            now_ns = self._anchor_virtual_ns + <int64_t>(
                <double>(clock_now() - self._anchor_ns) * self._speed
            )
            core_set_now(self._core, min(now_ns, until_ns))
        PyErr_CheckSignals()
        return end != CLOCK_INTERRUPTED

    cdef int64_t _real_of(self, int64_t virtual_ns) noexcept:
        cdef double ahead_ns = <double>(virtual_ns - self._anchor_virtual_ns) / self._speed
        return self._anchor_ns + <int64_t>min(ahead_ns, <double>_FAR_NS)

    # Channels

    def add_fd(self, str name, int fd):
        return self._added(name, core_add_wire(self._core, fd), fd)

    def add_call(self, str name, write):
        if not self.virtual:
            raise ValueError(f"channel {name!r}: only a virtual clock calls Python; use add_fd")
        if not callable(write):
            raise TypeError(f"channel {name!r}: {write!r} cannot be called with bytes")
        channel = self._added(name, core_add_call(self._core, _call, <void *>self), -1)
        self._calls[channel] = write
        return channel

    def add_viwrite(self, str name, size_t function_pointer, uint32_t session):
        if self.virtual:
            raise ValueError(f"channel {name!r}: a VISA library keeps real time; use add_call")
        if not function_pointer:
            raise ValueError(f"channel {name!r}: the pointer to viWrite is null")
        return self._added(
            name, core_add_visa(self._core, <visa_write><void *>function_pointer, session), -1
        )

    def guardable(self, int32_t channel):
        self._known(channel)
        return not self.virtual and channel in self._fds

    cdef _added(self, str name, int32_t channel, int fd):
        if channel < 0:
            where = f", descriptor {fd}" if fd >= 0 else ""
            raise OSError(-channel, f"channel {name!r}{where}: {os.strerror(-channel)}")
        self._names[channel] = name
        if fd >= 0:
            self._fds[channel] = fd
            if self._guardian is not None:
                self._guardian._give(GUARDIAN_ADD, channel, fd)
        return channel

    cdef int _known(self, int32_t channel) except -1:
        if not core_known(self._core, channel):
            raise ValueError(f"channel {channel} is not open; open are {self._names}")
        return 0

    cdef str _name(self, int32_t channel):
        return self._names.get(channel, "")

    def remove(self, int32_t channel):
        cdef int error
        self._known(channel)
        if core_next_deadline(self._core, channel) >= 0:
            raise RuntimeError(f"channel {self._name(channel)!r} has armed entries; hold first")
        with nogil:
            error = core_remove(self._core, channel)
        if error:
            raise OSError(-error, f"channel {self._name(channel)!r} is being written to")
        self._names.pop(channel)
        self._calls.pop(channel, None)
        if self._fds.pop(channel, -1) >= 0 and self._guardian is not None:
            self._guardian._give(GUARDIAN_REMOVE, channel, -1)
        if any(step[1] == channel for step in self._steps):
            self.safe_programme([step for step in self._steps if step[1] != channel])

    def acquire(self, int32_t channel, int64_t hold_ns):
        self._known(channel)
        return core_acquire(self._core, channel, min(hold_ns, _FAR_NS))

    def collected(self, int32_t channel, int32_t replies):
        self._known(channel)
        if core_collected(self._core, channel, replies):
            raise ValueError(f"channel {self._name(channel)!r} is not owed {replies} replies")

    def release(self, int32_t channel):
        self._known(channel)
        if core_release(self._core, channel):
            raise RuntimeError(f"channel {self._name(channel)!r} is not owned by its bus")
        self._settle()

    def next_deadline_ns(self, int32_t channel):
        self._known(channel)
        return core_next_deadline(self._core, channel)

    # Entries

    def arm(self, int32_t channel, bytes data, int64_t deadline_ns, int64_t latest_ns,
            int32_t replies=0, int64_t tag=0):
        cdef order wanted
        cdef int64_t entry
        cdef str name = self._name(channel)
        self._known(channel)
        if not 0 < len(data) <= LBL_DATA_MAX:
            raise ValueError(f"channel {name!r}: {len(data)} bytes, not 1 to {DATA_MAX}")
        if not deadline_ns <= latest_ns <= _FAR_NS:
            raise ValueError(f"channel {name!r}: window {deadline_ns} to {latest_ns} is empty")
        if replies < 0:
            raise ValueError(f"channel {name!r}: {replies} replies")
        wanted.channel = channel
        wanted.replies = replies
        wanted.deadline_ns = deadline_ns
        wanted.latest_ns = latest_ns
        wanted.tag = tag
        wanted.data = data
        wanted.size = <uint32_t>len(data)
        entry = core_arm(self._core, &wanted)
        if entry == -EBUSY:
            raise RuntimeError(f"channel {name!r}: in hold ({self.verdict}); clear() before arming")
        if entry < 0:
            raise OverflowError(f"channel {name!r}: all {ENTRIES} entries are armed already")
        if self.virtual:
            self._look(latest_ns + 1)
        return entry

    cdef int _look(self, int64_t from_ns) except -1:
        """Virtual time: steps if something may have come due; wakes a sleeper of a scaled clock."""
        if self._waiting and not self._stepping:
            core_ring(self._core)
        elif from_ns <= core_now(self._core):
            self._step()
        return 0

    def confirm(self, int64_t entry):
        if core_confirm(self._core, entry):
            raise KeyError(f"entry {entry} is unknown or long finished")
        self._settle()

    cdef int _settle(self) except -1:
        return self._look(0) if self.virtual else 0

    def entry(self, int64_t entry):
        cdef int64_t fired_ns = 0
        cdef int state = core_entry(self._core, entry, &fired_ns)
        if state < 0:
            raise KeyError(f"entry {entry} is unknown or long finished")
        return _STATES[state], fired_ns

    # Hold, lease, park

    def hold(self):
        with nogil:
            core_hold(self._core)

    def clear(self):
        if core_clear(self._core):
            raise RuntimeError("the safe programme is being sent; clear when `parking` is over")
        self._failure = None

    @property
    def held(self):
        return core_held(self._core) != 0

    @property
    def parking(self):
        return core_parking(self._core) in (PARK_ASKED, PARK_PLAYING)

    @property
    def verdict(self):
        cdef int32_t channel
        cdef int64_t entry
        cdef int error
        cdef int reason = core_verdict(self._core, &channel, &entry, &error)
        return (REASONS[reason], self._name(channel), entry) if reason else None

    @property
    def failure(self):
        cdef int32_t channel
        cdef int64_t entry
        cdef int error
        if core_verdict(self._core, &channel, &entry, &error) == 0 or error == 0:
            return None
        if self._failure is not None:
            return self._failure
        return OSError(error, f"channel {self._name(channel)!r}: {os.strerror(error)}")

    def lease(self, int64_t until_ns):
        core_lease(self._core, until_ns)
        self._settle()

    def answers(self, int64_t within_ns):
        cdef bint answered = True
        if not self.virtual:
            with nogil:
                answered = pacer_answers(self._core, within_ns)
        return answered

    def safe_programme(self, steps):
        cdef programme *made = <programme *>calloc(1, sizeof(programme))
        if made is NULL:
            raise MemoryError("no memory for the safe programme")
        try:
            steps = sorted(steps, key=_delay)
            _pack(self, made, steps)
            if core_set_programme(self._core, made):
                raise RuntimeError("the safe programme is being replaced by another thread")
            self._steps = steps
            if self._guardian is not None:
                self._teach(made)
        finally:
            free(made)

    cdef int _teach(self, programme *made) except -1:
        """The guardian keeps real time: on a scaled clock its delays are not ours."""
        cdef uint32_t i
        cdef double rate = self._speed or 1.0
        for i in range(made.count):
            made.steps[i].delay_ns = <int64_t>(<double>made.steps[i].delay_ns / rate)
        return self._guardian._teach(made)

    def park(self):
        core_park(self._core)
        self._settle()

    # Records and policy

    def records(self):
        import numpy
        cdef size_t count = core_recorded(self._core)
        cdef bytearray room = bytearray(count * sizeof(record))
        count = core_drain(self._core, <record *><char *>room, count)
        kind = numpy.dtype([(name, numpy.int64) for name in _FIELDS])
        return numpy.frombuffer(bytes(room[:<Py_ssize_t>(count * sizeof(record))]), dtype=kind)

    @property
    def records_lost(self):
        return core_lost(self._core)

    def realtime(self, *, int fifo=0, bint lock_memory=False, int cpu=-1):
        return _realtime(self, fifo, lock_memory, cpu)


include "programme.pxi"
include "policy.pxi"
include "guardian.pxi"
