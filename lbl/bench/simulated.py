"""A simulated bench in this process: the bench file becomes device models on one world.

Converts units and names, and hands out the PyVISA library that reaches the models. The controller
never reads the world through this file: `truth` and `ledger` are for the judge of a run.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

import sim
from lbl import units
from lbl.bench.file import AnyBench, CatalogFile, DipFile, FaultFile, FlowFile, read_any_bench
from lbl.errors import BadInput, Problem
from lbl.shipped import find
from sim.assembly import Assembly, Spec
from sim.faults import Fault
from sim.mishaps import KINDS as MISHAPS
from sim.mishaps import Mishap
from sim.parameters import PARAMETERS, check
from sim.visa import SimLibrary
from sim.world import (
    FlowGeometry,
    FlowWorld,
    Geometry,
    Reservoir,
    Solution,
    VesselSpec,
    World,
)

OWNER: Final = "lbl"
_FLOOR_MM: Final = 4.0  # between the lower edge of a dipped substrate and the vessel's floor
NS: Final = 1_000_000_000
_STATION_DEG: Final = 0.5
_NEVER_MM: Final = 10_000.0  # a depth that no axis reaches
_BATH: Final = "bath"
# driver -> what every such instrument beside a film plugs into
_WITNESSES: Final[Mapping[str, str]] = {"qcm200": "crystal", "keithley2450": "film"}
# driver -> what the first such instrument of a catalog plugs into
_SOCKETS: Final[Mapping[str, str]] = {
    "zaber": "arm.z",
    "newera": f"pump:{_BATH}",
    "pm100d": "photodiode",
    "dc2200": "light",
    "julabo": "thermostat",
    "mettler": "balance",
    **_WITNESSES,
}
# What people call the protein -> what the world calls it; every other species it knows by charge.
_SPECIES: Final[Mapping[str, str]] = {"purple membrane": "BR", "bacteriorhodopsin": "BR"}
# Units as the world writes them -> as people may write them.
_UNITS: Final[Mapping[str, str]] = {
    "-": "", "g": "", "%": "%", "cm2": "cm^2", "ng/cm2": "ng/cm^2", "m2/s": "m^2/s",
    "uL/cm2": "uL/cm^2", "kg/m3": "kg/m^3", "kg/(m2 h)": "kg/m^2/h", "mL/(mg s)": "mL/mg/s",
    "cm2/(uW s)": "cm^2/uW/s", "uW/cm2": "uW/cm^2", "uJ/cm2": "uJ/cm^2", "1/h": "h^-1",
    "uW/(A cm2)": "uW/A/cm^2", "1/d": "d^-1", "1/pH": "pH^-1",
}  # fmt: skip


class Liquid(Protocol):
    """A solution as the plan knows it."""

    @property
    def species(self) -> str:
        """What it is, in people's words; "" is its name."""

    @property
    def concentration(self) -> float:
        """In mg/mL."""

    @property
    def pH(self) -> float:  # noqa: N802 - the symbol of the quantity
        """As the label says."""

    @property
    def charge(self) -> int:
        """-1, 0 or 1."""


