"""Tests of tubes and barrel: order, mixing, and that nothing is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.plumbing import PIECES_MAX, Barrel, Parcel, Tube

REPEATABLE = settings(deadline=None, derandomize=True, database=None)


def water(ml: float, batch: int, salt: float = 1.0) -> Parcel:
    return Parcel(ml, {"salt": salt * ml}, {"tank": ml}, 0.0, batch)


def volumes(parcels: list[Parcel]) -> list[tuple[float, float]]:
    return [(pytest.approx(parcel.ml), pytest.approx(parcel.gas)) for parcel in parcels]


def test_a_tube_gives_its_gas_first() -> None:
    tube = Tube(0.06)
    assert volumes(tube.shift([water(0.05, 1)], True)) == [(0.0, 0.05)]
    assert tube.gas == pytest.approx(0.01)
    assert volumes(tube.shift([water(0.05, 2)], True)) == [(0.0, 0.01), (0.04, 0.0)]


def test_a_tube_keeps_the_order_both_ways() -> None:
    tube = Tube(0.03)
    for batch in (1, 2, 3):
        tube.shift([water(0.01, batch, float(batch))], True)
    back = tube.shift([water(0.02, 4)], False)
    assert [parcel.batch for parcel in back] == [3, 2]
    assert back[0].amounts["salt"] == pytest.approx(0.03)


def test_a_tube_without_volume_is_no_tube() -> None:
    tube = Tube(0.0)
    assert volumes(tube.shift([water(0.1, 1), Parcel(gas=0.2)], True)) == [(0.1, 0.0), (0.0, 0.2)]


def test_a_stroke_in_small_parts_is_one_piece() -> None:
    tube = Tube(0.1)
    for _ in range(500):
        tube.shift([water(0.0001, 7)], True)
    assert len(tube.pieces) == 2  # what is left of the gas, and the liquid


def test_a_tube_keeps_a_bounded_number_of_pieces() -> None:
    tube = Tube(1.0)
    tube.shift([water(1.0, 0)], True)
    for batch in range(1, 100):
        tube.shift([water(0.001, batch)], True)
    assert len(tube.pieces) <= PIECES_MAX


PARTS = st.lists(
    st.tuples(st.floats(1e-6, 0.3), st.booleans(), st.booleans()), min_size=1, max_size=40
)


@REPEATABLE
@given(PARTS)
def test_nothing_is_lost_in_a_tube(parts: list[tuple[float, bool, bool]]) -> None:
    tube, put, got, gas_put, gas_got = Tube(0.1), 0.0, 0.0, 0.1, 0.0
    for batch, (ml, forward, is_gas) in enumerate(parts):
        parcel = Parcel(gas=ml) if is_gas else water(ml, batch)
        put += 0.0 if is_gas else ml
        gas_put += ml if is_gas else 0.0
        for out in tube.shift([parcel], forward):
            got += out.amounts.get("salt", 0.0)
            gas_got += out.gas
    inside = sum(piece.amounts.get("salt", 0.0) for piece in tube.pieces)
    assert got + inside == pytest.approx(put, abs=1e-12)
    assert gas_got + tube.gas == pytest.approx(gas_put, abs=1e-9)
    assert sum(piece.volume for piece in tube.pieces) == pytest.approx(0.1, abs=1e-9)


def test_a_barrel_mixes_and_keeps_its_dead_volume() -> None:
    barrel = Barrel(0.002)
    barrel.draw([water(0.1, 1, 2.0)])
    assert volumes(barrel.push(0.1, 2)) == [(0.0, 0.002), (0.098, 0.0)]
    barrel.draw([water(0.098, 3, 0.0)])
    (out,) = barrel.push(0.098, 4)
    # 2 uL of 2 mg/mL in 100 uL
    assert out.amounts["salt"] / out.ml == pytest.approx(0.04)
    assert barrel.content.ml == pytest.approx(0.002)


def test_a_barrel_that_is_empty_gives_gas() -> None:
    assert volumes(Barrel(0.0).push(0.1, 1)) == [(0.0, 0.1)]
