"""Keithley DAQ6510: direct voltages of analogue sensors, one scan over a list of channels.

Source: Keithley DAQ6510 reference manual (DAQ6510-901-01), SCPI command reference, as pymeasure and
two other programs use it. It must never return a value whose channel the instrument did not name
with it, nor an overflow as a voltage.
"""

import math
from collections.abc import Callable, Sequence
from typing import ClassVar, Final, TypeVar

from drivers.errors import InstrumentError, Kind, garbled
from drivers.framing import LF, Line
from drivers.link import Identity, Link
from drivers.port import Port, Sync
from drivers.scpi import (
    OVERFLOW,
    error_entry,
    first_error,
    fixed,
    identity,
    is_identity,
    number,
)

ANSWER_S: Final = 2.0
LINE_HZ: Final = 50.0  # the slower of the two mains: time-outs hold for both
RELAY_S: Final = 0.005  # a relay closes and settles
AUTOZERO: Final = 3  # measurements that one reading may be made of
SHORT_S: Final = 1.0  # a scan that one question may wait for
POLL_S: Final = 0.05
SLACK_S: Final = 2.0
NPLC: Final = (0.0005, 15.0)
RANGES: Final = (0.1, 1.0, 10.0, 100.0)  # V
SLOTS: Final = (1, 2)
SLOT_CHANNELS: Final = 40
CHANNELS_MAX: Final = 80  # all that two cards have
FRAMING: Final = Line(end=LF, limit=4096)  # a reading and its channel take up to 24 bytes
BUFFER: Final = '"defbuffer1"'

T = TypeVar("T")


