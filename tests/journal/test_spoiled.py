"""Two thousand damaged run folders in the tests, a hundred thousand in `make torture`."""

from collections import Counter

import pytest

from tests.journal import damage

EACH = 1000


@pytest.fixture(scope="module")
def bases() -> list[damage.Base]:
    return damage.grown()


@pytest.mark.parametrize("seed", [7, 8])
@pytest.mark.fault("A4")
def test_no_damage_goes_unnoticed_or_makes_a_count_wrong(
    bases: list[damage.Base], seed: int
) -> None:
    came: Counter[str] = Counter()
    for number in range(EACH):
        verdict = damage.struck(seed, number, bases)
        assert not verdict.wrong, verdict
        came[verdict.how] += 1
    assert came.keys() >= {"journal-damaged", "run-damaged", "journal-short", "torn tail"}


def test_what_is_whole_is_believed(bases: list[damage.Base]) -> None:
    """The control: folders that nothing has happened to are taken up, and none is in doubt."""
    for base in bases:
        verdict = damage.judged(base, dict(base.files), damage.Verdict(base.name, "", ""))
        assert (verdict.how, verdict.wrong) == ("as after a crash", ""), verdict


def test_damage_that_nobody_noticed_would_be_found(
    bases: list[damage.Base], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other control: without one of the checks the campaign does not stay silent."""
    monkeypatch.setattr(damage, "frozen_plan", lambda folder: None)
    assert any(damage.struck(7, number, bases).wrong for number in range(EACH // 4))
