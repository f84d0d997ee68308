"""Keithley 2450 source meter: the voltage of a film from which no current is drawn.

Source: Keithley 2450 reference manual (2450-901-01), chapter 6, SCPI command reference. It
must never source anything but 0 A, never leave the output on after an error, and never take the
voltage at which its own limit stopped it for the film's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from drivers.errors import InstrumentError, Kind, garbled
from drivers.link import Identity, Link
from drivers.port import Port, Sync
from drivers.scpi import (
    LINE,
    error_entry,
    first_error,
    fixed,
    identity,
    is_identity,
    measured,
    number,
    switch,
)

ANSWER_S: Final = 2.0
LINE_HZ: Final = 50.0  # the slower of the two mains: time-outs hold for both
AUTOZERO: Final = 3  # measurements that one reading may be made of
RANGING: Final = 5  # range changes that one reading may need
NPLC: Final = (0.01, 10.0)
LIMIT: Final = (0.02, 21.0)  # V; a film gives less than 1 V
SETTLE_MAX: Final = 60.0  # s
AGREES: Final = 0.01  # relative, of the voltage limit read back
OFF: Final = b":OUTP OFF\n"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SourceSense:
    """Whether its output is on, and the voltage limit in V."""

    on: bool
    limit: float


class Keithley2450:
    """One source meter in SCPI mode; `limit` in V is as far as an open contact may drift.

    `nplc` is the integration time in mains periods, `settle` the time in s from output on to
    reading.
    """

    SAFE_S: ClassVar[float] = 5.0
    SAFE_GAP_S: ClassVar[float] = 0.0
    LINK: ClassVar[Link] = Link(baud=9600)

    def __init__(
        self, port: Port, name: str, *, limit: float = 2.0, nplc: float = 1.0, settle: float = 0.1
    ) -> None:
        """Refuse what cannot be set; nothing is sent."""
        fits = LIMIT[0] <= limit <= LIMIT[1] and NPLC[0] <= nplc <= NPLC[1]
        if not fits or not 0 <= settle <= SETTLE_MAX:
            raise InstrumentError(
                f"limit {limit:g} V, {nplc:g} mains periods, {settle:g} s cannot be",
                kind="limit",
                cure=f"{LIMIT[0]:g}..{LIMIT[1]:g} V, {NPLC[0]:g}..{NPLC[1]:g} periods, "
                f"0..{SETTLE_MAX:g} s",
                instrument=name,
            )
        self.port = port
        self.name = name
        self.limit = limit
        self.nplc = nplc
        self.settle = settle
        self._read_s = ANSWER_S + nplc / LINE_HZ * AUTOZERO * RANGING
        self._sync = Sync(b"*IDN?\n", is_identity)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that a source meter answers."""
        self.port.drain()
        self.identify()

    def identify(self) -> Identity:
        """Maker, model, serial number and firmware, as *IDN? says."""
        return self._ask("*IDN?", identity)

    def sense(self) -> SourceSense:
        """Output and voltage limit; changes nothing."""
        limit = self._ask(":SOUR:CURR:VLIM?", number)  # first: 0 or 1 would pass for a limit
        return SourceSense(self._ask(":OUTP?", switch), limit)

    def prepare(self) -> None:
        """Output off, 0 A, voltage limit, voltage read over NPLC; each is read back."""
        self.port.drain()
        self.port.write(OFF, who=self.name)
        self._tell("*CLS")
        if self._ask("*LANG?", _words) != "SCPI":
            raise self._error("it does not speak SCPI", "send *LANG SCPI once and restart it")
        for words in (
            ":SOUR:FUNC CURR",
            f":SOUR:CURR:LEV {fixed(0.0, 1)}",
            f":SOUR:CURR:VLIM {fixed(self.limit, 3)}",
            ":SENS:FUNC 'VOLT'",
            ":SENS:VOLT:RANG:AUTO 1",
            f":SENS:VOLT:NPLC {fixed(self.nplc, 3)}",
        ):
            self._tell(words)
        self._check_errors()
        self._check_harmless()
        self.off()

    def safe(self) -> None:
        """Output off, and seen to be off; within SAFE_S."""
        for command in self.safe_bytes():
            self.port.write(command, who=self.name)
        if self._ask(":OUTP?", switch):
            raise self._error("the output is still on", "switch the source meter off")

    def safe_bytes(self) -> tuple[bytes, ...]:
        """What the dead-man sends: end a command cut in the middle, then output off, twice.

        Whatever the cut command was, the output is off after it.
        """
        return b"\n", OFF, OFF

    def close(self) -> None:
        """Nothing is kept; the port belongs to the bus."""

    # --- acts ----------------------------------------------------------------------------------

    def open_circuit_volts(self) -> float:
        """The voltage in V while 0 A flows; the output is on only for this, and off after it.

        Raises InstrumentError when the settings are not those of `prepare`, when the voltage
        limit was reached (no film between the contacts), on overflow; the output is off then too.
        """
        self._check_harmless()
        try:
            self._tell(":OUTP ON")
            self.port.pause(self.settle)
            volts = self._ask(":READ?", measured, self._read_s)
            tripped = self._ask(":SOUR:CURR:VLIM:TRIP?", switch)
            self._check_errors()
        finally:
            self.port.write(OFF, who=self.name)
        self.off()
        if tripped or abs(volts) >= self.limit:
            raise self._error(
                f"it stopped at its limit of {self.limit:g} V", "look at the contacts of the film"
            )
        return volts

    def off(self) -> None:
        """Output off, and seen to be off."""
        self.safe()

    # --- wire ----------------------------------------------------------------------------------

    def _check_harmless(self) -> None:
        """It sources current, none of it, within our limit, and reads volts; or nothing goes on."""
        source = self._ask(":SOUR:FUNC?", _words)
        reads = self._ask(":SENS:FUNC?", _words)
        if not source.startswith("CURR") or not reads.startswith("VOLT"):
            raise self._error(f"it sources {source} and reads {reads}", "prepare it again")
        level = self._ask(":SOUR:CURR:LEV?", number)
        kept = self._ask(":SOUR:CURR:VLIM?", number)
        if level != 0 or abs(kept - self.limit) > AGREES * self.limit:
            raise self._error(
                f"it is set to {level:g} A and {kept:g} V instead of 0 A and {self.limit:g} V",
                "prepare it again",
            )

    def _ask(self, question: str, parse: Callable[[bytes], T], timeout_s: float = ANSWER_S) -> T:
        data = question.encode("ascii") + b"\n"
        return self.port.ask(data, LINE, timeout_s, parse, who=self.name, sync=self._sync)

    def _tell(self, words: str) -> None:
        self.port.write(words.encode("ascii") + b"\n", who=self.name)

    def _check_errors(self) -> None:
        error = first_error(lambda: self._ask("SYST:ERR?", error_entry))
        if error is not None:
            raise self._error(f"error {error[0]}: {error[1]}", "check the model", "refused")

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)


def _words(line: bytes) -> str:
    """A name such as `SCPI`, `CURR` or `"VOLT:DC"`; raises InstrumentError for anything else."""
    name = line.decode("ascii", "backslashreplace").strip().strip('"')
    if not name.replace(":", "").isalpha() or not name.isupper():
        raise garbled(line, "a name")
    return name