class DAQ6510:
    """One instrument with scanner cards; `channels` are those that `sense` looks at.

    `nplc` is the integration time in mains periods, `span` the voltage range in V.
    """

    SAFE_S: ClassVar[float] = 5.0
    SAFE_GAP_S: ClassVar[float] = 0.0
    LINK: ClassVar[Link] = Link(baud=115_200)

    def __init__(
        self,
        port: Port,
        name: str,
        *,
        channels: Sequence[int] = (101,),
        nplc: float = 1.0,
        span: float = 10.0,
    ) -> None:
        """Refuse channels, an integration time or a range that there are not; nothing is sent."""
        self.port = port
        self.name = name
        self.channels = tuple(channels)
        self.nplc = nplc
        self.span = span
        self._scanned: tuple[int, ...] = ()  # what the instrument's scan list holds
        self._sync = Sync(b"*IDN?\n", is_identity)
        self._check(self.channels)
        if not NPLC[0] <= nplc <= NPLC[1] or span not in RANGES:
            raise self._error(
                f"{nplc:g} mains periods in a range of {span:g} V cannot be set",
                f"{NPLC[0]:g}..{NPLC[1]:g} periods; 0.1, 1, 10 or 100 V",
                "limit",
            )

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that an instrument answers."""
        self.port.drain()
        self.identify()

    def identify(self) -> Identity:
        """Maker, model, serial number and firmware, as *IDN? says."""
        return self._ask("*IDN?", identity)

    def sense(self) -> dict[int, float]:
        """The voltages in V of this driver's channels. Switches relays of the scanner."""
        return self.volts(self.channels)

    def prepare(self) -> None:
        """Reset, then the scan list, range and integration time of this driver's channels."""
        self.port.drain()
        self._scanned = ()
        self._tell("*RST")
        self._tell("*CLS")
        self._set_up(self.channels)

    def safe(self) -> None:
        """A voltmeter does no harm; asks it to see that it is there."""
        self.identify()

    def safe_bytes(self) -> tuple[bytes, ...]:
        """Nothing: a voltmeter does no harm."""
        return ()

    def close(self) -> None:
        """Forget what the scan list holds; the port belongs to the bus."""
        self._scanned = ()

    # --- acts ----------------------------------------------------------------------------------

    def volts(self, channels: Sequence[int]) -> dict[int, float]:
        """One scan: channel -> V. Raises InstrumentError on an overflow ("fault").

        A short scan is one question, whose answer waits for its end. A long one is polled, and the
        port is free between the polls. After any error the next scan sets everything up again: the
        instrument may have lost its power and its list.
        """
        wanted = tuple(channels)
        self._check(wanted)
        try:
            if wanted != self._scanned:
                self._set_up(wanted)
            words = f"TRAC:DATA? 1,{len(wanted)},{BUFFER},READ,CHAN"
            if AUTOZERO * self._lasts_s(len(wanted)) <= SHORT_S:
                words = f"TRAC:CLE {BUFFER};:INIT;*WAI;:{words}"
            else:
                self._scan(len(wanted))
            return self._ask(words, lambda line: readings(line, wanted))
        except InstrumentError:
            self._scanned = ()
            raise

    # --- wire ----------------------------------------------------------------------------------

    def _set_up(self, channels: tuple[int, ...]) -> None:
        """Scan these channels once an INIT, as direct voltages."""
        self._scanned = ()
        where = f"(@{','.join(map(str, channels))})"
        self._tell(f':SENS:FUNC "VOLT",{where}')
        self._tell(f":SENS:VOLT:RANG {self.span:g},{where}")
        self._tell(f":SENS:VOLT:NPLC {fixed(self.nplc, 4)},{where}")
        self._tell(f"ROUT:SCAN:CRE {where}")
        self._tell("ROUT:SCAN:COUN:SCAN 1")
        self._check_errors()
        self._scanned = channels

    def _scan(self, count: int) -> None:
        """Start a scan over `count` channels and wait for its end, which is bounded."""
        scan_s = self._lasts_s(count)
        self._tell(f"TRAC:CLE {BUFFER}")
        self._tell("INIT")
        self.port.pause(scan_s)
        for _ in range(math.ceil((AUTOZERO * scan_s + SLACK_S) / POLL_S)):
            if self._ask(f"TRAC:ACT? {BUFFER}", number) >= count:
                return
            self.port.pause(POLL_S)
        self._check_errors()
        raise self._error("the scan does not end", "look at its front panel", "busy")

    def _lasts_s(self, count: int) -> float:
        """How long a scan over `count` channels takes without autozero."""
        return count * (self.nplc / LINE_HZ + RELAY_S)

    def _ask(self, question: str, parse: Callable[[bytes], T]) -> T:
        data = question.encode("ascii") + b"\n"
        return self.port.ask(data, FRAMING, ANSWER_S, parse, who=self.name, sync=self._sync)

    def _tell(self, words: str) -> None:
        self.port.write(words.encode("ascii") + b"\n", who=self.name)

    def _check(self, channels: tuple[int, ...]) -> None:
        """Channels are numbered slot and place: 101..140, 201..240."""
        right = all(
            channel // 100 in SLOTS and 1 <= channel % 100 <= SLOT_CHANNELS for channel in channels
        )
        if (
            not 1 <= len(channels) <= CHANNELS_MAX
            or len(set(channels)) < len(channels)
            or not right
        ):
            raise self._error(
                f"{channels} are no channels",
                f"1..{CHANNELS_MAX} different ones out of 101..140 and 201..240",
                "limit",
            )

    def _check_errors(self) -> None:
        error = first_error(lambda: self._ask("SYST:ERR?", error_entry))
        if error is not None:
            raise self._error(f"error {error[0]}: {error[1]}", "check card and channels", "refused")

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)


def readings(line: bytes, channels: tuple[int, ...]) -> dict[int, float]:
    """Readings and their channels in turn, `1.25E+00,101,...`; raises InstrumentError otherwise."""
    parts = line.split(b",")
    if len(parts) != 2 * len(channels):
        raise garbled(line, f"{len(channels)} readings with their channels")
    found: dict[int, float] = {}
    for value, channel in zip(parts[::2], parts[1::2], strict=True):
        volts, where = number(value.strip()), number(channel.strip())
        if not where.is_integer() or where in found:
            raise garbled(line, "a list of readings and channels")
        found[int(where)] = volts
    if tuple(found) != channels:
        raise garbled(line, f"readings of the channels {channels}")
    over = [channel for channel, volts in found.items() if abs(volts) >= OVERFLOW]
    if over:
        raise InstrumentError(
            f"channel {over[0]} is over range", kind="fault", cure="check its sensor and the range"
        )
    return found
