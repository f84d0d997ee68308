"""Tecan Cavro XCalibur syringe pump with a distribution valve: draws here, gives there.

Source: Cavro XCalibur operating manual (733085-B), chapter 3 and appendix B; the TriContinent
C-Series speaks the same. Both its protocols, DT and OEM. It must never state a plunger move but as
the absolute position to be at, never move before it was initialised, and never take a move for
done whose plunger it did not read back.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeVar

from drivers.cavro_oem import NUMBERS, SPOIL, Oem, frame
from drivers.cavro_strokes import Stroke, program, seconds
from drivers.errors import InstrumentError, Kind, garbled
from drivers.framing import LF, Framing, Line
from drivers.link import Identity, Link
from drivers.port import NANO, Port, Sync

DT: Final = Line(end=LF, drop=b"\xff", limit=300)
OEM: Final = Oem()
ANSWER_S: Final = 0.3  # the answer begins within 5 ms
POLL_S: Final = 0.1
VALVE_S: Final = 2.0  # from any port to any other
INITIALISE_S: Final = 40.0  # a full stroke at 500 pulses/s, and the valve's own homing
STOP_S: Final = 2.0
SLACK_S: Final = 2.0
ROUNDING: Final = 0.01  # a volume that whole steps would change by more is refused
STEPS: Final = (3000, 6000)  # increments of a stroke: XCalibur, XLP 6000
START_SPEED: Final = (50, 900)  # half steps/s, in which the plunger starts and stops
TOP_SPEED: Final = (5, 6000)
USUAL_SPEED: Final = 600
SLOPE: Final = 14  # x 2500 half steps/s2, the pump's own default
ERRORS: Final[dict[int, tuple[str, Kind]]] = {
    1: ("initialisation failed", "fault"),
    2: ("invalid command", "refused"),
    3: ("invalid operand", "refused"),
    4: ("invalid sequence or checksum", "refused"),
    6: ("memory failure", "fault"),
    7: ("not initialised", "refused"),
    8: ("failure of the CAN bus", "fault"),
    9: ("plunger overload", "fault"),
    10: ("valve overload", "fault"),
    11: ("plunger move not allowed in this valve position", "refused"),
    15: ("still busy with another command", "busy"),
}
LOST: Final = frozenset({1, 7, 9, 10})  # after these it must be initialised again

_BODY: Final = re.compile(rb"0([@-O`-o])([ -~]*)")
_WHOLE: Final = re.compile(rb"\d{1,5}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `ready` means something only in an answer to Q."""

    ready: bool
    error: int
    data: bytes


@dataclass(frozen=True, slots=True)
class CavroSense:
    """Volume in the syringe in mL, port of the valve, whether it moves."""

    volume: float
    valve: int
    busy: bool


