"""What each instrument of a bench is for: one small Protocol a role.

The engine speaks to roles; drivers fit them by shape. Nothing here acts, and no driver is named.
Units: mm or deg for axes, mL, mL/min, W, A, degC, g; times of the pacer in nanoseconds.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

Stroke = tuple[int, float]


class Identity(Protocol):
    """What an instrument says it is."""

    @property
    def maker(self) -> str:
        """Who built it."""

    @property
    def model(self) -> str:
        """Its type."""

    @property
    def serial(self) -> str:
        """Its serial number, empty where it tells none."""

    @property
    def firmware(self) -> str:
        """Its firmware version, empty where it tells none."""


class Instrument(Protocol):
    """The verbs every driver has. `safe` never moves substrate or liquid."""

    def connect(self) -> None:
        """See that it answers. Moves nothing."""

    def identify(self) -> Identity:
        """Ask who it is. Moves nothing."""

    def safe(self) -> None:
        """Make it harmless and read that back, within the driver's SAFE_S."""

    def safe_bytes(self) -> tuple[bytes, ...]:
        """What the dead-man sends to the same end; the first spoils a command cut short."""

    def close(self) -> None:
        """Let go of it; the port belongs to the bus."""


class AxisSense(Protocol):
    """What an axis knows of itself."""

    @property
    def position(self) -> float:
        """Where it stands, in mm or deg."""

    @property
    def referenced(self) -> bool:
        """Whether it knows where it stands."""

    @property
    def moving(self) -> bool:
        """Whether it moves."""


class Axis(Instrument, Protocol):
    """Lift or carousel: absolute moves only."""

    def prepare(self) -> None:
        """Make it ready; what it may move is said by the bench."""

    def sense(self) -> AxisSense:
        """Everything it knows of itself. Moves nothing."""

    def position(self) -> float:
        """Where it stands, in mm or deg."""

    @property
    def referenced(self) -> bool:
        """Whether it knew its zero when it last answered; without it a position says nothing."""

    def moving(self) -> bool:
        """Whether it moves."""

    def move(self, target: float) -> None:
        """Move and wait until it stands there; bounded."""

    def set_speed(self, speed: float) -> None:
        """Speed of the moves to come, in mm/s or deg/s."""

    def move_bytes(self, target: float) -> bytes:
        """The bytes of a move to `target`; refused outside the travel."""

    def arm_move(self, target: float, deadline_ns: int, latest_ns: int, tag: int = 0) -> int:
        """Have the pacer fire a move in [deadline, latest]; the entry's id."""


class Pump(Instrument, Protocol):
    """Delivers a stated volume and counts what it delivered since zero."""

    def prepare(self) -> None:
        """Make it ready; what it may move is said by the bench."""

    def start(self, direction: str, volume: float, rate: float) -> None:
        """Start to deliver; see the driver."""

    def totals(self) -> tuple[float, float]:
        """mL infused and withdrawn since zero."""

    def running(self) -> bool:
        """Whether it still delivers."""

    def stop(self) -> None:
        """Stop it."""


class StrokePump(Instrument, Protocol):
    """A syringe pump with a valve of its own, which carries out several strokes by itself.

    A stroke is (port, mL): drawn, or given where negative; from an empty syringe to an empty one.
    """

    def prepare(self) -> None:
        """Make it ready; what it may move is said by the bench."""

    def arm_strokes(
        self, strokes: Sequence[Stroke], deadline_ns: int, latest_ns: int, tag: int = 0
    ) -> int:
        """Have the pacer fire strokes in [deadline, latest]; the entry's id."""

    def start_strokes(self, strokes: Sequence[Stroke]) -> None:
        """Begin strokes now."""

    def stroked(self, strokes: Sequence[Stroke]) -> bool:
        """One poll: whether they are done and the syringe is empty again."""

    def strokes_s(self, strokes: Sequence[Stroke]) -> float:
        """How long they take, in s."""

    def strokes_bytes(self, strokes: Sequence[Stroke]) -> bytes:
        """What the dead-man sends to have strokes done."""

    def position(self) -> float:
        """mL in the syringe."""


class Valve(Instrument, Protocol):
    """Selects a liquid."""

    def prepare(self) -> None:
        """Make it ready; moves nothing."""

    def turn(self, port: int) -> float:
        """Begin to turn there; the s until it should stand, 0 when it does."""

    def position(self) -> int:
        """Where it stands."""

    def go_bytes(self, port: int) -> bytes:
        """What the dead-man sends to turn it."""


class FlowReading(Protocol):
    """What a flow meter tells at one instant."""

    @property
    def pressure(self) -> float:
        """Absolute, in kPa."""

    @property
    def flow(self) -> float:
        """In mL/min."""


class FlowMeter(Instrument, Protocol):
    """Reads flow and pressure of the line into the cell."""

    def prepare(self) -> None:
        """See that it reads."""

    def reading(self) -> FlowReading:
        """Pressure and flow now."""


class Daq(Instrument, Protocol):
    """Reads analogue sensors."""

    def prepare(self) -> None:
        """Set up its scan."""

    def volts(self, channels: Sequence[int]) -> Mapping[int, float]:
        """One scan: channel -> V."""


class Crystal(Instrument, Protocol):
    """Weighs a film on a quartz crystal."""

    def prepare(self) -> None:
        """Set it up; moves nothing."""

    def frequency(self) -> float:
        """Its resonance in Hz."""


class Photometer(Instrument, Protocol):
    """Optical power on a photodiode."""

    def prepare(self, wavelength_nm: float, averages: int) -> None:
        """Make it ready; what it may move is said by the bench."""

    def power(self) -> float:
        """Optical power in W."""


class Light(Instrument, Protocol):
    """A light source that is off unless somebody looks."""

    def prepare(self) -> None:
        """Make it ready; what it may move is said by the bench."""

    def on(self, amps: float) -> None:
        """Shine, at this current."""

    def off(self) -> None:
        """Be dark."""


class Thermostat(Instrument, Protocol):
    """Keeps the baths at temperature."""

    def temperature(self) -> float:
        """Bath temperature in degC."""

    def start(self, setpoint: float) -> None:
        """Start to deliver; see the driver."""

    def stop(self) -> None:
        """Stop it."""


class Stirrer(Instrument, Protocol):
    """Turns the stirring bars of the baths."""

    def prepare(self) -> None:
        """Make it ready; the bars come to rest."""

    def stir(self, rpm: float) -> None:
        """Turn so fast (rpm, above 0); returns when the bars do."""

    def stop(self) -> None:
        """Bring the bars to rest; returns when they are."""


class Balance(Instrument, Protocol):
    """Weighs the feed bottle."""

    def grams(self) -> float:
        """What it shows at this instant."""

    def stable_grams(self, timeout_s: float) -> float:
        """What it shows once it has settled; polled, at most `timeout_s`."""


# role -> what it is, for messages and the manual
ROLES: Final[Mapping[str, str]] = {
    "axis": "moves the substrate or the baths",
    "pump": "doses a liquid",
    "valve": "selects a liquid",
    "photometer": "reads light through the film",
    "light": "shines through the film",
    "thermostat": "keeps the temperature",
    "balance": "weighs a bottle",
    "qcm": "weighs the film on a quartz crystal",
    "flow": "reads flow and pressure of a line",
    "pressure": "reads pressure",
    "daq": "reads analogue sensors",
    "smu": "reads photovoltage",
    "stirrer": "stirs a bath",
}
