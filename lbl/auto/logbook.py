"""What autonomous mode remembers from one start to the next: one small file, twice, in turns.

Each copy is whole or known not to be: it carries its own digest and a number. If neither can be
read, somebody has to assume the worst that is no dead end. Must never hold what a run's journal
holds.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from lbl.auto.budget import spent
from lbl.auto.config import Config
from lbl.journal.canonical import encode, plain
from lbl.journal.storage import Storage, latest
from lbl.journal.storage import replace as write_whole

COPIES: Final = ("state.a", "state.b")
BYTES_MAX: Final = 65_536
KEPT: Final = 100  # as many as a budget may have: readings of the meter in each list
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Logbook:
    """Readings of the hour meter in s; lists hold the newest at their end.

    `open`: the process that wrote this has not said that it is leaving. `run`: the film under way,
    or the last one. `refused`: how many records it had when it could not be taken up, with why;
    `latched`: the restarts are used up, and only a person gives them back; `cleared`: how many
    records it had when a person said "go on". `doubtful`: this is no memory, it is what is assumed
    without one.
    """

    number: int = 0
    starts: int = 0
    boot: str = ""
    open: bool = False
    meter: float = 0.0
    boots: tuple[float, ...] = ()
    restarts: tuple[float, ...] = ()
    unholds: tuple[float, ...] = ()
    run: str = ""
    refused: int = -1
    why: str = ""
    latched: bool = False
    cleared: int = -1
    doubtful: bool = False

    def started(self, boot: str, config: Config) -> "Logbook":
        """One start more, with what it says of the one before."""
        book = self.careful(config) if self.doubtful else self
        fresh = boot != book.boot
        crashed = book.open and not fresh
        boots = _more(book.boots, book.meter) if fresh else book.boots
        made = replace(book, starts=book.starts + 1, boot=boot, open=True, boots=boots)
        return made.restarted(config) if crashed else made

    def restarted(self, config: Config) -> "Logbook":
        """One restart more; the last one of the budget latches."""
        restarts, budget = _more(self.restarts, self.meter), config.restarts
        latched = spent(restarts, self.meter, budget.within) >= budget.times
        return replace(self, restarts=restarts, latched=self.latched or latched)

    def careful(self, config: Config) -> "Logbook":
        """What is assumed when nothing is remembered.

        The supply flaps, so that a long wait comes first; all restarts but one are used up; nothing
        is unheld by itself. A film can still go on, and nothing can go round in circles.
        """
        now = self.meter
        return replace(
            self,
            boots=(now,) * (config.boots.times + 2),
            restarts=(now,) * (config.restarts.times - 1),
            unholds=(now,) * KEPT,
        )

    def failed(self, refused: int, why: str, config: Config) -> "Logbook":
        """The run could not be driven; `refused` >= 0: and cannot be while it stands there."""
        return replace(self.restarted(config), refused=refused, why=why)

    def unheld(self) -> "Logbook":
        """A hold was undone without a person."""
        return replace(self, unholds=_more(self.unholds, self.meter))

    def clear(self, seq: int, run: str) -> "Logbook":
        """A person gives all budgets back and says "go on" at this record of this run."""
        return Logbook(
            number=self.number,
            starts=self.starts,
            boot=self.boot,
            open=self.open,
            meter=self.meter,
            run=run,
            cleared=seq,
        )


def _more(times: tuple[float, ...], now: float) -> tuple[float, ...]:
    return (*times, now)[-KEPT:]


def read(storage: Storage) -> tuple[Logbook, str]:
    """The newest whole copy, and a sentence if one could not be read ("" if all is well)."""
    found, lost = [], []
    for name in COPIES:
        try:
            data = latest(storage, name, BYTES_MAX)
        except OSError as error:
            data = b""
            lost.append(f"{name} cannot be read: {error.strerror or error}")
        if data is None:
            continue
        book = _parse(data)
        if book is not None:
            found.append(book)
        elif data or not lost:
            lost.append(f"{name} is damaged")
    if found:
        return max(found, key=lambda book: book.number), "; ".join(lost)
    if not lost:
        return Logbook(), ""
    return Logbook(doubtful=True), "; ".join([*lost, "the most careful values are assumed"])


def write(storage: Storage, book: Logbook) -> Logbook:
    """Write the older copy anew, durably; returns what was written. Raises OSError."""
    made = replace(book, number=book.number + 1, doubtful=False)
    body: dict[str, Any] = {"v": VERSION, **plain(asdict(made))}
    text = encode({**body, "digest": _digest(body)}).encode() + b"\n"
    write_whole(storage, COPIES[made.number % len(COPIES)], text, durable=True)
    return made


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(encode(body).encode()).hexdigest()


def _parse(data: bytes) -> Logbook | None:
    """The logbook in these bytes, or None when they are not exactly one whole copy."""
    try:
        body = json.loads(data)
        digest = body.pop("digest")
        if body.pop("v") != VERSION or digest != _digest({"v": VERSION, **body}):
            return None
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in body.items()
        }
        known = {field.name for field in fields(Logbook)}
        return Logbook(**values) if values.keys() == known else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
