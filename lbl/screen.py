"""The terminal: tables, a live panel, one line a problem. Words only; it decides nothing."""

import json
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lbl import units
from lbl.plan.schedule import Plan
from lbl.run.clock import patience_s
from lbl.run.news import News

REDRAW_S: Final = 0.1
LINES: Final = 20  # progress lines of a whole film where there is no terminal
SPARKS: Final = "▁▂▃▄▅▆▇█"
SPARK_WIDTH: Final = 48

_out = Console(highlight=False, soft_wrap=True)


def as_json(value: Mapping[str, Any]) -> None:
    """One JSON object, last line of standard output."""
    print(json.dumps(value, sort_keys=True, allow_nan=False), flush=True)


def said(text: str) -> None:
    """Plain words."""
    print(text, flush=True)


def line(facts: Mapping[str, Any]) -> None:
    """One line of a run that somebody else drives."""
    said(
        f"{facts['utc']}  {facts['state']:<10} bilayer {facts['bilayers']}/"
        f"{facts['planned_bilayers']}  deposition {facts['depositions']}  in {facts['vessel']}"
    )


def checked(plan: Plan) -> None:
    """A recipe that is fit to run."""
    said(
        f"{plan.recipe} {plan.version} fits bench {plan.bench}: {plan.depositions} depositions, "
        f"{units.duration(plan.duration_ns / 1e9)}, plan {plan.hash[:12]}"
    )


def facts(values: Mapping[str, Any]) -> None:
    """A list of names and values."""
    table = Table(show_header=False, box=None)
    for name, value in values.items():
        if isinstance(value, Mapping):
            for verb, cost in value.items():
                table.add_row(f"{verb} now", str(cost))
            continue
        table.add_row(name.replace("_", " "), str(value))
    _out.print(table)


def runs(rows: Sequence[Mapping[str, Any]]) -> None:
    """The list of runs."""
    if not rows:
        said("no runs here yet; `lbl run demo` makes one")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("run", "state", "bilayers", "depositions", "last record (UTC)"):
        table.add_column(name, no_wrap=True)
    for row in rows:
        keys = ("run", "state", "bilayers", "depositions", "utc")
        table.add_row(*(str(row[key]) for key in keys))
    _out.print(table)


def detached(run: Mapping[str, Any]) -> None:
    """A run that went into the background."""
    said(f"{run['run']} runs in the background (pid {run['pid']}); lbl status {run['run']}")


def consents(prepared: Any) -> bool:
    """Ask once before a real bench moves."""
    if not sys.stdin.isatty():
        print("this bench is real: say --yes to let it move", file=sys.stderr)
        return False
    plan: Plan = prepared.plan
    answer = input(
        f"bench {plan.bench} is real and will move for "
        f"{units.duration(plan.duration_ns / 1e9)}. Start? [y/N] "
    )
    return answer.strip().lower() in ("y", "yes")


