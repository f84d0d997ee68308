"""A captured conversation as the other end of a wire: what was answered then is answered again.

For tests: drivers run against what an instrument once said, with the pauses it made, on any clock.
It must never accept other bytes than those that were captured, and never answer anything else.
"""

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from drivers.errors import InstrumentError
from drivers.link import Link
from drivers.lock import canonical
from drivers.pacer import BusPacer
from drivers.port import NO_CHANNEL, WRITE_S, Port
from drivers.wire import silence

LINES_MAX: Final = 1_000_000
NANO: Final = 1_000_000_000
SHOWN: Final = 60  # bytes of a wrong command that a complaint shows


class Differs(Exception):
    """What was sent is not what was captured; names the capture and the line."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One line of a capture: its number, when, and the bytes; `sent` or arrived."""

    line: int
    t_ns: int
    sent: bool
    data: bytes


class ReplayWire:
    """Answers from a capture of one resource. Raises Differs (never InstrumentError) on a mismatch.

    An answer comes as long after what was sent before it as it did when it was captured.
    """

    fd: Final = -1

    def __init__(self, name: str, pieces: Iterable[Piece], clock: BusPacer) -> None:
        """`name` is the capture's, for complaints."""
        self._name = name
        self._left = deque(pieces)
        self._clock = clock
        self._then_ns = self._left[0].t_ns if self._left else 0  # of the capture,
        self._now_ns = clock.now_ns()  # and now, at the same point of the conversation

    @property
    def left(self) -> list[bytes]:
        """What was captured as sent and has not been sent yet."""
        return [piece.data for piece in self._left if piece.sent]

    def write(self, data: bytes, timeout_s: float) -> None:
        """Compare with what was sent then; answers that nobody read before it are passed over."""
        if not data:
            return
        while self._left and not self._left[0].sent:
            self._left.popleft()
        if not self._left:
            raise Differs(f"{self._name}: {data[:SHOWN]!r} was sent after the capture's end")
        wanted = self._left.popleft()
        if data != wanted.data:
            raise Differs(
                f"{self._name}, line {wanted.line}: {data[:SHOWN]!r} was sent, captured was "
                f"{wanted.data[:SHOWN]!r}"
            )
        self._then_ns, self._now_ns = wanted.t_ns, self._clock.now_ns()

    def read(self, end: int, timeout_s: float) -> bytes:
        """The next piece that arrived, when it is due; kind "no answer" after the time-out."""
        deadline_ns = self._clock.now_ns() + round(timeout_s * NANO)
        due_ns = self._due_ns()
        if due_ns is None or due_ns > deadline_ns:
            self._wait(deadline_ns)
            raise silence(timeout_s)
        self._wait(due_ns)
        return self._left.popleft().data

    def purge(self) -> int:
        """Throw away what is due by now."""
        return self.drain(0, 0.0)

    def drain(self, end: int, quiet_s: float) -> int:
        """Throw away what comes until it is quiet; a capture has an end."""
        count = 0
        while True:  # each turn uses up a piece of the capture or ends
            try:
                count += len(self.read(end, quiet_s))
            except InstrumentError:
                return count

    def close(self) -> None:
        """Nothing to close."""

    def _due_ns(self) -> int | None:
        """When the next piece arrives, on the clock of now; None when something is due before."""
        if not self._left or self._left[0].sent:
            return None
        return self._now_ns + self._left[0].t_ns - self._then_ns

    def _wait(self, deadline_ns: int) -> None:
        while self._clock.now_ns() < deadline_ns:
            self._clock.wait_until_ns(deadline_ns)


class Replay:
    """In place of a bus: ports that answer from a capture; `name` is the capture's."""

    def __init__(self, lines: Iterable[str], pacer: BusPacer, name: str = "capture.jsonl") -> None:
        """Read the capture. Raises ValueError that names a line which is none of a capture's."""
        self._pacer = pacer
        self._name = name
        self._pieces: dict[str, list[Piece]] = {}
        self._wires: dict[str, ReplayWire] = {}
        self._ports: dict[str, Port] = {}
        for number, line in enumerate(lines, 1):
            if number > LINES_MAX:
                raise ValueError(f"{name}: more than {LINES_MAX} lines")
            if line.strip():
                resource, piece = _piece(line, number, name)
                self._pieces.setdefault(canonical(resource), []).append(piece)

    def port(self, resource: str, *, link: Link, purpose: str = "") -> Port:
        """The port of this resource; raises Differs when the capture has none of that name."""
        key = canonical(resource)
        if key not in self._ports:
            if key not in self._pieces:
                known = ", ".join(self._pieces) or "none"
                raise Differs(f"{self._name}: nothing of {resource} was captured; it has {known}")
            wire = ReplayWire(self._name, self._pieces[key], self._pacer)
            channel = NO_CHANNEL
            if self._pacer.virtual:
                channel = self._pacer.add_call(resource, lambda data: wire.write(data, WRITE_S))
            self._wires[key] = wire
            self._ports[key] = Port(resource, wire, self._pacer, channel)
        return self._ports[key]

    @property
    def left(self) -> list[bytes]:
        """What was captured as sent and has not been sent yet, of every port that was opened."""
        return [data for wire in self._wires.values() for data in wire.left]

    def close(self) -> None:
        """Give the channels back."""
        for port in self._ports.values():
            if port.channel >= 0:
                self._pacer.remove(port.channel)
        self._ports = {}


def _piece(line: str, number: int, name: str) -> tuple[str, Piece]:
    """One line as a piece of its resource's conversation."""
    try:
        row = json.loads(line)
        sent = {"out": True, "in": False}[row["dir"]]
        data = bytes.fromhex(row["hex"])
        return str(row["resource"]), Piece(number, int(row["t_ns"]), sent, data)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{name}, line {number}: no line of a capture ({error})") from None
