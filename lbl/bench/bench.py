"""A bench that is open: its instruments by role, the verbs that go to all of them.

The only room that knows drivers and simulated instruments. Must never decide what to do with a
film, and never reads what a simulated world holds except to hand it to whoever judges a run.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from drivers.bus import Bus, Port
from drivers.errors import InstrumentError
from drivers.lock import holder
from lbl.bench import roles
from lbl.bench.arm import ArmRig, Timed
from lbl.bench.cell import CellRig
from lbl.bench.file import AnyBench, BenchFile, DipFile, FlowFile
from lbl.bench.flow import WindowFile
from lbl.bench.opening import open_one
from lbl.bench.simulated import Simulation
from lbl.errors import BadInput, Problem

__all__ = ["Bench", "Dosing", "InstrumentError", "Optics", "Sense", "holders"]

_SECOND: Final = 1_000_000_000
TEMPERATURE: Final = "temperature"
CRYSTAL: Final = "crystal"


@dataclass(frozen=True, slots=True)
class Dosing:
    """The pump that tops up a vessel and the balance that checks it; `name` is the pump's."""

    name: str
    pump: roles.Pump
    balance: roles.Balance
    rate: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Optics:
    """The light path: `meters` by name, the one behind the film first.

    A second one looks beside the film, and gives the reference.
    """

    meters: Mapping[str, roles.Photometer]
    light: roles.Light
    current: float
    averages: int
    settle: float


@dataclass(frozen=True, slots=True)
class Sense:
    """A slow sensor: its name and unit, every how many s it is read, and how."""

    name: str
    unit: str
    every: float
    read: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Stirring:
    """What stirs the baths: `name` is the stirrer's, `usual` its speed unless told (rpm)."""

    name: str
    stirrer: roles.Stirrer
    usual: float

    def turn(self, rpm: float) -> None:
        """Stir so fast from now on, 0 for not at all; returns when it is so."""
        if rpm > 0.0:
            self.stirrer.stir(rpm)
        else:
            self.stirrer.stop()

    def prepare(self, rpm: float) -> None:
        """Make it ready, and stir."""
        self.stirrer.prepare()
        self.turn(rpm)


