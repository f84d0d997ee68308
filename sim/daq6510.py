"""A Keithley DAQ6510 with a 7700 multiplexer card in slot 1, in its SCPI command set.

Source: Keithley DAQ6510 reference manual DAQ6510-901-01, chapter 12. Voltages and resistances at
the channels come through the link `signal(channel, now_ns)`. A scan runs by itself: its readings
appear one after the other. Must never know what a sensor measures.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Protocol

from sim.daq6510_settings import (
    DEFAULTS,
    FRONT,
    FUNCTIONS,
    LIST_MAX,
    LONG,
    SETTINGS,
    channel_list,
    told,
)
from sim.keithley import DEFAULT, TOO_MUCH, Dialect, Traces, unquoted
from sim.port import Reply, Spec
from sim.scpi import ScpiError, boolean, grammar, number, one

LATENCY_NS: Final = 1_500_000  # guess: LAN and command parsing
LINE_HZ: Final = 50.0
RELAY_NS: Final = 5_000_000  # a relay of the 7700 card settles in 4 to 5 ms
READING_NS: Final = 1_000_000  # guess: what a reading takes beside its line cycles
OVER: Final = 1.2  # a range can be exceeded by this factor
LOOK_MAX: Final = 20_000  # readings of a scan that are made up at one look
LINES: Final = range(1, 7)  # digital inputs and outputs
QUIET: Final[Mapping[int, float]] = {
    # without a world, V or ohm: 101 pressure 0.5..4.5 V at zero, 103 conductivity of a rinse,
    # 104 humidity 40 % of 1 V, 105 Pt100 at 22 degC; everything else, the bubble sensor on 102
    # among it, is at 0 V
    101: 0.5, 103: 0.05, 104: 0.4, 105: 108.57,
}  # fmt: skip
RTD: Final = (100.0, 0.00385)  # ohm at 0 degC, 1/K: every thermometer is a Pt100


class SignalLink(Protocol):
    """What is wired to the channels."""

    def signal(self, channel: int, now_ns: int, /) -> float:
        """Return what is on a channel (0: front terminals), in V, A or ohm by its sensor."""


def _measuring(function: str) -> "Command":
    return lambda unit, words, now_ns: unit._measure(words, now_ns, function)


def _line(line: str) -> "Command":
    def drive(unit: "DAQ6510", words: list[str], now_ns: int) -> None:
        unit._lines[line] = int(boolean(words))

    return drive


def _line_told(line: str) -> "Command":
    return lambda unit, words, now_ns: str(unit._lines[line])


class DAQ6510:
    """One instrument. `link`: a SignalLink or None (quiet sensors, see QUIET)."""

    def __init__(self, spec: Spec, link: SignalLink | None) -> None:
        self._link = link
        serial = spec.serial or "0400000"
        self._scpi: Dialect = Dialect(
            _TREE,
            f"KEITHLEY INSTRUMENTS,MODEL DAQ6510,{serial},1.7.12b",
            reset=self._defaults,
            wait=self._wait,
        )
        self._traces = Traces()
        self._hold_ns = 0  # until when the next command waits
        self._lost: bool = False
        self._defaults()

    def _defaults(self) -> None:
        self._set: dict[int, dict[str, Any]] = {}  # channel -> what differs from the default
        self._closed: int = FRONT
        self._lines = dict.fromkeys(map(str, LINES), 1)  # pulled up
        self._list: list[int] = []  # of the scan
        self._scans = 1
        self._every_ns = 0  # from scan to scan
        self._into = DEFAULT
        self._plan: list[int] = []  # channels of the running scan
        self._begun_ns = 0
        self._done = self._wanted = 0  # its readings
        self._traces.clear()

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; every message that asks something gives one answer line."""
        out: list[Reply] = []
        for message in self._scpi.messages(data):
            self._catch_up(now_ns, now_ns)
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
        words, channels = channel_list(words)
        if name.endswith("?"):
            return ",".join(setting.told(self._value(at, key), words) for at in channels)
        value = setting.parsed(words)
        for channel in channels:
            self._keep(channel, key, value)
            if key.endswith(" range"):
                self._keep(channel, key.replace("range", "auto"), 0.0)
        return None

    def _value(self, channel: int, key: str) -> Any:
        return self._set.get(channel, {}).get(key, DEFAULTS[key])

    def _keep(self, channel: int, key: str, value: Any) -> None:
        self._set.setdefault(channel, {})[key] = value

    # --- measuring ------------------------------------------------------------------------

    def _reading(self, channel: int, now_ns: int, at_ns: int) -> list[Any]:
        function = self._value(channel, "function")
        if self._link is not None:
            value = self._link.signal(channel, now_ns)
        else:
            value = QUIET.get(channel, 0.0)
        limit = self._value(channel, f"{function} range")
        if self._lost or abs(value) > (limit * OVER):
            value = TOO_MUCH
        elif function == "TEMP":
            value = (value / RTD[0] - 1.0) / RTD[1]
        return [value, 0.0, at_ns, channel, FUNCTIONS[function][3]]

    def _lasts(self, channel: int) -> int:
        """Return how long a reading of a channel takes (ns), its relay included."""
        function = self._value(channel, "function")
        averaged = self._value(channel, f"{function} mean")
        means = self._value(channel, f"{function} means") if averaged else 1.0
        cycles = float(self._value(channel, f"{function} nplc") * means)
        relay_ns = RELAY_NS if channel else 0
        return round(cycles / LINE_HZ * 1e9) + READING_NS + relay_ns

    def _read(self, words: list[str], now_ns: int) -> str:
        """Measure the closed channel, keep the readings, and answer the last one."""
        name = self._traces.named(words[:1])
        row: list[Any] = []
        lasts = self._lasts(self._closed) - (RELAY_NS if self._closed else 0)
        for _ in range(int(self._value(FRONT, "count"))):
            self._hold_ns += lasts
            row = self._reading(self._closed, now_ns, self._hold_ns)
            self._traces.add(row, name)
        return self._traces.told(name, row, words[1:])

    def _measure(self, words: list[str], now_ns: int, function: str) -> str:
        """Set the function and measure: the closed channel, or every channel of a list."""
        rest, channels = channel_list(words)
        if channels == [FRONT]:
            self._keep(self._closed, "function", function)
            return self._read(rest, now_ns)
        answers = []
        for channel in channels:
            self._keep(channel, "function", function)
            self._hold_ns += self._lasts(channel)
            row = self._reading(channel, now_ns, self._hold_ns)
            self._traces.add(row)
            answers.append(self._traces.told(DEFAULT, row, ()))
        self._closed = channels[-1]
        return ",".join(answers)

    def _fetch(self, words: list[str], now_ns: int) -> str:
        name = self._traces.named(words[:1])
        count = Traces.COMMANDS["TRACe:ACTual[:END]?"](self._traces, [name]) or "0"
        if count == "0":
            raise ScpiError(-230)
        return Traces.COMMANDS["TRACe:DATA?"](self._traces, [count, count, name, *words[1:]]) or ""

    # --- scanning -------------------------------------------------------------------------

    def _wait(self) -> None:
        if self._running():
            self._hold_ns = max(self._hold_ns, self._due_ns(self._wanted - 1))

    def _running(self) -> bool:
        return self._done < self._wanted

    def _due_ns(self, place: int) -> int:
        """Return when reading number `place` (from 0) of the running scan is there."""
        steps = [self._lasts(channel) for channel in self._plan]
        scan, step = divmod(place, len(steps))
        return self._begun_ns + scan * max(sum(steps), self._every_ns) + sum(steps[: step + 1])

    def _catch_up(self, until_ns: int, now_ns: int) -> None:
        """Take what is due by `until_ns`; what waits sees the world as it is now."""
        for _ in range(LOOK_MAX):
            if not self._running():
                return
            at_ns = self._due_ns(self._done)
            if at_ns > until_ns:
                return
            self._closed = self._plan[self._done % len(self._plan)]
            self._traces.add(self._reading(self._closed, now_ns, at_ns), self._into)
            self._done += 1

    def _initiate(self, words: list[str], now_ns: int) -> None:
        """Begin the scan; without a scan list, readings of the closed channel."""
        if self._running():
            raise ScpiError(-221)
        self._plan = list(self._list) or [self._closed]
        scans = self._scans if self._list else int(self._value(FRONT, "count"))
        self._begun_ns, self._done, self._wanted = self._hold_ns, 0, scans * len(self._plan)

    def _abort(self, words: list[str], now_ns: int) -> None:
        self._wanted = self._done

    def _create(self, words: list[str], now_ns: int) -> None:
        self._list = channel_list(words, bare=False)[1] if words else []

    def _extend(self, words: list[str], now_ns: int) -> None:
        more = channel_list(words, bare=False)[1]
        if len(self._list) + len(more) > LIST_MAX:
            raise ScpiError(-221)
        self._list = self._list + more

    def _set_scans(self, words: list[str], now_ns: int) -> None:
        value = number(one(words))
        if not 1 <= value <= 1e8:
            raise ScpiError(-222)
        self._scans = int(value)

    def _set_interval(self, words: list[str], now_ns: int) -> None:
        value = number(one(words))
        if not 0 <= value <= 1e5:
            raise ScpiError(-222)
        self._every_ns = round(value * 1e9)

    def _set_buffer(self, words: list[str], now_ns: int) -> None:
        self._into = self._traces.named([one(words)])

    # --- channels, functions and the rest -----------------------------------------------------

    def _close(self, words: list[str], now_ns: int) -> None:
        """Close a channel; the one that was closed opens."""
        self._closed = channel_list(words, bare=False)[1][-1]

    def _open(self, words: list[str], now_ns: int) -> None:
        if self._closed in channel_list(words, bare=False)[1]:
            self._closed = FRONT

    def _open_all(self, words: list[str], now_ns: int) -> None:
        self._closed = FRONT

    def _set_function(self, words: list[str], now_ns: int) -> None:
        words, channels = channel_list(words)
        word = one(unquoted(words)).upper().removesuffix(":DC")
        function = LONG.get(word, word)
        if function not in FUNCTIONS:
            raise ScpiError(-224)
        for channel in channels:
            self._keep(channel, "function", function)

    def _get_function(self, words: list[str], now_ns: int) -> str:
        channels = channel_list(words)[1]
        return ",".join(f'"{FUNCTIONS[self._value(c, "function")][1]}"' for c in channels)

    def _language(self, words: list[str], now_ns: int) -> None:
        if one(unquoted(words)).upper() != "SCPI":
            raise ScpiError(-224)

    def _ignore(self, words: list[str], now_ns: int) -> None:
        """Accept what has no effect here: lights, sounds, status masks, line modes."""

    def _forget(self, words: list[str], now_ns: int) -> None:
        self._scpi.forget()

    def _state(self, words: list[str], now_ns: int) -> str:
        return "RUNNING;RUNNING;1" if self._running() else "IDLE;IDLE;0"

    _TABLE: ClassVar[Mapping[str, "Command"]] = {
        "*LANG": _language,
        "*LANG?": lambda unit, words, now_ns: "SCPI",
        "*TRG": _ignore,
        "READ?": _read,
        "FETCh?": _fetch,
        **{f"MEASure:{node}?": _measuring(name) for name, (node, *_) in FUNCTIONS.items()},
        "INITiate[:IMMediate]": _initiate,
        "ABORt": _abort,
        "TRIGger:STATe?": _state,
        "ROUTe:SCAN[:CREate]": _create,
        "ROUTe:SCAN[:CREate]?": lambda unit, words, now_ns: told(unit._list),
        "ROUTe:SCAN:ADD": _extend,
        "ROUTe:SCAN:COUNt:SCAN": _set_scans,
        "ROUTe:SCAN:COUNt:SCAN?": lambda unit, words, now_ns: str(unit._scans),
        "ROUTe:SCAN:COUNt:STEP?": lambda unit, words, now_ns: str(len(unit._list)),
        "ROUTe:SCAN:INTerval": _set_interval,
        "ROUTe:SCAN:INTerval?": lambda unit, words, now_ns: f"{unit._every_ns / 1e9:.7G}",
        "ROUTe:SCAN:BUFFer": _set_buffer,
        "ROUTe:SCAN:BUFFer?": lambda unit, words, now_ns: unit._into,
        "ROUTe:SCAN:STATe?": _state,
        "ROUTe[:CHANnel]:CLOSe": _close,
        "ROUTe[:CHANnel]:CLOSe?": lambda unit, words, now_ns: told(
            [unit._closed] if unit._closed else []
        ),
        "ROUTe[:CHANnel]:OPEN": _open,
        "ROUTe[:CHANnel]:OPEN:ALL": _open_all,
        "ROUTe:TERMinals?": lambda unit, words, now_ns: "REAR",
        "[SENSe1]:FUNCtion[:ON]": _set_function,
        "[SENSe1]:FUNCtion[:ON]?": _get_function,
        **{f"DIGital:LINE{line}:STATe": _line(str(line)) for line in LINES},
        **{f"DIGital:LINE{line}:STATe?": _line_told(str(line)) for line in LINES},
        **dict.fromkeys((f"DIGital:LINE{line}:MODE" for line in LINES), _ignore),
        "FORMat[:DATA]": _ignore,
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
        """Lose the sensors until the next power-on: every reading overflows."""
        self._lost = True
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Come back with relays open, defaults for everything, and empty buffers."""
        self._scpi.wake()
        self._defaults()
        self._hold_ns = 0
        self._lost = False

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "begun_ns": self._begun_ns,
            "closed": self._closed,
            "counts": [self._done, self._wanted, self._scans, self._every_ns, self._hold_ns],
            "into": self._into,
            "lines": dict(self._lines),
            "list": list(self._list),
            "lost": self._lost,
            "plan": list(self._plan),
            "scpi": self._scpi.plain(),
            "set": {str(channel): dict(kept) for channel, kept in self._set.items()},
            "traces": self._traces.plain(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave."""
        self._begun_ns = state["begun_ns"]
        self._closed = state["closed"]
        self._done, self._wanted, self._scans, self._every_ns, self._hold_ns = state["counts"]
        self._into = state["into"]
        self._lines = dict(state["lines"])
        self._list = list(state["list"])
        self._lost = state["lost"]
        self._plan = list(state["plan"])
        self._scpi.take(state["scpi"])
        self._set = {int(channel): dict(kept) for channel, kept in state["set"].items()}
        self._traces.take(state["traces"])


Command = Callable[[DAQ6510, list[str], int], str | None]
"""What a header does: (instrument, parameters, now_ns) -> answer or None."""

_TREE: Final = grammar(
    [*DAQ6510._TABLE, *Traces.COMMANDS, *SETTINGS, *(f"{name}?" for name in SETTINGS)]
)
