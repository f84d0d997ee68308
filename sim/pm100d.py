"""A Thorlabs PM100D power meter with an S120C photodiode sensor.

Source: PM100D manual 17654-D02, section 6.4; Thorlabs SCPI reference. Reads the light that falls
on the sensor through the link `watts(now_ns)`. A reading occupies the instrument for its averages
before it answers. Must never know what absorbs the light.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Protocol

from sim.port import Reply, Spec
from sim.scpi import Scpi, ScpiError, boolean, grammar, number, one

LATENCY_NS: Final = 2_000_000  # guess: USB transfer and command parsing
SAMPLE_NS: Final = 3_000_000  # one average
READING_NS: Final = 10_000_000  # guess: what a reading takes beside its averages
ZERO_NS: Final = 700_000_000  # guess: 0.5 to 1 s for the dark adjustment
TOO_MUCH: Final = "9.9E37"
WAVES: Final = (400.0, 1100.0)  # nm
COUNTS: Final = (1, 10_000)
RANGES: Final = (50e-9, 500e-9, 5e-6, 50e-6, 500e-6, 5e-3, 50e-3)  # W
OVER: Final = 1.05  # guess: a range can be exceeded by this factor
HOME_NM: Final = 570.0  # the wavelength of the light in the world
# guess: responsivity of a silicon diode behind a neutral filter, relative, nm -> A/W
RESPONSE: Final = (
    (400.0, 0.006), (500.0, 0.014), (570.0, 0.020), (600.0, 0.023), (700.0, 0.031),
    (800.0, 0.042), (900.0, 0.052), (970.0, 0.056), (1050.0, 0.038), (1100.0, 0.014),
)  # fmt: skip


class PowerLink(Protocol):
    """What the sensor sees of the world."""

    def watts(self, now_ns: int, /) -> float:
        """Return the power on the sensor in W."""


def response(wavelength: float) -> float:
    """Return the responsivity in A/W at `wavelength` (nm), linear between the table's points."""
    place = min(max(bisect_left(RESPONSE, (wavelength,)), 1), len(RESPONSE) - 1)
    (left, low), (right, high) = RESPONSE[place - 1], RESPONSE[place]
    return low + (high - low) * (wavelength - left) / (right - left)


