"""A hundred thousand run folders to which something happened: each is refused, or says so.

What befalls them and what it must come to is told by `tests/journal/damage.py`. Seeded, on all
cores; what is found is printed with the words that repeat it alone:
python -m tests.torture.damage 1 SEED NUMBER
"""

import sys
from collections import Counter
from functools import cache

from tests.journal.damage import Base, grown, struck
from tests.torture.shards import dealt

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
    came, found, total, seed = dealt(several, sys.argv[1:], 100_000, EACH)
    print(
        f"damage: {total} run folders, {total - came[LEGAL] - found} told, {came[LEGAL]} {LEGAL}, "
        f"{found} unnoticed or wrong (seed {seed})"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