class Bench:
    """The instruments of one bench file, opened on one clock."""

    def __init__(
        self,
        file: BenchFile,
        pacer: Any,
        simulation: Simulation | None,
        purpose: str,
        capture: Callable[[str], object] | None = None,
    ) -> None:
        """Open every instrument; `capture` is told every byte. Raises BadInput."""
        self.file = file
        self.simulation = simulation
        self._pacer = pacer
        library = simulation.library(pacer) if simulation else "@py"
        self._bus = Bus(pacer, library, capture)
        self._known: dict[str, roles.Identity] = {}
        self._ports: dict[str, Port] = {}
        self.instruments: dict[str, Any] = {}
        self._still: dict[frozenset[str], list[tuple[int, int, bytes]]] = {}
        self._open(purpose)
        made = self.instruments
        self.arm = ArmRig(file, made, self._programme) if isinstance(file, DipFile) else None
        self.cell = CellRig(file, made, self._programme) if isinstance(file, FlowFile) else None
        self.dosing = _dosing(file, made)
        self.optics = _optics(file, made)
        self.thermostat: roles.Thermostat | None = (
            made[file.temperature.thermostat] if file.temperature else None
        )
        self.stirring = _stirring(file, made)
        self.senses: tuple[Sense, ...] = tuple(_senses(file, made))

    def _open(self, purpose: str) -> None:
        """Open every instrument; all that do not answer are named at once."""
        problems = []
        for name, spec in self.file.instruments.items():
            try:
                port, instrument = open_one(self._bus, name, spec, purpose)
            except InstrumentError as error:
                problems.append(Problem("bench-no-answer", str(error), f"{self.file.name}.{name}"))
                continue
            self._ports[name] = port
            self.instruments[name] = instrument
        if problems:
            self._bus.close()
            raise BadInput(*problems)

    def identify(self) -> dict[str, roles.Identity]:
        """Who answers: name -> maker, model, serial, firmware."""
        self._known = {name: made.identify() for name, made in self.instruments.items()}
        return self._known

    @property
    def lost(self) -> set[str]:
        """Names of the instruments whose ports are gone."""
        return {name for name, port in self._ports.items() if port.lost}

    def reconnect(self) -> list[str]:
        """Open lost ports anew and see that the same instruments answer; what failed, in words.

        Nothing may be armed on them. What a driver knew is forgotten and sensed anew: an axis that
        lost power is unreferenced. The dead-man's programme must be given again (`rest`).
        """
        failed = []
        lost = {port: name for name, port in self._ports.items() if port.lost}
        behind = [(name, port) for name, port in self._ports.items() if port in lost]
        for port, name in lost.items():
            try:
                self._bus.reopen(port.resource)
            except InstrumentError as error:
                failed.append(str(error.at(name, port.resource)))
        for name, port in behind:
            try:
                if not port.lost:
                    self._adopt(name)
            except InstrumentError as error:
                failed.append(str(error))
        if lost:
            self._still.clear()
        return failed

    def _adopt(self, name: str) -> None:
        """Take an instrument up again behind a port that was opened anew."""
        made, known = self.instruments[name], self._known.get(name)
        made.close()
        made.connect()
        who = made.identify()
        model = known.model if known else who.model
        serial = known.serial if known else self.file.instruments[name].serial
        if who.model != model or (serial and who.serial != serial):
            raise InstrumentError(
                f"{who.model} {who.serial} answers where {model} {serial} was",
                cure="plug the cables in as they were",
                instrument=name,
                resource=self._ports[name].resource,
            )
        made.sense()

    @property
    def adrift(self) -> bool:
        """Whether an axis of the arm has lost its zero: what carries the film must find it."""
        return self.arm is not None and self.arm.adrift

    @property
    def homed(self) -> bool:
        """An axis had to find its zero: where the substrate hangs, nobody can tell."""
        return self.arm is not None and self.arm.homed

    @property
    def handlers(self) -> frozenset[str]:
        """The instruments that move substrate or liquid, or say where they are."""
        rig = self.arm or self.cell
        return rig.handlers if rig is not None else frozenset()

    def safe(self) -> list[str]:
        """Make every instrument safe, whatever the others do; returns what failed, in words."""
        failed = []
        for made in self.instruments.values():
            try:
                made.safe()
            except InstrumentError as error:
                failed.append(str(error))
        return failed

    def outputs_off(self) -> list[str]:
        """Like `safe`, axes left alone: a transfer under way may finish."""
        failed = []
        movers = self.arm.movers if self.arm is not None else frozenset[str]()
        for name, made in self.instruments.items():
            if name in movers:
                continue
            try:
                made.safe()
            except InstrumentError as error:
                failed.append(str(error))
        return failed

    def preparations(
        self,
        up: float,
        start: float,
        wavelength: float,
        *,
        moves: bool,
        setpoint: float | None = None,
        rpm: float | None = None,
    ) -> Iterator[tuple[str, str, Callable[[], None]]]:
        """(name, what it may move, act) for each instrument, in the order that is safe.

        What carries the substrate comes first, light and heat last. Without `moves` the substrate
        stays where it is, unless an axis has lost its reference. `setpoint` in degC and `rpm` are
        the recipe's, None the bench file's.
        """
        if self.arm is not None:
            yield from self.arm.preparations(up, start, moves=moves)
        if self.cell is not None:
            yield from self.cell.preparations()
        if self.dosing is not None:
            yield self.dosing.name, "nothing", self.dosing.pump.prepare
        if self.stirring is not None:
            rpm = self.stirring.usual if rpm is None else rpm
            stirs = f"the bars; stirs at {rpm:g} rpm"
            yield self.stirring.name, stirs, partial(self.stirring.prepare, rpm)
        yield from self._watchers(wavelength, setpoint)

    def _watchers(
        self, wavelength: float, setpoint: float | None
    ) -> Iterator[tuple[str, str, Callable[[], None]]]:
        """Light, meters and heat, ready."""
        optics, section, file = self.optics, self.file.photometry, self.file
        if optics is not None and section is not None:
            yield section.light, "nothing", optics.light.prepare
            for name, meter in optics.meters.items():
                yield name, "nothing", partial(meter.prepare, wavelength, optics.averages)
        if self.thermostat is not None and file.temperature is not None:
            setpoint = file.temperature.setpoint if setpoint is None else setpoint
            heats = f"nothing; heats to {setpoint:g} degC"
            yield file.temperature.thermostat, heats, partial(self.thermostat.start, setpoint)

    def rest(self) -> None:
        """The dead-man's programme while the substrate is wet: outputs off, stay."""
        self._programme(())

    def _programme(self, more: Sequence[Timed], alone: frozenset[str] = frozenset()) -> None:
        """Give the dead-man what makes all but the arm and those `alone` harmless, and `more`.

        Those that the core cannot reach (no descriptor, or a lost port) are left out: `lbl bench
        check` names them.
        """
        movers = self.arm.movers if self.arm is not None else frozenset[str]()
        if alone not in self._still:
            self._still[alone] = self._outputs_off(movers | alone)
        entries = [(delay, self._ports[name].channel, data) for delay, name, data in more]
        self._pacer.safe_programme([*self._still[alone], *entries])

    def _outputs_off(self, skipped: frozenset[str]) -> list[tuple[int, int, bytes]]:
        """Safe bytes of all but those skipped, with the pauses that each instrument needs."""
        return [
            (round(number * made.SAFE_GAP_S * _SECOND), self._ports[name].channel, data)
            for name, made in self.instruments.items()
            if name not in skipped and self._ports[name].channel >= 0
            for number, data in enumerate(made.safe_bytes())
        ]

    def close(self) -> None:
        """Close every instrument and the bus."""
        for made in self.instruments.values():
            made.close()
        self._bus.close()


