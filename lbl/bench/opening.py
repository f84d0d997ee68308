"""Opens the instruments of a bench file, each for itself: one that is dead hides no other.

For looking, testing and making safe; a run opens a `Bench`, which wants all of them. Must never
move anything.
"""

from collections.abc import Mapping
from typing import Any, Final

import drivers
from drivers.bus import Bus, Port
from drivers.errors import InstrumentError
from lbl.bench.file import AnyBench
from lbl.bench.instruments import Spec
from lbl.errors import BadInput, Problem

OURS: Final = "lbl"


def library_of(file: AnyBench, pacer: Any) -> Any:
    """Where PyVISA finds the instruments: models in this process, or the machine's own ports."""
    if not file.in_process:
        return "@py"
    from lbl.bench.simulated import Simulation  # half of what a start loads, for models alone

    return Simulation(file, {}, seed=0, area=2.0, sides=2).library(pacer)


def attach(bus: Bus, name: str, spec: Any, purpose: str) -> tuple[Port, Any]:
    """The port and the driver of one instrument, not yet spoken to. Raises InstrumentError."""
    guard()
    driver = drivers.DRIVERS[spec.driver]
    port = bus.port(spec.resource, link=driver.LINK, purpose=purpose)
    return port, driver(port, name, **spec.options())


def open_one(bus: Bus, name: str, spec: Any, purpose: str) -> tuple[Port, Any]:
    """The port and the driver of one instrument, which answers. Raises InstrumentError."""
    port, made = attach(bus, name, spec, purpose)
    made.connect()
    return port, made


def guard() -> None:
    """Another package may own the name `drivers`; then its instruments are not ours."""
    if drivers.OWNER != OURS:
        sentence = f"{drivers.__file__} is not ours: another package owns the name"
        raise BadInput(Problem("not-ours", sentence, remedy="install lbl in its own environment"))


class Instruments:
    """Those of a bench that answer, by name, and why the others do not."""

    def __init__(self, file: AnyBench, pacer: Any, purpose: str) -> None:
        self.file = file
        self.made: dict[str, Any] = {}
        self.ports: dict[str, Port] = {}
        self.failed: dict[str, InstrumentError] = {}
        self.bus = Bus(pacer, library_of(file, pacer))
        specs: Mapping[str, Spec] = file.instruments
        for name, spec in specs.items():
            try:
                self.ports[name], self.made[name] = open_one(self.bus, name, spec, purpose)
            except InstrumentError as error:
                self.failed[name] = error

    def safe(self) -> list[str]:
        """Make those that answer safe, whatever the others do; what failed, in words."""
        said = [str(error) for error in self.failed.values()]
        for made in self.made.values():
            try:
                made.safe()
            except InstrumentError as error:
                said.append(str(error))
        return said

    def close(self) -> None:
        """Close every instrument and the bus."""
        for made in self.made.values():
            made.close()
        self.bus.close()
