"""`make bench`: the figures that say how fast and how sharp, as one table. Never a test.

Absolute times on a shared machine mean little; what is compared is measured in the same run.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROUNDS = 5
FILM = "bacteriorhodopsin-200"
LBL = [sys.executable, "-m", "lbl.cli"]
Row = tuple[str, str, str]


def run(*words: str) -> str:
    done = subprocess.run([*LBL, *words], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


BENCHES = ("dip", "flow")


def flagship() -> list[Row]:
    """The 200-bilayer film on either bench, whole processes: simulated time over `wall_s`."""
    rows: list[Row] = []
    for bench in BENCHES:
        ratios = []
        with tempfile.TemporaryDirectory() as runs:
            for _ in range(ROUNDS):
                out = run("run", FILM, "--bench", bench, "--runs", runs, "--json")
                result = json.loads(out.splitlines()[-1])
                ratios.append(result["duration_s"] / result["wall_s"])
            records = (Path(result["folder"]) / "journal.jsonl").read_bytes().count(b"\n")
        middle = f"{statistics.median(ratios):,.0f} x real time"
        rows += [
            (f"200-bilayer film on {bench}, virtual time", middle, ">= 100,000 x"),
            (f"journal records of that film on {bench}", f"{records:,}", "<= 30,000"),
        ]
    return rows


def planning() -> list[Row]:
    """`lbl plan` of the flagship, in process, after imports."""
    rows: list[Row] = []
    for bench in BENCHES:
        plan_once(bench)
        took = timed(partial(plan_once, bench))
        rows.append((f"plan of the flagship on {bench}, in process", f"{took:.3f} s", "<= 0.5 s"))
    return rows


def plan_once(bench: str) -> None:
    from lbl import app

    app.plan(FILM, bench, {})


def timed(act: Callable[[], object]) -> float:
    """Median seconds of an act."""
    spans = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        act()
        spans.append(time.perf_counter() - start)
    return statistics.median(spans)


EMPTY = """
import typer
app = typer.Typer(rich_markup_mode=None)
for name in {names!r}:
    app.command(name)(lambda: None)
app()
"""


def start_up() -> list[Row]:
    """`lbl --help` beside an empty typer app with as many commands, taking turns."""
    from lbl.cli import app

    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    with tempfile.NamedTemporaryFile("w", suffix=".py") as empty:
        empty.write(EMPTY.format(names=names))
        empty.flush()
        ratios = []
        for _ in range(2 * ROUNDS):
            ours = timed_once([*LBL, "--help"])
            theirs = timed_once([sys.executable, empty.name, "--help"])
            ratios.append(ours / theirs)
    return [("lbl --help beside an empty typer app", f"{statistics.median(ratios):.2f}", "<= 1.3")]


def timed_once(words: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(words, capture_output=True, check=True, timeout=60)
    return time.perf_counter() - start


# bench, bilayers, and between which of them early and late are looked at; 200 are what a litre of
# payload holds
# Over weeks a bath ages, and the run would rightly hold.
FRESH = {"k_agg": "0", "k_age_BR": "0"}
SPANS = (("dip", 1000, (50, 250), (800, 1000)), ("flow", 200, (20, 80), (140, 200)))


def growth_of_cost() -> list[Row]:
    """Cost per bilayer late in a long film against early in it, one process."""
    from lbl import app
    from lbl.run.news import News

    rows: list[Row] = []
    for bench, bilayers, early, late in SPANS:
        marks: dict[int, float] = {}

        def tell(news: News, marks: dict[int, float] = marks) -> None:
            marks.setdefault(news.bilayer, time.process_time())

        with tempfile.TemporaryDirectory() as runs:
            order = app.Order(FILM, bench, {"bilayers": str(bilayers)}, FRESH, runs=Path(runs))
            app.prepare(order).run(tell)
        cost = [(marks[to] - marks[since]) / (to - since) for since, to in (early, late)]
        what = f"cost of a bilayer on {bench}, {late[0]}-{late[1]} beside {early[0]}-{early[1]}"
        rows.append((what, f"{cost[1] / cost[0]:.2f}", "1 +- 0.05"))
    return rows


def main() -> None:
    rows: list[Row] = []
    for measure in (flagship, planning, start_up, growth_of_cost):
        try:
            rows += measure()
        except (subprocess.SubprocessError, OSError, ValueError, KeyError) as error:
            rows.append((measure.__name__, f"failed: {error}", ""))
    width = max(len(row[0]) for row in rows)
    print(f"{'figure':<{width}}  {'measured':>22}  to reach")
    for name, measured, goal in rows:
        print(f"{name:<{width}}  {measured:>22}  {goal}")
    for module in (
        "bench_engine", "bench_visa", "bench_core", "bench_guardian", "bench_journal",
        "bench_study", "bench_recipes",
    ):  # fmt: skip
        print(flush=True)
        subprocess.run([sys.executable, "-m", f"tests.bench.{module}"], timeout=180, check=False)


if __name__ == "__main__":
    main()
