"""What reading recipes costs: good ones, and those that mean harm, each in a process of its own.

The bounds are those of a technician at a desk: 50 ms up to 4 KB, 2 s at the cap of 256 KB, 64 MB.
"""

import statistics
import sys
import time

from lbl import app
from tests.plan import hostile

ROUNDS = 5
SMALL, SMALL_S, LARGE_S, MOST_MB = 4096, 0.05, 2.0, 64.0


def main() -> None:
    app.look("demo", "dip", {})  # what is only imported once
    spans = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        app.look("bacteriorhodopsin-200", "dip", {})
        spans.append(time.perf_counter() - start)
    print(f"lbl check of the flagship, in process: {statistics.median(spans):.3f} s  (<= 0.5)")
    rows = list(hostile.costs())
    for what, some, most in (
        ("up to 4 KB", [row for row in rows if row[1] <= SMALL], SMALL_S),
        ("of 256 KB", [row for row in rows if row[1] > SMALL], LARGE_S),
    ):
        name, _, spent, *_ = max(some, key=lambda row: row[2])
        over = sum(row[2] > most for row in some)
        figure = f"{len(some)} recipes {what}: dearest {spent:.3f} s ({name})"
        print(f"{figure}  (<= {most:g}, {over} over)")
    name, *_, extra = max(rows, key=lambda row: row[-1])
    print(f"most memory of all: {extra:.1f} MB ({name})  (<= {MOST_MB:g})")


if __name__ == "__main__":
    sys.exit(main())
