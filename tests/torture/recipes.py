"""A million recipes to which something happened: each is a plan, or problems with places.

What is made and what it must come to is told by `tests/plan/mutants.py` and `verdicts.py`; some of
those that are right are planned, on the benches that ship. Seeded, on all cores; what is found is
printed with the words that repeat it alone:  python -m tests.torture.recipes 1 SEED NUMBER
"""

import signal
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from typing import NoReturn

from lbl.bench.file import read_bench
from lbl.errors import CODES
from lbl.plan.recipe import Recipe
from lbl.run.equip import equipment
from tests.plan import verdicts
from tests.plan.mutants import mutant
from tests.torture.shards import dealt

SIM = Path(__file__).parents[2] / "sim"
BENCHES = [equipment(read_bench(SIM / f"{name}.yaml"), 2.0) for name in ("dip", "flow")]
EACH = 1000  # mutants that one process takes at a time
PLANNED = 20  # one of so many that are right is planned
HUNG_S = 120.0  # of one mutant; the slowest known takes 2 s


def tried(seed: int, number: int, path: Path) -> str:
    """What came of a mutant, in a word; any exception is a finding."""
    signal.setitimer(signal.ITIMER_REAL, HUNG_S)
    outcome = verdicts.read(mutant(seed, number), path)
    if not isinstance(outcome, Recipe):
        return outcome[0].code
    if number % PLANNED or not verdicts.planned(outcome, BENCHES[number // PLANNED % 2]):
        return "recipe"
    return "plan"


def hung(*_: object) -> NoReturn:
    raise TimeoutError(f"no answer in {HUNG_S:g} s")


def several(seed: int, first: int, number: int) -> tuple[Counter[str], list[str]]:
    """What came of some mutants, and the exceptions with what repeats them."""
    signal.signal(signal.SIGALRM, hung)
    came: Counter[str] = Counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for at in range(first, first + number):
            try:
                came[tried(seed, at, Path(folder) / "mutant.yaml")] += 1
            except Exception:
                again = f"python -m tests.torture.recipes 1 {seed} {at}"
                wrong.append(f"{again}\n{traceback.format_exc(limit=-4)}")
    signal.setitimer(signal.ITIMER_REAL, 0)
    return came, wrong


def main() -> int:
    came, found, total, seed = dealt(several, sys.argv[1:], 1_000_000, EACH)
    seen = len(came.keys() & CODES.keys())
    print(
        f"recipes: {total}, {came['recipe'] + came['plan']} right, {came['plan']} planned, {seen} "
        f"codes told first, {found} wrong (seed {seed})"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
