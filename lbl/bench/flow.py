"""What a bench file says of a flow bench: its cell, its sensors, its reservoirs.

Typed, frozen data, and whether its parts fit together. Must never open an instrument.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, Field

from lbl.bench.instruments import STRICT, Amperes, CavroSpec, ViciSpec, quantity
from lbl.errors import Problem
from lbl.marked import Marked

Millilitres = Annotated[float, quantity("mL"), Field(gt=0)]
Little = Annotated[float, quantity("mL"), Field(ge=0)]
Period = Annotated[float, quantity("s"), Field(ge=1)]
PumpPort = Annotated[int, Field(ge=1, le=12)]


class CellFile(BaseModel):
    """The cell, the pump and the selector that fill it, and what stays behind where."""

    model_config = STRICT
    pump: str
    selector: str
    meter: str = ""
    volume: Millilitres
    residual: Annotated[float, quantity(""), Field(ge=0, le=0.5)]
    line: Little
    dead: Little
    feed: Little
    source: PumpPort
    inlet: PumpPort
    waste: PumpPort
    rate: Annotated[float, quantity("mL/min"), Field(gt=0)]
    height: Annotated[float, quantity("mm"), Field(gt=0)]
    pressure: Annotated[float, quantity("kPa"), Field(gt=0)]


class SensingFile(BaseModel):
    """Which channels tell pressure (0.5..4.5 V is 0..100 kPa) and gas (0 V liquid, 5 V gas)."""

    model_config = STRICT
    daq: str
    pressure: Annotated[int, Field(ge=101, le=240)]
    bubble: Annotated[int, Field(ge=101, le=240)]
    every: Period


class WindowFile(BaseModel):
    """The light through the cell: one meter behind the film, one beside it."""

    model_config = STRICT
    photometer: str
    reference: str
    light: str
    current: Amperes
    averages: int = Field(ge=1, le=3000)
    settle: Annotated[float, quantity("s"), Field(ge=0)]
    irradiance: Annotated[float, quantity("uW/cm^2"), Field(gt=0)] | None = None


class MicrobalanceFile(BaseModel):
    """The quartz crystal that grows the same film, and how often it is read."""

    model_config = STRICT
    qcm: str
    every: Period


class Reservoir(BaseModel):
    """A liquid at a position of the selector; `returned`: what leaves the cell goes back."""

    model_config = STRICT
    purpose: Literal["primer", "positive", "negative", "rinse", "any"] = Field(alias="for")
    position: Annotated[int, Field(ge=1, le=96)]
    volume: Millilitres
    capacity: Millilitres | None = None
    returned: bool = False
    holds: str = ""

    @property
    def room(self) -> float:
        """What it takes before it runs over, in mL; a quarter above the mark unless told."""
        return self.capacity or 1.25 * self.volume


class BladderFile(BaseModel):
    """The rigid container that waste shares with the rinse it comes from."""

    model_config = STRICT
    volume: Millilitres
    shares: str


class Plumbed(Protocol):
    """The parts of a bench file that must fit together."""

    @property
    def instruments(self) -> Mapping[str, Any]:
        """By name."""

    @property
    def cell(self) -> CellFile:
        """The cell."""

    @property
    def vessels(self) -> Mapping[str, Reservoir]:
        """The reservoirs."""

    @property
    def bladder(self) -> BladderFile:
        """Where waste goes."""


Complain = Callable[..., None]


def plumbing(bench: Plumbed, marked: Marked) -> list[Problem]:
    """Ports and positions that there are, each for one thing; a cell that one stroke fills."""
    problems: list[Problem] = []

    def wrong(sentence: str, remedy: str, *route: str) -> None:
        problems.append(Problem("bench-geometry", sentence, marked.place(route), remedy))

    _pumped(bench, wrong)
    _selected(bench, wrong)
    shared = bench.vessels.get(bench.bladder.shares)
    if shared is not None and bench.bladder.volume < shared.volume:
        sentence = f"the bladder is smaller than the {shared.volume:g} mL that it begins with"
        wrong(sentence, "make it larger", "bladder", "volume")
    return problems


def _pumped(bench: Plumbed, wrong: Complain) -> None:
    """The pump's ports and its syringe."""
    cell, pump = bench.cell, bench.instruments.get(bench.cell.pump)
    ports = (cell.source, cell.inlet, cell.waste)
    if len(set(ports)) < len(ports):
        wrong("source, inlet and waste of the cell share a port", "give each its own", "cell")
    if isinstance(pump, CavroSpec):
        if max(ports) > pump.ports:
            sentence = f"the pump's valve has {pump.ports} ports, the cell uses port {max(ports)}"
            wrong(sentence, "correct the ports", "cell")
        if cell.volume > pump.syringe:
            sentence = f"one stroke of {pump.syringe:g} mL does not fill the cell"
            wrong(sentence, "use a larger syringe", "cell", "volume")
    elif pump is not None:
        remedy = "use a pump with a distribution valve, driver: cavro"
        wrong(f"'{cell.pump}' has no valve to reach the cell by", remedy, "cell", "pump")


def _selected(bench: Plumbed, wrong: Complain) -> None:
    """The selector's positions."""
    valve = bench.instruments.get(bench.cell.selector)
    taken: dict[int, str] = {}
    for name, vessel in bench.vessels.items():
        place = ("vessels", name, "position")
        if isinstance(valve, ViciSpec) and vessel.position > valve.positions:
            wrong(f"the selector has {valve.positions} positions", "correct the position", *place)
        if vessel.position in taken:
            sentence = f"{name} and {taken[vessel.position]} stand at one position"
            wrong(sentence, "give each its own", *place)
        taken[vessel.position] = name
