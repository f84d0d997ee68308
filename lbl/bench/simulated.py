"""A simulated bench in this process: the bench file becomes device models on one world.

Converts units and names, and hands out the PyVISA library that reaches the models. The controller
never reads the world through this file: `truth` and `ledger` are for the judge of a run.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

import sim
from lbl import units
from lbl.bench.file import AnyBench, BenchFile, read_any_bench
from lbl.errors import BadInput, Problem
from lbl.shipped import find
from sim.assembly import Assembly, Spec
from sim.faults import Fault
from sim.parameters import PARAMETERS, check
from sim.visa import SimLibrary
from sim.world import Geometry, Solution, VesselSpec, World

OWNER: Final = "lbl"
_FLOOR_MM: Final = 4.0  # between the lower edge of a dipped substrate and the vessel's floor
NS: Final = 1_000_000_000
_STATION_DEG: Final = 0.5
_NEVER_MM: Final = 10_000.0  # a depth that no axis reaches
_BATH: Final = "bath"
# driver -> what the first such instrument of a catalog plugs into
_SOCKETS: Final[Mapping[str, str]] = {
    "zaber": "arm.z",
    "newera": f"pump:{_BATH}",
    "pm100d": "photodiode",
    "dc2200": "light",
    "julabo": "thermostat",
    "mettler": "balance",
}
# What people call the protein -> what the world calls it; every other species it knows by charge.
_SPECIES: Final[Mapping[str, str]] = {"purple membrane": "BR", "bacteriorhodopsin": "BR"}
# Units as the world writes them -> as people may write them.
_UNITS: Final[Mapping[str, str]] = {
    "-": "", "g": "", "%": "%", "cm2": "cm^2", "ng/cm2": "ng/cm^2", "m2/s": "m^2/s",
    "uL/cm2": "uL/cm^2", "kg/m3": "kg/m^3",
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
        self.world = World(
            _vessels(file),
            _geometry(file),
            {**stated, **world},
            seed=seed,
            area=area,
            sides=sides,
            readout=_readout(file),
        )
        self.assembly = Assembly(_specs(file), self.world, seed=seed)
        self._ail(file)

    def _ail(self, file: AnyBench) -> None:
        """The faults that the bench file asks for; raises BadInput for one that cannot be."""
        problems = []
        for one in file.simulated.faults if file.simulated else ():
            try:
                fault = Fault(one.kind, round(one.at * NS), one.after, one.count, one.argument)
                self.assembly.inject(one.instrument, fault)
            except KeyError:
                problems.append(f"there is no instrument '{one.instrument}' to fail")
            except ValueError as error:
                problems.append(str(error))
        if problems:
            raise BadInput(*(Problem("bench-fault", what, file.name) for what in problems))

    def library(self, clock: Any) -> SimLibrary:
        """The PyVISA library that reaches the models, waiting on `clock`."""
        return SimLibrary.over(self.assembly, clock)

    def fill(self, assignments: Mapping[str, str], liquids: Mapping[str, Liquid]) -> None:
        """What a technician does before the run: pour solutions into vessels, fill the bottle.

        A catalog has nothing to be filled.
        """
        file = self._file
        if not isinstance(file, BenchFile):
            return
        for vessel, name in assignments.items():
            liquid = liquids[name]
            species = _SPECIES.get(liquid.species.lower(), liquid.species or name)
            solution = Solution(name, species, liquid.concentration, liquid.pH, liquid.charge)
            self.world.fill(vessel, solution, file.vessels[vessel].volume)
        dosing = file.dosing
        if dosing is not None and dosing.into in assignments:
            self.world.stock(dosing.into, dosing.stock)

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
            problems.append(Problem("world-parameter", str(error), place))
    if problems:
        raise BadInput(*problems)
    return values


def world_units() -> dict[str, str]:
    """Every parameter of the world and its unit; "" for a plain number."""
    return {name: "" if one.unit == "-" else one.unit for name, one in PARAMETERS.items()}


def idle(names: Iterable[str]) -> list[str]:
    """Those of the parameters that nothing in this world looks at yet."""
    return [name for name in names if not PARAMETERS[name].acts]


def _value(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        known = PARAMETERS.get(name)
        unit = known.unit if known is not None else "-"
        return units.number(text, _UNITS.get(unit, unit))


def _geometry(file: AnyBench) -> Geometry:
    """Where the liquids stand; a catalog's one axis has nothing to dip into."""
    if not isinstance(file, BenchFile):
        return Geometry(surface=_NEVER_MM, bottom=2 * _NEVER_MM, tolerance=_STATION_DEG)
    arm = file.arm
    return Geometry(
        surface=arm.surface,
        bottom=arm.down + _FLOOR_MM,
        tolerance=_STATION_DEG,
        clear=arm.clear,
    )


def _readout(file: AnyBench) -> str | None:
    """The vessel that the light shines through."""
    return file.photometry.through if isinstance(file, BenchFile) and file.photometry else None


def _vessels(file: AnyBench) -> list[VesselSpec]:
    if not isinstance(file, BenchFile):
        return [VesselSpec(_BATH, 0.0, 100.0, 10.0, True, 120.0)]
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


def _links(file: AnyBench) -> dict[str, str]:
    """Instrument -> the socket of the world it plugs into."""
    if not isinstance(file, BenchFile):
        first = {spec.driver: name for name, spec in reversed([*file.instruments.items()])}
        return {name: _SOCKETS[driver] for driver, name in first.items() if driver in _SOCKETS}
    return {
        file.arm.lift: "arm.z",
        file.arm.turn: "arm.x",
        **({file.dosing.pump: f"pump:{file.dosing.into}"} if file.dosing else {}),
        **({file.dosing.balance: "balance"} if file.dosing else {}),
        **({file.photometry.photometer: "photodiode"} if file.photometry else {}),
        **({file.photometry.light: "light"} if file.photometry else {}),
        **({file.temperature.thermostat: "thermostat"} if file.temperature else {}),
    }


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
