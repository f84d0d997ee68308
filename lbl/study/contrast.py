"""What films say together: one side against the other, and the mean of each condition.

Pure. Only films that came to their end are averaged. Must never call a difference real: it tells
how large it is beside the scatter from film to film.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lbl.study.case import Cell, Film

_NO_FIGURES: Final = frozenset({"run", "state", "reason"})
Curve = list[tuple[int, float, float]]  # bilayer, mean, standard deviation


@dataclass(frozen=True, slots=True)
class Contrast:
    """One figure on both sides: means, standard deviations of one film, and their difference.

    With a single film a side, `noise` is None: nothing is known of the scatter.
    """

    name: str
    a: float
    b: float
    a_sd: float | None
    b_sd: float | None

    @property
    def difference(self) -> float:
        """B less A."""
        return self.b - self.a

    @property
    def share(self) -> float | None:
        """The difference as a share of A; None where A is 0."""
        return self.difference / abs(self.a) if self.a else None

    @property
    def noise(self) -> float | None:
        """Standard deviation of one film, pooled over both sides."""
        if self.a_sd is None or self.b_sd is None:
            return None
        return math.sqrt((self.a_sd**2 + self.b_sd**2) / 2.0)

    @property
    def in_noise(self) -> float | None:
        """The difference in units of the noise; None where there is none to compare with."""
        return self.difference / self.noise if self.noise else None

    def as_json(self) -> dict[str, Any]:
        """The object of `lbl twin --json`."""
        return {
            "a": self.a,
            "b": self.b,
            "difference": self.difference,
            "noise": self.noise,
            "in_noise": self.in_noise,
        }


@dataclass(frozen=True, slots=True)
class Condition:
    """One combination of levels: how many films, how many of them complete, and their figures."""

    cells: tuple[Cell, ...]
    films: int
    complete: int
    mean: dict[str, float]
    sd: dict[str, float]


def figures(films: Iterable[Film], inputs: Iterable[str]) -> list[str]:
    """The columns that are numbers of complete films and no inputs, in their order."""
    given = {*inputs, *_NO_FIGURES}
    rows = [film.row for film in films if film.complete]
    names = dict.fromkeys(name for row in rows for name in row if name not in given)
    return [name for name in names if any(_is_number(row.get(name)) for row in rows)]


def contrasts(a: Sequence[Film], b: Sequence[Film], names: Sequence[str]) -> list[Contrast]:
    """Each figure that both sides have."""
    made = []
    for name in names:
        left, right = numbers(a, name), numbers(b, name)
        if left and right:
            made.append(Contrast(name, _mean(left), _mean(right), _spread(left), _spread(right)))
    return made


def conditions(
    films: Sequence[Film], columns: Sequence[str], names: Sequence[str]
) -> list[Condition]:
    """Films of the same levels together, in the order of the cases."""
    groups: dict[tuple[Cell, ...], list[Film]] = {}
    for film in sorted(films, key=lambda film: film.number):
        groups.setdefault(tuple(film.row.get(name) for name in columns), []).append(film)
    made = []
    for cells, group in groups.items():
        values = {name: numbers(group, name) for name in names}
        mean = {name: _mean(found) for name, found in values.items() if found}
        sd = {name: _spread(found) or 0.0 for name, found in values.items() if found}
        made.append(Condition(cells, len(group), sum(one.complete for one in group), mean, sd))
    return made


def curve(films: Iterable[Film]) -> Curve:
    """Mean growth of complete films, bilayer by bilayer, in mOD of one side."""
    read: dict[int, list[float]] = {}
    for film in films:
        for bilayer, value in film.curve if film.complete else ():
            read.setdefault(bilayer, []).append(value)
    return [(at, _mean(values), _spread(values) or 0.0) for at, values in sorted(read.items())]


def apart(a: Sequence[Film], b: Sequence[Film]) -> Curve:
    """Mean of B less A, film beside film of the same seed, bilayer by bilayer."""
    read: dict[int, list[float]] = {}
    for left, right in zip(a, b, strict=True):
        if left.complete and right.complete:
            before = dict(left.curve)
            for bilayer, value in right.curve:
                if bilayer in before:
                    read.setdefault(bilayer, []).append(value - before[bilayer])
    return [(at, _mean(values), _spread(values) or 0.0) for at, values in sorted(read.items())]


def numbers(films: Iterable[Film], name: str) -> list[float]:
    """A figure of all complete films that have it."""
    cells = (film.row.get(name) for film in films if film.complete)
    return [float(cell) for cell in cells if cell is not None and not isinstance(cell, str)]


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _spread(values: Sequence[float]) -> float | None:
    """Sample standard deviation; None of a single value."""
    return statistics.stdev(values) if len(values) > 1 else None
