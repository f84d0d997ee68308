"""The simulated instruments as a PyVISA library, in process.

`ResourceManager(SimLibrary.over(assembly, clock))` reaches them with anybody's PyVISA code. A
read waits through the injected clock, so on a virtual clock whatever else is due happens in order
while it waits. The library must never sleep by itself; `RealClock` is for those who bring no
clock of their own.
"""

import threading
import time
from collections.abc import Iterable
from typing import Any, Final, Protocol

from pyvisa import constants, errors, highlevel, rname
from pyvisa.constants import AccessModes, StatusCode
from pyvisa.util import LibraryPath

from sim.assembly import Assembly
from sim.sessions import Session, Wire

__all__ = ["Clock", "RealClock", "SimLibrary"]

NS: Final = 1_000_000_000
SLICE_NS: Final = 20_000_000  # real time after which a waiting reader looks again
SESSIONS_MAX: Final = 1024
SUCCESS: Final = StatusCode.success
STB_MESSAGE: Final = 16  # message available


class Clock(Protocol):
    """What the simulator needs of a clock, virtual or real; integer nanoseconds."""

    def now_ns(self) -> int:
        """Return the simulated time."""

    def wait_until_ns(self, deadline_ns: int, /) -> bool:
        """Wait; True: reached, False: woken early (look again and wait again)."""

    def wake(self) -> None:
        """Let whoever waits return early."""


class RealClock:
    """Monotonic time from 0 at its making, running at `speed`; raises ValueError unless > 0."""

    def __init__(self, speed: float = 1.0) -> None:
        if not speed > 0.0:
            raise ValueError(f"a clock runs at a speed above 0, got {speed}")
        self.speed = speed
        self._start_ns = time.monotonic_ns()
        self._woken = threading.Event()

    def now_ns(self) -> int:
        """Return the simulated time."""
        return int((time.monotonic_ns() - self._start_ns) * self.speed)

    def real_s(self, deadline_ns: int) -> float:
        """Return how many real seconds are left until `deadline_ns`, at least 0."""
        return max(0.0, (deadline_ns - self.now_ns()) / self.speed / NS)

    def wait_until_ns(self, deadline_ns: int) -> bool:
        """Wait for at most one slice, so that a wake between look and wait costs no more."""
        left_s = self.real_s(deadline_ns)
        if left_s > 0.0 and self._woken.wait(min(left_s, SLICE_NS / NS)):
            self._woken.clear()
        return self.now_ns() >= deadline_ns

    def wake(self) -> None:
        """Let whoever waits return early."""
        self._woken.set()


class _Held(LibraryPath):
    """A library path that carries what it leads to; unique, because PyVISA caches by path."""

    assembly: Assembly
    clock: Clock


