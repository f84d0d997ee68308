"""The bench file as the planner sees it."""

from pathlib import Path

from lbl.bench.card import Card, Latency
from lbl.bench.file import read_bench
from lbl.run.equip import equipment
from lbl.shipped import find

DIP = Path(find("dip", "sim", "bench"))


def test_the_shipped_bench_moves_and_reads_as_its_file_says() -> None:
    made = equipment(read_bench(DIP), 2.0)
    assert made.drag_out == (0.23e-3 * 2.0 + 2.5e-3)
    assert made.readout == "N3"
    assert made.temperature == (22.0, 22.0)
    roles = {"axis", "pump", "photometer", "light", "thermostat", "stirrer", "balance"}
    assert roles == made.roles


def test_a_card_that_knows_a_slower_meter_lengthens_the_plan() -> None:
    file = read_bench(DIP)
    slow = Latency(count=20, p50=1.9, p99=2.5, max=2.6)
    card = Card(driver="pm100d", resource="x", date="2026-11-01", latency={"power": slow})
    meter = file.instruments["photodiode"].model_copy(update={"card": card})
    carded = file.model_copy(update={"instruments": {**file.instruments, "photodiode": meter}})
    assert equipment(carded, 2.0).measure > equipment(file, 2.0).measure + 1.5
