"""A sweep of 100 films on one core and on two, whole processes, taking turns.

The least time of some rounds is compared, since other work on the machine only ever adds. How many
cores that other work had meanwhile, and the processor time, tell whether a poor ratio is ours.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LBL = [sys.executable, "-m", "lbl.cli"]
ROUNDS = 2
FILMS = ["--vary", "dwell=1min,2min,5min,10min,20min", "--vary", "c_BR=0.5,1", "--seeds", "10"]


Taken = tuple[float, float, float]  # wall s, processor s, cores that others had


def swept(jobs: int, folder: str) -> Taken:
    """One sweep, start and picture included."""
    before, start, busy = used(), time.perf_counter(), all_busy()
    words = ["sweep", "demo", "--set", "bilayers=20", *FILMS, "--jobs", str(jobs), "--json"]
    subprocess.run([*LBL, *words], cwd=folder, capture_output=True, check=True, timeout=120)
    wall, ours = time.perf_counter() - start, used() - before
    return wall, ours, (all_busy() - busy - ours) / wall


def used() -> float:
    """Processor seconds of the children that ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def all_busy() -> float:
    """Processor seconds that all cores of the machine worked, since its start."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    rows: dict[int, list[Taken]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for jobs, found in rows.items():
                found.append(swept(jobs, folder))
    (one, one_cpu, one_others), (two, two_cpu, two_others) = (min(rows[jobs]) for jobs in rows)
    print(f"sweep of 100 films, 20 bilayers each: {one:.1f} s on one core, {two:.1f} s on two")
    print(f"two cores beside one: {one / two:.2f} x  (>= 1.7)")
    print(f"processor time of two beside one: {two_cpu / one_cpu:.2f}  (1 is no overhead)")
    print(f"cores that other work had meanwhile: {one_others:.1f} and {two_others:.1f}")


if __name__ == "__main__":
    main()
