"""Tests of vessels and of what a wet substrate carries: mass, volume, film laws."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.fluid import Solution, Vessel, VesselSpec, dragged, evaporated
from sim.parameters import settled

# The same examples at every run, and no stop-watch: machines are shared.
REPEATABLE = settings(deadline=None, derandomize=True, database=None)
H_NS = 3_600_000_000_000
BR = Solution("BR", "BR", 1.0, 9.0, -1)
VALUES = settled({})


def vessel(volume: float = 20.0, *, area: float = 7.07, lidded: bool = False) -> Vessel:
    bath = Vessel(VesselSpec("bath", 0.0, volume, area, lidded, 2.0 * volume), VALUES)
    bath.fill(BR, 1.0, volume, 0)
    return bath


def test_an_open_beaker_loses_54_tenths_of_a_millilitre_in_77_hours() -> None:
    bath = vessel()
    assert 20.0 - bath.volume_at(77 * H_NS) == pytest.approx(5.4, rel=0.05)
    assert bath.concentration("BR", 77 * H_NS) == pytest.approx(20.0 / 14.56, rel=0.01)
    assert bath.fall(77 * H_NS) == pytest.approx(7.7, rel=0.05)


def test_a_lid_keeps_the_water() -> None:
    lost = 20.0 - vessel(lidded=True).volume_at(77 * H_NS)
    assert lost == pytest.approx(5.4 / 20.0, rel=0.05)


def test_a_vessel_never_holds_less_than_nothing() -> None:
    bath = vessel(1.0)
    assert bath.volume_at(10**6 * H_NS) == 0.0
    assert bath.concentration("BR", 10**6 * H_NS) == 0.0
    assert bath.take(5.0)["BR"] == pytest.approx(1.0)
    assert bath.take(5.0)["BR"] == 0.0


def test_too_much_is_refused_and_too_much_added_runs_over() -> None:
    bath = vessel(10.0)
    with pytest.raises(ValueError, match="bath: 30 mL does not go into 20 mL"):
        bath.fill(BR, 1.0, 30.0, 0)
    assert bath.add(15.0, {}) == pytest.approx(5.0)
    assert bath.volume == pytest.approx(20.0)
    assert bath.amounts["BR"] == pytest.approx(10.0 * 20.0 / 25.0)


@REPEATABLE
@given(st.lists(st.floats(0.0, 30.0), max_size=8))
def test_what_is_taken_and_what_stays_is_all(takes: list[float]) -> None:
    bath = vessel()
    gone = sum(bath.take(volume)["BR"] for volume in takes)
    assert gone + bath.amounts["BR"] == pytest.approx(20.0)
    assert bath.volume >= 0.0


def test_the_film_of_landau_and_levich() -> None:
    assert dragged(VALUES, 2.0, 2.0) == pytest.approx(0.46e-3)
    # 1 and 10 mm/s: 1.4 and 6.7 um
    assert dragged(VALUES, 1.0, 1.0) == pytest.approx(0.14e-3, rel=0.05)
    assert dragged(VALUES, 1.0, 10.0) == pytest.approx(0.67e-3, rel=0.05)


def test_less_gravity_drags_more_up_to_the_hold_up() -> None:
    assert dragged(settled({"gravity": 0.25}), 1.0, 2.0) == pytest.approx(0.46e-3)
    assert dragged(settled({"gravity": 1e-6}), 1.0, 2.0) == pytest.approx(5e-3)
    assert dragged(settled({"gravity": 0.0}), 1.0, 2.0) == pytest.approx(5e-3)
    assert dragged(settled({"f_A": 3.0}), 1.0, 2.0) == pytest.approx(5e-3)


def test_a_thin_film_dries_in_a_minute() -> None:
    # 1.5 um on 1 cm2 is 0.15e-3 mL
    assert evaporated(VALUES, 1.0, 54.0) == pytest.approx(0.15e-3, rel=0.01)


def test_the_leading_species_is_the_charged_one_of_which_there_is_most() -> None:
    bath = vessel()
    charges = {"BR": -1, "PDAC": 1, "salt": 0}
    bath.add(0.0, {"PDAC": 20.0, "salt": 99.0})
    assert bath.leading(charges) == "PDAC"
    bath.trade("BR", 1.0)
    assert bath.leading(charges) == "BR"
    bath.trade("BR", -99.0)
    assert bath.amounts["BR"] == 0.0


def test_a_vessel_survives_its_plain_form() -> None:
    bath = vessel()
    other = vessel(5.0)
    other.load(bath.plain(0), 100)
    assert other.plain(100) == bath.plain(0)
    assert other.label() == "BR"
    empty = Vessel(bath.spec, VALUES)
    other.load(empty.plain(0), 0)
    assert (other.solution, other.label()) == (None, "")


def test_membrane_may_be_old_when_it_is_filled_in() -> None:
    spec = VesselSpec("bath", 0.0, 20.0, 7.07, True, 40.0)
    fresh, old = (Vessel(spec, settled({"age_BR": days})) for days in (0.0, 20.0))
    for bath in (fresh, old):
        bath.fill(BR, 1.0, 20.0, 0)
    assert (fresh.age_h(0), old.age_h(0)) == (0.0, 480.0)
    assert fresh.active("BR", 0) == 1.0
    assert old.active("BR", 0) == pytest.approx(0.819, abs=0.001)  # e^(-0.01 a day x 20 d)
    assert old.lumped == pytest.approx(1.0 - 0.98 * 0.6188, abs=0.001)  # e^(-0.001 an h x 480 h)
    assert fresh.lumped == pytest.approx(0.02)
