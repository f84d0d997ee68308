"""A Lake Shore 336 temperature controller: four inputs, heater outputs 1 and 2.

Source: Lake Shore Model 336 manual, revision 2.3, section 6.6. Input A is the bath and output 1
heats it, through the link `temperature(now_ns)`, `drive(on, setpoint, now_ns)`; the other inputs
see the room. Commands answer nothing: a wrong one shows in `*ESR?`. Must never answer one.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Protocol

from sim.port import Reply, Spec

LATENCY_NS: Final = 10_000_000  # guess
BYTE_NS: Final = 173_612  # ten bits at 57600 baud
LINE_MAX: Final = 255  # bytes of an unfinished message that are kept
KELVIN: Final = 273.15
ROOM: Final = 295.15  # K, what is not linked
OHMS: Final = (100.0, 0.00385)  # every sensor is a Pt100: ohm at 0 degC, 1/K
FULL_POWER_K: Final = 2.0  # guess: control deviation at which the heater gives 100 %
INPUTS: Final = "ABCD"
NAME_MAX: Final = 15  # letters of an input's name
PON, CME, EXE, OPC = 128, 32, 16, 1  # bits of the event status register
DEAD: Final = 1  # RDGST? bit: invalid reading
# settings kept for each output -> (low, high, default, format) of every number
OUTPUTS: Final[Mapping[str, tuple[tuple[float, float, float, str], ...]]] = {
    "SETP": ((0.0, 1505.0, ROOM, "+09.4f"),),
    "RANGE": ((0, 3, 0, ".0f"),),
    "RAMP": ((0, 1, 0, ".0f"), (0.0, 100.0, 0.0, "+06.1f")),  # on, K/min; 0: at once
    "PID": ((0.1, 1000.0, 50.0, "+06.1f"), (0.0, 1000.0, 20.0, "+06.1f"),
            (0.0, 200.0, 0.0, "+06.1f")),
    "OUTMODE": ((0, 5, 1, ".0f"), (0, 8, 1, ".0f"), (0, 1, 0, ".0f")),
    "MOUT": ((-100.0, 100.0, 0.0, "+09.4f"),),
    "HTRSET": ((1, 2, 1, ".0f"), (0, 4, 2, ".0f"), (0.0, 2.0, 0.0, "+06.3f"), (1, 2, 1, ".0f")),
}  # fmt: skip
ANALOG: Final = ("RANGE",)  # outputs 3 and 4 are either off or on
CLOSED_LOOP: Final = 1
IDLE: Final = 0


class HeatLink(Protocol):
    """What the controller does to the world and sees of it."""

    def temperature(self, now_ns: int, /) -> float:
        """Return the bath temperature in degC."""

    def drive(self, on: bool, setpoint: float, now_ns: int, /) -> None:
        """Control the bath to `setpoint` (degC), or let it go."""


class _Bad(Exception):
    """The event bit of a command that is refused."""


class Lakeshore336:
    """One controller. `link`: a HeatLink or None (every input at room temperature)."""

    def __init__(self, spec: Spec, link: HeatLink | None) -> None:
        self._link = link
        self._serial = spec.serial or "LSA21YG/#######"
        self._buffer = b""
        self._masks = {"*ESE": 0, "*SRE": 0}
        self._dead = False
        self._defaults()
        self._events = PON
        self._told: tuple[bool, float] = (False, 0.0)  # what the bath was told last

    def _defaults(self) -> None:
        self._values = {
            f"{name} {output}": [default for _, _, default, _ in numbers]
            for name, numbers in OUTPUTS.items()
            for output in range(1, 5)
        }
        self._names = {letter: f"Input {letter}" for letter in INPUTS}
        self._mode = 1  # remote
        self._ramp = [ROOM, 0]  # setpoint in force when the ramp began (K), and that time (ns)
        self._events = 0

    # --- the wire -------------------------------------------------------------------------

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; CR or LF ends a message, whose answers come in one line."""
        lines = (self._buffer + data).replace(b"\r", b"\n").split(b"\n")
        self._buffer = lines.pop()[: LINE_MAX + 1]
        out: list[Reply] = []
        for line in lines:
            if len(line) > LINE_MAX:
                self._events |= CME
                continue
            parts = line.decode("latin-1").split(";")
            answers = [text for part in parts if (text := self._command(part, now_ns))]
            self._drive(now_ns)
            if answers:
                reply = ";".join(answers).encode("ascii", "replace") + b"\r\n"
                out.append((now_ns + LATENCY_NS + BYTE_NS * len(reply), reply))
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return nothing: the controller never speaks unasked."""
        return []

    def next_ns(self) -> int | None:
        """Return None: the controller never speaks unasked."""
        return None

    def _command(self, part: str, now_ns: int) -> str:
        """Carry out one command; return the answer, "" for none."""
        text = part.strip().lstrip(":")
        if not text:
            return ""
        mark = text.find("?")
        cut = mark + 1 if mark >= 0 else len(text.split(" ", 1)[0])
        name, rest = text[:cut].strip().upper(), text[cut:].strip()
        words = [word.strip() for word in rest.split(",")] if rest else []
        try:
            if name.rstrip("?") in OUTPUTS:
                return self._output(name, words, now_ns)
            command = self._COMMANDS.get(name)
            if command is None:
                raise _Bad(CME)
            return command(self, words, now_ns) or ""
        except _Bad as bad:
            self._events |= bad.args[0]
            return ""

    # --- outputs --------------------------------------------------------------------------

    def _output(self, name: str, words: list[str], now_ns: int) -> str:
        """Set or report what is kept for each output; the first parameter is its number."""
        bare = name.rstrip("?")
        output = _whole(words[:1], 1, 4)
        key, numbers = f"{bare} {output}", OUTPUTS[bare]
        if name != bare:
            if len(words) != 1:
                raise _Bad(CME)
            told = zip(self._values[key], numbers, strict=True)
            return ",".join(format(value, style) for value, (*_, style) in told)
        if len(words) != 1 + len(numbers):
            raise _Bad(CME)
        values = [_number(word) for word in words[1:]]
        for value, (low, high, _, style) in zip(values, numbers, strict=True):
            top = 1 if bare in ANALOG and output > 2 else high
            if not low <= value <= top or (style == ".0f" and value != int(value)):
                raise _Bad(EXE)
        if output == 1 and bare in ("SETP", "RAMP"):
            self._ramp = [self._wanted(now_ns), now_ns]
        self._values[key] = values
        return ""

    def _wanted(self, now_ns: int) -> float:
        """Return the setpoint in force on output 1 (K): on its way while a ramp runs."""
        target = self._values["SETP 1"][0]
        on, rate = self._values["RAMP 1"]
        if not on or not rate:
            return target
        way = rate * (now_ns - self._ramp[1]) / 60e9
        start = self._ramp[0]
        return min(start + way, target) if target > start else max(start - way, target)

    def _loop(self) -> bool:
        """Tell whether output 1 controls the bath."""
        return bool(self._values["RANGE 1"][0]) and self._values["OUTMODE 1"][0] == CLOSED_LOOP

    def settle(self, now_ns: int) -> None:
        """Let the bath follow the ramp."""
        if self._values["RAMP 1"][0]:
            self._drive(now_ns)

    def _drive(self, now_ns: int) -> None:
        on = self._loop() and not self._dead
        wanted = (on, self._wanted(now_ns) - KELVIN if on else 0.0)
        if wanted != self._told:
            self._told = wanted
            if self._link is not None:
                self._link.drive(*wanted, now_ns)

    def _heater(self, words: list[str], now_ns: int) -> str:
        output = _whole(words, 1, 2)
        power = 0.0
        if output == 1 and self._loop() and not self._dead:
            missing = self._wanted(now_ns) - self._kelvin("A", now_ns)
            power = min(max(missing / FULL_POWER_K, 0.0), 1.0) * 100.0
        return f"{power:+06.1f}"

    def _ramping(self, words: list[str], now_ns: int) -> str:
        output = _whole(words, 1, 4)
        moving = output == 1 and self._wanted(now_ns) != self._values["SETP 1"][0]
        return str(int(moving))

    def _all_off(self, words: list[str], now_ns: int) -> None:
        for output in range(1, 5):
            self._values[f"RANGE {output}"] = [0.0]

    # --- inputs ---------------------------------------------------------------------------

    def _kelvin(self, letter: str, now_ns: int) -> float:
        if letter != "A" or self._link is None:
            return ROOM
        return self._link.temperature(now_ns) + KELVIN

    def _read(self, words: list[str], now_ns: int, kind: str) -> str:
        """Answer one input, or all four for 0."""
        if words == ["0"] and kind != "status":
            return ",".join(self._read([letter], now_ns, kind) for letter in INPUTS)
        letter = _input(words)
        broken = self._dead and letter == "A"
        if kind == "status":
            return f"{DEAD * broken:03d}"
        kelvin = 0.0 if broken else self._kelvin(letter, now_ns)
        celsius = kelvin - KELVIN
        shown = {
            "K": kelvin, "C": celsius, "S": 0.0 if broken else OHMS[0] * (1 + OHMS[1] * celsius),
        }  # fmt: skip
        return f"{shown[kind]:+.4f}"

    def _rename(self, words: list[str], now_ns: int) -> None:
        if len(words) != 2:
            raise _Bad(CME)
        self._names[_input(words[:1])] = words[1].strip('"')[:NAME_MAX]

    # --- common commands --------------------------------------------------------------------

    def _esr(self, words: list[str], now_ns: int) -> str:
        events, self._events = self._events, 0
        return f"{events:03d}"

    def _clear(self, words: list[str], now_ns: int) -> None:
        self._events = 0

    def _reset(self, words: list[str], now_ns: int) -> None:
        self._defaults()

    def _done(self, words: list[str], now_ns: int) -> None:
        self._events |= OPC

    def _mask(self, words: list[str], now_ns: int, name: str) -> None:
        self._masks[name] = _whole(words, 0, 255)

    def _set_mode(self, words: list[str], now_ns: int) -> None:
        self._mode = _whole(words, 0, 2)

    def _stb(self, words: list[str], now_ns: int) -> str:
        return f"{32 * bool(self._events & self._masks['*ESE']):03d}"

    _COMMANDS: ClassVar[Mapping[str, Callable[["Lakeshore336", list[str], int], str | None]]] = {
        "*IDN?": lambda unit, words, now_ns: f"LSCI,MODEL336,{unit._serial},2.9",
        "*ESR?": _esr,
        "*ESE": lambda unit, words, now_ns: unit._mask(words, now_ns, "*ESE"),
        "*ESE?": lambda unit, words, now_ns: f"{unit._masks['*ESE']:03d}",
        "*SRE": lambda unit, words, now_ns: unit._mask(words, now_ns, "*SRE"),
        "*SRE?": lambda unit, words, now_ns: f"{unit._masks['*SRE']:03d}",
        "*STB?": _stb,
        "*OPC": _done,
        "*OPC?": lambda unit, words, now_ns: "1",
        "*TST?": lambda unit, words, now_ns: "0",
        "*WAI": lambda unit, words, now_ns: None,
        "*CLS": _clear,
        "*RST": _reset,
        "KRDG?": lambda unit, words, now_ns: unit._read(words, now_ns, "K"),
        "CRDG?": lambda unit, words, now_ns: unit._read(words, now_ns, "C"),
        "SRDG?": lambda unit, words, now_ns: unit._read(words, now_ns, "S"),
        "RDGST?": lambda unit, words, now_ns: unit._read(words, now_ns, "status"),
        "TEMP?": lambda unit, words, now_ns: f"{ROOM:+.4f}",
        "HTR?": _heater,
        "HTRST?": lambda unit, words, now_ns: str(IDLE * _whole(words, 1, 2)),
        "RAMPST?": _ramping,
        "ALLOFF": _all_off,
        "INNAME": _rename,
        "INNAME?": lambda unit, words, now_ns: f"{unit._names[_input(words)]:<{NAME_MAX}}",
        "MODE": _set_mode,
        "MODE?": lambda unit, words, now_ns: str(unit._mode),
    }

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Lose the sensor of input A until the next power-on; the loop lets the bath go."""
        self._dead = True
        self._drive(now_ns)
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Come back with the heaters off, unless OUTMODE keeps them; settings are kept."""
        self._buffer = b""
        self._events, self._dead = PON, False
        for output in range(1, 5):
            if not self._values[f"OUTMODE {output}"][2]:
                self._values[f"RANGE {output}"] = [0.0]
        self._ramp = [self._values["SETP 1"][0], now_ns]
        self._drive(now_ns)

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "buffer": self._buffer.decode("latin-1"),
            "dead": self._dead,
            "events": self._events,
            "masks": dict(self._masks),
            "mode": self._mode,
            "names": dict(self._names),
            "ramp": list(self._ramp),
            "told": list(self._told),
            "values": {key: list(values) for key, values in self._values.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave; the world restores its own half."""
        self._buffer = state["buffer"].encode("latin-1")
        self._dead = state["dead"]
        self._events = state["events"]
        self._masks = dict(state["masks"])
        self._mode = state["mode"]
        self._names = dict(state["names"])
        self._ramp = list(state["ramp"])
        self._told = (state["told"][0], float(state["told"][1]))
        self._values = {key: list(values) for key, values in state["values"].items()}


def _number(text: str) -> float:
    """Return a decimal number, with or without an exponent; the wrong text is a command error."""
    try:
        value = float(text)
    except ValueError:
        raise _Bad(CME) from None
    if not -1e9 < value < 1e9:
        raise _Bad(EXE)
    return value


def _whole(words: list[str], low: int, high: int) -> int:
    """Return the only parameter as a whole number within limits."""
    if len(words) != 1:
        raise _Bad(CME)
    value = _number(words[0])
    if value != int(value) or not low <= value <= high:
        raise _Bad(EXE)
    return int(value)


def _input(words: list[str]) -> str:
    """Return the input that the only parameter names."""
    if len(words) != 1 or len(words[0]) != 1:
        raise _Bad(CME)
    if words[0].upper() not in INPUTS:
        raise _Bad(EXE)
    return words[0].upper()
