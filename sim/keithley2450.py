"""A Keithley 2450 source measure unit in its own SCPI command set.

Source: Keithley 2450 reference manual 2450-901-01, chapter 6. What is connected is seen through
the link `circuit(now_ns)`: a voltage behind a resistance. Must never source while its output is
off.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Protocol

from sim.keithley import NOTHING, TOO_MUCH, Dialect, Traces, unquoted
from sim.keithley2450_settings import NODES, SETTINGS
from sim.port import Reply, Spec
from sim.scpi import ScpiError, boolean, grammar, number, one

LATENCY_NS: Final = 1_500_000  # guess: LAN and command parsing
LINE_HZ: Final = 50.0
SETTLE_NS: Final = 2_000_000  # guess: source and input settle before a reading
OPEN: Final = (0.0, 1e9)  # V and ohm of terminals with nothing on them
READINGS_MAX: Final = 1_000  # readings of one command that are made up; the rest is not kept
POINTS_MAX: Final = 10_000  # of a sweep or loop
FUNCTIONS: Final[Mapping[str, str]] = {"VOLT": "VOLT:DC", "CURR": "CURR:DC", "RES": "RES"}
UNITS: Final[Mapping[str, str]] = {"VOLT": "Volt DC", "CURR": "Amp DC", "RES": "Ohm"}


class CircuitLink(Protocol):
    """What is connected to the terminals."""

    def circuit(self, now_ns: int, /) -> tuple[float, float]:
        """Return its open-circuit voltage in V and its series resistance in ohm."""


class Keithley2450:
    """One source measure unit. `link`: a CircuitLink or None (open terminals)."""

    def __init__(self, spec: Spec, link: CircuitLink | None) -> None:
        self._link = link
        serial = spec.serial or "04096331"
        self._scpi: Dialect = Dialect(
            _TREE,
            f"KEITHLEY INSTRUMENTS,MODEL 2450,{serial},1.6.7c",
            reset=self._defaults,
            wait=self._wait,
        )
        self._traces = Traces()
        self._hold_ns = 0  # until when the next command waits
        self._lost: bool = False
        self._defaults()

    def _defaults(self) -> None:
        self._values = {key: setting.default for key, setting in SETTINGS.values()}
        self._on = False
        self._source = "VOLT"
        self._sense = "CURR"
        self._terminals = "FRON"
        self._tripped = False
        self._levels: list[float] = []  # of the loaded sweep or loop
        self._pause_ns = 0  # between its points
        self._begun_ns: int | None = None  # when it was started
        self._done = 0  # points of it that are measured
        self._traces.clear()

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; every message that asks something gives one answer line."""
        out: list[Reply] = []
        for message in self._scpi.messages(data):
            self.settle(now_ns)
            text = self._scpi.answer(
                message, lambda name, words: self._execute(name, words, now_ns)
            )
            if text:
                out.append((max(now_ns, self._hold_ns) + LATENCY_NS, text.encode() + b"\n"))
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return nothing: the instrument never speaks unasked."""
        return []

    def next_ns(self) -> int | None:
        """Return None: the instrument never speaks unasked."""
        return None

    def _execute(self, name: str, words: list[str], now_ns: int) -> str | None:
        self._hold_ns = max(now_ns, self._hold_ns)
        self._catch_up(self._hold_ns, now_ns)
        trace = Traces.COMMANDS.get(name)
        if trace is not None:
            return trace(self._traces, words)
        found = SETTINGS.get(name.removesuffix("?"))
        if found is None:
            return self._TABLE[name](self, words, now_ns)
        key, setting = found
        if name.endswith("?"):
            return setting.told(self._values[key], words)
        self._values[key] = setting.parsed(words)
        if key.endswith(" range"):
            self._values[key.replace("range", "auto")] = 0.0
        return None

    # --- measuring ------------------------------------------------------------------------

    def _number(self, key: str) -> float:
        return float(self._values[key])

    def _state(self, now_ns: int) -> tuple[float, float]:
        """Return volts and amperes at the terminals, the source's limit kept."""
        if not self._on or self._lost:
            self._tripped = False
            return 0.0, 0.0
        behind, ohms = self._link.circuit(now_ns) if self._link is not None else OPEN
        if self._source == "VOLT":
            volts = self._number("VOLT level")
            limit = self._number("ilimit")
            free = (volts - behind) / ohms
            amps = min(max(free, -limit), limit)
            self._tripped = amps != free
            return (behind + amps * ohms if self._tripped else volts), amps
        amps = self._number("CURR level")
        limit = self._number("vlimit")
        free = behind + amps * ohms
        volts = min(max(free, -limit), limit)
        self._tripped = volts != free
        return volts, (volts - behind) / ohms

    def _reading(self, now_ns: int, at_ns: int) -> list[Any]:
        """Take one reading of the sense function; without output there is none (guess)."""
        volts, amps = self._state(now_ns)
        source = volts if self._source == "VOLT" else amps
        if not self._on:
            value = NOTHING
        elif self._sense == "RES":
            value = volts / amps if amps else TOO_MUCH
        else:
            value = volts if self._sense == "VOLT" else amps
        return [value, source, at_ns, 0, UNITS[self._sense]]

    def _lasts(self) -> int:
        """Return how long one reading takes (ns)."""
        share = self._number(f"{self._sense} nplc") / LINE_HZ
        means = self._number(f"{self._sense} means") if self._number(f"{self._sense} mean") else 1
        return round(share * means * 1e9) + SETTLE_NS

    def _read(self, words: list[str], now_ns: int) -> str:
        """Measure, keep the readings, and answer the last one."""
        name = self._traces.named(words[:1])
        count = int(self._number("count"))
        begin_ns, lasts = self._hold_ns, self._lasts()
        self._hold_ns = begin_ns + count * lasts
        row: list[Any] = []
        for place in range(max(0, count - READINGS_MAX), count):
            row = self._reading(now_ns, begin_ns + (place + 1) * lasts)
            self._traces.add(row, name)
        return self._traces.told(name, row, words[1:])

    def _measure(self, words: list[str], now_ns: int, function: str) -> str:
        self._sense = function
        return self._read(words, now_ns)

    def _fetch(self, words: list[str], now_ns: int) -> str:
        name = self._traces.named(words[:1])
        count = int(Traces.COMMANDS["TRACe:ACTual[:END]?"](self._traces, [name]) or 0)
        if not count:
            raise ScpiError(-230)
        asked = [str(count), str(count), name, *words[1:]]
        return Traces.COMMANDS["TRACe:DATA?"](self._traces, asked) or ""

    # --- sweeps and loops -------------------------------------------------------------------

    def _wait(self) -> None:
        if self._begun_ns is not None:
            left = len(self._levels) * self._point_ns()
            self._hold_ns = max(self._hold_ns, self._begun_ns + left)

    def _point_ns(self) -> int:
        return self._lasts() + self._pause_ns

    def settle(self, now_ns: int) -> None:
        """Measure the points of a running sweep or loop that are due."""
        self._catch_up(now_ns, now_ns)

    def _catch_up(self, until_ns: int, now_ns: int) -> None:
        """Measure what is due by `until_ns`; what waits sees the world as it is now."""
        if self._begun_ns is None:
            return
        due = (until_ns - self._begun_ns) // self._point_ns()
        for place in range(self._done, min(due, len(self._levels))):
            if self._levels[place] == self._levels[place]:
                self._values[f"{self._source} level"] = self._levels[place]
            at_ns = self._begun_ns + (place + 1) * self._point_ns()
            self._traces.add(self._reading(now_ns, at_ns))
        self._done = min(due, len(self._levels))
        if self._done == len(self._levels):
            self._begun_ns = None

    def _initiate(self, words: list[str], now_ns: int) -> None:
        if self._begun_ns is not None:
            raise ScpiError(-221)
        if self._levels:
            self._begun_ns, self._done = self._hold_ns, 0

    def _abort(self, words: list[str], now_ns: int) -> None:
        self._begun_ns = None

    def _load(self, words: list[str], now_ns: int) -> None:
        """TRIGger:LOAD "SimpleLoop", points, delay: readings at the present level."""
        named = unquoted(words)
        if named[:1] != ["SimpleLoop"] or not 2 <= len(words) <= 4:
            raise ScpiError(-224)
        self._plan([float("nan")] * _points(words[1]), words[2:3])

    def _sweep(self, words: list[str], now_ns: int, function: str) -> None:
        """Plan a straight sweep: start, stop, points, delay; the rest is not looked at."""
        if len(words) < 3:
            raise ScpiError(-109)
        first, last, points = number(words[0]), number(words[1]), _points(words[2])
        if max(abs(first), abs(last)) > NODES[function][1] or points < 2:
            raise ScpiError(-222)
        self._source = function
        step = (last - first) / (points - 1)
        self._plan([first + step * place for place in range(points)], words[3:4])

    def _plan(self, levels: list[float], delay: list[str]) -> None:
        pause = number(delay[0]) if delay else 0.0
        if not -1.0 <= pause <= 10_000.0:
            raise ScpiError(-222)
        if self._begun_ns is not None:
            raise ScpiError(-221)
        self._levels, self._pause_ns = levels, round(max(pause, 0.0) * 1e9)

    # --- source, output, terminals ------------------------------------------------------------

    def _set_output(self, words: list[str], now_ns: int) -> None:
        self._on = boolean(words)

    def _set_source(self, words: list[str], now_ns: int) -> None:
        """Choose what is sourced; the output goes off when that changes."""
        function = _function(words)
        if function == "RES":
            raise ScpiError(-224)
        self._on = self._on and function == self._source
        self._source = function

    def _set_sense(self, words: list[str], now_ns: int) -> None:
        self._sense = _function(words)

    def _set_terminals(self, words: list[str], now_ns: int) -> None:
        """Choose the terminals; the output goes off."""
        word = one(words).upper()
        if word not in ("FRON", "FRONT", "REAR"):
            raise ScpiError(-224)
        self._terminals, self._on = word[:4], False

    def _trip(self, words: list[str], now_ns: int, source: str) -> str:
        self._state(now_ns)
        return str(int(self._tripped and self._source == source))

    def _language(self, words: list[str], now_ns: int) -> None:
        if one(unquoted(words)).upper() != "SCPI":
            raise ScpiError(-224)

    def _ignore(self, words: list[str], now_ns: int) -> None:
        """Accept what has no effect here: lights, sounds, status masks."""

    def _forget(self, words: list[str], now_ns: int) -> None:
        self._scpi.forget()

    _TABLE: ClassVar[Mapping[str, Callable[["Keithley2450", list[str], int], str | None]]] = {
        "*LANG": _language,
        "*LANG?": lambda unit, words, now_ns: "SCPI",
        "*TRG": _ignore,
        "READ?": _read,
        "MEASure?": _read,
        "MEASure:VOLTage[:DC]?": lambda unit, words, now_ns: unit._measure(words, now_ns, "VOLT"),
        "MEASure:CURRent[:DC]?": lambda unit, words, now_ns: unit._measure(words, now_ns, "CURR"),
        "MEASure:RESistance?": lambda unit, words, now_ns: unit._measure(words, now_ns, "RES"),
        "FETCh?": _fetch,
        "INITiate[:IMMediate]": _initiate,
        "ABORt": _abort,
        "TRIGger:LOAD": _load,
        "TRIGger:STATe?": lambda unit, words, now_ns: (
            "IDLE;IDLE;0" if unit._begun_ns is None else "RUNNING;RUNNING;1"
        ),
        "SOURce1:SWEep:VOLTage:LINear": lambda unit, words, now_ns: unit._sweep(
            words, now_ns, "VOLT"
        ),
        "SOURce1:SWEep:CURRent:LINear": lambda unit, words, now_ns: unit._sweep(
            words, now_ns, "CURR"
        ),
        "OUTPut1[:STATe]": _set_output,
        "OUTPut1[:STATe]?": lambda unit, words, now_ns: str(int(unit._on)),
        "SOURce1:FUNCtion[:MODE]": _set_source,
        "SOURce1:FUNCtion[:MODE]?": lambda unit, words, now_ns: unit._source,
        "SOURce1:VOLTage:ILIMit[:LEVel]:TRIPped?": lambda unit, words, now_ns: unit._trip(
            words, now_ns, "VOLT"
        ),
        "SOURce1:CURRent:VLIMit[:LEVel]:TRIPped?": lambda unit, words, now_ns: unit._trip(
            words, now_ns, "CURR"
        ),
        "[SENSe1]:FUNCtion[:ON]": _set_sense,
        "[SENSe1]:FUNCtion[:ON]?": lambda unit, words, now_ns: f'"{FUNCTIONS[unit._sense]}"',
        "[SENSe1]:AZERo:ONCE": _ignore,
        "ROUTe:TERMinals": _set_terminals,
        "ROUTe:TERMinals?": lambda unit, words, now_ns: unit._terminals,
        "SYSTem:BEEPer[:IMMediate]": _ignore,
        "SYSTem:CLEar": _forget,
        "SYSTem:ERRor:COUNt?": lambda unit, words, now_ns: str(unit._scpi.pending),
        "SYSTem:LFRequency?": lambda unit, words, now_ns: f"{LINE_HZ:.0f}",
        "DISPlay:SCReen": _ignore,
        "DISPlay:CLEar": _ignore,
        "STATus:PRESet": _ignore,
        "STATus:CLEar": _ignore,
    }

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Lose the connection to the sample until the next power-on: nothing is sourced."""
        self._lost = True
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Come back with the output off, defaults for everything, and empty buffers."""
        self._scpi.wake()
        self._defaults()
        self._hold_ns = 0
        self._lost = False

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        defaults = {key: setting.default for key, setting in SETTINGS.values()}
        return {
            "begun_ns": self._begun_ns,
            "done": self._done,
            "hold_ns": self._hold_ns,
            "levels": [None if level != level else level for level in self._levels],
            "lost": self._lost,
            "on": self._on,
            "pause_ns": self._pause_ns,
            "scpi": self._scpi.plain(),
            "sense": self._sense,
            "source": self._source,
            "terminals": self._terminals,
            "traces": self._traces.plain(),
            "tripped": self._tripped,
            "values": {k: v for k, v in self._values.items() if v != defaults[k]},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave."""
        self._defaults()
        self._begun_ns = state["begun_ns"]
        self._done = state["done"]
        self._hold_ns = state["hold_ns"]
        self._levels = [float("nan") if level is None else level for level in state["levels"]]
        self._lost = state["lost"]
        self._on = state["on"]
        self._pause_ns = state["pause_ns"]
        self._scpi.take(state["scpi"])
        self._sense = state["sense"]
        self._source = state["source"]
        self._terminals = state["terminals"]
        self._traces.take(state["traces"])
        self._tripped = state["tripped"]
        self._values |= state["values"]


def _function(words: list[str]) -> str:
    """Return the function that a quoted or bare name means."""
    word = one(unquoted(words)).upper().removesuffix(":DC")
    short = {"VOLTAGE": "VOLT", "CURRENT": "CURR", "RESISTANCE": "RES"}.get(word, word)
    if short not in FUNCTIONS:
        raise ScpiError(-224)
    return short


def _points(word: str) -> int:
    """Return the number of points of a sweep or loop."""
    value = number(word)
    if not 1 <= value <= POINTS_MAX:
        raise ScpiError(-222)
    return int(value)


_TREE: Final = grammar(
    [*Keithley2450._TABLE, *Traces.COMMANDS, *SETTINGS, *(f"{name}?" for name in SETTINGS)]
)
