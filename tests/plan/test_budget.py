"""Carry-over, dilution and refills against closed forms and published figures."""

import pytest

from lbl.plan.budget import cascade
from lbl.plan.schedule import Leg, Liquid, Step

LEG = Leg("z", 24.0, 2.0, 1)
LIQUIDS = {
    "A": Liquid("A", "a", 1.0, 7.0, 1, "film"),
    "B": Liquid("B", "b", 1.0, 7.0, -1, "film"),
    "water": Liquid("water", "water", 0.0, 7.0, 0, "rinse"),
}
HELD = {"a": "A", "b": "B", **dict.fromkeys(("p1", "p2", "p3", "n1", "n2", "n3"), "water")}


def dips(cycles: int, *baths: str) -> list[Step]:
    return [
        Step(0, "rinse", 0, 0, legs=(LEG,), vessel=bath, solution=HELD[bath])
        for _ in range(cycles)
        for bath in baths
    ]


def volumes(rinse: float) -> dict[str, float]:
    return {bath: rinse if own == "water" else 1e12 for bath, own in HELD.items()}


@pytest.mark.parametrize(
    ("rinse", "drag_out", "share"),
    # Static rinses of 3 baths after 200 cycles, no refresh.
    [
        (5.0, 0.010, 8e-3), (20.0, 0.010, 1.6e-4), (50.0, 0.010, 1e-5), (200.0, 0.010, 1.7e-7),
        (5.0, 0.003, 2.7e-4), (20.0, 0.003, 4.5e-6), (50.0, 0.003, 2.9e-7), (200.0, 0.003, 4.6e-9),
    ],
)  # fmt: skip
def test_three_static_rinses_load_up_as_published(
    rinse: float, drag_out: float, share: float
) -> None:
    steps = dips(200, "a", "p1", "p2", "p3", "b", "n1", "n2", "n3")
    got = cascade(steps, volumes(rinse), LIQUIDS, HELD, drag_out)
    assert got.negative.share == pytest.approx(share, rel=0.06)
    assert got.negative.into == "B"
    assert got.worst == max(got.positive.share, got.negative.share)


def test_one_dip_without_rinse_carries_everything() -> None:
    got = cascade(dips(1, "a", "b"), volumes(200.0), LIQUIDS, HELD, 0.003)
    assert got.negative.share == 1.0
    assert got.positive.share == 0.0


def test_one_rinse_dilutes_by_its_volume() -> None:
    got = cascade(dips(1, "a", "p1", "b"), volumes(10.0), LIQUIDS, HELD, 0.01)
    assert got.negative.share == pytest.approx(0.01 / 10.01)


def test_drag_out_dilutes_a_bath_as_published() -> None:
    # 10 mL lose 3 uL a dip to rinse liquid: -6 % over 200 cycles; 10 uL: -18 %.
    for drag_out, left in ((0.003, 0.94), (0.010, 0.82)):
        filled = {**volumes(1e9), "b": 10.0}
        got = cascade(dips(200, "n3", "b"), filled, LIQUIDS, HELD, drag_out)
        assert got.dilution["B"] == pytest.approx(left, abs=0.005)
        assert got.dilution["A"] == 1.0
        assert "water" not in got.dilution


def test_a_top_up_brings_fresh_solution() -> None:
    filled = {**volumes(1e9), "b": 10.0}
    steps = [
        *dips(100, "n3", "b"),
        Step(0, "dose", 0, 0, vessel="b", solution="B", detail={"volume": 10.0}),
    ]
    plain = cascade(steps[:-1], filled, LIQUIDS, HELD, 0.01).dilution["B"]
    assert cascade(steps, filled, LIQUIDS, HELD, 0.01).dilution["B"] == pytest.approx(
        (plain + 1) / 2
    )


def test_the_first_bath_meets_a_clean_substrate() -> None:
    got = cascade(dips(1, "b"), volumes(10.0), LIQUIDS, HELD, 0.01)
    assert (got.worst, got.dilution["B"]) == (0.0, 1.0)