def _dosing(file: BenchFile, made: Mapping[str, Any]) -> Dosing | None:
    section = file.dosing if isinstance(file, DipFile) else None
    if section is None:
        return None
    pump, balance = made[section.pump], made[section.balance]
    return Dosing(section.pump, pump, balance, section.rate, section.tolerance)


def _stirring(file: BenchFile, made: Mapping[str, Any]) -> Stirring | None:
    section = file.stirring if isinstance(file, DipFile) else None
    if section is None:
        return None
    return Stirring(section.stirrer, made[section.stirrer], section.speed)


def _optics(file: BenchFile, made: Mapping[str, Any]) -> Optics | None:
    section = file.photometry
    if section is None:
        return None
    names = [section.photometer]
    if isinstance(section, WindowFile):
        names.append(section.reference)
    meters = {name: made[name] for name in names}
    light = made[section.light]
    return Optics(meters, light, section.current, section.averages, section.settle)


def _senses(file: BenchFile, made: Mapping[str, Any]) -> Iterator[Sense]:
    """The slow sensors of a bench."""
    if file.temperature is not None:
        thermostat: roles.Thermostat = made[file.temperature.thermostat]
        yield Sense(TEMPERATURE, "degC", file.temperature.every, thermostat.temperature)
    if isinstance(file, FlowFile) and file.microbalance is not None:
        crystal: roles.Crystal = made[file.microbalance.qcm]
        yield Sense(CRYSTAL, "Hz", file.microbalance.every, crystal.frequency)


def holders(file: AnyBench) -> dict[int, str]:
    """Processes that hold ports of this bench: pid -> purpose."""
    found = [holder(spec.resource) for spec in file.instruments.values()]
    return {one.pid: one.purpose for one in found if one is not None and _alive(one.pid)}


def _alive(pid: int) -> bool:
    """Whether there is such a process; a note outlives whoever wrote it."""
    return Path(f"/proc/{pid}").exists()
