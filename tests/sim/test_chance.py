"""Tests of repeatable chance: the same question, the same answer; the right spread."""

import statistics

from sim import chance


def test_the_same_question_has_the_same_answer() -> None:
    assert chance.normal(1, 2, 3) == chance.normal(1, 2, 3)
    assert len({chance.uniform(s, k, c) for s in (1, 2) for k in (1, 2) for c in (1, 2)}) == 8


def test_the_numbers_are_pinned() -> None:
    # A change here changes every seeded film that anybody has on record.
    assert chance.uniform(0, chance.LAYER, 0) == PINNED_UNIFORM
    assert chance.normal(7, chance.PHOTODIODE, 10**15) == PINNED_NORMAL


def test_normal_numbers_are_normal() -> None:
    drawn = [chance.normal(5, chance.LAYER, count) for count in range(4000)]
    assert abs(statistics.fmean(drawn)) < 0.05
    assert abs(statistics.pstdev(drawn) - 1.0) < 0.03
    assert max(map(abs, drawn)) <= 4.0


def test_uniform_numbers_stay_inside() -> None:
    drawn = [chance.uniform(5, chance.PUMP, count) for count in range(1000)]
    assert 0.0 < min(drawn) < 0.01 < 0.99 < max(drawn) < 1.0


PINNED_UNIFORM = 0.20310281705476102
PINNED_NORMAL = -0.2578765866468876
