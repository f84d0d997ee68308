"""Armed commands whose answers somebody has to read: which of them fired, and in what order.

A list with a bound, kept by a port. This file must never read a wire.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from drivers.errors import InstrumentError
from drivers.framing import Framing
from drivers.pacer import Pacer

AWAITED_MAX: Final = 256  # as many as the pacer has slots


@dataclass(frozen=True, slots=True)
class Awaited:
    """An armed command: its pacer entry, its answers and who judges them."""

    entry: int
    command: bytes
    framing: Framing
    check: Callable[[bytes], None]
    replies: int
    who: str


class Awaiting:
    """The armed commands of one port that have answers to come."""

    def __init__(self, clock: Pacer) -> None:
        """Nothing is awaited yet."""
        self._clock = clock
        self._all: list[Awaited] = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all)

    def make_room(self) -> None:
        """Forget what never fired when the list is full; raises "limit" when it still is."""
        if len(self._all) < AWAITED_MAX:
            return
        gone = ("missed", "dropped")
        self._all = [one for one in self._all if self._state(one)[0] not in gone]
        if len(self._all) >= AWAITED_MAX:
            raise InstrumentError(
                f"{AWAITED_MAX} armed commands are waiting on this port",
                kind="limit",
                cure="arm later",
            )

    def add(self, awaited: Awaited) -> None:
        """Await this one too; `make_room` first."""
        self._all.append(awaited)

    def fired(self) -> list[tuple[int, Awaited]]:
        """Those that fired, and when (ns), in that order; they are awaited no more."""
        fired: list[tuple[int, Awaited]] = []
        waiting: list[Awaited] = []
        for awaited in self._all:
            state, fired_ns = self._state(awaited)
            if state == "fired":
                fired.append((fired_ns, awaited))
            elif state in ("armed", "confirmed"):
                waiting.append(awaited)
        self._all = waiting
        fired.sort(key=lambda pair: pair[0])
        return fired

    def clear(self) -> None:
        """Await nothing."""
        self._all = []

    def _state(self, awaited: Awaited) -> tuple[str, int]:
        """The pacer's word on an entry; one it has forgotten ended long ago."""
        try:
            return self._clock.entry(awaited.entry)
        except KeyError:
            return "dropped", 0
