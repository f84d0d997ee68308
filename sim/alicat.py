"""An Alicat liquid flow meter or controller (L/LC series).

Source: Alicat serial communications primer; frames as the `alicat` client takes them apart. What
flows comes through the link `pressure(now_ns)`, `temperature(now_ns)`, `flow(now_ns)`,
`demand(setpoint, now_ns)`. Must never answer for another unit on the wire.
"""

import math
from collections.abc import Mapping
from typing import Any, Final, Protocol

from sim.port import Reply, Spec

LATENCY_NS: Final = 10_000_000  # guess; an answer is there within 50 ms
BYTE_NS: Final = 520_834  # ten bits at 19200 baud
STREAM_NS: Final = 50_000_000  # guess: from frame to frame while streaming
BURST_MAX: Final = 64  # frames made up at one look; the rest was never read
LINE_MAX: Final = 40  # bytes of an unfinished command that are kept
LAG_S: Final = 0.2  # guess: without a world, the flow follows the setpoint like this
FULL: Final = 100.0  # mL/min
OVER: Final = 1.28  # guess: what the electronics can show above full scale
PRESSURE_MAX: Final = 1100.0  # kPa
TEMPERATURES: Final = (-10.0, 60.0)  # degC
AIR_KPA: Final = 101.32  # without a world
ROOM: Final = 22.0
GAS, LOOP = "46", "122"  # registers: gas number, controlled variable
REGISTERS: Final[Mapping[str, int]] = {GAS: 0, LOOP: 36}  # 36: volumetric flow
REGISTER_MAX: Final = 65_535
COLUMNS: Final = (4, 5)  # 5: the totaliser as well
FIRMWARE: Final = "8v17.0-R24 Nov 21 2019,12:00:00"  # guess


class FlowLink(Protocol):
    """The line that the instrument sits in."""

    def pressure(self, now_ns: int, /) -> float:
        """Return the absolute pressure in kPa."""

    def temperature(self, now_ns: int, /) -> float:
        """Return the temperature in degC."""

    def flow(self, now_ns: int, /) -> float:
        """Return the flow in mL/min."""

    def demand(self, setpoint: float, now_ns: int, /) -> object:
        """Control the flow to `setpoint` mL/min from now on."""


