"""The terminal for `lbl diff`: what differs, in a table. Words only; it decides nothing."""

from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.table import Table

from lbl import units
from lbl.comparison import Comparison, Row
from lbl.errors import short
from lbl.figure import Figure
from lbl.screen import said

CHANGES: Final = 20  # shown; --json has all
MINUTE_S: Final = 60.0
TIMES: Final = 3.0
MISSING: Final = "none"

_out = Console(highlight=False, soft_wrap=True)


def compared(made: Comparison) -> None:
    """What was written differently, what follows, what is the same, what is missing and why."""
    titles = [f"{name} {side.label}" for name, side in (("A", made.a), ("B", made.b))]
    said(f"{titles[0]} on {made.a.facts['bench']}\n{titles[1]} on {made.b.facts['bench']}")
    if made.same:
        said("nothing differs")
        return
    if made.changes:
        _out.print(_changes(made))
    differing = [row for row in made.rows if not row.same]
    if differing:
        _out.print(_figures(differing))
    alike = [f"{row.name} ({_shown(row.a)})" for row in made.rows if row.same and not row.a.why]
    if alike:
        said(f"the same in both: {'; '.join(alike)}")
    for line in dict.fromkeys(_reasons(made)):
        said(line)
    for name, side, other in (("A", made.a, made.b), ("B", made.b, made.a)):
        for warning in side.warnings:
            if warning not in other.warnings:
                said(f"{name} alone: {warning}")


def _changes(made: Comparison) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("written", "A", "B"):
        table.add_column(column)
    for at, a, b in made.changes[:CHANGES]:
        table.add_row(at, short(a), short(b))
    if len(made.changes) > CHANGES:
        table.add_row(f"and {len(made.changes) - CHANGES} more; --json has them", "", "")
    return table


def _figures(rows: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("follows")
    for column in ("A", "B", "B - A", ""):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(row.name, _shown(row.a), _shown(row.b), *_difference(row))
    return table


def _difference(row: Row) -> tuple[str, str]:
    change = row.difference
    if change is None:
        return "", ""
    sign = "+" if change > 0 else "-"
    return sign + _number(abs(change), row.a.unit), _share(row)


def _share(row: Row) -> str:
    """How much more or less than A; times A where that is easier to read."""
    a, b = row.a.value, row.b.value
    if not a or b is None:
        return ""
    return f"{b / a:,.3g} x" if b / a >= TIMES else f"{100 * (b - a) / a:+.3g} %"


def _shown(figure: Figure) -> str:
    return MISSING if figure.value is None else _number(figure.value, figure.unit)


def _number(value: float, unit: str) -> str:
    if unit == "s" and value >= MINUTE_S:
        return units.duration(value)
    whole = abs(value) >= 1000 or value == round(value)
    digits = f"{value:,.0f}" if whole and abs(value) < 1e12 else f"{value:.4g}"
    return f"{digits} {unit}".rstrip()


def _reasons(made: Comparison) -> Iterator[str]:
    """Every number that is missing, and why: nothing is left unsaid."""
    for name, pick in (("A", "a"), ("B", "b")):
        by_reason: dict[str, list[str]] = {}
        for row in made.rows:
            figure: Figure = row.a if pick == "a" else row.b
            if figure.why:
                by_reason.setdefault(figure.why, []).append(row.name)
        for why, names in by_reason.items():
            yield f"{name} has no number, because {why}: {'; '.join(names)}"
