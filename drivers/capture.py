"""Every byte that crosses a wire, told to somebody as it crosses: one line of JSON a piece.

`{"t_ns": 1, "resource": "ASRL1::INSTR", "dir": "out", "hex": "2f310a"}`; `out` is what was sent,
`in` what arrived, `t_ns` the run's own clock. A bus without a listener has none of this in its way.
This file must never open a file, and never change, hold back or wait for a byte.
"""

import json
from collections.abc import Callable
from typing import Final, Literal, Protocol

from drivers.framing import LF
from drivers.wire import Wire, drain_by

Listener = Callable[[str], object]
"""Takes one line of JSON, without a line end."""

Direction = Literal["out", "in"]


class Clock(Protocol):
    """What a capture stamps its lines with."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds."""
        ...


class CaptureWire:
    """A wire that tells; otherwise the wire underneath.

    What the library throws away on its own (`purge` where there is no descriptor) is not told.
    """

    def __init__(self, wire: Wire, resource: str, clock: Clock, listener: Listener) -> None:
        """Stand in front of `wire`."""
        self._wire = wire
        self._clock = clock
        self._listener = listener
        self._resource: Final = json.dumps(resource)

    @property
    def fd(self) -> int:
        """The descriptor, or -1."""
        return self._wire.fd

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send all of `data`; told before it is sent, so that a failed write stands there too."""
        self._tell("out", data, self._clock.now_ns())
        self._wire.write(data, timeout_s)

    def read(self, end: int, timeout_s: float) -> bytes:
        """At least one byte."""
        data = self._wire.read(end, timeout_s)
        self._tell("in", data, self._clock.now_ns())
        return data

    def purge(self) -> int:
        """Throw away what has already arrived."""
        return self.drain(LF, 0.0) if self._wire.fd >= 0 else self._wire.purge()

    def drain(self, end: int, quiet_s: float) -> int:
        """Throw away what arrives until it is quiet; it is told what that was."""
        return drain_by(self.read, end, quiet_s)

    def close(self) -> None:
        """Close the session underneath."""
        self._wire.close()

    def fired(self, data: bytes, fired_ns: int) -> None:
        """The pacer sent this itself, over the descriptor, past this wire."""
        self._tell("out", data, fired_ns)

    def _tell(self, direction: Direction, data: bytes, now_ns: int) -> None:
        self._listener(
            f'{{"t_ns": {now_ns}, "resource": {self._resource}, "dir": "{direction}", '
            f'"hex": "{data.hex()}"}}'
        )
