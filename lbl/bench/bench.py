"""A bench that is open: its instruments by role, the verbs that go to all of them.

The only room that knows drivers and simulated instruments. Must never decide what to do with a
film, and never reads what a simulated world holds except to hand it to whoever judges a run.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from drivers.bus import Bus, Port
from drivers.errors import InstrumentError
from drivers.lock import holder
from lbl.bench import roles
from lbl.bench.file import AnyBench, BenchFile
from lbl.bench.opening import open_one
from lbl.bench.simulated import Simulation
from lbl.errors import BadInput, Problem

__all__ = ["Bench", "Dosing", "InstrumentError", "Optics", "holders"]

_SECOND: Final = 1_000_000_000
NEAR_DEG: Final = 0.5


class Leg(Protocol):
    """The part of a transfer's leg that the dead-man's programme needs."""

    @property
    def axis(self) -> str: ...
    @property
    def target(self) -> float: ...
    @property
    def duration_ns(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Dosing:
    """The pump that tops up a vessel and the balance that checks it."""

    pump: roles.Pump
    balance: roles.Balance
    rate: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Optics:
    """The light path through the readout vessel."""

    photometer: roles.Photometer
    light: roles.Light
    current: float
    averages: int
    settle: float


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
        self._open(purpose)
        made = self.instruments
        self.axes: dict[str, roles.Axis] = {
            "z": made[file.arm.lift], "x": made[file.arm.turn],
        }  # fmt: skip
        self.dosing = _dosing(file, made)
        self.optics = _optics(file, made)
        self.thermostat: roles.Thermostat | None = (
            made[file.temperature.thermostat] if file.temperature else None
        )
        self.homed = False  # `preparations` had to find the axes' zero: the substrate is in air
        self.settle_ns = int(file.arm.settle * _SECOND)
        self._still = self._outputs_off()
        lift = self.axes["z"]
        # The first of the safe bytes spoils a command that was cut in the middle.
        self._lowering = (lift.safe_bytes()[0], lift.move_bytes(file.arm.down))

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
            self._still = self._outputs_off()
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
        axes = set(self.axes.values())
        for made in self.instruments.values():
            if made in axes:
                continue
            try:
                made.safe()
            except InstrumentError as error:
                failed.append(str(error))
        return failed

    def turned_to(self) -> float:
        """Where the carousel stands, in deg."""
        return self.axes["x"].position()

    def station(self, at: float) -> str:
        """The vessel that is under the arm when the carousel stands at `at`; "" for none."""
        vessels = self.file.vessels.items()
        return next((name for name, one in vessels if abs(one.at - at) <= NEAR_DEG), "")

    def where(self) -> str:
        """The vessel in which the substrate is, as the axes say; "" is in air."""
        if self.axes["z"].position() < self.file.arm.surface:
            return ""
        return self.station(self.turned_to())

    def preparations(
        self, up: float, start: float, wavelength: float, *, moves: bool
    ) -> Iterator[tuple[str, str, Callable[[], None]]]:
        """(name, what it may move, act) for each instrument, in the order that is safe.

        The lift homes up before the carousel may turn; liquids and light come last. Without
        `moves` the arm stays where it is, unless an axis has lost its reference.
        """
        arm, lift, turn = self.file.arm, self.axes["z"], self.axes["x"]

        def raise_it() -> None:
            self.homed = not (lift.sense().referenced and turn.sense().referenced)
            lift.prepare()
            if moves:
                lift.set_speed(arm.withdraw)
                lift.move(up)

        def turn_it() -> None:
            turn.prepare()
            if moves:
                turn.set_speed(arm.speed)
                turn.move(start)

        first = f"may home; goes to {up:g} mm" if moves else "may home"
        yield arm.lift, first, raise_it
        second = f"may home; turns to {start:g} deg" if moves else "may home"
        yield arm.turn, second, turn_it
        if self.dosing is not None and self.file.dosing is not None:
            yield self.file.dosing.pump, "nothing", self.dosing.pump.prepare
        optics, section = self.optics, self.file.photometry
        if optics is not None and section is not None:
            yield section.light, "nothing", optics.light.prepare
            yield (
                section.photometer,
                "nothing",
                lambda: optics.photometer.prepare(wavelength, optics.averages),
            )
        if self.thermostat is not None and self.file.temperature is not None:
            setpoint, thermostat = self.file.temperature.setpoint, self.thermostat
            yield (
                self.file.temperature.thermostat,
                f"nothing; heats to {setpoint:g} degC",
                lambda: thermostat.start(setpoint),
            )

    def rest(self) -> None:
        """The dead-man's programme while the substrate is wet: outputs off, stay."""
        self._pacer.safe_programme(self._still)

    def rescue(self, leg: Leg) -> None:
        """The dead-man's programme while a leg moves: end over a bath, in it, never sideways.

        Lifting: down again where it is. Turning: down once the turn is over. Lowering: go on.
        """
        if leg.axis != "x" and leg.target >= self.file.arm.surface:
            self.rest()
            return
        delay_ns = leg.duration_ns if leg.axis == "x" else 0
        channel = self._ports[self.file.arm.lift].channel
        lowering = [(delay_ns, channel, data) for data in self._lowering]
        self._pacer.safe_programme([*self._still, *lowering])

    def _outputs_off(self) -> list[tuple[int, int, bytes]]:
        """Safe bytes of all but the axes, with the pauses that each instrument needs.

        Those that the core cannot reach (no descriptor, or a lost port) are left out: `lbl bench
        check` names them.
        """
        arm = {self.file.arm.lift, self.file.arm.turn}
        return [
            (round(number * made.SAFE_GAP_S * _SECOND), self._ports[name].channel, data)
            for name, made in self.instruments.items()
            if name not in arm and self._ports[name].channel >= 0
            for number, data in enumerate(made.safe_bytes())
        ]

    def close(self) -> None:
        """Close every instrument and the bus."""
        for made in self.instruments.values():
            made.close()
        self._bus.close()


def _dosing(file: BenchFile, made: Mapping[str, Any]) -> Dosing | None:
    section = file.dosing
    if section is None:
        return None
    return Dosing(made[section.pump], made[section.balance], section.rate, section.tolerance)


def _optics(file: BenchFile, made: Mapping[str, Any]) -> Optics | None:
    section = file.photometry
    if section is None:
        return None
    photometer, light = made[section.photometer], made[section.light]
    return Optics(photometer, light, section.current, section.averages, section.settle)


def holders(file: AnyBench) -> dict[int, str]:
    """Processes that hold ports of this bench: pid -> purpose."""
    found = [holder(spec.resource) for spec in file.instruments.values()]
    return {one.pid: one.purpose for one in found if one is not None and _alive(one.pid)}


def _alive(pid: int) -> bool:
    """Whether there is such a process; a note outlives whoever wrote it."""
    return Path(f"/proc/{pid}").exists()
