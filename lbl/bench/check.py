"""Looks at a bench: does every role answer, as whom, within which limits, calibrated when.

Reads only: it moves, heats and lights nothing. Must never decide whether a run may start.
"""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from drivers.errors import InstrumentError
from lbl.bench.file import AnyBench
from lbl.bench.opening import Instruments
from lbl.errors import Problem


@runtime_checkable
class Limited(Protocol):
    """A driver that can read back how far its instrument may go."""

    def limits(self) -> Mapping[str, tuple[float, float]]:
        """What is limited -> low and high; raises InstrumentError against the bench file."""


@dataclass(frozen=True, slots=True)
class Row:
    """One instrument as it was found. `guarded`: the dead-man can reach it without this program.

    `limits` are the device's own, in words; `calibrated` is a day or ""; `age` days since then,
    -1 unknown.
    """

    name: str
    role: str
    driver: str
    resource: str
    answers: bool
    maker: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    limits: str = ""
    guarded: bool = False
    calibrated: str = ""
    age: int = -1
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain data; problems as their lines."""
        return {
            "name": self.name,
            "role": self.role,
            "driver": self.driver,
            "resource": self.resource,
            "answers": self.answers,
            "maker": self.maker,
            "model": self.model,
            "serial": self.serial,
            "firmware": self.firmware,
            "limits": self.limits,
            "guarded": self.guarded,
            "calibrated": self.calibrated,
            "calibrated_days": self.age,
            "notes": list(self.notes),
            "problems": [str(problem) for problem in self.problems],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """A whole bench as it was found."""

    bench: str
    simulated: bool
    rows: tuple[Row, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, one a failure."""
        return tuple(problem for row in self.rows for problem in row.problems)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "bench": self.bench,
            "simulated": self.simulated,
            "ok": not self.problems,
            "instruments": [row.as_json() for row in self.rows],
        }


def check(file: AnyBench, pacer: Any, today: datetime.date) -> Report:
    """Open the bench, ask each instrument, close it again."""
    opened = Instruments(file, pacer, "bench check")
    try:
        rows = tuple(_row(opened, name, today) for name in file.instruments)
    finally:
        opened.close()
    return Report(file.name, file.simulated is not None, rows)


def _row(opened: Instruments, name: str, today: datetime.date) -> Row:
    """What is known of one instrument, answering or not."""
    spec = opened.file.instruments[name]
    place = f"{opened.file.name}.{name}"
    day = spec.calibrated
    row = Row(
        name=name,
        role=spec.role,
        driver=spec.driver,
        resource=spec.resource,
        answers=False,
        calibrated=day.isoformat() if day else "",
        age=(today - day).days if day else -1,
        problems=tuple(_dated(day, today, place)),
    )
    failed: InstrumentError | None = opened.failed.get(name)
    if failed is None:
        try:
            return _answering(opened, row, place)
        except InstrumentError as error:
            failed = error
    silent = Problem("bench-no-answer", str(failed), place)
    return replace(row, problems=(silent, *row.problems))


def _answering(opened: Instruments, row: Row, place: str) -> Row:
    """The row of one that answers. Raises InstrumentError when it stops to."""
    spec, port = opened.file.instruments[row.name], opened.ports[row.name]
    made = opened.made[row.name]
    who = made.identify()
    limits, problems = _limits(made, place)
    return replace(
        row,
        answers=True,
        maker=who.maker,
        model=who.model,
        serial=who.serial,
        firmware=who.firmware,
        limits=limits,
        guarded=port.channel >= 0,
        notes=(*port.notes, *_aged(spec, who)),
        problems=(*_another(spec, who, place), *problems, *row.problems),
    )


def _limits(made: Any, place: str) -> tuple[str, list[Problem]]:
    """The device's own limits in words, and where they contradict the bench file."""
    if not isinstance(made, Limited):
        return "", []
    try:
        found = made.limits().items()
    except InstrumentError as error:
        if error.kind != "limit":
            raise
        return "", [Problem("bench-limits", str(error), place)]
    return ", ".join(f"{what} {low:g}..{high:g}" for what, (low, high) in found), []


def _dated(day: datetime.date | None, today: datetime.date, place: str) -> Iterator[Problem]:
    """Whether a calibration lies in the future."""
    if day is not None and day > today:
        sentence = f"it was calibrated on {day}, which is yet to come"
        yield Problem("bench-calibration", sentence, place, "correct the day")


def _another(spec: Any, who: Any, place: str) -> Iterator[Problem]:
    """Whether the instrument is not the one that the bench file means."""
    wanted = spec.serial or (spec.card.serial if spec.card else "")
    if wanted and who.serial and who.serial != wanted:
        sentence = f"serial {who.serial} answers, the bench file means {wanted}"
        yield Problem("bench-another", sentence, place, "swap the cables, or correct the file")


def _aged(spec: Any, who: Any) -> Iterator[str]:
    """What has changed since the card was made."""
    card = spec.card
    if card is not None and card.firmware != who.firmware:
        yield f"firmware {who.firmware}, its card of {card.date} says {card.firmware}"
    if card is not None and not card.passed:
        yield f"its card of {card.date} has checks that failed"
