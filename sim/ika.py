"""An IKA hotplate stirrer that speaks NAMUR commands.

Source: IKA C-MAG HS and plate (RCT digital) operating instructions, chapter "Interfaces". Writes,
starts and stops answer nothing, and neither does anything unknown. What stands on the plate comes
through the link `temperature(now_ns)`, `heat(on, setpoint, now_ns)`, `stir(rpm, now_ns)`.
"""

import math
from collections.abc import Mapping
from typing import Any, Final, Protocol

from sim.port import Reply, Spec

LATENCY_NS: Final = 20_000_000  # guess
BYTE_NS: Final = 1_041_667  # ten bits at 9600 baud
LINE_MAX: Final = 64  # bytes of an unfinished command that are kept
NAME: Final = "C-MAG HS7"
ROOM: Final = 22.0  # degC
WARM_S: Final = 300.0  # guess: the plate, and without a world what stands on it
SPIN_S: Final = 1.0  # guess: how the stirrer reaches its speed
SAFE_LIMIT: Final = 360.0  # degC, set with a screwdriver
RESET_LIMITS: Final = (20, 1500)  # s, of the watchdogs
SETPOINTS: Final[Mapping[str, tuple[str, float]]] = {
    # OUT command -> setting, highest value (lowest is 0); @ instead of a blank for the watchdog's
    "OUT_SP_1": ("heat", 500.0), "OUT_SP_4": ("stir", 1500.0),
    "OUT_SP_12": ("safe heat", 500.0), "OUT_SP_42": ("safe stir", 1500.0),
}  # fmt: skip
SWITCHES: Final[Mapping[str, tuple[str, bool]]] = {
    "START_1": ("heat", True), "START_4": ("stir", True), "STOP_1": ("heat", False),
    "STOP_4": ("stir", False),
}  # fmt: skip


class PlateLink(Protocol):
    """The vessel on the plate."""

    def temperature(self, now_ns: int, /) -> float:
        """Return what the external probe sees, in degC."""

    def heat(self, on: bool, setpoint: float, now_ns: int, /) -> object:
        """Heat towards `setpoint` (degC) from now on, or not."""

    def stir(self, rpm: float, now_ns: int, /) -> object:
        """Stir with this speed from now on."""


class Lag:
    """A value on its way: closed form, exponential."""

    __slots__ = ("start", "target", "since_ns", "_scale")

    def __init__(self, value: float, seconds: float) -> None:
        self.start = self.target = value
        self.since_ns = 0
        self._scale = seconds * 1e9

    def at(self, now_ns: int) -> float:
        """Return the value at a time."""
        gone = math.exp(-max(now_ns - self.since_ns, 0) / self._scale)
        return self.target + (self.start - self.target) * gone

    def aim(self, target: float, now_ns: int) -> None:
        """Make for another value from now on."""
        if target != self.target:
            self.start, self.target, self.since_ns = self.at(now_ns), target, now_ns


