"""Bytes on a file descriptor, with a bound on every wait and a peer that closes noticed at once.

PyVISA opens and configures the port; the bytes then travel over the descriptor itself, because
the pacer fires over the same descriptor, because pyvisa-py's TCP write can block for ever and
its read spins until the time-out when the peer has closed, and because a timed-out read there
throws away what had come. Nothing here knows a protocol or a clock: waits are counted by poll.
"""

import fcntl
import os
import select
import socket
import stat
from collections.abc import Callable
from typing import Final, Protocol

from drivers.errors import InstrumentError
from drivers.framing import LF

CHUNK: Final = 4096
DRAIN_MAX: Final = 65_536  # bytes thrown away before a port is called a babbler
_GONE: Final = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Wire(Protocol):
    """What a port needs of whatever carries its bytes. All errors are InstrumentError."""

    @property
    def fd(self) -> int:
        """The descriptor, or -1 when there is none."""
        ...

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send all of `data` within the time-out (kind "lost" otherwise)."""
        ...

    def read(self, end: int, timeout_s: float) -> bytes:
        """At least one byte, up to the byte `end` or more; kind "no answer" after the time-out."""
        ...

    def purge(self) -> int:
        """Throw away what has already arrived, without waiting; number of bytes."""
        ...

    def drain(self, end: int, quiet_s: float) -> int:
        """Throw away what arrives until it is quiet for so long; number of bytes."""
        ...

    def close(self) -> None:
        """Close the session underneath."""
        ...


def silence(timeout_s: float) -> InstrumentError:
    """The error for a peer that says nothing."""
    return InstrumentError(
        f"no answer within {timeout_s:g} s",
        kind="no answer",
        cure="check power, cable and address",
    )


def lost(why: str) -> InstrumentError:
    """The error for a port that is gone."""
    return InstrumentError(why, kind="lost", cure="check power and cable, then resume the run")


def babble(count: int) -> InstrumentError:
    """The error for a port that never falls silent."""
    return InstrumentError(
        f"{count} bytes came and it is still talking",
        kind="garbled",
        cure="check that nothing streams on this port and that the baud rate is right",
    )


def drain_by(read: Callable[[int, float], bytes], end: int, quiet_s: float) -> int:
    """Drain through a wire's own reads, until one says "no answer"; number of bytes.

    Raises kind "garbled" beyond DRAIN_MAX, and whatever else `read` raises.
    """
    count = 0
    while count <= DRAIN_MAX:  # each turn counts at least one
        try:
            count += len(read(end if end >= 0 else LF, quiet_s)) or 1
        except InstrumentError as error:
            if error.kind == "no answer":
                return count
            raise
    raise babble(count)


def prepare_descriptor(fd: int, resource: str) -> None:
    """Send small commands at once, find out whether the peer is there, keep others off."""
    if stat.S_ISSOCK(os.fstat(fd).st_mode):
        peer = socket.socket(fileno=fd)
        try:
            trouble = peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not trouble and peer.family in (socket.AF_INET, socket.AF_INET6):
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        finally:
            peer.detach()
        if trouble:
            raise lost(f"nobody answers there: {os.strerror(trouble)}").at("", resource)
        return
    try:  # programs that use pyserial's exclusive mode, tio or picocom respect this
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InstrumentError(
            "another program has locked the serial line",
            kind="locked",
            cure="close the other program",
            resource=resource,
        ) from None


class DescriptorWire:
    """A serial or socket session's descriptor, made non-blocking."""

    def __init__(self, fd: int, session: "Closeable") -> None:
        """Take over the descriptor of an open session, which closes it."""
        os.set_blocking(fd, False)
        self.fd = fd
        self._session = session
        self._readable = select.poll()
        self._readable.register(fd, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(fd, select.POLLOUT)

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send all of `data`; each further piece may wait once more, so the bound is per piece."""
        while data:  # each turn sends at least one byte or raises
            try:
                data = data[os.write(self.fd, data) :]
            except BlockingIOError:
                if not self._writable.poll(timeout_s * 1000):
                    raise lost(f"the peer took no bytes for {timeout_s:g} s") from None
            except OSError as error:
                raise lost(f"writing failed: {error.strerror}") from error

    def read(self, end: int, timeout_s: float) -> bytes:
        """What has arrived, at most CHUNK bytes; `end` plays no part on a descriptor."""
        if not self._readable.poll(timeout_s * 1000):
            raise silence(timeout_s)
        return self._take()

    def purge(self) -> int:
        """Throw away what has already arrived."""
        return self.drain(0, 0.0)

    def drain(self, end: int, quiet_s: float) -> int:
        """Throw away what arrives until it is quiet; raises kind "garbled" beyond DRAIN_MAX."""
        count = 0
        while self._readable.poll(quiet_s * 1000):
            count += len(self._take())
            if count > DRAIN_MAX:
                raise babble(count)
        return count

    def close(self) -> None:
        """Close the session."""
        self._session.close()

    def _take(self) -> bytes:
        try:
            data = os.read(self.fd, CHUNK)
        except BlockingIOError:
            return b""  # poll was wrong for once; the caller's own bound ends the wait
        except OSError as error:
            raise lost(f"reading failed: {error.strerror}") from error
        if not data:
            raise lost("the peer closed the connection")
        return data


class Closeable(Protocol):
    """A session that can be closed."""

    def close(self) -> None:
        """Close it."""
        ...
