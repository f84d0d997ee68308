"""What Keithley's touch-screen instruments have in common: error texts, waiting, reading buffers.

Source: Keithley 2450 reference manual 2450-901-01 and DAQ6510 reference manual DAQ6510-901-01,
TRACe subsystem. Must never measure anything.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from sim.scpi import Scpi, ScpiError, boolean, number, one

DEFAULT: Final = "defbuffer1"
BUFFERS_MAX: Final = 16
NAME_MAX: Final = 31  # letters of a buffer's name
ROWS_MAX: Final = 20_000  # readings kept in one buffer; the oldest go first
SIZE: Final = 100_000  # of the default buffers
SIZES: Final = (10, 1_000_000)
NOTHING: Final = 9.91e37  # not a number
TOO_MUCH: Final = 9.9e37
ELEMENTS: Final = ("READING", "SOURCE", "RELATIVE", "CHANNEL", "UNIT", "STATUS")

Row = list[Any]
"""One reading: value, source value, time (ns), channel, unit."""


class Dialect(Scpi):
    """SCPI as these instruments speak it.

    `wait` is called for *WAI and *OPC?: what follows waits for the end of what runs.
    """

    def __init__(
        self,
        tree: Mapping[str, Any],
        identity: str,
        *,
        reset: Callable[[], None],
        wait: Callable[[], None],
    ) -> None:
        super().__init__(tree, identity, reset=reset)
        self._wait = wait

    @property
    def pending(self) -> int:
        """How many errors are queued."""
        return len(self._errors)

    def forget(self) -> None:
        """Clear the error queue."""
        self._errors.clear()

    def _common(self, name: str, parameters: list[str]) -> str | None:
        if name in ("*WAI", "*OPC?"):
            self._wait()
        return super()._common(name, parameters)

    def _report(self, name: str) -> str:
        """Append severity, node and time to an error's text (guess: never filled in)."""
        text = super()._report(name)
        if not name.startswith("SYSTem:ERR"):
            return text
        return f'{text[:-1]};{int(not text.startswith("0"))},0,0"'


def shown(value: float) -> str:
    """Return a setting as these instruments print it."""
    return f"{value:.7G}"


def unquoted(words: Sequence[str]) -> list[str]:
    """Return parameters without their quotes."""
    return [word.strip("\"'") for word in words]


class Setting:
    """A value that can be set and asked for: `kind` is number, whole, boolean, or words."""

    __slots__ = ("default", "kind", "low", "high")

    def __init__(
        self, default: float | str, kind: str | tuple[str, ...], low: float = 0, high: float = 1
    ) -> None:
        self.default = default
        self.kind = kind
        self.low = low
        self.high = high

    def parsed(self, words: list[str]) -> float | str:
        """Return the value that parameters mean; raises ScpiError."""
        if isinstance(self.kind, tuple):
            word = one(unquoted(words)).upper()
            if word not in self.kind:
                raise ScpiError(-224)
            return word
        word = one(words).upper()[:24]
        limits = {"MIN": self.low, "MAX": self.high, "DEF": self.default}
        if word[:3] in limits:
            return limits[word[:3]]
        if self.kind == "boolean":
            return float(boolean(words))
        value = number(word)
        if not self.low <= value <= self.high:
            raise ScpiError(-222)
        return float(round(value)) if self.kind == "whole" else value

    def told(self, value: float | str, words: list[str]) -> str:
        """Return the answer to the query, which may ask for MIN, MAX or DEF."""
        asked = self.parsed(words) if words else value
        return asked if isinstance(asked, str) else shown(asked)