class Cavro:
    """One pump; `address` 1..15 is its switch plus one, `syringe` mL, `ports` of its valve.

    `inlet` and `waste` are the ports that initialising uses: what is in the syringe leaves by
    `waste`. `rate` in mL/min is the top speed, a full stroke in 10 s if not given.
    """

    SAFE_S: ClassVar[float] = 4.0
    SAFE_GAP_S: ClassVar[float] = 0.1
    LINK: ClassVar[Link] = Link(baud=9600)

    def __init__(
        self,
        port: Port,
        name: str,
        address: int = 1,
        *,
        syringe: float,
        ports: int = 9,
        inlet: int = 1,
        waste: int = 9,
        rate: float | None = None,
        protocol: Literal["DT", "OEM"] = "DT",
        steps: int = 3000,
    ) -> None:
        """Refuse what makes no pump; nothing is sent."""
        self.port = port
        self.name = name
        self.address = address
        self.syringe = syringe
        self.ports = ports
        self.inlet = inlet
        self.waste = waste
        self.protocol = protocol
        self.steps = steps
        fits = 1 <= address <= 15 and 0.01 <= syringe <= 50 and 2 <= ports <= 12
        if not fits or steps not in STEPS or protocol not in ("DT", "OEM"):
            raise self._refusal(
                f"address {address}, syringe {syringe:g} mL, {ports} ports, {steps} steps, "
                f"protocol {protocol} make no pump"
            )
        self._check_port(inlet)
        self._check_port(waste)
        self.speed = USUAL_SPEED * steps // STEPS[0] if rate is None else self._speed(rate)
        self._who = bytes([0x30 + address])
        self._number = 0
        self._framing: Framing = DT if protocol == "DT" else OEM
        self._initialised = False
        self._sync = Sync(self._bytes("&", NUMBERS), self._in_step)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that a pump answers. Moves nothing."""
        self.port.drain()
        self.identify()

    def identify(self) -> Identity:
        """Firmware; the pump tells no serial number."""
        firmware = self._ask("&", _firmware)
        return Identity("Tecan", "Cavro", "", firmware)

    def sense(self) -> CavroSense:
        """Volume, port and motion. Moves nothing."""
        busy = self.busy()
        return CavroSense(self.position(), self.valve(), busy)

    def prepare(self) -> None:
        """Initialise it, unless this driver did and nothing happened since; set resolution, speed.

        Moves: the valve, and the plunger to zero; what is in the syringe leaves by `waste`.
        """
        self.port.drain()
        if not self._ask("Q", _answer, False).ready:  # an old error is no matter here
            self.stop()
        if not self._initialised:
            self.initialise()
        start = min(max(self.speed, START_SPEED[0]), START_SPEED[1])
        self._order(f"N0L{SLOPE}v{start}V{self.speed}c{start}R")
        self._settle(0.0, SLACK_S)
        kept = self._ask("?2", _whole)
        if kept != self.speed:
            raise self._error(f"its top speed is {kept} after {self.speed} was set", "set it again")

    def safe(self) -> None:
        """Stop the plunger, and see that it stands; within SAFE_S. A turning valve arrives.

        A plunger that was stopped in a move has lost its place: initialise it again.
        """
        try:
            moved = self.busy()
        except InstrumentError:  # silent or in error: stop it all the same, and trust nothing
            moved = True
        for command in self.safe_bytes():
            self.port.write(command, who=self.name)
            self.port.pause(self.SAFE_GAP_S)
        self.port.drain()
        if moved:
            self._initialised = False
        self._settle(0.0, STOP_S, errors=False)

    def safe_bytes(self) -> tuple[bytes, ...]:
        """What the dead-man sends: spoil a command cut in the middle, then stop, twice.

        DT: a bare CR would complete `A3000R`; with the letter it is no command. OEM: the cut frame
        ends with a wrong checksum; if it ends with the right one, stop follows.
        """
        spoil = b"x\r" if self.protocol == "DT" else SPOIL
        stop = self._bytes("TR", NUMBERS)
        return spoil, stop, stop, stop

    def close(self) -> None:
        """Forget that it is initialised; the port belongs to the bus."""
        self._initialised = False

    # --- acts ----------------------------------------------------------------------------------

    def initialise(self) -> None:
        """Find zero. Moves valve and plunger; what is in the syringe leaves by `waste`."""
        force = 0 if self.syringe >= 1 else 1 if self.syringe >= 0.25 else 2
        self._initialised = False
        self._order(f"Z{force},{self.inlet},{self.waste}R")
        self._settle(0.0, INITIALISE_S)
        place = self._plunger()
        if place != 0:
            raise self._error(f"it stands at {place} after initialising", "initialise it again")
        self._initialised = True

    def aspirate(self, volume: float, port: int) -> None:
        """Draw `volume` mL from `port`; returns when plunger and valve were read back.

        Raises InstrumentError: "limit" when it does not fit the syringe, before anything moves.
        """
        self._move(volume, port, 1)

    def dispense(self, volume: float, port: int) -> None:
        """Give `volume` mL to `port`; returns when plunger and valve were read back.

        Raises InstrumentError: "limit" when the syringe holds less, before anything moves.
        """
        self._move(volume, port, -1)

    def arm_strokes(
        self, strokes: Sequence[Stroke], deadline_ns: int, latest_ns: int, tag: int = 0
    ) -> int:
        """Have the pacer fire strokes from an empty syringe in [deadline, latest]; the entry's id.

        The answer is checked by the next exchange on the port: a refusal or a fault raises there.
        """
        return self.port.arm(
            self._bytes(self._program(strokes), self._next()),
            self._framing,
            deadline_ns,
            latest_ns,
            check=self._check_fired,
            tag=tag,
            who=self.name,
        )

    def start_strokes(self, strokes: Sequence[Stroke]) -> None:
        """Begin strokes from an empty syringe now; `stroked` says when they are done."""
        self._order(self._program(strokes))

    def strokes_s(self, strokes: Sequence[Stroke]) -> float:
        """How long strokes take, in s."""
        return seconds(strokes, self.syringe, self.steps, self.ports, self.speed)

    def strokes_bytes(self, strokes: Sequence[Stroke]) -> bytes:
        """What the dead-man sends to have strokes done."""
        return self._bytes(self._program(strokes), NUMBERS)

    def stroked(self, strokes: Sequence[Stroke]) -> bool:
        """One poll: whether strokes are done and the syringe is empty again.

        A valve that did not turn ends them in an error (10). Raises InstrumentError for any error,
        and for a plunger that stands elsewhere.
        """
        if self.busy():
            return False
        place = self._plunger()
        if place:
            self._initialised = False
            raise self._error(
                f"it stands at {place} after {len(strokes)} strokes instead of 0",
                "look for what stopped it, then initialise it again",
            )
        return True

    def position(self) -> float:
        """The volume in the syringe in mL, as the plunger stands."""
        return self._plunger() / self.steps * self.syringe

    def valve(self) -> int:
        """The port that the valve is at."""
        return self._ask("?6", _whole)

    def busy(self) -> bool:
        """Whether it moves. Raises InstrumentError when the last command ended in an error."""
        return not self._ask("Q", _answer).ready

    def stop(self) -> None:
        """Stop the plunger; it must be initialised again after that."""
        self._initialised = False
        self._order("TR")
        self._settle(0.0, STOP_S)

    # --- moves ---------------------------------------------------------------------------------

    def _move(self, volume: float, port: int, sign: int) -> None:
        """One stroke as an absolute target, so that a command heard twice moves once."""
        self._check_port(port)
        way = round(volume / self.syringe * self.steps) if math.isfinite(volume) else 0
        if way < 1 or abs(way / self.steps * self.syringe - volume) > ROUNDING * volume:
            raise self._refusal(
                f"{volume:g} mL cannot be said in steps of {self.syringe / self.steps:.2g} mL"
            )
        if way > self.steps:
            raise self._refusal(f"{volume:g} mL is more than the syringe's {self.syringe:g} mL")
        if not self._initialised:
            raise self._refusal("the pump is not initialised", "prepare it first")
        here = self._plunger()
        target = here + sign * way
        if not 0 <= target <= self.steps:
            raise self._refusal(
                f"{volume:g} mL with {here / self.steps * self.syringe:g} mL in a syringe of "
                f"{self.syringe:g} mL: it cannot"
            )
        self._order(f"I{port}A{target}R")
        # at least at top speed all the way; at most at the starting speed all the way
        slowest = min(self.speed, START_SPEED[1])
        self._settle(2 * way / self.speed, 2 * way / slowest + VALVE_S + SLACK_S)
        place, valve = self._plunger(), self.valve()
        if (place, valve) != (target, port):
            self._initialised = False
            raise self._error(
                f"it stands at {place}, port {valve} instead of {target}, port {port}",
                "look for what stopped it, then initialise it again",
            )

    def _program(self, strokes: Sequence[Stroke]) -> str:
        if not self._initialised:
            raise self._refusal("the pump is not initialised", "prepare it first")
        try:
            return program(strokes, self.syringe, self.steps, self.ports)
        except ValueError as error:
            raise self._refusal(str(error)) from None

    def _check_fired(self, message: bytes) -> None:
        self._judge(message)

    def _plunger(self) -> int:
        return self._ask("?", _whole)

    def _settle(self, least_s: float, most_s: float, *, errors: bool = True) -> None:
        """Wait until it stands; raises InstrumentError (kind "busy") after `most_s`."""
        give_up_ns = self.port.clock.now_ns() + round(most_s * NANO)
        self.port.pause(least_s)
        for _ in range(math.ceil(most_s / POLL_S) + 1):
            if self._ask("Q", _answer, errors).ready:
                return
            if self.port.clock.now_ns() >= give_up_ns:
                break
            self.port.pause(POLL_S)
        self._initialised = False
        raise self._error(f"still moving after {most_s:g} s", "look at the pump", "busy")

    # --- wire ----------------------------------------------------------------------------------

    def _ask(self, question: str, read: Callable[[Answer], T], errors: bool = True) -> T:
        """Send a report command, which changes nothing."""
        return self.port.ask(
            self._bytes(question, self._next()),
            self._framing,
            ANSWER_S,
            lambda message: read(self._judge(message, errors)),
            who=self.name,
            sync=self._sync,
        )

    def _order(self, words: str) -> None:
        """Send a command; when its answer is lost, once more, marked as a repetition (OEM).

        A pump that is busy then heard it the first time: absolute targets make that no harm.
        """
        number = self._next()
        for repeat in (False, True):
            data = self._bytes(words, number, repeat=repeat)
            try:
                self.port.ask(data, self._framing, ANSWER_S, self._judge, who=self.name, tries=1)
                return
            except InstrumentError as error:
                if repeat and error.kind == "busy":
                    return
                if repeat or error.kind not in ("no answer", "garbled"):
                    raise

    def _judge(self, message: bytes, errors: bool = True) -> Answer:
        """The answer; raises InstrumentError for the error in it, if `errors`."""
        answer = parse(message)
        if answer.error in LOST:
            self._initialised = False
        if answer.error and errors:
            why, kind = ERRORS.get(answer.error, ("unknown error", "fault"))
            cure = "initialise it again" if answer.error in LOST else "check the bench file"
            raise InstrumentError(f"{why} ({answer.error})", kind=kind, cure=cure)
        return answer

    def _bytes(self, words: str, number: int, *, repeat: bool = False) -> bytes:
        if self.protocol == "DT":
            return b"/" + self._who + words.encode("ascii") + b"\r"
        return frame(self._who, number, words, repeat=repeat)

    def _next(self) -> int:
        """A number the last frame did not bear; NUMBERS itself is for stop and for proof."""
        self._number = self._number % (NUMBERS - 1) + 1
        return self._number

    def _in_step(self, message: bytes) -> bool:
        """Whether this can only be the firmware: no other report has words."""
        try:
            return bool(_firmware(parse(message)))
        except InstrumentError:
            return False

    def _speed(self, rate: float) -> int:
        """Half steps per second for a rate in mL/min."""
        unit = self.syringe / (2 * self.steps) * 60
        low, high = TOP_SPEED[0] * unit, TOP_SPEED[1] * unit
        if not low <= rate <= high:
            raise self._refusal(f"{rate:g} mL/min is outside {low:.3g}..{high:.3g} mL/min")
        return round(rate / unit)

    def _check_port(self, port: int) -> None:
        if not 1 <= port <= self.ports:
            raise self._refusal(f"port {port} is not one of 1..{self.ports}")

    def _refusal(self, cause: str, cure: str = "correct the bench file") -> InstrumentError:
        return self._error(cause, cure, "limit")

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)


def parse(message: bytes) -> Answer:
    """An answer of either protocol; raises InstrumentError (kind "garbled")."""
    body = message[1:-1] if message[:1] == b"/" and message[-1:] == b"\x03" else message
    match = _BODY.fullmatch(body)
    if match is None:
        raise garbled(message, "an answer of a Cavro pump")
    status = match[1][0]
    return Answer(bool(status & 0x20), status & 0x0F, match[2])


def _answer(answer: Answer) -> Answer:
    return answer


def _whole(answer: Answer) -> int:
    """A report that is a whole number; raises InstrumentError for anything else."""
    if _WHOLE.fullmatch(answer.data) is None:
        raise garbled(answer.data, "a whole number")
    return int(answer.data)


def _firmware(answer: Answer) -> str:
    """The words of an answer to &: more than a number or a valve's letter."""
    words = answer.data.decode("ascii").strip()
    if len(words) < 3 or not any(map(str.isalpha, words)):
        raise garbled(answer.data, "a firmware version")
    return words
