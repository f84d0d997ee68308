"""Alicat liquid flow meter: pressure, temperature, flow and total of one line.

Source: Alicat serial primer, "Polling a device" (data frames and status words), as the client
`alicat` speaks it. It must never return a frame whose number of values is not the one the bench
file names, and never one that the meter itself marks as over range.
"""

import re
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple, TypeVar

from drivers.errors import InstrumentError, Kind, garbled
from drivers.framing import CR, Line
from drivers.link import Identity, Link
from drivers.port import Port, Sync

FRAMING: Final = Line(end=CR, limit=160)
ANSWER_S: Final = 1.0  # a gateway may take that long; the meter itself 50 ms
COLUMNS: Final = ("pressure", "temperature", "flow", "setpoint", "total")
PLAUSIBLE: Final = (-50.0, 150.0)  # degC
HARMLESS: Final = frozenset({"LCK", "HLD"})  # front panel locked, valve held
FAULTS: Final = {
    "MOV": "flow over range",
    "VOV": "volume flow over range",
    "POV": "pressure over range",
    "TOV": "temperature over range",
    "OVR": "the totaliser ran over",
    "ADC": "internal error of the converter",
    "TMF": "the totaliser missed flow",
}

_NUMBER: Final = re.compile(r"[+-]?\d{1,6}(?:\.\d{1,5})?")
_WORD: Final = re.compile(r"[A-Z]{3}")

T = TypeVar("T")


class Reading(NamedTuple):
    """Pressure in kPa, temperature in degC, flow in mL/min; total in mL, None if not in `columns`.

    The meter must be set to these units: it does not say them.
    """

    pressure: float
    temperature: float
    flow: float
    total: float | None


class Alicat:
    """One meter on a line that others may share; `unit` is its letter.

    `columns` names the values of its data frame in order, with blanks between.
    """

    SAFE_S: ClassVar[float] = 3.0
    SAFE_GAP_S: ClassVar[float] = 0.0
    LINK: ClassVar[Link] = Link(baud=19_200)

    def __init__(
        self,
        port: Port,
        name: str,
        unit: str = "A",
        *,
        columns: str = "pressure temperature flow setpoint",
    ) -> None:
        """Refuse a letter or columns that no meter has; nothing is sent."""
        order = tuple(columns.split())
        known = len(set(order)) == len(order) and set(COLUMNS[:3]) <= set(order) <= set(COLUMNS)
        if len(unit) != 1 or not "A" <= unit <= "Z" or not known:
            raise InstrumentError(
                f"unit {unit!r} with columns {columns!r} makes no meter",
                kind="limit",
                cure=f"a letter A..Z; columns out of {', '.join(COLUMNS)}, the first three always",
                instrument=name,
            )
        self.port = port
        self.name = name
        self.unit = unit
        self.columns = order
        self._sync = Sync(f"{unit}VE\r".encode("ascii"), self._in_step)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that a meter answers with the values that the bench file names."""
        self.port.drain()
        self.reading()

    def identify(self) -> Identity:
        """Firmware as VE says it; the meter tells no serial number there."""
        return Identity("Alicat", "flow meter", "", self._ask("VE", self._version))

    def sense(self) -> Reading:
        """One reading; changes nothing."""
        return self.reading()

    def prepare(self) -> None:
        """See that it reads. Sets nothing, least of all a zero."""
        self.port.drain()
        self.reading()

    def safe(self) -> None:
        """A meter does no harm; polls it to see that it is there."""
        self._ask("", self._values)

    def safe_bytes(self) -> tuple[bytes, ...]:
        """Nothing: a meter does no harm."""
        return ()

    def close(self) -> None:
        """Nothing is kept; the port belongs to the bus."""

    # --- acts ----------------------------------------------------------------------------------

    def reading(self) -> Reading:
        """Pressure, temperature, flow and total. Raises InstrumentError over range ("fault")."""
        values, words = self._ask("", self._values)
        faults = [FAULTS[word] for word in words if word in FAULTS]
        if faults:
            raise self._error(" and ".join(faults), "look at the line and the meter")
        return Reading(
            values["pressure"], values["temperature"], values["flow"], values.get("total")
        )

    # --- wire ----------------------------------------------------------------------------------

    def _ask(self, question: str, parse: Callable[[bytes], T]) -> T:
        data = f"{self.unit}{question}\r".encode("ascii")
        return self.port.ask(data, FRAMING, ANSWER_S, parse, who=self.name, sync=self._sync)

    def _values(self, line: bytes) -> tuple[dict[str, float], tuple[str, ...]]:
        numbers, words = frame(line, self.unit)
        if len(numbers) != len(self.columns):
            raise garbled(line, f"a frame of {len(self.columns)} values ({' '.join(self.columns)})")
        values = dict(zip(self.columns, numbers, strict=True))
        if not PLAUSIBLE[0] <= values["temperature"] <= PLAUSIBLE[1]:
            raise garbled(line, "a frame with a temperature of a liquid")
        return values, words

    def _version(self, line: bytes) -> str:
        if not self._in_step(line):
            raise garbled(line, "a firmware version")
        return " ".join(line[1:].decode("ascii", "backslashreplace").split())

    def _in_step(self, line: bytes) -> bool:
        """Whether this can only be the answer to VE: our letter and words that are no frame."""
        if not line.startswith(self.unit.encode("ascii") + b" ") or len(line.split()) < 2:
            return False
        return _NUMBER.fullmatch(line.split()[1].decode("ascii", "replace")) is None

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)


def frame(line: bytes, unit: str) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Numbers and status words of a data frame such as `A +101.32 +022.41 +0012.5 LCK`.

    Raises InstrumentError: "refused" for `?`, "garbled" for anything else.
    """
    if line.strip().endswith(b"?"):
        raise InstrumentError("unknown command", kind="refused", cure="check the model")
    parts = line.decode("ascii", "replace").split(" ")
    parts = [part for part in parts if part]
    count = 1
    while count < len(parts) and _NUMBER.fullmatch(parts[count]):
        count += 1
    words = tuple(parts[count:])
    if parts[:1] != [unit] or count == 1 or not all(map(_WORD.fullmatch, words)):
        raise garbled(line, f"a data frame of unit {unit}")
    unknown = [word for word in words if word not in FAULTS and word not in HARMLESS]
    if unknown:
        raise garbled(line, f"a data frame with known status words ({' '.join(unknown)})")
    return tuple(float(part) for part in parts[1:count]), words
