"""A hundred thousand run folders to which something happened: each is refused, or says so.

What befalls them and what it must come to is told by `tests/journal/damage.py`. Seeded, on all
cores; what is found is printed with the words that repeat it alone:
python -m tests.torture.damage 1 SEED NUMBER
"""

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache

from tests.journal.damage import Base, grown, struck

EACH = 500  # damages that one process takes at a time
LEGAL = "as after a crash"  # nothing tells them from one; the count is right


@cache
def bases() -> list[Base]:
    """The folders, grown once in each process."""
    return grown()


def several(seed: int, first: int, number: int) -> tuple[Counter[str], list[str]]:
    """What came of some damages, and those that nobody noticed or that led to a wrong count."""
    came: Counter[str] = Counter()
    wrong: list[str] = []
    for at in range(first, first + number):
        verdict = struck(seed, at, bases())
        came[verdict.how] += 1
        if verdict.wrong:
            again = f"python -m tests.torture.damage 1 {seed} {at}"
            wrong.append(f"{again}\n  {verdict}")
    return came, wrong


def main() -> int:
    given = [int(float(one)) for one in sys.argv[1:]]
    total, seed, first = (*given, *(100_000, 1, 0)[len(given) :])
    began, came, found = time.monotonic(), Counter[str](), 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [
            pool.submit(several, seed, at, min(EACH, first + total - at))
            for at in range(first, first + total, EACH)
        ]
        for job in as_completed(jobs):
            counted, wrong = job.result()
            came += counted
            found += len(wrong)
            for one in wrong:
                print(one, flush=True)
    spent = time.monotonic() - began
    print(", ".join(f"{how} {number}" for how, number in came.most_common()))
    print(
        f"damage: {total} run folders, {total - came[LEGAL] - found} told, {came[LEGAL]} {LEGAL}, "
        f"{found} unnoticed or wrong, {spent:.0f} s (seed {seed})"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