class Simulation:
    """The models of one bench file and the world they share."""

    def __init__(
        self,
        file: AnyBench,
        world: Mapping[str, float],
        *,
        seed: int,
        area: float,
        sides: int,
    ) -> None:
        guard()
        self._file = file
        stated = world_parameters(file.simulated.world if file.simulated else {}, file.name)
        self.world = _world(file, {**stated, **world}, seed=seed, area=area, sides=sides)
        self.assembly = Assembly(_specs(file), self.world, seed=seed)
        self._ail(file)

    def _ail(self, file: AnyBench) -> None:
        """The faults that the bench file asks for; raises BadInput for one that cannot be."""
        problems = []
        for one in file.simulated.faults if file.simulated else ():
            try:
                self.befall(one)
            except KeyError:
                problems.append(f"there is no instrument '{one.instrument}' to fail")
            except ValueError as error:
                problems.append(str(error))
        if problems:
            raise BadInput(*(Problem("bench-fault", what, file.name) for what in problems))

    def befall(self, one: FaultFile) -> None:
        """Let something go wrong; KeyError for an unknown instrument, ValueError for what cannot.

        A mishap that had to begin in the past begins at once.
        """
        if one.world:
            self.assembly.befall(_mishap(one))
        else:
            self.assembly.inject(one.instrument, _fault(one))

    def power_cycle(self, now_ns: int) -> None:
        """The whole bench loses its power and has it back at once."""
        self.assembly.power_cycle(now_ns)

    def library(self, clock: Any) -> SimLibrary:
        """The PyVISA library that reaches the models, waiting on `clock`."""
        return SimLibrary.over(self.assembly, clock)

    def fill(self, assignments: Mapping[str, str], liquids: Mapping[str, Liquid]) -> None:
        """What a technician does before the run: pour solutions into vessels, fill the bottle.

        A catalog has nothing to be filled.
        """
        file = self._file
        if isinstance(file, CatalogFile):
            return
        for vessel, name in assignments.items():
            liquid = liquids[name]
            species = _SPECIES.get(liquid.species.lower(), liquid.species or name)
            solution = Solution(name, species, liquid.concentration, liquid.pH, liquid.charge)
            self.world.fill(vessel, solution, file.vessels[vessel].volume)
        dosing = file.dosing if isinstance(file, DipFile) else None
        if dosing is not None and dosing.into in assignments:
            self.world.stock(dosing.into, dosing.stock)

    def pour(self, vessel: str, volume: float, now_ns: int) -> None:
        """What a person does who is asked for it: add fresh solution (mL) to a vessel."""
        self.settle(now_ns)
        self.world.pour(vessel, volume)

    def settle(self, now_ns: int) -> None:
        """Bring pumps and world up to date, before anybody reads what is true."""
        self.assembly.settle(now_ns)
        self.world.advance(now_ns)

    def snapshot(self) -> dict[str, Any]:
        """The whole dynamic state as plain data."""
        return self.assembly.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave."""
        self.assembly.restore(state)


def guard() -> None:
    """Another package may own the name `sim`; then its instruments are not ours."""
    if sim.OWNER != OWNER:
        sentence = f"{sim.__file__} is not ours: another package owns the name"
        raise BadInput(Problem("not-ours", sentence, remedy="install lbl in its own environment"))


def world_parameters(given: Mapping[str, object], place: str) -> dict[str, float]:
    """World parameters, units converted and ranges checked; raises BadInput with all problems.

    A plain number is in the parameter's own unit.
    """
    values, problems = {}, []
    for name, written in given.items():
        try:
            values[name] = check(name, _value(name, str(written)))
        except ValueError as error:
            told = str(error)
            sentence = told if name in told else f"world parameter {name}: {told}"
            problems.append(Problem("world-parameter", sentence, place))
    if problems:
        raise BadInput(*problems)
    return values


def world_units() -> dict[str, str]:
    """Every parameter of the world and its unit; "" for a plain number."""
    return {name: "" if one.unit == "-" else one.unit for name, one in PARAMETERS.items()}


def idle(names: Iterable[str]) -> list[str]:
    """Those of the parameters that nothing in this world looks at."""
    return [name for name in names if not PARAMETERS[name].acts]


def _fault(one: FaultFile) -> Fault:
    """What the bench file lets go wrong with an instrument; ValueError for what cannot be."""
    if not one.instrument or one.where or one.lasts is not None:
        raise ValueError(
            "a fault names an 'instrument' and its 'kind', or a mishap of the 'world'; "
            "'where' and 'lasts' are for the world's"
        )
    return Fault(one.kind, round(one.at * NS), one.after, one.count, one.argument)


def _mishap(one: FaultFile) -> Mishap:
    """What the bench file lets befall the world; ValueError for what cannot be."""
    if one.instrument or one.kind or one.after or one.count != 1:
        raise ValueError(
            f"mishap '{one.world}': 'instrument', 'kind', 'after' and 'count' are not for the world"
        )
    argument = one.argument
    if isinstance(argument, str) and one.world in MISHAPS:
        argument = _measured(argument, MISHAPS[one.world].unit)
    lasts_ns = None if one.lasts is None else round(one.lasts * NS)
    return Mishap(one.world, round(one.at * NS), one.where, _plain(argument), lasts_ns)


def _plain(argument: float | str | None) -> float | None:
    """A number or nothing; the kind of a mishap that is not known is told first."""
    return None if argument is None or isinstance(argument, str) else float(argument)


def _measured(text: str, unit: str) -> float:
    """A quantity in a unit of the world; a plain number is in that unit.

    The unit may stand as the world's own table writes it, or as people do.
    """
    try:
        return float(text.strip().removesuffix(unit.strip("-")))
    except ValueError:
        return units.number(text, _UNITS.get(unit, unit))


def _value(name: str, text: str) -> float:
    known = PARAMETERS.get(name)
    return _measured(text, known.unit if known is not None else "-")


def _world(file: AnyBench, parameters: Mapping[str, float], **sizes: Any) -> World:
    """The world of a kind of bench; a catalog's one axis has nothing to dip into."""
    if isinstance(file, FlowFile):
        return FlowWorld(_reservoirs(file), _plumbing(file), parameters, **sizes)
    if isinstance(file, CatalogFile):
        bath = VesselSpec(_BATH, 0.0, 100.0, 10.0, True, 120.0)
        nowhere = Geometry(surface=_NEVER_MM, bottom=2 * _NEVER_MM, tolerance=_STATION_DEG)
        return World([bath], nowhere, parameters, **sizes)
    arm = file.arm
    geometry = Geometry(
        surface=arm.surface,
        bottom=arm.down + _FLOOR_MM,
        tolerance=_STATION_DEG,
        clear=arm.clear,
    )
    readout = file.photometry.through if file.photometry else None
    return World(_vessels(file), geometry, parameters, readout=readout, **sizes)


