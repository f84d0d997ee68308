"""How soon a run is taken up again when its journal is long; how soon outputs are off.

The journal is real: a film's, cut short, and then as many records as it takes, appended by the
journal itself. What is timed are whole processes. Figures for a table; never asserted.
"""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lbl import app
from lbl.journal.audit import verify
from lbl.journal.folder import RunFolder
from lbl.journal.journal import Journal
from lbl.journal.opening import survey
from lbl.journal.storage import DiskStorage
from lbl.run.launch import launch
from lbl.run.stage import Stage

RECORDS: Final = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000
BEGUN: Final = 3000  # records of the film when its process is gone
MORE: Final = 900  # so that the newest checkpoint is far from the end
ROUNDS: Final = 5
LBL: Final = [sys.executable, "-m", "lbl.cli"]
SENT: Final = re.compile(r"sent ([0-9.]+) s, read back ([0-9.]+) s")
# `lbl resume`, saying when it has decided and when the rest of the journal has been read.
RESUME: Final = """
import sys, time
from lbl.run import procedure, proof
from lbl.run.clock import wall_s
plain, read = procedure.decide, proof.Proof.through
def decide(*given):
    decided = plain(*given)
    print("decided", wall_s(), time.process_time(), flush=True)
    return decided
def through(self):
    yield from read(self)
    print("through", wall_s(), time.process_time(), flush=True)
procedure.decide, proof.Proof.through = decide, through
from lbl.cli import main
sys.argv[0] = "lbl"
main()
"""


class Gone(BaseException):
    """The process of the film is gone."""


class Short(DiskStorage):
    """A disk whose process is gone after so many records."""

    left = BEGUN

    def append(self, name: str, data: bytes) -> None:
        super().append(name, data)
        if name == "journal.jsonl":
            self.left -= 1
            if not self.left:
                raise Gone


@dataclass
class Still:
    """The time of the last record: while the journal is made long, none passes."""

    boot: str
    mono_ns: int
    calendar: str

    def utc(self) -> str:
        return self.calendar

    def now_ns(self) -> int:
        return self.mono_ns


def begin(runs: Path) -> None:
    """A 200-bilayer film, cut short."""
    what = app.prepare(app.Order("bacteriorhodopsin-200", "dip", runs=runs)).launch
    try:
        launch(what, lambda news: None, "film", Stage(disk=Short))
    except Gone:
        return
    raise RuntimeError("the film was over too soon")


def lengthen(path: Path) -> float:
    """Append records until there are RECORDS; seconds for one."""
    folder = RunFolder.open(path)
    state = survey(folder.storage, folder.id).state
    clock = Still(state["boot"], state["mono_ns"], state["utc"])
    journal, began = Journal.open(folder.storage, folder.id, clock=clock), time.perf_counter()
    count = RECORDS + MORE - state["seq"]
    while journal.state["seq"] < RECORDS + MORE:
        journal.append("sample-note", name="temperature", value=22.375, unit="degC", count=120)
    world, _ = folder.read_world()
    if world is None:
        raise RuntimeError("there is no world")
    folder.save_world(world, journal.bond(clock.mono_ns))
    folder.close()
    return (time.perf_counter() - began) / count


def resumed(runs: Path, word: str, times: int) -> str:
    """From the start of `lbl resume` until it says the word, medians; then it is killed."""
    spans = [once(runs, word) for _ in range(times)]
    wall, cpu = (statistics.median(column) for column in zip(*spans, strict=True))
    return f"{wall:.2f} s ({cpu:.2f} s CPU)"


def once(runs: Path, word: str) -> tuple[float, float]:
    """Seconds, and those that it had a processor for: others want it too."""
    words = [sys.executable, "-c", RESUME, "resume", "film", "--runs", str(runs)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=quiet, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("no pipe")
        for line in process.stdout:
            if line.startswith(word):
                process.kill()
                _, wall, cpu = line.split()
                return float(wall), float(cpu)
    raise RuntimeError(f"it never said {word!r}")


def long(runs: Path) -> list[tuple[str, str, str]]:
    """Rows of the journal; the same for a short one beside it."""
    path = runs / "film"
    begin(runs)
    short = resumed(runs, "decided", ROUNDS)
    each = lengthen(path)
    folder = RunFolder.open(path)
    opened = min(timed(lambda: survey(folder.storage, folder.id)) for _ in range(ROUNDS))
    decided = resumed(runs, "decided", ROUNDS)
    through = resumed(runs, "through", 1)
    audit = timed(lambda: verify(folder.storage, folder.id))
    size = (path / "journal.jsonl").stat().st_size / 1e6
    folder.close()
    told = f"{RECORDS:,} records"
    return [
        (f"making {told} ({size:.0f} MB), each", f"{each * 1e6:.0f} us", ""),
        (f"survey of {told}", f"{opened * 1e3:.0f} ms", ""),
        (f"resume, process start to decision, {told}", decided, "<= 2 s"),
        (f"the same with {BEGUN:,} records, all of them read", short, ""),
        (f"resume, process start to all of {told} read", through, ""),
        (f"whole audit of {told} at once", f"{audit:.1f} s", ""),
    ]


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def outputs(folder: Path) -> list[tuple[str, str, str]]:
    """`lbl auto` on the dip bench behind TCP: from its start to outputs off, and read back."""
    serve = ["sim", "serve", "dip", "--tcp", "--write-bench", "served.yaml"]
    (folder / "broken.yaml").write_text("lbl: [")  # it leaves once the bench is safe
    config = "lbl: 1\nrecipe: broken.yaml\nbench: served.yaml\n"
    (folder / "auto.yaml").write_text(config)
    sent, back, cpu = [], [], []
    with subprocess.Popen([*LBL, *serve], cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        if server.stdout is None:
            raise RuntimeError("no pipe")
        while "ready" not in json.loads(server.stdout.readline()):
            pass
        for _ in range(2 * ROUNDS):
            before = os.times().children_user + os.times().children_system
            words = [*LBL, "auto", str(folder / "auto.yaml"), "--once"]
            done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
            found = SENT.search(done.stdout + done.stderr)
            if found is None:
                raise RuntimeError(done.stdout + done.stderr)
            sent.append(float(found[1]))
            back.append(float(found[2]))
            cpu.append(os.times().children_user + os.times().children_system - before)
        server.send_signal(signal.SIGINT)
    what = "lbl auto, process start to safe outputs"
    return [
        (f"{what} sent (median of {len(sent)})", f"{statistics.median(sent):.2f} s", "<= 0.5 s"),
        (f"{what} read back", f"{statistics.median(back):.2f} s", ""),
        ("the same, CPU of the whole process", f"{statistics.median(cpu):.2f} s", ""),
    ]


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        rows = [*outputs(Path(one)), *long(Path(two))]
    width = max(len(row[0]) for row in rows)
    print(f"{'taken up again':<{width}}  {'measured':>20}  to reach")
    for name, measured, goal in rows:
        print(f"{name:<{width}}  {measured:>20}  {goal}")


if __name__ == "__main__":
    main()