class SimLibrary(highlevel.VisaLibraryBase):
    """A PyVISA library over one `Assembly`; a subclass's `build` makes one from a path.

    Unknown resources are refused; sessions of one resource share its receive buffer, as on a
    real port. Every error is a VisaIOError.
    """

    _assembly: Assembly
    _clock: Clock

    @classmethod
    def over(cls, assembly: Assembly, clock: Clock) -> "SimLibrary":
        """Return a library of its own for these instruments, waiting on `clock`."""
        held = object()
        path = _Held(f"{cls.__name__}-{id(held):x}", "in process")
        path.assembly, path.clock = assembly, clock
        library = cls(path)
        assert isinstance(library, SimLibrary)
        library._token = held  # keeps the path unique while the library lives
        return library

    @staticmethod
    def get_library_paths() -> Iterable[LibraryPath]:
        """Return the path that stands for none: `build` is asked what to make of it."""
        return (LibraryPath("unset"),)

    @staticmethod
    def get_debug_info() -> dict[str, str | list[str] | dict[str, str]]:
        """Return what `pyvisa-info` prints."""
        return {"Version": "simulated instruments, in process"}

    def build(self, library_path: str) -> Assembly:
        """Return the instruments of the bench at `library_path`; subclasses know how."""
        raise ValueError(
            f"no simulated bench for {library_path!r}: use SimLibrary.over(assembly, clock), "
            "or a subclass whose build() makes the instruments from a path"
        )

    def _init(self) -> None:
        path = self.library_path
        if isinstance(path, _Held):
            self._assembly, self._clock = path.assembly, path.clock
        else:
            self._assembly, self._clock = self.build(str(path)), RealClock()
        self._token: object = None
        self._lock = threading.RLock()
        self._sessions: dict[int, Session] = {}
        self._managers: set[int] = set()
        self._last_handle = 0
        self._waiting = 0
        self._wires = {
            name: Wire(port, name)
            for resource, port in self._assembly.ports.items()
            for name in [rname.to_canonical_name(resource)]
        }

    # --- sessions -------------------------------------------------------------------------

    def open_default_resource_manager(self) -> tuple[Any, StatusCode]:
        """Open a resource manager session."""
        handle = self._handle()
        self._managers.add(handle)
        return handle, self._ok(handle)

    def open(
        self,
        session: Any,
        resource_name: str,
        access_mode: AccessModes = AccessModes.no_lock,
        open_timeout: int = constants.VI_TMO_IMMEDIATE,
    ) -> tuple[Any, StatusCode]:
        """Open a session to a resource; a name that no instrument has is an error."""
        if session not in self._managers:
            raise self._error(StatusCode.error_invalid_object)
        try:
            name = rname.to_canonical_name(resource_name)
        except rname.InvalidResourceName:
            raise self._error(StatusCode.error_invalid_resource_name, session) from None
        wire = self._wires.get(name)
        if wire is None:
            raise self._error(StatusCode.error_resource_not_found, session)
        with self._lock:
            if len(self._sessions) >= SESSIONS_MAX:
                raise self._error(StatusCode.error_allocation, session)
            if access_mode == AccessModes.exclusive_lock and wire.owner:
                raise self._error(StatusCode.error_resource_locked, session)
            held = Session(self._handle(), wire, session)
            self._sessions[held.handle] = held
            if access_mode == AccessModes.exclusive_lock:
                wire.owner, wire.depth = held.handle, 1
        return held.handle, self._ok(held.handle)

    def close(self, session: Any) -> StatusCode:
        """Close a session, or a manager with all sessions opened through it."""
        with self._lock:
            if session in self._managers:
                self._managers.discard(session)
                if not self._managers:
                    self._sessions.clear()
                return SUCCESS
            held = self._sessions.pop(session, None)
            if held is not None and held.wire.owner == session:
                held.wire.owner = held.wire.depth = 0
        self._last_status_in_session.pop(session, None)
        return SUCCESS

    def list_resources(self, session: Any, query: str = "?*::INSTR") -> tuple[str, ...]:
        """Return the resources that match a VISA expression."""
        return rname.filter(list(self._assembly.ports), query)

    # --- reading and writing ----------------------------------------------------------------

    def write(self, session: Any, data: bytes) -> tuple[int, StatusCode]:
        """Give bytes to the instruments on the wire."""
        held = self._held(session)
        wire = held.wire
        with self._lock:
            if wire.owner not in (0, session):
                raise self._error(StatusCode.error_resource_locked, session)
            wire.port.write(bytes(data), self._clock.now_ns())
        if self._waiting:
            self._clock.wake()
        self._last_status = self._last_status_in_session[session] = SUCCESS
        return len(data), SUCCESS

    def read(self, session: Any, count: int) -> tuple[bytes, StatusCode]:
        """Read until VISA says a read ends, waiting in simulated time up to the time-out."""
        held = self._held(session)
        wire, clock = held.wire, self._clock
        now = clock.now_ns()
        deadline = now + held.timeout_ns
        while True:
            with self._lock:
                if wire.owner not in (0, session):
                    raise self._error(StatusCode.error_resource_locked, session)
                taken = held.take(count, now)
                due = None if taken else wire.port.next_ns()
            if taken is not None:
                self._last_status = self._last_status_in_session[session] = taken[1]
                return taken
            if now >= deadline:
                wire.rest = b""  # what came of the message is lost with it, as in pyvisa-py
                raise self._error(StatusCode.error_timeout, session)
            until = deadline if due is None or due > deadline else max(due, now + 1)
            self._waiting += 1
            try:
                clock.wait_until_ns(until)
            finally:
                self._waiting -= 1
            now = clock.now_ns()

    def read_stb(self, session: Any) -> tuple[int, StatusCode]:
        """Return a status byte that knows one bit: message available."""
        held = self._held(session)
        with self._lock:
            waiting = held.wire.rest or held.wire.port.waiting(self._clock.now_ns())
        return (STB_MESSAGE if waiting else 0), self._ok(session)

    def clear(self, session: Any) -> StatusCode:
        """Forget what was not read."""
        held = self._held(session)
        with self._lock:
            held.wire.rest = b""
            held.wire.port.discard()
        return self._ok(session)

    def flush(self, session: Any, mask: constants.BufferOperation) -> StatusCode:
        """Forget what has arrived and was not read; written bytes are never held back."""
        held = self._held(session)
        with self._lock:
            held.wire.rest = b""
            held.wire.port.read(self._clock.now_ns())
        return self._ok(session)

    # --- attributes and locks ---------------------------------------------------------------

    def get_attribute(self, session: Any, attribute: Any) -> tuple[Any, StatusCode]:
        """Return an attribute of a session."""
        value, status = self._held(session).get(attribute, self._clock.now_ns())
        return value, self._ok(session, status)

    def set_attribute(self, session: Any, attribute: Any, attribute_state: Any) -> StatusCode:
        """Set an attribute of a session."""
        return self._ok(session, self._held(session).set(attribute, attribute_state))

    def lock(
        self,
        session: Any,
        lock_type: constants.Lock,
        timeout: int,
        requested_key: str | None = None,
    ) -> tuple[str, StatusCode]:
        """Lock a resource for this session at once or not at all; shared locks are not kept."""
        wire = self._held(session).wire
        if lock_type == constants.Lock.shared:
            raise self._error(StatusCode.error_nonsupported_operation, session)
        with self._lock:
            if wire.owner not in (0, session):
                raise self._error(StatusCode.error_resource_locked, session)
            wire.owner, wire.depth = session, wire.depth + 1
        return "", self._ok(session)

    def unlock(self, session: Any) -> StatusCode:
        """Give a lock back."""
        wire = self._held(session).wire
        with self._lock:
            if wire.owner != session:
                raise self._error(StatusCode.error_session_not_locked, session)
            wire.depth -= 1
            if not wire.depth:
                wire.owner = 0
        return self._ok(session)

    # --- what has no effect, and what there is not -------------------------------------------

    def disable_event(self, session: Any, event_type: Any, mechanism: Any) -> StatusCode:
        """Succeed: there are no events."""
        return SUCCESS

    def discard_events(self, session: Any, event_type: Any, mechanism: Any) -> StatusCode:
        """Succeed: there are no events."""
        return SUCCESS

    def enable_event(
        self, session: Any, event_type: Any, mechanism: Any, context: None = None
    ) -> StatusCode:
        """Refuse: there are no events."""
        raise self._error(StatusCode.error_nonsupported_operation, session)

    def wait_on_event(self, session: Any, in_event_type: Any, timeout: int) -> Any:
        """Refuse: there are no events."""
        raise self._error(StatusCode.error_nonsupported_operation, session)

    def assert_trigger(self, session: Any, protocol: Any) -> StatusCode:
        """Refuse: nothing here can be triggered."""
        raise self._error(StatusCode.error_nonsupported_operation, session)

    def gpib_control_ren(self, session: Any, mode: Any) -> StatusCode:
        """Succeed: simulated instruments are always remote."""
        self._held(session)
        return self._ok(session)

    def set_buffer(self, session: Any, mask: Any, size: int) -> StatusCode:
        """Succeed: buffers are large enough."""
        self._held(session)
        return self._ok(session)

    # --- the small print --------------------------------------------------------------------

    def _handle(self) -> int:
        with self._lock:
            self._last_handle += 1
            return self._last_handle

    def _held(self, session: Any) -> Session:
        held = self._sessions.get(session)
        if held is None:
            raise self._error(StatusCode.error_invalid_object)
        return held

    def _ok(self, session: Any, status: StatusCode = SUCCESS) -> StatusCode:
        """Note the status and return it; raises VisaIOError for an error status."""
        return self.handle_return_value(session, status)

    def _error(self, status: StatusCode, session: Any = None) -> errors.VisaIOError:
        """Note an error and return the exception for it."""
        self._last_status = status
        if session is not None:
            self._last_status_in_session[session] = status
        return errors.VisaIOError(status)