class PM100D:
    """One meter. Option: `sensor` (name of the sensor). `link`: a PowerLink or None (dark)."""

    def __init__(self, spec: Spec, link: PowerLink | None) -> None:
        self._link = link
        self._sensor = str(spec.options.get("sensor", "S120C"))
        serial = spec.serial or "P0012345"
        self._scpi = Scpi(_TREE, f"THORLABS,PM100D,{serial},2.8.0", reset=self._defaults)
        self._wavelength: float = HOME_NM
        self._defaults()
        self._wake()

    def _defaults(self) -> None:
        self._averages = 1
        self._auto = True
        self._range = RANGES[-1]
        self._unit = "W"
        self._lowpass = False

    def _wake(self) -> None:
        self._busy_ns = 0  # until when a reading occupies the instrument
        self._last = math.nan  # the last reading, in W
        self._started = False
        self._zero = 0.0
        self._zero_ns = 0
        self._dead = False  # sensor lost

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; every message that asks something gives one answer line."""
        out: list[Reply] = []
        for message in self._scpi.messages(data):
            text = self._scpi.answer(
                message, lambda name, words: self._TABLE[name](self, words, now_ns)
            )
            if text:
                out.append((max(now_ns, self._busy_ns) + LATENCY_NS, text.encode() + b"\n"))
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return nothing: a meter never speaks unasked."""
        return []

    def next_ns(self) -> int | None:
        """Return None: a meter never speaks unasked."""
        return None

    # --- readings -------------------------------------------------------------------------

    def _measure(self, now_ns: int) -> None:
        """Take a reading; the instrument is busy for its averages."""
        begin = max(now_ns, self._busy_ns)
        self._busy_ns = begin + READING_NS + SAMPLE_NS * self._averages
        light = self._link.watts(now_ns) if self._link is not None else 0.0
        seen = light * response(HOME_NM) / response(self._wavelength)
        self._last = seen - self._zero
        self._started = False
        if self._auto and not self._fits(seen, self._range):
            self._range = next((span for span in RANGES if seen <= span), RANGES[-1])
            self._busy_ns += READING_NS + SAMPLE_NS * self._averages

    def _fits(self, power: float, span: float) -> bool:
        return power <= span * OVER and (power > span / 20.0 or span == RANGES[0])

    def _shown(self) -> str:
        if self._dead:
            raise ScpiError(-240)
        if math.isnan(self._last):
            raise ScpiError(-230)
        if self._last > self._range * OVER:
            return TOO_MUCH
        if self._unit == "W":
            return f"{self._last:.6E}"
        return f"{10.0 * math.log10(max(self._last, 1e-15) / 1e-3):.6E}"

    def _read(self, words: list[str], now_ns: int) -> str:
        self._measure(now_ns)
        return self._shown()

    def _initiate(self, words: list[str], now_ns: int) -> None:
        self._measure(now_ns)

    def _fetch(self, words: list[str], now_ns: int) -> str:
        return self._shown()

    def _current(self, words: list[str], now_ns: int) -> str:
        self._measure(now_ns)
        return f"{self._last * response(self._wavelength):.6E}"

    # --- settings -------------------------------------------------------------------------

    def _set_wavelength(self, words: list[str], now_ns: int) -> None:
        self._wavelength = _within(words, *WAVES)

    def _get_wavelength(self, words: list[str], now_ns: int) -> str:
        return f"{_extreme(words, self._wavelength, *WAVES):.6E}"

    def _set_averages(self, words: list[str], now_ns: int) -> None:
        self._averages = round(_within(words, *COUNTS))

    def _get_averages(self, words: list[str], now_ns: int) -> str:
        return str(round(_extreme(words, self._averages, *COUNTS)))

    def _set_unit(self, words: list[str], now_ns: int) -> None:
        unit = one(words).upper()
        if unit not in ("W", "DBM"):
            raise ScpiError(-224)
        self._unit = unit

    def _set_range(self, words: list[str], now_ns: int) -> None:
        upper = _within(words, 0.0, RANGES[-1])
        self._range = next(span for span in RANGES if upper <= span)
        self._auto = False

    def _get_range(self, words: list[str], now_ns: int) -> str:
        return f"{_extreme(words, self._range, RANGES[0], RANGES[-1]):.6E}"

    def _set_auto(self, words: list[str], now_ns: int) -> None:
        self._auto = boolean(words)

    def _set_lowpass(self, words: list[str], now_ns: int) -> None:
        self._lowpass = boolean(words)

    def _begin_zero(self, words: list[str], now_ns: int) -> None:
        """Take what is seen now as dark; the beam must be off, and nobody checks that."""
        self._zero = self._link.watts(now_ns) if self._link is not None else 0.0
        self._zero_ns = now_ns + ZERO_NS

    def _end_zero(self, words: list[str], now_ns: int) -> None:
        if now_ns < self._zero_ns:
            self._zero, self._zero_ns = 0.0, now_ns

    def _sensor_identity(self, words: list[str], now_ns: int) -> str:
        if self._dead:
            return '"no sensor","","",0,0,0'
        return f'"{self._sensor}","16060232","2-JUN-2021",1,2,33'

    def _configure(self, words: list[str], now_ns: int) -> None:
        self._last = math.nan

    # Every reading command of the maker's list that this sensor has.
    _TABLE: ClassVar[Mapping[str, Callable[["PM100D", list[str], int], str | None]]] = {
        "MEASure[:SCALar][:POWer]?": _read,
        "MEASure[:SCALar]:CURRent[:DC]?": _current,
        "READ?": _read,
        "INITiate[:IMMediate]": _initiate,
        "FETCh?": _fetch,
        "ABORt": lambda meter, words, now_ns: None,
        "CONFigure[:SCALar][:POWer]": _configure,
        "CONFigure?": lambda meter, words, now_ns: "POW",
        "SENSe:CORRection:WAVelength": _set_wavelength,
        "SENSe:CORRection:WAVelength?": _get_wavelength,
        "SENSe:CORRection:COLLect:ZERO[:INITiate]": _begin_zero,
        "SENSe:CORRection:COLLect:ZERO:ABORt": _end_zero,
        "SENSe:CORRection:COLLect:ZERO:STATe?": lambda meter, words, now_ns: str(
            int(now_ns < meter._zero_ns)
        ),
        "SENSe:CORRection:COLLect:ZERO:MAGNitude?": lambda meter, words, now_ns: (
            f"{meter._zero:.6E}"
        ),
        "SENSe:CORRection:POWer[:PDIode][:RESPonse]?": lambda meter, words, now_ns: (
            f"{response(meter._wavelength):.6E}"
        ),
        "SENSe:AVERage[:COUNt]": _set_averages,
        "SENSe:AVERage[:COUNt]?": _get_averages,
        "SENSe:POWer[:DC]:UNIT": _set_unit,
        "SENSe:POWer[:DC]:UNIT?": lambda meter, words, now_ns: meter._unit,
        "SENSe:POWer[:DC]:RANGe[:UPPer]": _set_range,
        "SENSe:POWer[:DC]:RANGe[:UPPer]?": _get_range,
        "SENSe:POWer[:DC]:RANGe:AUTO": _set_auto,
        "SENSe:POWer[:DC]:RANGe:AUTO?": lambda meter, words, now_ns: str(int(meter._auto)),
        "INPut[:PDIode]:FILTer[:LPASs][:STATe]": _set_lowpass,
        "INPut[:PDIode]:FILTer[:LPASs][:STATe]?": lambda meter, words, now_ns: str(
            int(meter._lowpass)
        ),
        "SYSTem:SENSor:IDN?": _sensor_identity,
    }

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Lose the sensor until the next power-on."""
        self._dead = True
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Come back with the last wavelength and defaults for the rest."""
        self._scpi.wake()
        self._defaults()
        self._wake()

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "auto": self._auto,
            "averages": self._averages,
            "busy_ns": self._busy_ns,
            "dead": self._dead,
            "last": None if math.isnan(self._last) else self._last,
            "lowpass": self._lowpass,
            "range": self._range,
            "scpi": self._scpi.plain(),
            "unit": self._unit,
            "wavelength": self._wavelength,
            "zero": self._zero,
            "zero_ns": self._zero_ns,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave."""
        self._auto = state["auto"]
        self._averages = state["averages"]
        self._busy_ns = state["busy_ns"]
        self._dead = state["dead"]
        self._last = math.nan if state["last"] is None else state["last"]
        self._lowpass = state["lowpass"]
        self._range = state["range"]
        self._scpi.take(state["scpi"])
        self._unit = state["unit"]
        self._wavelength = state["wavelength"]
        self._zero = state["zero"]
        self._zero_ns = state["zero_ns"]


def _within(words: list[str], low: float, high: float) -> float:
    """Return the one parameter as a number from `low` to `high`; MIN and MAX are understood."""
    word = one(words).upper()
    if word in ("MIN", "MINIMUM"):
        return low
    if word in ("MAX", "MAXIMUM"):
        return high
    value = number(word)
    if not low <= value <= high:
        raise ScpiError(-222)
    return value


def _extreme(words: list[str], value: float, low: float, high: float) -> float:
    """Return `value`, or a limit when the query asks for MIN or MAX."""
    return _within(words, low, high) if words else value


_TREE: Final = grammar(PM100D._TABLE)
