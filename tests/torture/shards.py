"""A campaign dealt out to all cores in pieces; what a piece finds is told as soon as it is known.

Must never know what a campaign tries.
"""

import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed

# seed, first, number -> what came of them, and what was wrong with the words that repeat it
Several = Callable[[int, int, int], tuple[Counter[str], list[str]]]


def dealt(
    several: Several, words: list[str], total: int, each: int
) -> tuple[Counter[str], int, int, int]:
    """Run `total` trials, `each` to a process at a time, unless `words` say how many, seed, first.

    Returns what came of them, how many were wrong, how many there were, and the seed; prints what
    was wrong, and a line of what came.
    """
    given = [int(float(word)) for word in words]
    total, seed, first = (*given, *(total, 1, 0)[len(given) :])
    began, came, found = time.monotonic(), Counter[str](), 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [
            pool.submit(several, seed, at, min(each, first + total - at))
            for at in range(first, first + total, each)
        ]
        for job in as_completed(jobs):
            counted, wrong = job.result()
            came += counted
            found += len(wrong)
            for one in wrong:
                print(one, flush=True)
    print(", ".join(f"{what} {number}" for what, number in came.most_common()))
    print(f"{time.monotonic() - began:.0f} s")
    return came, found, total, seed
