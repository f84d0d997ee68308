"""A sweep of 100 films on one core and on two, whole processes, taking turns.

The least time of some rounds is compared: other work on the machine only ever adds. The processor
time beside it tells how much of a poor ratio is other people's.
"""

import resource
import subprocess
import sys
import tempfile
import time

LBL = [sys.executable, "-m", "lbl.cli"]
ROUNDS = 3
FILMS = ["--vary", "dwell=1min,2min,5min,10min,20min", "--vary", "c_BR=0.5,1", "--seeds", "10"]


def swept(jobs: int, folder: str) -> tuple[float, float]:
    """Wall and processor seconds of one sweep, start and picture included."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    words = ["sweep", "demo", "--set", "bilayers=20", *FILMS, "--jobs", str(jobs), "--json"]
    subprocess.run([*LBL, *words], cwd=folder, capture_output=True, check=True, timeout=120)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, used


def main() -> None:
    rows: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for jobs, found in rows.items():
                found.append(swept(jobs, folder))
    one, two = (min(wall for wall, _ in rows[jobs]) for jobs in rows)
    one_cpu, two_cpu = (min(used for _, used in rows[jobs]) for jobs in rows)
    print(f"sweep of 100 films, 20 bilayers each: {one:.1f} s on one core, {two:.1f} s on two")
    print(f"two cores beside one: {one / two:.2f} x  (>= 1.7)")
    print(f"processor time of two beside one: {two_cpu / one_cpu:.2f}  (1 is no overhead)")


if __name__ == "__main__":
    main()
