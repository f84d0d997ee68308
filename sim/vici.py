"""A VICI Valco selector valve: universal actuator, or its older microelectric dialect.

Source: VICI universal actuator manual, pages 14-19; VICI microelectric actuator manual, page 7.
There is no busy query and no acknowledgement by default: only CP tells where the valve stands.
Must never answer what was sent to another valve.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Protocol

from sim.port import Reply, Spec

LATENCY_NS: Final = 5_000_000  # guess
BYTE_NS: Final = 1_041_667  # ten bits at 9600 baud
START_NS: Final = 250_000_000  # guess: before the first position is passed
STEP_NS: Final = 120_000_000  # guess: from one position to the next
LEARN_NS: Final = 3_000_000_000  # guess: LRN looks for the stops
LINE_MAX: Final = 32  # bytes of an unfinished command that are kept
POSITIONS_MAX: Final = 96
COUNT_MAX: Final = 99_999
DELAY_MAX: Final = 65_000  # ms
BAUDS: Final = ("12", "24", "48", "96", "192", "384", "576", "1152")
DELIMITERS: Final = (b"\r", b"\n", b"\r\n")  # DEL1, DEL2, DEL3
DIALECTS: Final = ("universal", "microelectric")
# Longer names first; `=` between a name and its number is what some controllers send.
_COMMAND: Final = re.compile(
    r"(STAT|CNT|DEL|IFM|LRN|VR2|AM|CC|CP|CW|DT|GO|HM|ID|LG|NP|SB|SM|TO|TT|VR|/\?|\?) *=? *(.*)"
)


class ValveLink(Protocol):
    """What the valve does to the world."""

    def select(self, position: int, now_ns: int, /) -> int | None:
        """Connect the common port with the port of this position (from 1).

        Returns the position where the valve truly is, None if that is the one asked for.
        """


class _Bad(Exception):
    """A command that is not understood."""


class Vici:
    """One valve.

    Options: `positions` (10; 2 for a two-position valve), `dialect` ("universal" or
    "microelectric"), `id` (one letter or digit: then only commands with it are heard; without
    one, the digit of Spec.address may stand before a command), `wait` (1: CP while the valve
    turns is answered at the end). `link`: a ValveLink or None.
    """

    def __init__(self, spec: Spec, link: ValveLink | None) -> None:
        options = spec.options
        dialect = str(options.get("dialect", DIALECTS[0]))
        if dialect not in DIALECTS:
            raise ValueError(f"{spec.name}: dialect is one of {', '.join(DIALECTS)}: '{dialect}'")
        self._link = link
        self._digit = str(spec.address)
        self._id = str(options.get("id", ""))
        self._wait = bool(float(options.get("wait", 0)))
        positions = int(options.get("positions", 10))
        self._values = {
            "AM": 1 if positions == 2 else 3, "NP": positions, "CNT": 0, "IFM": 0,
            "LG": int(dialect == "microelectric"), "DEL": 1, "DT": 1000, "SB": 9600,
        }  # fmt: skip
        self._direction = "A"  # of GO: forward, reverse or the shorter way
        self._buffer = b""
        self._origin = 1
        self._steps = 0  # signed, of the present turn
        self._start_ns = self._end_ns = 0
        self._back_ns: int | None = None  # when TT turns back
        self._jammed: bool = False

    # --- the wire -------------------------------------------------------------------------

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; CR or LF ends a command."""
        lines = (self._buffer + data).replace(b"\n", b"\r").split(b"\r")
        self._buffer = lines.pop()[: LINE_MAX + 1]
        out: list[Reply] = []
        for line in lines:
            text = self._own(line[: LINE_MAX + 1].strip().upper().decode("latin-1"))
            if not text:
                continue
            self.settle(now_ns)
            due, answer = self._answer(text, now_ns)
            if answer:
                reply = answer.encode("latin-1") + DELIMITERS[self._values["DEL"] - 1]
                out.append((due + LATENCY_NS + BYTE_NS * len(reply), reply))
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return nothing: a valve never speaks unasked."""
        return []

    def next_ns(self) -> int | None:
        """Return None: a valve never speaks unasked."""
        return None

    def _own(self, text: str) -> str:
        """Return a command without its address, "" if another valve is meant."""
        if text == "/?":
            return text
        own = self._id or self._digit
        bare = text.removeprefix("/")
        if bare != text or self._id:
            return bare[len(own) :] if bare.startswith(own) else ""
        if text[:1].isdecimal():
            return text.removeprefix(own) if text.startswith(own) else ""
        return text

    def _answer(self, text: str, now_ns: int) -> tuple[int, str]:
        """Return when the answer to a command begins, and the answer ("" for none)."""
        found = _COMMAND.fullmatch(text) if len(text) <= LINE_MAX else None
        try:
            if found is None:
                raise _Bad
            name, argument = found[1], found[2]
            if name in self._ACTIONS:
                return self._act(name, argument, text, now_ns)
            due = max(now_ns, self._end_ns) if self._wait and name == "CP" else now_ns
            return due, self._query(name, argument, due)
        except _Bad:
            loud = self._values["LG"] or self._values["IFM"]
            return now_ns, f"{text} = Bad command" if loud else ""

    def _act(self, name: str, argument: str, text: str, now_ns: int) -> tuple[int, str]:
        """Turn the valve; what is answered, and when, depends on IFM."""
        self._ACTIONS[name](self, argument, now_ns)
        if not self._values["IFM"]:
            return now_ns, ""
        if name in ("HM", "TO", "TT", "LRN"):
            return self._end_ns, "CP" + self._shown(self.at(self._end_ns))
        if self._values["IFM"] == 2:
            return self._end_ns, text
        return now_ns, text

    # --- queries and settings ---------------------------------------------------------------

    def _query(self, name: str, argument: str, now_ns: int) -> str:
        if name == "CP":
            if argument:
                raise _Bad
            return self._position(now_ns)
        if name == "ID":
            return self._identify(argument)
        if name == "SM":
            return self._set_direction(argument)
        if name in ("STAT", "VR", "VR2", "/?", "?"):
            if argument:
                raise _Bad
            return self._text(name)
        if not argument:
            return self._value(name)
        value = _whole(argument)
        low, high = {
            "AM": (1, 3), "NP": (2, POSITIONS_MAX), "CNT": (0, COUNT_MAX), "IFM": (0, 2),
            "LG": (0, 1), "DEL": (1, 3), "DT": (0, DELAY_MAX), "SB": (0, COUNT_MAX),
        }[name]  # fmt: skip
        if not low <= value <= high or (name == "SB" and argument not in BAUDS):
            raise _Bad
        self._values[name] = value * 100 if name == "SB" else value
        return self._value(name) if self._values["IFM"] else ""

    def _position(self, now_ns: int) -> str:
        shown = self._shown(self.at(now_ns))
        if not self._values["LG"]:
            return f"CP{shown}"
        shown = shown.lstrip("0") if shown.isdecimal() else f'"{shown}"'
        return f"Position is  = {shown}"

    def _shown(self, position: int) -> str:
        return f"{position:02d}" if self._values["AM"] == 3 else "AB"[(position - 1) % 2]

    def _value(self, name: str) -> str:
        value = self._values[name]
        if name == "SB":
            value //= 100
        text = {"NP": f"{value:02d}", "CNT": f"{value:05d}"}.get(name, str(value))
        return f"{name} = {value}" if self._values["LG"] else f"{name}{text}"

    def _identify(self, argument: str) -> str:
        """Set the id (`*` clears it), or report it."""
        if argument and not (len(argument) == 1 and (argument.isalnum() or argument == "*")):
            raise _Bad
        if argument:
            self._id = argument.replace("*", "")
            return ""
        return f"ID{self._id}"

    def _set_direction(self, argument: str) -> str:
        if argument not in ("", "A", "F", "R"):
            raise _Bad
        self._direction = argument or self._direction
        return "" if argument else f"SM{self._direction}"

    def _text(self, name: str) -> str:
        """Return what no controller takes apart (guesses)."""
        if name == "STAT":
            return "STAT JAM" if self._jammed else "STAT OK"
        if name == "VR":
            return "VR UA_MAIN_EQ 1.07"
        if name == "VR2":
            return "VR2 UA_IF 1.02"
        return "AM CC CNT CP CW DEL DT GO HM ID IFM LG LRN NP SB SM STAT TO TT VR"

    # --- turning --------------------------------------------------------------------------

    def at(self, now_ns: int) -> int:
        """Return the position last passed, from 1."""
        way = self._done(now_ns) if self._steps > 0 else -self._done(now_ns)
        return (self._origin + way - 1) % self._stations() + 1

    def _done(self, now_ns: int) -> int:
        """Return how many positions of the present turn are passed."""
        steps = abs(self._steps)
        if now_ns >= self._end_ns:
            return steps
        return min(max((now_ns - self._start_ns - START_NS) // STEP_NS, 0), steps)

    def settle(self, now_ns: int) -> None:
        """Finish a turn that has ended; begin the way back of TT."""
        if self._steps and now_ns >= self._end_ns:
            self._arrive(self._end_ns)
        if self._back_ns is not None and now_ns >= self._back_ns:
            begin_ns, self._back_ns = self._back_ns, None
            self._turn(3 - self._origin, 1, begin_ns)
            self.settle(now_ns)

    def _arrive(self, now_ns: int) -> None:
        self._origin, self._steps = self.at(now_ns), 0
        self._values["CNT"] = (self._values["CNT"] + 1) % (COUNT_MAX + 1)
        if self._link is not None:
            stuck = self._link.select(self._origin, now_ns)
            self._origin = self._origin if stuck is None else stuck

    def _stations(self) -> int:
        return self._values["NP"] if self._values["AM"] == 3 else 2

    def _turn(self, target: int, direction: int, now_ns: int) -> None:
        """Begin a turn; `direction` 1 and -1 are clockwise and counter-clockwise, 0 shortest.

        A turn in progress is given up where it is (guess). To where it stands it does not turn.
        """
        stations = self._stations()
        if not 1 <= target <= stations:
            raise _Bad
        here = self.at(now_ns)
        up = (target - here) % stations
        down = (here - target) % stations
        clockwise = up <= down if direction == 0 else direction > 0
        self._origin, self._steps = here, up if clockwise else -down
        self._jammed, self._back_ns = False, None
        self._start_ns = self._end_ns = now_ns
        if self._steps:
            self._end_ns = now_ns + START_NS + STEP_NS * abs(self._steps)

    def _target(self, argument: str) -> int:
        if self._values["AM"] != 3 and argument in ("A", "B"):
            return 1 + "AB".index(argument)
        return _whole(argument)

    def _go(self, argument: str, now_ns: int) -> None:
        direction = {"A": 0, "F": 1, "R": -1}[self._direction]
        following = self.at(now_ns) % self._stations() + 1
        self._turn(self._target(argument) if argument else following, direction, now_ns)

    def _clockwise(self, argument: str, now_ns: int) -> None:
        following = self.at(now_ns) % self._stations() + 1
        self._turn(self._target(argument) if argument else following, 1, now_ns)

    def _counter(self, argument: str, now_ns: int) -> None:
        before = (self.at(now_ns) - 2) % self._stations() + 1
        self._turn(self._target(argument) if argument else before, -1, now_ns)

    def _home(self, argument: str, now_ns: int) -> None:
        if argument:
            raise _Bad
        self._turn(1, 0, now_ns)

    def _learn(self, argument: str, now_ns: int) -> None:
        self._home(argument, now_ns)
        self._end_ns = now_ns + LEARN_NS
        self._start_ns = self._end_ns - START_NS - STEP_NS * abs(self._steps)

    def _toggle(self, argument: str, now_ns: int) -> None:
        if argument or self._values["AM"] == 3:
            raise _Bad
        self._turn(3 - self.at(now_ns), 0, now_ns)

    def _toggle_back(self, argument: str, now_ns: int) -> None:
        self._toggle(argument, now_ns)
        self._back_ns = self._end_ns + self._values["DT"] * 1_000_000

    _ACTIONS: ClassVar[Mapping[str, Callable[["Vici", str, int], None]]] = {
        "GO": _go, "CW": _clockwise, "CC": _counter, "HM": _home, "LRN": _learn,
        "TO": _toggle, "TT": _toggle_back,
    }  # fmt: skip

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Jam after the share `argument` of the turn that is left; False at rest."""
        self.settle(now_ns)
        if not self._steps:
            return False
        left = abs(self._steps) - self._done(now_ns)
        lost = left - int(left * min(max(argument, 0.0), 1.0))
        self._steps += -lost if self._steps > 0 else lost
        self._end_ns = max(now_ns, self._end_ns - lost * STEP_NS)
        self._back_ns, self._jammed = None, True
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Stand at the position last passed; everything that was set is kept."""
        self.settle(now_ns)
        if self._steps:
            self._origin, self._steps, self._end_ns = self.at(now_ns), 0, now_ns
            self._arrive(now_ns)
        self._back_ns, self._jammed = None, False
        self._buffer = b""

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "back_ns": self._back_ns,
            "buffer": self._buffer.decode("latin-1"),
            "direction": self._direction,
            "end_ns": self._end_ns,
            "id": self._id,
            "jammed": self._jammed,
            "origin": self._origin,
            "start_ns": self._start_ns,
            "steps": self._steps,
            "values": dict(self._values),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave."""
        self._back_ns = state["back_ns"]
        self._buffer = state["buffer"].encode("latin-1")
        self._direction = state["direction"]
        self._end_ns = state["end_ns"]
        self._id = state["id"]
        self._jammed = state["jammed"]
        self._origin = state["origin"]
        self._start_ns = state["start_ns"]
        self._steps = state["steps"]
        self._values = dict(state["values"])


def _whole(text: str) -> int:
    """Return a whole number of at most five digits."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 5):
        raise _Bad
    return int(text)
