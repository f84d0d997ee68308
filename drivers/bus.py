"""The wire: opens ports through PyVISA, sets them up, locks them, hands them out one per resource.

The only importer of pyvisa among the drivers. PyVISA does the opening and the settings; where a
session has a descriptor the bytes travel over it (see wire.py), otherwise over the VISA library.
This file must never know a protocol, and never open a port that another process holds.
"""

import contextlib
import termios
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

import pyvisa
from pyvisa import constants
from pyvisa.errors import VisaIOError
from pyvisa.highlevel import VisaLibraryBase
from pyvisa.resources import (
    MessageBasedResource,
    SerialInstrument,
    TCPIPSocket,
    USBInstrument,
)

from drivers.capture import CaptureWire, Listener
from drivers.errors import InstrumentError
from drivers.framing import ANY_BYTE
from drivers.link import Identity, Link
from drivers.lock import PortLock, canonical
from drivers.pacer import BusPacer, Pacer
from drivers.port import NO_CHANNEL, WRITE_S, Fired, Port, Sync
from drivers.wire import (
    CHUNK,
    DescriptorWire,
    Wire,
    drain_by,
    lost,
    prepare_descriptor,
    silence,
)

__all__ = ["Bus", "BusPacer", "Identity", "Link", "Pacer", "Port", "Sync", "visible"]

OPEN_MS: Final = 3000
REOPEN_TRIES: Final = 10
REOPEN_PAUSE_S: Final = 1.0  # a USB adapter is enumerated anew in about a second
_IN_PROCESS: Final = ("@lbl", "@sim")  # back ends that serve simulated instruments in this process
_PARITY: Final = {
    "none": constants.Parity.none,
    "even": constants.Parity.even,
    "odd": constants.Parity.odd,
}
_FLOW: Final = {
    "none": constants.ControlFlow.none,
    "xonxoff": constants.ControlFlow.xon_xoff,
    "rtscts": constants.ControlFlow.rts_cts,
}
_STOP: Final = {1: constants.StopBits.one, 2: constants.StopBits.two}
_UNTOLD: Final = -2  # where reads end: neither a byte nor ANY_BYTE, the library was not told
_MESSAGE_AVAILABLE: Final = 16
_SPOILT: Final = (  # bytes came and were damaged; the port is there
    constants.StatusCode.error_serial_parity,
    constants.StatusCode.error_serial_framing,
    constants.StatusCode.error_serial_overrun,
)
_UNSETTABLE: Final = (termios.error, VisaIOError, OSError, ValueError, NotImplementedError)