class Traces:
    """The reading buffers of one instrument."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the power-on state: two empty buffers."""
        self._rows: dict[str, list[Row]] = {DEFAULT: [], "defbuffer2": []}
        self._sizes = {DEFAULT: SIZE, "defbuffer2": SIZE}

    def add(self, row: Row, name: str = DEFAULT) -> None:
        """Append a reading; a full buffer forgets its oldest."""
        rows = self._rows.get(name)
        if rows is None:
            return  # deleted while a scan was filling it
        rows.append(row)
        if len(rows) > min(self._sizes[name], ROWS_MAX):
            del rows[0]

    def named(self, words: Sequence[str]) -> str:
        """Return the buffer that the first parameter names; raises ScpiError(-224)."""
        name = words[0].strip("\"'") if words else DEFAULT
        if name not in self._rows:
            raise ScpiError(-224)
        return name

    def told(self, name: str, row: Row, words: Sequence[str]) -> str:
        """Return the elements of a reading that were asked for."""
        first_ns = self._rows[name][0][2] if self._rows[name] else row[2]
        return ",".join(_element(word, row, first_ns) for word in words or ("READ",))

    # --- the TRACe commands -----------------------------------------------------------------

    def _make(self, words: list[str]) -> None:
        if not 2 <= len(words) <= 3:
            raise ScpiError(-109)
        name, size = words[0].strip("\"'"), number(words[1])
        if not 0 < len(name) <= NAME_MAX or not (name.isascii() and name.isidentifier()):
            raise ScpiError(-224)
        if not SIZES[0] <= size <= SIZES[1]:
            raise ScpiError(-222)
        if name in self._rows or len(self._rows) >= BUFFERS_MAX:
            raise ScpiError(-221)
        self._rows[name], self._sizes[name] = [], int(size)

    def _delete(self, words: list[str]) -> None:
        name = self.named([one(words)])
        if name.startswith("defbuffer"):
            raise ScpiError(-221)
        del self._rows[name], self._sizes[name]

    def _clear(self, words: list[str]) -> None:
        self._rows[self.named(words)].clear()

    def _points(self, words: list[str]) -> None:
        if not words:
            raise ScpiError(-109)
        name, size = self.named(words[1:]), number(words[0])
        if not SIZES[0] <= size <= SIZES[1]:
            raise ScpiError(-222)
        self._rows[name].clear()
        self._sizes[name] = int(size)

    def _size(self, words: list[str]) -> str:
        return str(self._sizes[self.named(words)])

    def _count(self, words: list[str]) -> str:
        return str(len(self._rows[self.named(words)]))

    def _first(self, words: list[str]) -> str:
        return str(int(bool(self._rows[self.named(words)])))

    def _data(self, words: list[str]) -> str:
        if len(words) < 2:
            raise ScpiError(-109)
        first, last = number(words[0]), number(words[1])
        name = self.named(words[2:3])
        rows = self._rows[name]
        if not 1 <= first <= last <= len(rows):
            raise ScpiError(-222)
        chosen = rows[int(first) - 1 : int(last)]
        return ",".join(self.told(name, row, words[3:]) for row in chosen)

    def _statistic(self, words: list[str], kind: str) -> str:
        values = [float(row[0]) for row in self._rows[self.named(words)]]
        if not values:
            raise ScpiError(-230)
        mean = math.fsum(values) / len(values)
        spread = math.fsum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1)
        results = {
            "AVER": mean, "MAX": max(values), "MIN": min(values), "STDD": math.sqrt(spread),
        }  # fmt: skip
        return f"{results[kind]:.6E}"

    COMMANDS: ClassVar[Mapping[str, Callable[["Traces", list[str]], str | None]]] = {
        "TRACe:MAKE": _make,
        "TRACe:DELete": _delete,
        "TRACe:CLEar": _clear,
        "TRACe:POINts": _points,
        "TRACe:POINts?": _size,
        "TRACe:ACTual[:END]?": _count,
        "TRACe:ACTual:STARt?": _first,
        "TRACe:DATA?": _data,
        "TRACe:STATistics:AVERage?": lambda traces, words: traces._statistic(words, "AVER"),
        "TRACe:STATistics:MAXimum?": lambda traces, words: traces._statistic(words, "MAX"),
        "TRACe:STATistics:MINimum?": lambda traces, words: traces._statistic(words, "MIN"),
        "TRACe:STATistics:STDDev?": lambda traces, words: traces._statistic(words, "STDD"),
    }

    def plain(self) -> dict[str, object]:
        """Return every buffer as JSON data."""
        return {
            name: [self._sizes[name], [list(row) for row in rows]]
            for name, rows in self._rows.items()
        }

    def take(self, state: Mapping[str, Any]) -> None:
        """Take what `plain` gave."""
        self._sizes = {name: size for name, (size, _) in state.items()}
        self._rows = {name: [list(row) for row in rows] for name, (_, rows) in state.items()}


def _element(word: str, row: Row, first_ns: int) -> str:
    """Return one element of a reading."""
    asked = word.strip("\"'").upper()
    name = next((name for name in ELEMENTS if len(asked) > 2 and name.startswith(asked)), "")
    value, source, at_ns, channel, unit = row
    if name == "RELATIVE":
        return f"{(at_ns - first_ns) / 1e9:.6f}"
    texts: dict[str, str] = {
        "READING": f"{value:.6E}", "SOURCE": f"{source:.6E}", "CHANNEL": str(channel),
        "UNIT": unit, "STATUS": "0",
    }  # fmt: skip
    if name not in texts:
        raise ScpiError(-224)
    return texts[name]
