"""A JULABO circulator (MAGIO/CORIO commands).

Source: JULABO CORIO, MAGIO and DYNEO operating manuals, chapter 11 (remote control). OUT commands
never answer: a rejection shows in the next `status`, once. Drives the bath through the link
`temperature(now_ns)`, `drive(on, setpoint, now_ns)`. Must never answer an unknown command.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from sim.port import Reply, Spec

LATENCY_NS: Final = 6_000_000  # guess: a few ms to act on a command
BYTE_NS: Final = 2_083_334  # ten bits at 4800 baud
LINE_MAX: Final = 64  # bytes of an unfinished command that are kept
FLOW: Final = bytes((0x11, 0x13))  # XON and XOFF may be mixed in
STATES: Final = ("00 MANUAL STOP", "01 MANUAL START", "02 REMOTE STOP", "03 REMOTE START")
PROBLEMS: Final[Mapping[int, str]] = {
    -1: "LOW LEVEL ALARM", -3: "EXCESS TEMPERATURE WARNING", -4: "LOW TEMPERATURE WARNING",
    -8: "INVALID COMMAND", -9: "COMMAND NOT ALLOWED IN CURRENT OPERATING MODE",
    -10: "VALUE TOO SMALL", -11: "VALUE TOO LARGE", -13: "VALUE EXCEEDS TEMPERATURE LIMITS",
}  # fmt: skip
# OUT name -> its setting, low, high; the setpoint's limits are the two warnings as well
SETTINGS: Final[Mapping[str, tuple[str, float, float]]] = {
    "out_sp_00": ("setpoint", -20.0, 150.0), "out_sp_01": ("setpoint2", -20.0, 150.0),
    "out_sp_02": ("setpoint3", -20.0, 150.0), "out_sp_03": ("high", -20.0, 155.0),
    "out_sp_04": ("low", -25.0, 150.0), "out_sp_07": ("pump", 1.0, 4.0),
    "out_mode_01": ("source", 0.0, 2.0), "out_mode_02": ("tuning", 0.0, 2.0),
    "out_mode_03": ("programmer", 0.0, 3.0), "out_mode_04": ("control", 0.0, 1.0),
    "out_mode_05": ("running", 0.0, 1.0), "out_par_06": ("xp", 0.1, 99.9),
    "out_par_07": ("tn", 3.0, 9999.0), "out_par_08": ("tv", 0.0, 999.0),
}  # fmt: skip
WHOLE: Final = frozenset(
    {"pump", "source", "tuning", "programmer", "control", "running", "tn", "tv"}
)
SETPOINTS: Final = ("setpoint", "setpoint2", "setpoint3")  # `source` chooses one
FULL_POWER_K: Final = 2.0  # guess: control deviation at which the heater gives 100 %
ROOM: Final = 22.0  # degC, the bath when nothing is linked


class HeatLink(Protocol):
    """What the circulator does to the world and sees of it."""

    def temperature(self, now_ns: int, /) -> float:
        """Return the bath temperature in degC."""

    def drive(self, on: bool, setpoint: float, now_ns: int, /) -> None:
        """Control the bath to `setpoint` (degC), or let it go."""


class Julabo:
    """One circulator.

    Options: `setpoint` (degC, stored at first), `remote` (0: not enabled on the panel).
    `link`: a HeatLink or None.
    """

    def __init__(self, spec: Spec, link: HeatLink | None) -> None:
        self._link = link
        self._remote = bool(float(spec.options.get("remote", 1)))
        self._buffer = b""
        self._values = {
            "setpoint": float(spec.options.get("setpoint", ROOM)), "setpoint2": ROOM,
            "setpoint3": ROOM, "high": 80.0, "low": 0.0, "pump": 2.0, "source": 0.0,
            "tuning": 0.0, "programmer": 0.0, "control": 0.0, "running": 0.0,
            "xp": 1.0, "tn": 300.0, "tv": 30.0,
        }  # fmt: skip
        self._problem = 0  # of the last command, until the next status
        self._alarm = 0  # stays until the next power-on

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; CR ends a command, LF and flow characters are dropped."""
        lines = (self._buffer + data.translate(None, FLOW + b"\n")).split(b"\r")
        self._buffer = lines.pop()[: LINE_MAX + 1]
        out: list[Reply] = []
        for line in lines:
            text = self._command(line.decode("ascii", "replace").strip().lower(), now_ns)
            if text:
                answer = text.encode("ascii") + b"\r\n"
                out.append((now_ns + LATENCY_NS + BYTE_NS * len(answer), answer))
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return nothing: a circulator never speaks unasked."""
        return []

    def next_ns(self) -> int | None:
        """Return None: a circulator never speaks unasked."""
        return None

    def _command(self, text: str, now_ns: int) -> str:
        """Carry out one command; return the answer, "" for none."""
        if not text:
            return ""
        if text == "version":
            return "JULABO MAGIO MS-1000F VERSION 1.1.2"
        if text == "status":
            return self._status()
        name, _, value = text.partition(" ")
        if name.startswith("out_") and len(text) <= LINE_MAX:
            self._problem = self._out(name, value.strip(), now_ns)
            return ""
        answer = "" if value else self._in(name, now_ns)
        if not answer:
            self._problem = -8
        return answer

    def _status(self) -> str:
        problem, self._problem = self._problem or self._alarm, 0
        if problem:
            return f"{problem:03d} {PROBLEMS[problem]}"
        return STATES[2 * self._remote + int(self._values["running"])]

    def _out(self, name: str, value: str, now_ns: int) -> int:
        """Set a value; return 0 or the status code of the rejection."""
        setting, low, high = SETTINGS.get(name, ("", 0.0, 0.0))
        number = _number(value)
        if not setting or number is None:
            return -8
        if not self._remote or (self._alarm and setting == "running" and number):
            return -9
        if setting in WHOLE and number != int(number):
            return -8
        if not low <= number <= high:
            return -10 if number < low else -11
        if setting in SETPOINTS and not self._values["low"] <= number <= self._values["high"]:
            return -13
        self._values[setting] = number
        if setting in SETPOINTS or setting in ("running", "source"):
            self._drive(now_ns)
        return 0

    def _in(self, name: str, now_ns: int) -> str:
        """Return the answer to a query, "" if there is no such query."""
        setting = SETTINGS.get(name.replace("in_", "out_", 1), ("",))[0]
        if setting and name.startswith("in_"):
            value = self._values[setting]
            return str(int(value)) if setting in WHOLE else f"{value:.2f}"
        if name in ("in_pv_00", "in_pv_03"):  # bath, and the safety sensor beside it
            return f"{self._temperature(now_ns):.2f}"
        if name == "in_pv_01":
            return f"{self._power(now_ns):.1f}"
        if name == "in_pv_02":
            return "---.--"  # no external sensor
        if name == "in_pv_04":
            return f"{self._values['high'] + 5.0:.2f}"
        return ""

    def _temperature(self, now_ns: int) -> float:
        return self._link.temperature(now_ns) if self._link is not None else ROOM

    def _power(self, now_ns: int) -> float:
        """Return the heating (below 0: cooling) power in percent."""
        if not self._values["running"]:
            return 0.0
        missing = self._wanted() - self._temperature(now_ns)
        return min(max(missing / FULL_POWER_K, -1.0), 1.0) * 100.0

    def _drive(self, now_ns: int) -> None:
        if self._link is not None:
            self._link.drive(bool(self._values["running"]), self._wanted(), now_ns)

    def _wanted(self) -> float:
        """Return the setpoint in force."""
        return self._values[SETPOINTS[int(self._values["source"])]]

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Stop with a low-level alarm until the next power-on."""
        self._alarm = -1
        self._values["running"] = 0.0
        self._drive(now_ns)
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Come back stopped, with the setpoint kept; remote as enabled on the panel."""
        self._buffer = b""
        self._problem = self._alarm = 0
        self._values["running"] = 0.0
        self._drive(now_ns)

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "alarm": self._alarm,
            "buffer": self._buffer.decode("latin-1"),
            "problem": self._problem,
            "values": dict(self._values),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave; the world restores its own half."""
        self._alarm = state["alarm"]
        self._buffer = state["buffer"].encode("latin-1")
        self._problem = state["problem"]
        self._values = dict(state["values"])


def _number(text: str) -> float | None:
    """Return a plain decimal number, or None."""
    digits = text[1:] if text[:1] in ("-", "+") else text
    if len(digits) > 12 or not digits.replace(".", "", 1).isdecimal():
        return None
    return float(text)
