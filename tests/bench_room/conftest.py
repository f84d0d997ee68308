"""One simulated instrument of every driver, each on a virtual clock of its own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lbl._core import Core
from lbl.bench.conformance import Subject
from lbl.bench.file import CatalogFile
from lbl.bench.instruments import spec_of
from lbl.bench.simulated import Simulation
from lbl.bench.trials import USUAL

RESOURCES = {
    "pm100d": "USB0::0x1313::0x8078::P0012345::INSTR",
    "dc2200": "USB0::0x1313::0x80C8::M00960538::INSTR",
    "daq6510": "TCPIP::192.168.0.10::5025::SOCKET",
    "keithley2450": "TCPIP::192.168.0.11::5025::SOCKET",
}


def resource_of(driver: str) -> str:
    return RESOURCES.get(driver, f"ASRL/dev/lbl/{driver}::INSTR")


class Rig:
    """A driver, its model and the clock they share."""

    def __init__(self, driver: str) -> None:
        given = dict(USUAL.get(driver, {}))
        if driver == "newera":
            given["address"] = "0"
        self.spec = spec_of(driver, resource_of(driver), given)
        file = CatalogFile(
            lbl=1, name="rig", kind="catalog", simulated={}, instruments={driver: self.spec}
        )
        self.core = Core(virtual=True)
        self.simulation = Simulation(file, {}, seed=7, area=1.0, sides=1)
        self.subject = Subject(driver, self.spec, self.core, self.simulation.library(self.core))


@pytest.fixture
def rig() -> Iterator[Callable[[str], Rig]]:
    made: list[Any] = []

    def make(driver: str) -> Rig:
        made.append(Rig(driver))
        return made[-1]

    yield make
    for one in made:
        one.subject.close()