def _vessels(file: DipFile) -> list[VesselSpec]:
    return [
        VesselSpec(
            name=name,
            at=vessel.at,
            volume=vessel.volume,
            area=vessel.volume / 10.0,  # a bath 10 cm deep
            lidded=vessel.lidded,
            capacity=vessel.room,
        )
        for name, vessel in file.vessels.items()
    ]


def _reservoirs(file: FlowFile) -> list[Reservoir]:
    return [
        Reservoir(name, vessel.position, vessel.volume, vessel.returned, vessel.room)
        for name, vessel in file.vessels.items()
    ]


def _plumbing(file: FlowFile) -> FlowGeometry:
    cell, bladder = file.cell, file.bladder
    return FlowGeometry(
        volume=cell.volume,
        residual=cell.residual,
        line=cell.line,
        dead=cell.dead,
        feed=cell.feed,
        height=cell.height,
        source=cell.source,
        inlet=cell.inlet,
        waste=cell.waste,
        bladder=bladder.volume,
        shares=bladder.shares,
    )


def _links(file: AnyBench) -> dict[str, str]:
    """Instrument -> the socket of the world it plugs into."""
    if isinstance(file, CatalogFile):
        first = {spec.driver: name for name, spec in reversed([*file.instruments.items()])}
        return {name: _SOCKETS[driver] for driver, name in first.items() if driver in _SOCKETS}
    light, heat = file.photometry, file.temperature
    shared = {
        **{
            name: _WITNESSES[entry.driver]
            for name, entry in file.instruments.items()
            if entry.driver in _WITNESSES
        },
        **({light.photometer: "photodiode", light.light: "light"} if light else {}),
        **({heat.thermostat: "thermostat"} if heat else {}),
    }
    if isinstance(file, DipFile):
        arm, dosing = file.arm, file.dosing
        own = {arm.lift: "arm.z", arm.turn: "arm.x"}
        if dosing is not None:
            own |= {dosing.pump: f"pump:{dosing.into}", dosing.balance: "balance"}
        if file.stirring is not None:
            own[file.stirring.stirrer] = "stirrer"
        return {**own, **shared}
    cell = file.cell
    own = {cell.pump: "syringe", cell.selector: "selector", file.sensing.daq: "sensors"}
    if cell.meter:
        own[cell.meter] = "line"
    if file.photometry is not None:
        own[file.photometry.reference] = "reference"
    return {**own, **shared}


def _specs(file: AnyBench) -> list[Spec]:
    links = _links(file)
    return [
        Spec(
            name=name,
            model=entry.driver,
            resource=entry.resource,
            address=entry.station(),
            serial=entry.serial,
            link=links.get(name, ""),
            options=entry.modelled(),
        )
        for name, entry in file.instruments.items()
    ]


class Library(SimLibrary):
    """`ResourceManager("dip.yaml@lbl")`: a bench file, or a shipped bench's name, in real time."""

    def build(self, library_path: str) -> Assembly:
        """The models of the bench file named before the @."""
        file = read_any_bench(find(library_path, "sim", "bench"))
        return Simulation(file, {}, seed=0, area=2.0, sides=2).assembly
