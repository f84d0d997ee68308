"""What a journal record costs, beside a bare write of the same bytes; one table, no verdict.

Run it with `python tests/bench/bench_journal.py [FOLDER]`; FOLDER chooses the disk (default: here).
"""

import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from lbl.journal.audit import verify  # noqa: E402
from lbl.journal.folder import RunFolder  # noqa: E402
from lbl.journal.journal import Journal  # noqa: E402
from lbl.journal.opening import events  # noqa: E402
from lbl.journal.record import make_record  # noqa: E402

DURABLE = 1500  # records; a bare write follows each, so that a slow disk hits both
VIRTUAL = 8000
LONG = 200_000
FACTS: dict[str, Any] = {
    "recipe": "bench",
    "recipe_hash": "0" * 64,
    "plan_hash": "0" * 64,
    "bench": "dip",
    "bilayers": 10**6,
    "depositions": 2 * 10**6,
}
OUTCOME: dict[str, Any] = {
    "act": "rinse",
    "result": "done",
    "reason": "dwell reached",
    "dwell_s": 60.00012,
    "planned_s": 60,
    "lateness_ns": 1234,
}


class Clock:
    """A virtual clock; formatting its calendar is not the journal's cost."""

    boot = "virtual"

    def __init__(self) -> None:
        self._now = 0

    def utc(self) -> str:
        return "2026-01-01T00:00:00.000Z"

    def now_ns(self) -> int:
        self._now += 1000
        return self._now


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def begin(runs: Path, name: str, durable: bool) -> tuple[RunFolder, Journal]:
    folder = RunFolder.create(runs, name, durable=durable)
    return folder, Journal.create(folder.storage, name, durable=durable, clock=Clock(), **FACTS)


def play(journal: Journal, count: int, start: int = 0) -> None:
    for step in range(start, start + count // 2):
        journal.append("step-intent", step=step, act="rinse", vessel="N1", solution="buffer")
        journal.append("step-outcome", step=step, **OUTCOME)


def durable(runs: Path) -> list[tuple[str, str]]:
    folder, journal = begin(runs, "durable", True)
    play(journal, 10)
    size = (folder.path / "journal.jsonl").stat().st_size // 11
    line = b"x" * (size - 1) + b"\n"
    fd = os.open(folder.path / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    own: list[float] = []
    bare: list[float] = []

    def write() -> None:
        os.write(fd, line)
        os.fdatasync(fd)

    for step in range(DURABLE):
        own.append(timed(lambda at=step: journal.append("step-outcome", step=at, **OUTCOME)))
        bare.append(timed(write))
    os.close(fd)
    folder.close()
    own.sort()
    bare.sort()
    middle = len(own) // 2
    return [
        ("durable record (median)", f"{own[middle] * 1e6:.0f} us"),
        (f"bare write + fdatasync of {size} bytes (median)", f"{bare[middle] * 1e6:.0f} us"),
        ("ratio of the medians", f"{own[middle] / bare[middle]:.2f}"),
        ("ratio of the sums", f"{sum(own) / sum(bare):.2f}"),
    ]


def virtual(runs: Path) -> list[tuple[str, str]]:
    folder, journal = begin(runs, "virtual", False)
    play(journal, 1000)
    took = timed(lambda: play(journal, VIRTUAL, 500)) / VIRTUAL
    heads = timed(lambda: [journal.renew_heads() for _ in range(400)]) / 400
    world = b"{" + b" " * 3998 + b"}"
    save = timed(lambda: [folder.save_world(world) for _ in range(2000)]) / 2000
    look = timed(lambda: [folder.take_commands() for _ in range(2000)]) / 2000
    sample = timed(lambda: [folder.sample("t", n, 22.5) for n in range(20_480)]) / 20_480
    journal.close("done")
    folder.close()
    return [
        ("record in virtual time", f"{took * 1e6:.1f} us"),
        ("both heads, not durable", f"{heads * 1e6:.0f} us"),
        ("world.json of 4 kB, ready text", f"{save * 1e6:.0f} us"),
        ("look into an empty inbox", f"{look * 1e6:.1f} us"),
        ("one sample kept", f"{sample * 1e6:.2f} us"),
    ]


def long(runs: Path) -> list[tuple[str, str]]:
    folder, journal = begin(runs, "long", False)
    play(journal, 10_000)
    early = min(timed(lambda: play(journal, 2000, 5000)) for _ in range(5)) / 2000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    play(journal, LONG, 6000)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    late = min(timed(lambda: play(journal, 2000, 10**6)) for _ in range(5)) / 2000
    again = timed(lambda: Journal.open(folder.storage, "long", clock=Clock()))
    audit = timed(lambda: verify(folder.storage, "long"))
    made = timed(lambda: make_record(events(folder.storage, "long")))
    count = journal.state["seq"]
    folder.close()
    return [
        (f"record at {count:,} against 10,000", f"{late / early:.2f}"),
        (f"resident memory added by {LONG:,} records", f"{after - before} kB"),
        (f"opening {count:,} records", f"{again * 1e3:.1f} ms"),
        ("audit of one record", f"{audit / count * 1e6:.1f} us"),
        ("run record, for one journal record", f"{made / count * 1e6:.1f} us"),
    ]


def main() -> None:
    runs = Path(tempfile.mkdtemp(dir=sys.argv[1] if len(sys.argv) > 1 else "."))
    try:
        rows = [*virtual(runs), *durable(runs), *long(runs)]
    finally:
        shutil.rmtree(runs)
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