def ended(result: Any, *, quiet: bool) -> None:
    """How a run ended, in a few lines; the JSON line says the same when asked for."""
    if quiet:
        return
    values = result.as_json()
    table = Table(title=f"{values['run']}: {values['state']}", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_row("bilayers", f"{values['bilayers']}")
    table.add_row("depositions", f"{values['depositions']}")
    table.add_row("duration", units.duration(values["duration_s"]))
    ratio = values["duration_s"] / values["wall_s"] if values["wall_s"] else 0.0
    table.add_row("took", f"{values['wall_s']:.2f} s here, {ratio:,.0f} x real time")
    table.add_row("deviations", f"{values['deviations']}")
    film = values.get("film")
    if film:
        table.add_row("thickness (world)", f"{film['thickness_nm']:.0f} nm")
        table.add_row("growth (measured)", _growth(film))
    for name, used in values.get("solutions", {}).items():
        table.add_row(name, f"{used['used_ml']:.2f} mL used, c/c0 {used['c_over_c0']:.3f}")
    late = values["lateness_us"]
    table.add_row("lateness p50/p99/max", f"{late['p50']}/{late['p99']}/{late['max']} us")
    table.add_row("folder", str(result.folder))
    _out.print(table)
    if result.reason and values["state"] != "Complete":
        said(f"{values['state']}: {result.reason}")


def _growth(film: Mapping[str, Any]) -> str:
    if film.get("slope_mOD") is None:
        return "too few bilayers to say"
    return f"{film['slope_mOD']:.3f} mOD a bilayer and side, r2 {film['r2']:.5f}"


class Progress:
    """Live progress: a panel on a terminal, a line now and then elsewhere."""

    def __init__(self, plan: Plan, stream: TextIO) -> None:
        self._plan = plan
        self._console = Console(file=stream, highlight=False)
        self._live = (
            Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        )
        self._due = 0.0
        self._state = ""
        self._measured = 0
        self._line = -1
        self._curve: list[float] = []

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, news: News) -> None:
        """Take news; drawn at most ten times a second. A lost terminal is no concern of a run."""
        if news.absorbance is not None and news.measured != self._measured:
            self._measured = news.measured
            self._curve.append(news.absorbance)
        try:
            if self._live is None:
                self._tell(news)
                return
            now = patience_s()
            if now >= self._due or news.state != self._state:
                self._due, self._state = now + REDRAW_S, news.state
                self._live.update(self._panel(news), refresh=True)
        except (OSError, ValueError):
            self._live = None
            self._line = 2**31

    def _tell(self, news: News) -> None:
        mark = news.bilayer * LINES // max(1, news.bilayers)
        if mark <= self._line and news.state == "Execute":
            return
        self._line = max(mark, self._line)
        grown = f"{news.absorbance:.2f} mOD a side" if news.absorbance is not None else "-"
        self._console.print(
            f"{news.utc}  {news.state:<10} bilayer {news.bilayer}/{news.bilayers}  "
            f"{news.phase:<24} {grown}  finish {news.finish}",
            soft_wrap=True,
        )

    def _panel(self, news: News) -> Panel:
        waits = f"  ({', '.join(news.pending)} pending)" if news.pending else ""
        count = f"{news.bilayer}/{news.bilayers}   deposition {news.deposition}/{news.depositions}"
        bar = ProgressBar(
            total=max(1, news.depositions), completed=news.deposition, width=SPARK_WIDTH
        )
        where = f" in {news.vessel}" if news.vessel else " (in air)"
        rows: list[tuple[str, RenderableType]] = [
            ("state", news.state + waits),
            ("bilayer", Group(Text(count), bar)),
            ("phase", news.phase + where),
            ("clock", f"{news.utc}   ({units.duration(news.now)} gone)"),
            ("finish", news.finish),
            ("growth", Text(f"{sparks(self._curve)}  {self._last()}")),
        ]
        if news.temperature is not None:
            rows.append(("bath", f"{news.temperature:.2f} degC"))
        if news.deviations:
            rows.append(("deviations", str(news.deviations)))
        if news.state == "Held":
            rows.append(("now", f"lbl unhold, stop or abort {news.run}; Ctrl-C leaves it held"))
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold", width=12)
        table.add_column()
        for row in rows:
            table.add_row(*row)
        return Panel(table, title=f"{self._plan.recipe} on {self._plan.bench}", subtitle=news.run)

    def _last(self) -> str:
        return f"{self._curve[-1]:.2f} mOD a side" if self._curve else "-"


def timing(figures: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """How late the pacer and the C loop beside it were, a row a condition; then the verdict."""
    table = Table(title="lateness in us, ours beside a plain C loop")
    table.add_column("when")
    for column in ("p50", "C p50", "p99", "C p99", "max", "C max"):
        table.add_column(column, justify="right")
    for key, name in names.items():
        row = figures[key]
        ours, theirs = row["pacer_us"], row["control_us"]
        columns = (f"{side[figure]:.1f}" for figure in ours for side in (ours, theirs))
        table.add_row(name, *columns)
        if "cyclictest_us" in row:
            cyclic = (["", f"{value:.1f}"] for value in row["cyclictest_us"].values())
            table.add_row("  cyclictest", *(cell for pair in cyclic for cell in pair))
    _out.print(table)
    said(f"{figures['verdict']}: {figures['reason']}")


def sparks(values: Sequence[float], width: int = SPARK_WIDTH) -> str:
    """A curve in one line of blocks."""
    if not values:
        return ""
    stride = max(1, -(-len(values) // width))
    picked = values[stride - 1 :: stride] or values[-1:]
    low, high = min(0.0, *values), max(values)
    scale = (len(SPARKS) - 1) / (high - low) if high > low else 0.0
    return "".join(SPARKS[round((value - low) * scale)] for value in picked)