class Bus:
    """All ports of one bench on one clock.

    `library` is a PyVISA library string ("@py") or a library object that serves instruments in
    this process, which needs no lock between processes. Use as a context manager, or `close`.
    """

    def __init__(
        self,
        pacer: BusPacer,
        library: VisaLibraryBase | str = "@py",
        capture: Listener | None = None,
    ) -> None:
        """Open the library; ports are opened by `port`. `capture` is told every byte."""
        self._pacer = pacer
        self._listener = capture
        self._manager = pyvisa.ResourceManager(library)
        self._in_process = not isinstance(library, str) or library.endswith(_IN_PROCESS)
        self._lock = threading.Lock()
        self._ports: dict[str, tuple[Port, Link, PortLock | None]] = {}

    def port(self, resource: str, *, link: Link, purpose: str = "") -> Port:
        """The port of this resource; chained devices get the same one.

        `purpose` is shown to any other process that wants the port meanwhile. Raises
        InstrumentError: "locked" (held by another process, named), "lost" (does not open),
        "limit" (already open with other serial settings).
        """
        with self._lock:
            opened = self._ports.get(canonical(resource))
            if opened is not None:
                if opened[1] != link:
                    raise InstrumentError(
                        f"already open with {opened[1]}, cannot be {link} too",
                        kind="limit",
                        cure="chain only instruments with equal serial settings",
                        resource=resource,
                    )
                return opened[0]
            lock = None if self._in_process else PortLock(resource, purpose)
            try:
                port = self._open(resource, link)
            except BaseException:
                if lock is not None:
                    lock.release()
                raise
            self._ports[canonical(resource)] = (port, link, lock)
            return port

    def reopen(
        self, resource: str, *, tries: int = REOPEN_TRIES, pause_s: float = REOPEN_PAUSE_S
    ) -> Port:
        """Open a lost port anew, for the drivers that hold it; they identify again afterwards.

        The pacer's old channel is removed before its descriptor is closed (the guardian is told of
        both), then it waits and opens, `tries` times in all; the lock is kept. Raises
        InstrumentError: "lost", "busy" while commands are armed on it, "limit" if never open.
        """
        with self._lock:
            port, link, _ = self._opened(resource)
            self._let_go(port)
            for left in range(tries - 1, -1, -1):
                port.pause(pause_s)
                try:
                    wire, channel, _, fired = self._wire(port.resource, link)
                except InstrumentError as error:
                    if left == 0 or error.kind != "lost":
                        raise
                    continue
                port.reopen(wire, channel, fired)
                return port
        raise ValueError(f"tries must be at least 1, not {tries}")

    def close(self) -> None:
        """Close every port and give its lock back; doing it twice does no harm."""
        with self._lock:
            ports, self._ports = self._ports, {}
            for port, _, lock in ports.values():
                # still armed, or gone already: the pacer checks the descriptor before it writes
                with contextlib.suppress(OSError, RuntimeError, ValueError):
                    self._forget(port)
                with contextlib.suppress(OSError, VisaIOError):  # gone already is closed too
                    port.close()
                if lock is not None:
                    lock.release()

    def __enter__(self) -> "Bus":
        """Nothing is opened here."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every port."""
        self.close()

    def _forget(self, port: Port) -> None:
        if port.channel >= 0:
            self._pacer.remove(port.channel)

    def _opened(self, resource: str) -> tuple[Port, Link, PortLock | None]:
        opened = self._ports.get(canonical(resource))
        if opened is None:
            raise InstrumentError(
                "the port was never open", kind="limit", cure="open it first", resource=resource
            )
        return opened

    def _let_go(self, port: Port) -> None:
        """Give channel and session of a port back; the port itself stays."""
        try:
            self._forget(port)
        except RuntimeError as error:  # armed entries would fire into whatever opens next
            raise InstrumentError(
                str(error), kind="busy", cure="hold the run first", resource=port.resource
            ) from None
        except (OSError, ValueError):
            pass  # gone already
        port.channel = NO_CHANNEL
        with contextlib.suppress(OSError, VisaIOError):
            port.close()

    def _open(self, resource: str, link: Link) -> Port:
        """A port with its wire and channel; nothing stays open when it fails."""
        wire, channel, notes, fired = self._wire(resource, link)
        return Port(resource, wire, self._pacer, channel, notes, fired)

    def _wire(self, resource: str, link: Link) -> tuple[Wire, int, tuple[str, ...], Fired | None]:
        """A wire, its channel, what was odd, and who is told of bytes that go past the wire."""
        session = self._session(resource)
        try:
            notes = tuple(_set_up(session, link))
            fd = -1 if self._in_process else _descriptor(session)
            wire: Wire = VisaWire(session)
            fired: Fired | None = None
            if fd >= 0:
                prepare_descriptor(fd, resource)
                wire = DescriptorWire(fd, session)
            if self._listener is not None:
                wire = told = CaptureWire(wire, resource, self._pacer, self._listener)
                fired = told.fired if fd >= 0 and not self._pacer.virtual else None
            return wire, self._channel(resource, wire), notes, fired
        except BaseException:
            with contextlib.suppress(OSError, VisaIOError):
                session.close()
            raise

    def _session(self, resource: str) -> MessageBasedResource:
        """An open PyVISA session, or InstrumentError in words."""
        try:
            session = self._manager.open_resource(resource, open_timeout=OPEN_MS)
        except Exception as error:  # pyvisa-py raises plain Exception when it cannot connect
            raise InstrumentError(
                f"the port does not open: {error}",
                kind="lost",
                cure="check the resource in the bench file, power and cable",
                resource=resource,
            ) from error
        if not isinstance(session, MessageBasedResource):
            session.close()
            raise InstrumentError(
                "no messages can be sent to this kind of resource",
                kind="limit",
                cure="use an ASRL, TCPIP or USB resource",
                resource=resource,
            )
        return session

    def _channel(self, resource: str, wire: Wire) -> int:
        """Where the pacer sends armed bytes for this wire."""
        if self._pacer.virtual:
            return self._pacer.add_call(resource, lambda data: wire.write(data, WRITE_S))
        if wire.fd >= 0:
            return self._pacer.add_fd(resource, wire.fd)
        return NO_CHANNEL