class Ika:
    """One plate. `link`: a PlateLink or None (what stands on it is as warm as the plate)."""

    def __init__(self, spec: Spec, link: PlateLink | None) -> None:
        self._link = link
        self._values = {"heat": ROOM, "stir": 0.0, "safe heat": 0.0, "safe stir": 0.0}
        self._on = {"heat": False, "stir": False}
        self._plate = Lag(ROOM, WARM_S)
        self._speed = Lag(0.0, SPIN_S)
        self._buffer = b""
        self._watch = 0  # which watchdog is armed, 0 for none
        self._patience_ns = 0
        self._heard_ns = 0
        self._blocked = False

    # --- the wire -------------------------------------------------------------------------

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; CR or LF ends a command, a blank before it is dropped."""
        lines = (self._buffer + data).replace(b"\r", b"\n").split(b"\n")
        self._buffer = lines.pop()[: LINE_MAX + 1]
        out: list[Reply] = []
        for line in lines:
            text = line[: LINE_MAX + 1].decode("latin-1").strip(" ")
            if not text or len(text) > LINE_MAX:
                continue
            self.settle(now_ns)
            answer = self._command(text, now_ns)
            if answer:
                reply = answer.encode("ascii") + b" \r\n"
                out.append((now_ns + LATENCY_NS + BYTE_NS * len(reply), reply))
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return nothing: a plate never speaks unasked."""
        return []

    def next_ns(self) -> int | None:
        """Return None: a plate never speaks unasked."""
        return None

    def _command(self, text: str, now_ns: int) -> str:
        """Carry out one command; return the answer, "" for none."""
        name, _, value = text.replace("@", " ").partition(" ")
        answer = self._query(text, now_ns)
        if answer:
            self._heard_ns = now_ns
            return answer
        number = _number(value.strip())
        if text in SWITCHES:
            which, on = SWITCHES[text]
            self._switch(which, on, now_ns)
        elif text == "RESET":
            self._watch = 0
        elif name in SETPOINTS and number is not None:
            setting, high = SETPOINTS[name]
            if 0.0 <= number <= high:
                self._values[setting] = number
                self._apply(now_ns)
        elif name in ("OUT_WD1", "OUT_WD2") and number is not None:
            return self._arm(int(name[-1]), number, now_ns)
        else:
            return ""
        self._heard_ns = now_ns
        return ""

    def _query(self, text: str, now_ns: int) -> str:
        if text == "IN_NAME":
            return NAME
        values = {
            "IN_PV_1": (1, self._probe), "IN_PV_2": (2, self._plate.at),
            "IN_PV_3": (3, lambda now_ns: SAFE_LIMIT), "IN_PV_4": (4, self._speed.at),
            "IN_PV_5": (5, lambda now_ns: 0.0), "IN_SP_1": (1, lambda now_ns: self._values["heat"]),
            "IN_SP_2": (2, lambda now_ns: self._values["heat"]),
            "IN_SP_3": (3, lambda now_ns: SAFE_LIMIT),
            "IN_SP_4": (4, lambda now_ns: self._values["stir"]),
        }  # fmt: skip
        found = values.get(text)
        return f"{found[1](now_ns):.1f} {found[0]}" if found is not None else ""

    def _probe(self, now_ns: int) -> float:
        return self._link.temperature(now_ns) if self._link is not None else self._plate.at(now_ns)

    def _switch(self, which: str, on: bool, now_ns: int) -> None:
        self._on[which] = on
        self._apply(now_ns)

    def _apply(self, now_ns: int) -> None:
        """Let plate and stirrer make for what is set, and tell the world what is new."""
        heating = self._on["heat"]
        warm = self._values["heat"] if heating else ROOM
        rpm = self._values["stir"] if self._on["stir"] and not self._blocked else 0.0
        if self._link is not None:
            if warm != self._plate.target:
                self._link.heat(heating, warm, now_ns)
            if rpm != self._speed.target:
                self._link.stir(rpm, now_ns)
        self._plate.aim(warm, now_ns)
        self._speed.aim(rpm, now_ns)

    # --- watchdogs --------------------------------------------------------------------------

    def _arm(self, which: int, seconds: float, now_ns: int) -> str:
        """Arm a watchdog and echo its time (guess: the time alone)."""
        low, high = RESET_LIMITS
        if not low <= seconds <= high or seconds != int(seconds):
            return ""
        self._watch, self._patience_ns = which, int(seconds) * 1_000_000_000
        self._heard_ns = now_ns
        return str(int(seconds))

    def settle(self, now_ns: int) -> None:
        """Act if the armed watchdog heard nothing for its time.

        Watchdog 1 switches heating and stirring off, 2 makes for the safe values.
        """
        bites_ns = self._heard_ns + self._patience_ns
        if not self._watch or now_ns < bites_ns:
            return
        if self._watch == 1:
            self._on = {"heat": False, "stir": False}
        else:
            self._values["heat"] = min(self._values["heat"], self._values["safe heat"])
            self._values["stir"] = min(self._values["stir"], self._values["safe stir"])
        self._watch = 0
        self._apply(bites_ns)

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Block the stirrer until the next power-on; False while it stands."""
        self.settle(now_ns)
        if not self._on["stir"]:
            return False
        self._blocked = True
        self._apply(now_ns)
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Come back with heating and stirring off; the setpoints are kept (guess)."""
        self.settle(now_ns)
        self._buffer = b""
        self._watch = 0
        self._blocked = False
        self._on = {"heat": False, "stir": False}
        self._apply(now_ns)

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "blocked": self._blocked,
            "buffer": self._buffer.decode("latin-1"),
            "heard_ns": self._heard_ns,
            "lags": [[lag.start, lag.target, lag.since_ns] for lag in (self._plate, self._speed)],
            "on": dict(self._on),
            "patience_ns": self._patience_ns,
            "values": dict(self._values),
            "watch": self._watch,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave; the world restores its own half."""
        self._blocked = state["blocked"]
        self._buffer = state["buffer"].encode("latin-1")
        self._heard_ns = state["heard_ns"]
        for lag, (start, target, since_ns) in zip(
            (self._plate, self._speed), state["lags"], strict=True
        ):
            lag.start, lag.target, lag.since_ns = float(start), float(target), since_ns
        self._on = dict(state["on"])
        self._patience_ns = state["patience_ns"]
        self._values = {name: float(value) for name, value in state["values"].items()}
        self._watch = state["watch"]


def _number(text: str) -> float | None:
    """Return a plain decimal number, or None."""
    if len(text) > 10 or not text.isascii() or not text.replace(".", "", 1).isdecimal():
        return None
    return float(text)