class Alicat:
    """One unit; Spec.address 1 is the letter A.

    Options: `full` (mL/min), `columns` (4; 5 with the totaliser), `controller` (0: a meter,
    which refuses setpoints). `link`: a FlowLink or None (air pressure, and a flow that follows
    the setpoint).
    """

    def __init__(self, spec: Spec, link: FlowLink | None) -> None:
        options = spec.options
        self._link = link
        self._full = float(options.get("full", FULL))
        self._total_shown = int(options.get("columns", COLUMNS[0])) == COLUMNS[1]
        self._controls = bool(float(options.get("controller", 1)))
        self._unit = chr(0x40 + spec.address)
        self._registers = dict(REGISTERS)
        self._locked = False
        self._setpoint = 0.0
        self._tares = {"pressure": 0.0, "flow": 0.0}
        self._wake(0)

    def _wake(self, now_ns: int) -> None:
        self._buffer = b""
        self._from = 0.0  # mL/min at the last change of the setpoint
        self._since_ns = now_ns
        self._total = 0.0  # mL
        self._seen_ns = now_ns  # until when the total counts
        self._next_ns: int | None = None  # next frame while streaming
        self._blocked = False

    # --- the wire -------------------------------------------------------------------------

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; CR ends a command, LF is dropped."""
        lines = (self._buffer + data.replace(b"\n", b"")).split(b"\r")
        self._buffer = lines.pop()[: LINE_MAX + 1]
        out: list[Reply] = []
        for line in lines:
            text = line[: LINE_MAX + 1].strip().upper().decode("latin-1")
            answer = self._command(text, now_ns)
            if answer:
                out.append(_reply(answer, now_ns))
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return the frames of the stream that are due."""
        if self._next_ns is None or now_ns < self._next_ns:
            return []
        behind = (now_ns - self._next_ns) // STREAM_NS
        first_ns = self._next_ns + max(0, behind - BURST_MAX + 1) * STREAM_NS
        self._next_ns += (behind + 1) * STREAM_NS
        times = range(first_ns, self._next_ns, STREAM_NS)
        return [_reply(self._frame("", now_ns), due) for due in times]

    def next_ns(self) -> int | None:
        """Return when the next frame of the stream is due."""
        return self._next_ns

    def _command(self, text: str, now_ns: int) -> str:
        """Return the answer to one command, "" if it is not for this unit."""
        streaming = self._next_ns is not None
        unit = "@" if streaming else self._unit
        if text[:1] != unit:
            return ""
        rest = text[1:].strip()
        if len(text) > LINE_MAX:
            return "?"
        if rest.startswith("@="):
            return self._readdress(rest[2:].strip(), now_ns)
        if streaming:
            return ""
        if rest == "VE":
            return f"{self._unit}   {FIRMWARE}"
        if rest.startswith(("$$R", "$$W")):
            return self._register(rest[2], rest[3:])
        if not self._act(rest, now_ns):
            return "?"
        return self._frame(self._unit + " ", now_ns)

    def _act(self, text: str, now_ns: int) -> bool:
        """Do what is answered with a frame; False if it is not understood."""
        self.settle(now_ns)
        if text in ("$$L", "$$U"):
            self._locked = text == "$$L"
        elif text in ("$$PC", "$$P"):
            self._tares["pressure"] = self._pressure(now_ns)
        elif text == "$$V":
            self._tares["flow"] = self._flow(now_ns)
        elif text in ("T", "$$T"):
            self._total = 0.0
        elif text[:1] == "S" and self._controls:
            return self._set(text[1:].strip(), now_ns)
        return not text or text in ("$$L", "$$U", "$$PC", "$$P", "$$V", "T", "$$T")

    def _set(self, text: str, now_ns: int) -> bool:
        value = _number(text)
        if value is None or not 0.0 <= value <= self._full:
            return False
        self._from, self._since_ns = self._flow(now_ns), now_ns
        self._setpoint = value
        if self._link is not None:
            self._link.demand(value, now_ns)
        return True

    def _register(self, kind: str, text: str) -> str:
        """Read or write a register: `$$R46`, `$$W46=8`."""
        name, _, value = text.partition("=")
        name = name.strip().lstrip("0")
        if name not in self._registers or (kind == "R") != (not value):
            return "?"
        if value:
            if not (value.isascii() and value.isdecimal() and len(value) <= 5):
                return "?"
            self._registers[name] = min(int(value), REGISTER_MAX)
        return f"{self._unit}   {name:0>3} = {self._registers[name]}"

    def _readdress(self, letter: str, now_ns: int) -> str:
        """Take another letter, or `@`: say the frame again and again."""
        if letter == "@":
            self._next_ns = now_ns + STREAM_NS
            return ""
        if len(letter) != 1 or not "A" <= letter <= "Z":
            return "?"
        self._unit, self._next_ns = letter, None
        return self._frame(self._unit + " ", now_ns)

    # --- what it measures -------------------------------------------------------------------

    def _pressure(self, now_ns: int) -> float:
        return self._link.pressure(now_ns) if self._link is not None else AIR_KPA

    def _flow(self, now_ns: int) -> float:
        if self._blocked:
            return 0.0
        if self._link is not None:
            return self._link.flow(now_ns)
        gone = math.exp(-(now_ns - self._since_ns) / 1e9 / LAG_S)
        return self._setpoint + (self._from - self._setpoint) * gone

    def settle(self, now_ns: int) -> None:
        """Add what has flowed since the last look to the total, where there is one."""
        if self._total_shown and now_ns > self._seen_ns:
            self._total += self._flow(now_ns) * (now_ns - self._seen_ns) / 60e9
            self._seen_ns = now_ns

    def _frame(self, start: str, now_ns: int) -> str:
        """Return a data frame: pressure, temperature, flow, setpoint, status words."""
        self.settle(now_ns)
        pressure = self._pressure(now_ns) - self._tares["pressure"]
        warm = self._link.temperature(now_ns) if self._link is not None else ROOM
        flow = self._flow(now_ns) - self._tares["flow"]
        most = self._full * OVER
        words = [f"{pressure:+07.2f}", f"{warm:+07.2f}", f"{min(max(flow, -most), most):+07.1f}"]
        words.append(f"{self._setpoint:+07.1f}")
        if self._total_shown:
            words.append(f"{min(self._total, 999_999.9):+09.1f}")
        states = {
            "LCK": self._locked, "MOV": abs(flow) > most, "POV": pressure > PRESSURE_MAX,
            "TOV": not TEMPERATURES[0] <= warm <= TEMPERATURES[1],
        }  # fmt: skip
        words += [word for word, holds in states.items() if holds]
        return start + " ".join(words)

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Let the line block until the next power-on: nothing flows."""
        self.settle(now_ns)
        self._blocked = True
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Come back with total 0, not streaming; letter, tares, setpoint and lock are kept."""
        self._wake(now_ns)

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "blocked": self._blocked,
            "buffer": self._buffer.decode("latin-1"),
            "from": self._from,
            "locked": self._locked,
            "next_ns": self._next_ns,
            "registers": dict(self._registers),
            "seen_ns": self._seen_ns,
            "setpoint": self._setpoint,
            "since_ns": self._since_ns,
            "tares": dict(self._tares),
            "total": self._total,
            "unit": self._unit,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave."""
        self._blocked = state["blocked"]
        self._buffer = state["buffer"].encode("latin-1")
        self._from = float(state["from"])
        self._locked = state["locked"]
        self._next_ns = state["next_ns"]
        self._registers = dict(state["registers"])
        self._seen_ns = state["seen_ns"]
        self._setpoint = float(state["setpoint"])
        self._since_ns = state["since_ns"]
        self._tares = {name: float(value) for name, value in state["tares"].items()}
        self._total = float(state["total"])
        self._unit = state["unit"]


def _reply(text: str, now_ns: int) -> Reply:
    data = text.encode("ascii") + b"\r"
    return now_ns + LATENCY_NS + BYTE_NS * len(data), data


def _number(text: str) -> float | None:
    """Return a plain decimal number, or None."""
    digits = text[1:] if text[:1] in ("-", "+") else text
    if len(digits) > 12 or not digits.isascii() or not digits.replace(".", "", 1).isdecimal():
        return None
    return float(text)
