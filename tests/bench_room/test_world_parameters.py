"""World parameters as people write them: with the unit of the table, with another, or wrong."""

import pytest

from lbl.bench.simulated import idle, world_parameters
from lbl.errors import BadInput
from sim.parameters import PARAMETERS


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_every_unit_of_the_table_may_be_written(name: str) -> None:
    known = PARAMETERS[name]
    unit = "" if known.unit == "-" else f" {known.unit}"
    written = [f"{known.default!r}{unit}", f"{known.default!r}", f"{known.default:e}"]
    assert [world_parameters({name: one}, "x")[name] for one in written] == [known.default] * 3


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("E_evap", "2.4 kg/m^2/d", 0.1),
        ("k_agg", "0.024 d^-1", 0.001),
        ("dose_LA", "1 mJ/cm^2", 1000.0),
        ("ambient", "0.01 W/m^2", 1.0),
        ("probe", "2 mW/A/cm^2", 2000.0),
        ("T", "295.15 K", 22.0),
        ("t_dmg", "2 min", 120.0),
        ("K_mix", "0.005 mm^2/s", 5e-9),
        ("gravity", "0.38 g", 0.38),
    ],
)
def test_other_units_are_converted(name: str, written: str, value: float) -> None:
    assert world_parameters({name: written}, "x")[name] == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "written", "sentence"),
    [
        ("E_evap", "0.1 mL", "E_evap|kg/m"),
        ("stir", "2", "stir = 2 is outside 0..1"),
        ("T_dmg", "20 degC", "T_dmg = 20 is outside 45..80 degC"),
        ("facing", "up", "up"),
        ("ambiant", "1", "did you mean 'ambient'"),
        ("k_agg", "nan", "k_agg must be a number in 1/h"),
    ],
)
def test_what_cannot_be_is_refused(name: str, written: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        world_parameters({name: written}, "x")


def test_two_are_for_the_record_only() -> None:
    assert idle(PARAMETERS) == ["N", "n_rinse"]
