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
from pathlib import Path

ROUNDS = 5
LBL = [sys.executable, "-m", "lbl.cli"]
Row = tuple[str, str, str]


def run(*words: str) -> str:
    done = subprocess.run([*LBL, *words], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def flagship() -> list[Row]:
    """The 200-bilayer film, whole processes: simulated time over `wall_s`."""
    ratios = []
    with tempfile.TemporaryDirectory() as runs:
        for _ in range(ROUNDS):
            out = run("run", "bacteriorhodopsin-200", "--runs", runs, "--json")
            result = json.loads(out.splitlines()[-1])
            ratios.append(result["duration_s"] / result["wall_s"])
        records = (Path(result["folder"]) / "journal.jsonl").read_bytes().count(b"\n")
    middle = statistics.median(ratios)
    return [
        ("200-bilayer film, virtual time", f"{middle:,.0f} x real time", ">= 100,000 x"),
        ("journal records of that film", f"{records:,}", "<= 30,000"),
    ]


def planning() -> list[Row]:
    """`lbl plan` of the flagship, in process, after imports."""
    from lbl import app

    app.plan("bacteriorhodopsin-200", "dip", {})
    return [("plan of the flagship, in process", f"{timed(plan_once):.3f} s", "<= 0.5 s")]


def plan_once() -> None:
    from lbl import app

    app.plan("bacteriorhodopsin-200", "dip", {})


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


def growth_of_cost() -> list[Row]:
    """Cost per bilayer late in a long film against early in it, one process."""
    from lbl import app
    from lbl.run.news import News

    marks: dict[int, float] = {}

    def tell(news: News) -> None:
        marks.setdefault(news.bilayer, time.process_time())

    with tempfile.TemporaryDirectory() as runs:
        order = app.Order("bacteriorhodopsin-200", sets={"bilayers": "1000"}, runs=Path(runs))
        app.prepare(order).run(tell)
    early = (marks[250] - marks[50]) / 200
    late = (marks[1000] - marks[800]) / 200
    return [("cost of a bilayer, 800-1000 beside 50-250", f"{late / early:.2f}", "1 +- 0.05")]


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
        "bench_study",
    ):  # fmt: skip
        path = Path(__file__).parent / f"{module}.py"
        if path.is_file():
            print()
            subprocess.run([sys.executable, str(path)], timeout=180, check=False)


if __name__ == "__main__":
    main()
