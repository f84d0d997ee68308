"""Tests of the circuit alone: ports, positions and vessels that nobody should use, and levels."""

from dataclasses import replace
from typing import Any

import pytest

from sim.world import FlowGeometry, FlowWorld
from tests.sim.flow_desk import EXACT, GEOMETRY, SPECIES, FlowHand, flow_world, total


def dry(geometry: FlowGeometry = GEOMETRY) -> FlowHand:
    return FlowHand(flow_world(EXACT, geometry))


def volumes(world: FlowWorld) -> dict[str, float]:
    return {name: one["volume_ml"] for name, one in world.truth()["vessels"].items()}


def test_a_port_that_leads_nowhere_gives_gas_and_loses_liquid() -> None:
    hand = dry()
    hand.prime()
    before = {species: total(hand.world, species) for species in SPECIES}
    hand.turn(2)
    hand.move(1, 5, 0.3)
    hand.move(5, 9, 0.3)
    assert hand.world.flow.circuit.spilled.ml == pytest.approx(0.3)
    assert hand.world.truth()["solutions"]["PDAC"]["used_ml"] > 0.8
    assert {species: total(hand.world, species) for species in SPECIES} == pytest.approx(before)


def test_a_position_without_reservoir_gives_gas_and_loses_liquid() -> None:
    hand = dry()
    hand.prime()
    hand.exchange(4)
    hand.turn(8)
    hand.move(2, 1, 0.285)
    # the line's 5 uL went first
    assert hand.world.flow.circuit.spilled.ml == pytest.approx(0.27, abs=0.001)
    hand.move(1, 2, 0.285)
    assert volumes(hand.world)["cell"] < 0.03


def test_a_reservoir_runs_over_when_too_much_comes_back() -> None:
    hand = dry()
    hand.prime()
    for _ in range(3):
        hand.turn(4)
        hand.stroke(1, -0.9)
        hand.turn(1)
        hand.stroke(1, 0.9)
    rows: list[dict[str, Any]] = hand.world.ledger
    assert [(row["kind"], row["vessel"]) for row in rows] == [("overflow", "primer")]
    assert volumes(hand.world)["primer"] == pytest.approx(6.25)


def test_without_a_bladder_the_waste_has_no_end() -> None:
    hand = dry(replace(GEOMETRY, bladder=None, shares=None))
    hand.prime()
    assert hand.world.flow.circuit.squeezed() == 0.0


def test_a_pump_that_does_not_say_how_it_moves_moves_liquid_all_the_same() -> None:
    world = flow_world(EXACT)
    syringe: Any = world.link("syringe")
    selector: Any = world.link("selector")
    selector.select(4, 0)
    now_ns = 0
    for port, ml in (("1", -0.6), ("9", 0.6), ("1", -0.285), ("2", 0.285)) * 2:
        for _ in range(10):
            now_ns += 10**8
            assert syringe.pump(port, ml / 10.0, now_ns)
    assert syringe.pump("2", 0.0, now_ns)
    world.advance(now_ns + 10**9)
    assert volumes(world)["cell"] == pytest.approx(0.33)  # twice 0.285 mL, and no more room
    standing = world.standing()
    assert standing is not None
    assert standing["vessel"] == "rinse"


def test_a_valve_of_three_ways_leads_nowhere() -> None:
    world = flow_world(EXACT)
    syringe: Any = world.link("syringe")
    syringe.pump("i", -0.5, 10**9)
    syringe.pump("o", 0.5, 2 * 10**9)
    assert volumes(world)["rinse"] == 700.0


def test_the_residual_stays_and_gas_follows() -> None:
    hand = dry()
    hand.prime()
    hand.exchange(4)
    hand.move(2, 9, 0.9)
    assert volumes(hand.world)["cell"] == pytest.approx(0.015, abs=1e-4)
