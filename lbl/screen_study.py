"""The terminal for many films: how far they are, and their tables. It decides nothing."""

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from lbl import units
from lbl.screen import said
from lbl.studies import Outcome
from lbl.study.case import Cell, Film
from lbl.study.contrast import Condition, Contrast
from lbl.study.factors import Factor
from lbl.study.figures import title, wanted_low

LINES: Final = 20  # progress lines of a whole study where there is no terminal
ROWS: Final = 40  # conditions shown; the table has them all

_out = Console(highlight=False, soft_wrap=True)


class Progress:
    """A bar on a terminal, a line now and then elsewhere."""

    def __init__(self, films: int, stream: TextIO) -> None:
        console = Console(file=stream, highlight=False)
        self._console, self._films, self._done, self._mark = console, films, 0, 0
        self._bar: Bar | None = None
        if console.is_terminal:
            self._bar = Bar(
                TextColumn("films"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                TextColumn("{task.description}"), console=console, transient=True,
            )  # fmt: skip
            self._task = self._bar.add_task("", total=films)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, film: Film) -> None:
        """One more film; a lost terminal is no concern of a study."""
        self._done += 1
        told = f"{film.row['run']} {film.row['state']}"
        try:
            if self._bar is not None:
                self._bar.update(self._task, advance=1, description=told)
            elif self._done * LINES // self._films > self._mark or self._done == self._films:
                self._mark = self._done * LINES // self._films
                self._console.print(f"{self._done}/{self._films} films  {told}", soft_wrap=True)
        except (OSError, ValueError):
            self._bar, self._mark = None, LINES + 1


def contrasted(
    labels: tuple[str, str], rows: Sequence[Contrast], outcome: Outcome, *, quiet: bool
) -> None:
    """Side against side, a row a figure."""
    if quiet or not rows:
        return
    films = len(outcome.films) // 2
    noisy = any(row.noise is not None for row in rows)
    said(f"A: {labels[0]}   B: {labels[1]}   films a side: {films}")
    table = Table(box=None, pad_edge=False)
    table.add_column("figure", no_wrap=True)
    heads = ("A", "B", "B - A", "% of A", *(("noise", "x noise") if noisy else ()))
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        share = "same" if row.difference == 0.0 else _percent(row.share)
        cells = [_number(row.a), _number(row.b), f"{row.difference:+.3g}", share]
        if noisy:
            cells += [_maybe(row.noise, "{:.2g}"), _maybe(row.in_noise, "{:+.1f}")]
        table.add_row(title(row.name), *cells)
    _out.print(table)
    if noisy:
        said("noise: standard deviation from film to film; x noise: B - A in such units")
    _took(outcome)


def swept(
    factors: Sequence[Factor],
    rows: Sequence[Condition],
    shown: Sequence[str],
    outcome: Outcome,
    *,
    quiet: bool,
) -> None:
    """A row a condition, and which of them is best in each figure."""
    if quiet or not rows:
        return
    table = Table(box=None, pad_edge=False)
    for one in factors:
        table.add_column(f"{one.name} ({one.unit})" if one.unit else one.name, justify="right")
    table.add_column("complete", justify="right")
    for name in shown:
        table.add_column(title(name), justify="right")
    for row in rows[:ROWS]:
        figures = (_figure(row, name) for name in shown)
        table.add_row(*map(_cell, row.cells), f"{row.complete}/{row.films}", *figures)
    _out.print(table)
    if len(rows) > ROWS:
        said(f"and {len(rows) - ROWS} more in the table")
    for name in shown:
        said(_best(factors, [row for row in rows if name in row.mean], name))
    _took(outcome)


def _best(factors: Sequence[Factor], rows: Sequence[Condition], name: str) -> str:
    low = wanted_low(name)
    best = (min if low else max)(rows, key=lambda row: row.mean[name])
    at = ", ".join(
        f"{one.name} {_cell(cell)} {one.unit}".rstrip()
        for one, cell in zip(factors, best.cells, strict=True)
    )
    word = "lowest" if low else "highest"
    return f"{word} {title(name)}: {_number(best.mean[name])}" + (f" at {at}" if at else "")


def _took(outcome: Outcome) -> None:
    said(f"{len(outcome.films)} films in {units.duration(outcome.seconds)}")


def _figure(row: Condition, name: str) -> str:
    if name not in row.mean:
        return "-"
    spread = f"±{row.sd[name]:.1g}" if row.complete > 1 else ""
    return _number(row.mean[name]) + spread


def _cell(cell: Cell) -> str:
    return _number(cell) if isinstance(cell, float) else str(cell)


def _number(value: float) -> str:
    return f"{value:.4g}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:+.{1 if abs(share) >= 0.1 else 2}f}"


def _maybe(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)
