"""Ten thousand recipes to which something happened: each is a plan, or problems with places.

`tests/torture/recipes.py` does the same to a million.
"""

import random
from pathlib import Path

import pytest

from lbl.bench.file import read_bench
from lbl.plan.equipment import Equipment
from lbl.plan.recipe import PHASES, Recipe
from lbl.run.equip import equipment
from tests.plan import mutants, verdicts

SIM = Path(__file__).parents[2] / "sim"
SEED = 6
SHARDS, EACH = 10, 1000
AGAIN, PLANNED = 0.05, 0.05  # shares that are read twice, and that are planned


@pytest.fixture(scope="module")
def benches() -> dict[str, Equipment]:
    return {name: equipment(read_bench(SIM / f"{name}.yaml"), 2.0) for name in ("dip", "flow")}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_mutant_is_a_plan_or_problems_with_places(
    shard: int, benches: dict[str, Equipment], tmp_path: Path
) -> None:
    chance = random.Random(shard)
    refused = 0
    for number in range(shard * EACH, (shard + 1) * EACH):
        mutant = mutants.mutant(SEED, number)
        try:
            outcome = verdicts.read(mutant, tmp_path / "mutant.yaml")
            if chance.random() < AGAIN:
                again = verdicts.read(mutant, tmp_path / "mutant.yaml")
                assert verdicts.told(again) == verdicts.told(outcome)
            if isinstance(outcome, Recipe) and chance.random() < PLANNED:
                verdicts.planned(outcome, chance.choice(list(benches.values())))
        except Exception as error:
            raise AssertionError(f"mutants.mutant({SEED}, {number})") from error
        refused += not isinstance(outcome, Recipe)
    assert EACH // 2 < refused < EACH, "mutants teach little when all are right, or all wrong"


def test_the_mutants_know_the_whole_language() -> None:
    assert set(PHASES) == set(mutants.OPTIONS) < set(mutants.KEYS)
    assert {"for", "on_resume", "soft", "steps", "as", "species", "on_alarm"} < set(mutants.KEYS)
    assert {"to", "for", "at_least"} < set(mutants.OPTIONS["expose"])


def test_the_same_numbers_make_the_same_mutant() -> None:
    assert mutants.mutant(3, 14) == mutants.mutant(3, 14)
    assert mutants.mutant(3, 14) != mutants.mutant(3, 15)


@pytest.mark.parametrize("change", mutants.CHANGES, ids=lambda change: change.__name__)
def test_each_change_changes_something(change: mutants.Change) -> None:
    chance, changed = random.Random(1), 0
    for _ in range(20):
        tree = mutants.deepcopy(mutants.TREES["demo"])
        change(tree, chance)
        changed += tree != mutants.TREES["demo"]
    assert changed > 10
