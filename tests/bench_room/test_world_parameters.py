"""World parameters as people write them, with any unit; and when a simulated bench begins."""

from pathlib import Path

import pytest

from lbl.bench.file import read_bench
from lbl.bench.simulated import Simulation, idle, world_parameters
from lbl.errors import BadInput
from lbl.shipped import find
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


def test_a_bench_in_real_time_begins_when_its_run_does(tmp_path: Path) -> None:
    text = Path(find("dip", "sim", "bench")).read_text(encoding="utf-8")
    told = "simulated: {faults: [{world: leak, where: P1, at: 10 s}]}"
    path = tmp_path / "ill.yaml"
    path.write_text(text.replace("simulated: {}", told), encoding="utf-8")
    start_ns = 90 * 86_400 * 10**9
    simulation = Simulation(read_bench(path), {}, seed=1, area=2.0, sides=2, start_ns=start_ns)
    simulation.settle(start_ns + 9 * 10**9)
    assert simulation.world.ledger == []
    simulation.settle(start_ns + 11 * 10**9)
    (row,) = simulation.world.ledger
    assert (row["kind"], row["at_s"]) == ("mishap", 10.0)
    vessels = simulation.world.truth()["vessels"].values()
    assert {round(one["age_h"], 3) for one in vessels} == {0.003}
