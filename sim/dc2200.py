"""A Thorlabs DC2200 LED driver.

Source: DC2200 manual 1.8, section 4.3.2, as used by Thorlabs' own examples; the header
`CCURENT` is the instrument's spelling. Drives the light through the link `current(amps, now_ns)`.
Must never light anything while its output is off.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Protocol

from sim.port import Reply, Spec
from sim.scpi import Scpi, ScpiError, grammar, number, one

LATENCY_NS: Final = 2_000_000  # guess: USB transfer and command parsing
MODES: Final = ("CC", "PWM", "PULS", "IMOD", "CB", "TTL")  # guess: order of the numbers 1..6
AMPS: Final = 10.0  # largest current of terminal 2
LIMIT: Final = 1.2  # A, guess: what the connected LED reports
RANGES: Final[Mapping[str, tuple[float, float]]] = {
    # setting -> low, high; a current's high end is the limit
    "current": (0.0, AMPS), "brightness": (0.0, 100.0), "pwm": (0.0, AMPS),
    "frequency": (0.1, 20_000.0), "duty": (0.0, 100.0), "count": (0, 1000),
    "pulse": (0.0, 100.0), "ontime": (1e-4, 100.0), "offtime": (1e-4, 100.0),
    "pulses": (0, 1000), "ttl": (0.0, AMPS), "limit": (0.0, AMPS),
}  # fmt: skip
LIMITED: Final = ("current", "pwm", "ttl")


class LightLink(Protocol):
    """What the driver does to the world."""

    def current(self, amps: float, now_ns: int, /) -> None:
        """Drive the LED with `amps` from now on."""


class DC2200:
    """One driver. Option: `limit` (A). `link`: a LightLink or None."""

    def __init__(self, spec: Spec, link: LightLink | None) -> None:
        self._link = link
        self._limit = float(spec.options.get("limit", LIMIT))
        serial = spec.serial or "M00960538"
        self._scpi = Scpi(_TREE, f"Thorlabs,DC2200,{serial},1.8.0", zero="+0", reset=self._defaults)
        self._lit = 0.0  # what the world was told
        self._open: bool = False  # the LED is broken
        self._defaults()

    def _defaults(self) -> None:
        self._on = False
        self._mode = "CC"
        self._terminal = 1
        self._values = {
            "current": 0.0, "brightness": 0.0, "pwm": 0.0, "frequency": 1000.0, "duty": 50.0,
            "count": 0.0, "pulse": 0.0, "ontime": 0.01, "offtime": 0.01, "pulses": 1.0,
            "ttl": 0.0, "limit": self._limit,
        }  # fmt: skip

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; every message that asks something gives one answer line."""
        out: list[Reply] = []
        for message in self._scpi.messages(data):
            if message.endswith(" ") and message.rstrip(" ").count(" "):
                self._scpi.error(-224)  # a blank after the parameter is not forgiven
                continue
            text = self._scpi.answer(message, self._execute)
            self._shine(now_ns)
            if text:
                out.append((now_ns + LATENCY_NS, text.encode() + b"\n"))
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return nothing: the driver never speaks unasked."""
        return []

    def next_ns(self) -> int | None:
        """Return None: the driver never speaks unasked."""
        return None

    def _execute(self, name: str, words: list[str]) -> str | None:
        setting = self._SETTINGS.get(name.rstrip("?"))
        if setting is None:
            return self._TABLE[name](self, words)
        if name.endswith("?"):
            return f"{self._values[setting]:.6E}"
        low, high = RANGES[setting]
        value = number(one(words))
        if not low <= value <= (self._values["limit"] if setting in LIMITED else high):
            raise ScpiError(-222)
        self._values[setting] = value
        return None

    def _amps(self) -> float:
        """Return the mean current through the LED."""
        if not self._on or self._open:
            return 0.0
        values = self._values
        share = {
            "CC": values["current"],
            "CB": values["brightness"] / 100.0 * values["limit"],
            "PWM": values["pwm"] * values["duty"] / 100.0,
            "PULS": values["pulse"] / 100.0 * values["limit"] * values["ontime"]
            / (values["ontime"] + values["offtime"]),
        }  # fmt: skip
        return min(share.get(self._mode, 0.0), values["limit"])

    def _shine(self, now_ns: int) -> None:
        amps = self._amps()
        if amps != self._lit:
            self._lit = amps
            if self._link is not None:
                self._link.current(amps, now_ns)

    def _set_output(self, words: list[str]) -> None:
        word = one(words).upper()
        if word not in ("ON", "OFF", "1", "0"):
            raise ScpiError(-224)
        on = word in ("ON", "1")
        if on and self._open:
            raise ScpiError(-240)
        self._on = on

    def _set_mode(self, words: list[str]) -> None:
        word = one(words).upper()
        if word.isdecimal() and 1 <= int(word[:2]) <= len(MODES):
            self._mode = MODES[int(word[:2]) - 1]
        elif word in MODES:
            self._mode = word
        else:
            raise ScpiError(-224)

    def _set_terminal(self, words: list[str]) -> None:
        word = one(words)
        if word not in ("1", "2"):
            raise ScpiError(-224)
        if self._on:
            raise ScpiError(-221)
        self._terminal = int(word)

    _SETTINGS: ClassVar[Mapping[str, str]] = {
        "SOURce1:CCURent:CURRent": "current",
        "SOURce1:CBRightness:BRIGhtness": "brightness",
        "SOURce1:PWM:CURRent": "pwm",
        "SOURce1:PWM:FREQuency": "frequency",
        "SOURce1:PWM:DCYCle": "duty",
        "SOURce1:PWM:COUNt": "count",
        "SOURce1:PULSe:BRIGhtness[:LEVel][:AMPLitude]": "pulse",
        "SOURce1:PULSe:ONTime": "ontime",
        "SOURce1:PULSe:OFFTime": "offtime",
        "SOURce1:PULSe:COUNt": "pulses",
        "SOURce1:TTL:CURRent": "ttl",
        "SOURce1:CURRent:LIMit[:AMPLitude]": "limit",
    }
    _TABLE: ClassVar[Mapping[str, Callable[["DC2200", list[str]], str | None]]] = {
        "OUTPut1[:STATe]": _set_output,
        "OUTPut1[:STATe]?": lambda driver, words: str(int(driver._on)),
        "OUTPut1:TERMinal": _set_terminal,
        "OUTPut1:TERMinal?": lambda driver, words: str(driver._terminal),
        "SOURce1:MODE": _set_mode,
        "SOURce1:MODE?": lambda driver, words: driver._mode,
        "SENSe3:CURRent[:DATA]?": lambda driver, words: f"{driver._amps():.6E}",
        "STATus:QUEStionable:CONDition?": lambda driver, words: str(int(driver._open)),
    }

    def fail(self, now_ns: int, argument: float) -> bool:
        """Break the LED: the output goes off and will not come on until the next power-on."""
        self._open = True
        self._on = False
        self._scpi.error(-240)
        self._shine(now_ns)
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Come back with the output off (the settings are kept: guess)."""
        self._scpi.wake()
        self._on = False
        self._open = False
        self._shine(now_ns)

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "lit": self._lit,
            "mode": self._mode,
            "on": self._on,
            "open": self._open,
            "scpi": self._scpi.plain(),
            "terminal": self._terminal,
            "values": dict(self._values),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave; the world restores its own half."""
        self._lit = state["lit"]
        self._mode = state["mode"]
        self._on = state["on"]
        self._open = state["open"]
        self._scpi.take(state["scpi"])
        self._terminal = state["terminal"]
        self._values = dict(state["values"])


_TREE: Final = grammar(
    [*DC2200._TABLE, *DC2200._SETTINGS, *(f"{name}?" for name in DC2200._SETTINGS)]
)
