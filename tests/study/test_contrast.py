"""Means, scatter and differences, against numbers worked out by hand."""

import pytest

from lbl.study.case import Cell, Film
from lbl.study.contrast import apart, conditions, contrasts, curve, figures


def film(number: int, state: str = "Complete", curve: object = (), **cells: Cell) -> Film:
    return Film(number, {"run": "x", "state": state, "reason": "", **cells}, curve)  # type: ignore[arg-type]


A = [film(1, nm=10.0), film(3, nm=12.0), film(5, "Held", nm=99.0)]
B = [film(2, nm=20.0), film(4, nm=26.0), film(6, nm=23.0)]


def test_a_contrast_is_the_difference_of_means_beside_the_scatter_of_one_film() -> None:
    (one,) = contrasts(A, B, ["nm", "missing"])
    assert (one.a, one.b, one.difference) == (11.0, 23.0, 12.0)  # the held film is not averaged
    assert one.a_sd == pytest.approx(2**0.5)
    assert one.b_sd == 3.0
    assert one.noise == pytest.approx(5.5**0.5)
    assert one.in_noise == pytest.approx(12.0 / 5.5**0.5)
    assert one.share == pytest.approx(12.0 / 11.0)


def test_one_film_a_side_says_nothing_of_the_noise() -> None:
    (one,) = contrasts(A[:1], B[:1], ["nm"])
    assert (one.difference, one.noise, one.in_noise) == (10.0, None, None)


def test_no_scatter_and_a_side_of_zero_divide_nothing() -> None:
    same = [film(1, nm=0.0), film(2, nm=0.0)]
    (one,) = contrasts(same, same, ["nm"])
    assert (one.noise, one.in_noise, one.share) == (0.0, None, None)


def test_conditions_hold_the_films_of_the_same_levels() -> None:
    films = [film(2, dwell=2.0, nm=5.0), film(1, dwell=1.0, nm=1.0), film(3, dwell=2.0, nm=7.0)]
    films.append(film(4, "Refused", dwell=3.0))
    one, two, three = conditions(films, ["dwell"], ["nm"])
    assert (one.cells, one.films, one.mean, one.sd) == ((1.0,), 1, {"nm": 1.0}, {"nm": 0.0})
    assert (two.cells, two.complete, two.mean["nm"]) == ((2.0,), 2, 6.0)
    assert two.sd["nm"] == pytest.approx(2**0.5)
    assert (three.films, three.complete, three.mean) == (1, 0, {})


def test_figures_are_the_numbers_of_complete_films_that_are_no_inputs() -> None:
    films = [film(1, dwell=1.0, nm=2.0, slope=None, word="a"), film(2, "Refused", other=1.0)]
    assert figures(films, ["dwell"]) == ["nm"]


def test_growth_is_averaged_bilayer_by_bilayer_and_compared_seed_by_seed() -> None:
    a = [film(1, curve=((1, 1.0), (2, 2.0))), film(3, curve=((1, 3.0),))]
    b = [film(2, curve=((1, 1.5), (2, 3.0))), film(4, curve=((1, 4.5),))]
    assert curve(a) == [(1, 2.0, pytest.approx(2**0.5)), (2, 2.0, 0.0)]
    assert apart(a, b) == [(1, 1.0, pytest.approx(0.5**0.5)), (2, 1.0, 0.0)]
