"""New Era NE-1000 syringe pump: one dose at a time, stated as a volume, counted by the pump.

Source: New Era NE-1000 manual (publication 1200-01). Basic mode, or safe mode with its checksum and
the pump's own dead-man: it stops when nobody asks for so long. It must never start a dose that the
pump did not confirm figure by figure, never repeat a start, and never hide an alarm: reading one
clears it in the pump.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from drivers.errors import InstrumentError, Kind
from drivers.framing import safe_packet
from drivers.link import Identity, Link
from drivers.newera_packet import (
    ALARMS,
    ERRORS,
    FRAMING,
    PER_UNIT,
    Answer,
    encode,
    number,
    parse,
    rate_words,
    value,
    version,
    volumes,
)
from drivers.port import Port, Sync

ANSWER_S: Final = 0.5
ALARMS_MAX: Final = 3  # alarms that may be pending one after the other
STOPS_MAX: Final = 4  # running -> paused -> stopped, and one alarm on the way
DIAMETER: Final = (0.1, 50.0)  # mm, NE-1000
SPEED_MIN: Final = 0.004205 / 60  # plunger, cm/min
SPEED_MAX: Final = 5.1005  # cm/min
SAFE_MODE_MAX: Final = 255  # s without a message, after which a pump in safe mode stops
DEAD_MAN: Final = "T"  # the alarm it then shows
AGREES: Final = 0.005  # a read-back may differ by the pump's own rounding, relative
RUNNING: Final = frozenset("IWX")
# ends whatever was cut: behind a lone STX its first byte is the shortest packet length, which the
# rest then fills; elsewhere that byte is a control character, which the pump ignores
SPOIL: Final = b"\x04XX\r"
# one phase with rate and volume, then stop (manual, "pumping programs")
PROGRAM: Final = ("PHN2", "FUNSTP", "PHN1", "FUNRAT", "VOLML")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PumpSense:
    """State prompt, volumes in mL since the counters were zeroed, pending alarm ("" for none)."""

    state: str
    infused: float
    withdrawn: float
    alarm: str


class NewEra:
    """One pump; `diameter` is the inner diameter of its syringe in mm.

    `safe_mode_s` of 1..255 has it stop by itself when nobody asked it for so many seconds: whoever
    pumps must then ask (`running`, `sense`) at least twice in that time. 0 is basic mode.
    """

    SAFE_S: ClassVar[float] = 4.0
    SAFE_GAP_S: ClassVar[float] = 0.05  # the pump answers one command before it hears the next
    LINK: ClassVar[Link] = Link(baud=19_200)

    def __init__(
        self,
        port: Port,
        name: str,
        address: int = 0,
        *,
        diameter: float,
        safe_mode_s: int = 0,
    ) -> None:
        """Refuse an address, a syringe or a time that no NE-1000 has."""
        if not 0 <= address <= 99 or not DIAMETER[0] <= diameter <= DIAMETER[1]:
            raise InstrumentError(
                f"address {address}, diameter {diameter:g} mm make no NE-1000",
                kind="limit",
                cure=f"diameter {DIAMETER[0]:g}..{DIAMETER[1]:g} mm, address 0..99",
                instrument=name,
            )
        if not 0 <= safe_mode_s <= SAFE_MODE_MAX or safe_mode_s != int(safe_mode_s):
            raise InstrumentError(
                f"safe mode of {safe_mode_s} s cannot be",
                kind="limit",
                cure=f"whole seconds up to {SAFE_MODE_MAX}, or 0 for basic mode",
                instrument=name,
            )
        self.port = port
        self.name = name
        self.address = address
        self.diameter = diameter
        self.safe_mode_s = safe_mode_s
        self._packed = safe_mode_s > 0  # how the pump is spoken to: safe mode outlives power-off
        self._alarmed = False  # an alarm came, asked or unasked
        self._dosing = False  # a dose was started and nobody saw its end
        self._alarm = ""  # alarms that the pump reported, and thereby cleared, and nobody saw yet
        self._sync = Sync(self._bytes("VER"), self._in_step)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that a pump answers; an alarm that is pending is kept for the next question.

        A pump that another program left in the other mode is found too; `prepare` changes it.
        """
        self.port.drain()
        try:
            self.identify()
        except InstrumentError as error:
            if error.kind != "no answer":
                raise
            self._speak(not self._packed)
            try:
                self.identify()
            except InstrumentError:
                self._speak(not self._packed)
                raise error from None

    def identify(self) -> Identity:
        """Model and firmware; the pump has no serial number."""
        model, firmware = version(self._ask_past_alarms("VER").data)
        return Identity("New Era", model, "", firmware)

    def sense(self) -> PumpSense:
        """State, volumes and alarm. Moves nothing; an alarm is reported here once."""
        state = self._ask_past_alarms("").state
        infused, withdrawn = volumes(self._ask_past_alarms("DIS").data)
        alarm, self._alarm = self._alarm, ""
        return PumpSense(state, infused, withdrawn, alarm)

    def prepare(self) -> None:
        """The mode wanted, no alarm, stopped, syringe and one-phase program, counters at zero.

        Moves nothing. The counters are lost: reconcile `totals` before.
        """
        self.port.drain()
        self._set_mode()
        self._ask_past_alarms("")
        self.stop()
        if self._alarm:
            self.port.note(f"{self.name}: alarm {self._alarm} was pending")
            self._alarm = ""
        diameter = number(self.diameter)
        self._ask(f"DIA{diameter}")
        self._confirm("DIA", float(diameter))
        for words in (*PROGRAM, "CLDINF", "CLDWDR"):
            self._ask(words)

    def safe(self) -> None:
        """Stop, and see that it is stopped; within SAFE_S."""
        for command in self.safe_bytes():
            self.port.write(command, who=self.name)
            self.port.pause(self.SAFE_GAP_S)
        self.port.drain()
        self.stop()

    def safe_bytes(self) -> tuple[bytes, ...]:
        """What the dead-man sends: spoil a command cut in the middle, then stop, thrice.

        A bare CR would complete `VOL0` of `VOL0.500`, which means "pump for ever"; letters make it
        unknown. One STP pauses, the second stops; the third is for an alarm report or half a
        safe-mode packet that swallows one. In safe mode they are packets, which a cut one may
        swallow too; one more follows, and one for a pump that fell back to basic mode.
        """
        stop = encode(self.address, "STP")
        if not self.safe_mode_s:
            return SPOIL, stop, stop, stop
        packet = safe_packet(f"{self.address}STP".encode("ascii"))
        return SPOIL, packet, packet, packet, packet, stop

    def close(self) -> None:
        """Nothing is kept; the port belongs to the bus."""

    # --- acts ----------------------------------------------------------------------------------

    def start(self, direction: str, volume: float, rate: float) -> None:
        """Pump `volume` mL at `rate` mL/min, once; returns when it runs.

        Direction, volume and rate are read back before the start. The start itself is never sent
        twice: when its answer is lost this raises, and `totals` tells what happened.
        """
        if direction not in ("INF", "WDR"):
            raise self._error(f"direction {direction!r} is not INF or WDR", "correct it", "limit")
        self._check_rate(rate)
        words, dose = rate_words(rate), number(volume)
        if not float(dose) > 0:
            raise self._error("a dose of 0 mL would pump for ever", "correct the dose", "limit")
        self._forgive_dead_man()
        state = self._ask("").state
        if state != "S":
            raise self._error(f"not stopped (state {state})", "stop the pump first", "busy")
        for setting in (f"VOL{dose}", words, f"DIR{direction}"):
            self._ask(setting)
        self._confirm("VOL", float(dose))
        self._confirm("RAT", rate)
        if self._ask("DIR").data != direction.encode():
            raise self._error("the direction was not kept", "start again", "garbled")
        self._dosing = True
        state = self._ask("RUN", tries=1).state
        if state not in RUNNING:
            raise self._error(f"it does not run (state {state})", "look at the pump")

    def totals(self) -> tuple[float, float]:
        """Infused and withdrawn volume in mL since the counters were zeroed."""
        try:
            return self._ask_for("DIS", volumes)
        except InstrumentError as error:
            # Between doses nobody asks, and the dead-man goes off: that stopped nothing.
            idle = self.safe_mode_s > 0 and not self._dosing
            if not (idle and error.cause.startswith(f"alarm {DEAD_MAN}")):
                raise
        return self._ask_for("DIS", volumes)

    def running(self) -> bool:
        """Whether it pumps. Raises InstrumentError on an alarm."""
        running = self._ask("").state in RUNNING
        self._dosing = self._dosing and running
        return running

    def stop(self) -> None:
        """Bring it to the stopped state; nothing happens when it is there already."""
        for _ in range(STOPS_MAX):
            if self._ask_past_alarms("STP", "?NA").state == "S":
                self._dosing = False
                return
        raise self._error("it does not stop", "switch the pump off")

    # --- wire ----------------------------------------------------------------------------------

    def _ask(self, command: str, *, tries: int = 2) -> Answer:
        """Send a command and return its answer; raises for an alarm, now or remembered."""
        answer = self._send(command, self._judge, tries)
        self._raise_alarm()
        return answer

    def _ask_for(self, command: str, read: Callable[[bytes], T]) -> T:
        """The same for an answer that carries a value."""

        def judge(packet: bytes) -> T | None:
            answer = self._judge(packet)
            return None if answer.state == "A" else read(answer.data)

        result = self._send(command, judge)
        self._raise_alarm()
        if result is None:
            raise self._error("an alarm came in place of a value", "ask again", "garbled")
        return result

    def _ask_past_alarms(self, command: str, tolerate: str = "") -> Answer:
        """The same with alarms kept for later: the first answer that is no alarm."""
        for _ in range(ALARMS_MAX):
            answer = self._send(command, lambda packet: self._judge(packet, tolerate))
            if answer.state != "A":
                return answer
        raise self._error(f"alarms keep coming: {self._alarm}", "switch the pump off and on")

    def _send(self, command: str, judge: Callable[[bytes], T], tries: int = 2) -> T:
        answer = self.port.ask(
            self._bytes(command),
            FRAMING,
            ANSWER_S,
            judge,
            who=self.name,
            sync=self._sync,
            tries=tries,
        )
        if self._alarmed:
            self._alarmed = False
            if self._packed:  # a pushed alarm may have come first: the true answer is behind it
                self.port.drain()
        return answer

    def _bytes(self, command: str) -> bytes:
        """A command as the pump's present mode wants it."""
        if self._packed:
            return safe_packet(f"{self.address}{command}".encode("ascii"))
        return encode(self.address, command)

    def _speak(self, packed: bool) -> None:
        """From here on in this mode's framing; answers are understood in both."""
        self._packed = packed
        self._sync = Sync(self._bytes("VER"), self._in_step)

    def _judge(self, packet: bytes, tolerate: str = "") -> Answer:
        """Our pump's answer; remembers an alarm, raises for a refusal that is not tolerated."""
        answer = parse(packet)
        self._alarmed = self._alarmed or bool(answer.alarm)
        if answer.address != self.address:
            raise InstrumentError(f"pump {answer.address} answered", kind="garbled")
        if answer.alarm and answer.alarm not in self._alarm:
            self._alarm += answer.alarm
        trouble = answer.data.decode()
        if trouble[:1] == "?" and trouble != tolerate:
            why = ERRORS.get(trouble, "refused")
            raise InstrumentError(
                f"{why} ({trouble})", kind="refused", cure="check diameter, volume and rate"
            )
        return answer

    def _raise_alarm(self) -> None:
        """An alarm that nobody was told of yet is told now."""
        if not self._alarm:
            return
        alarm, self._alarm = self._alarm, ""
        why = " and ".join(ALARMS.get(letter, "see the manual") for letter in alarm)
        raise self._error(f"alarm {alarm}: {why}", "remove the cause, then prepare the pump again")

    def _confirm(self, setting: str, wanted: float) -> None:
        """Read a setting back; `wanted` in mm, mL or mL/min."""
        kept, unit = self._ask_for(setting, value)
        if unit not in PER_UNIT or not math.isclose(kept * PER_UNIT[unit], wanted, rel_tol=AGREES):
            raise self._error(
                f"{setting} is {kept:g} {unit} after it was set to {wanted:g}", "set it again"
            )

    def _set_mode(self) -> None:
        """Into the mode wanted. The command is a packet: a pump in basic mode understands it too.

        Its answer may come in either framing, or never, or be an alarm in place of the act; what
        counts is that the pump then answers in the mode wanted.
        """
        words = f"{self.address}SAF{self.safe_mode_s}".encode("ascii")
        for _ in range(ALARMS_MAX):
            try:
                answer = self.port.ask(
                    safe_packet(words), FRAMING, ANSWER_S, self._judge, who=self.name, tries=1
                )
            except InstrumentError as error:
                if error.kind not in ("no answer", "garbled", "refused"):
                    raise
                break
            if answer.state != "A":
                break
        self._speak(self.safe_mode_s > 0)
        if self.safe_mode_s:
            kept = self._ask_past_alarms("SAF").data
            if not kept.isdigit() or int(kept) != self.safe_mode_s:
                raise self._error(
                    f"SAF is {kept.decode()} after it was set to {self.safe_mode_s}", "set it again"
                )

    def _forgive_dead_man(self) -> None:
        """Between doses nobody asks, and the pump's dead-man goes off: that stopped nothing."""
        if self.safe_mode_s and not self._dosing:
            self._ask_past_alarms("")
            self._alarm = self._alarm.replace(DEAD_MAN, "")

    def _check_rate(self, rate: float) -> None:
        """The plunger's speed limits, before the wire."""
        area = math.pi * (self.diameter / 20) ** 2  # cm2
        low, high = area * SPEED_MIN, area * SPEED_MAX
        if not low <= rate <= high:
            raise self._error(
                f"{rate:g} mL/min is outside {low:.4g}..{high:.4g} mL/min of this syringe",
                "choose another rate or syringe",
                "limit",
            )

    def _in_step(self, packet: bytes) -> bool:
        """Whether this answers VER; an alarm in its place is in step too, and remembered."""
        answer = self._judge(packet, "?NA")
        return answer.state == "A" or answer.data.startswith(b"NE")

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)