class VisaWire:
    """Bytes through a VISA library: in-process instruments, USB, other makers' libraries."""

    fd: Final = -1

    def __init__(self, session: MessageBasedResource) -> None:
        """Take over an open session."""
        self._session = session
        self._handle: Any = session.session
        self._library = session.visalib
        self._read = session.visalib.read
        self._timeout_s = -1.0
        self._end = _UNTOLD
        self._counts = isinstance(session, SerialInstrument) and _works(self._waiting)
        self._socket = isinstance(session, TCPIPSocket)
        self._tells = isinstance(session, USBInstrument) and _works(self._offers)
        self._quiet = contextlib.ExitStack()  # a full chunk is no reason for a Python warning
        full = constants.StatusCode.success_max_count_read
        self._quiet.enter_context(session.ignore_warning(full))

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send all of `data`; the bound is the library's own."""
        try:
            self._library.write(self._handle, data)
        except (VisaIOError, OSError) as error:
            raise lost(f"writing failed: {error}") from error

    def read(self, end: int, timeout_s: float) -> bytes:
        """One VISA read that stops at `end`, or at the message's end.

        With `end` ANY_BYTE one byte at a time: a read that waits for a full chunk or for a byte
        that never comes would lose what it has when it times out.
        """
        if timeout_s != self._timeout_s or end != self._end:
            self._set(end, timeout_s)
        try:
            return self._read(self._handle, 1 if end == ANY_BYTE else CHUNK)[0]
        except VisaIOError as error:
            if error.error_code == constants.StatusCode.error_timeout:
                raise silence(timeout_s) from None
            if error.error_code in _SPOILT:
                raise InstrumentError(
                    f"reading failed: {error}",
                    kind="garbled",
                    cure="check cable, baud rate and parity",
                ) from None
            raise lost(f"reading failed: {error}") from error
        except OSError as error:
            raise lost(f"reading failed: {error}") from error

    def purge(self) -> int:
        """Throw away what has arrived.

        Asked of a socket by a read that does not wait; otherwise only where something is said to
        have come, by the library or by the "message available" bit of the status byte (IEEE 488.2,
        11.2): a USB instrument takes a read without a question for an error.
        """
        if self._socket or (self._counts and self._waiting()) or (self._tells and self._offers()):
            return self.drain(self._end, 0.0)
        return 0

    def drain(self, end: int, quiet_s: float) -> int:
        """Read and throw away until nothing comes for so long."""
        return drain_by(self.read, end, quiet_s)

    def close(self) -> None:
        """Close the session."""
        self._quiet.close()
        self._session.close()

    def _set(self, end: int, timeout_s: float) -> None:
        """Tell the library where to stop and how long to wait."""
        attribute = constants.ResourceAttribute
        if timeout_s != self._timeout_s:
            timeout_ms = -int(-timeout_s * 1000 // 1)
            self._library.set_attribute(self._handle, attribute.timeout_value, timeout_ms)
            self._timeout_s = timeout_s
        if end == self._end:
            return
        if end != ANY_BYTE:
            self._library.set_attribute(self._handle, attribute.termchar, end)
        self._library.set_attribute(self._handle, attribute.termchar_enabled, end != ANY_BYTE)
        self._end = end

    def _waiting(self) -> int:
        available = constants.ResourceAttribute(constants.VI_ATTR_ASRL_AVAIL_NUM)
        return int(self._library.get_attribute(self._handle, available)[0])

    def _offers(self) -> bool:
        """Whether the instrument holds an answer that nobody has read."""
        return bool(self._library.read_stb(self._handle)[0] & _MESSAGE_AVAILABLE)


def _works(act: Callable[[], object]) -> bool:
    """Whether the library can do this at all."""
    try:
        act()
    except (VisaIOError, NotImplementedError, OSError):
        return False
    return True


def _set_up(session: MessageBasedResource, link: Link) -> list[str]:
    """Apply serial settings; what the line refuses (a pty has no parity) is noted instead."""
    if not isinstance(session, SerialInstrument):
        return []
    try:
        session.baud_rate = link.baud
        session.data_bits = link.data_bits
        session.parity = _PARITY[link.parity]
        session.stop_bits = _STOP[link.stop_bits]
        session.flow_control = _FLOW[link.flow]
    except _UNSETTABLE as error:
        with contextlib.suppress(*_UNSETTABLE):
            session.data_bits = 8
            session.parity = constants.Parity.none
            session.stop_bits = constants.StopBits.one
            session.flow_control = constants.ControlFlow.none
        return [f"the line refused {link} ({error}); it stays at 8 data bits, no parity"]
    return []


def _descriptor(session: MessageBasedResource) -> int:
    """The descriptor of a pyvisa-py serial or socket session, or -1."""
    from pyvisa_py.highlevel import PyVisaLibrary  # type: ignore[import-untyped]
    from pyvisa_py.serial import SerialSession  # type: ignore[import-untyped]
    from pyvisa_py.tcpip import TCPIPSocketSession  # type: ignore[import-untyped]

    library = session.visalib
    if not isinstance(library, PyVisaLibrary):
        return -1
    inner = library.sessions[session.session]
    if not isinstance(inner, SerialSession | TCPIPSocketSession):
        return -1
    try:
        return int(inner.interface.fileno())
    except (OSError, AttributeError, TypeError):  # loop://, rfc2217:// have none
        return -1


def visible(library: str = "@py") -> list[str]:
    """The resources that PyVISA sees. It may hang in a library: ask in a process of its own."""
    manager = pyvisa.ResourceManager(library)
    try:
        return list(manager.list_resources("?*"))
    finally:
        manager.close()
