"""Every crash point of a short film on both benches, and again at points of taking it up.

At each wait and exchange a process is killed; at each operation on its disk it is killed in the
middle of it; at each of the latter also the disk is full, or breaks. All points, in order: nothing
here is drawn but where a write is torn.

    python -m tests.torture.points STEP [JOBS]     STEP 1 is every point
"""

import sys
import time
from collections.abc import Iterator
from typing import Any

from lbl.campaign.strike import Strike
from lbl.study.pool import spread
from tests.campaign import films, points

AGAIN = {"torn": 7, "kill": 41}  # of the points of taking it up, after every so manieth first
FIRST = {"torn": 5, "kill": 29}


def judged(bench: str, strikes: list[Strike]) -> tuple[str, list[Strike], list[str]]:
    """One film; runs in any process."""
    return bench, strikes, films.wrong(films.of("demo", bench, 1), strikes)


def tasks(step: int) -> Iterator[tuple[Any, ...]]:
    """Bench and strikes of each film."""
    for bench in ("dip", "flow"):
        film = films.of("demo", bench, 1)
        for kind in ("torn", "kill"):
            yield from ((bench, strikes) for strikes in points.once(film, kind, step))
            twice = points.twice(film, kind, FIRST[kind] * step, AGAIN[kind])
            yield from ((bench, strikes) for strikes in twice)
        for kind in ("full", "broken"):
            yield from ((bench, strikes) for strikes in points.once(film, kind, step))


def main() -> int:
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    began, grown, failed = time.monotonic(), 0, 0
    for bench, strikes, wrong in spread(judged, tasks(step), jobs):
        grown += 1
        if wrong:
            failed += 1
            print(f"{bench}: {'; '.join(one.text() for one in strikes)}: {wrong}", flush=True)
    seconds = time.monotonic() - began
    print(f"crash points, every {step}: {grown} films, {failed} not whole, {seconds:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
