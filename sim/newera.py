"""A New Era NE-1000 syringe pump: its command language, on a `Syringe`.

Source: New Era NE-1000 manual, publication #1200-01. Basic and safe framing are understood at any
time; answers come in the framing of the mode that is in force. Must never wait.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Final

from sim.newera_packets import Packets, basic_packet, safe_packet
from sim.port import Reply, Spec
from sim.syringe import (
    NS,
    PHASES,
    RATE_UNITS,
    VOLUME_UNITS,
    OutOfRange,
    PumpLink,
    Syringe,
)  # fmt: skip

LATENCY_NS: Final = 4_000_000  # guess: "a few ms"
BYTE_NS: Final = 520_834  # ten bits at 19200 baud
BORE_MIN: Final = 0.1  # mm
BORE_MAX: Final = 50.0
COUNT_MAX: Final = 9999.0  # largest number the pump can show
SAFE_MAX_S: Final = 255
ADDRESS_MAX: Final = 99
DIRECTIONS: Final = ("INF", "WDR", "REV", "STK")
SWITCHES: Final[Mapping[str, tuple[str, ...]]] = {  # name -> settings, the first at first
    "AL": ("0", "1"), "BP": ("0", "1"), "LOC": ("0", "1"),
    "TRG": ("FT", "FH", "F2", "LE", "ST", "T2", "SP", "P2"),
}  # fmt: skip


class _Error(Exception):
    """The text after the status character of an error reply."""


def number(value: float) -> str:
    """Return at most four digits and always a point: 0.500, 14.43, 500.0, 9999."""
    for decimals, below in ((3, 9.9995), (2, 99.995), (1, 999.95)):
        if value < below:
            return f"{value:.{decimals}f}"
    return f"{min(value, COUNT_MAX):.0f}."


@lru_cache(maxsize=256)
def parse(raw: str) -> tuple[int, str]:
    """Return address (0 if there is none) and command, stripped and in capitals."""
    text = "".join(character for character in raw if "!" <= character <= "~").upper()
    digits = len(text[:2]) - len(text[:2].lstrip("0123456789"))
    return int(text[:digits] or 0), text[digits:]


class NewEra:
    """One pump. Options: `diameter` (mm, the bore stored at first). `link`: a PumpLink or None."""

    def __init__(self, spec: Spec, link: PumpLink | None) -> None:
        self._syringe = Syringe(float(spec.options.get("diameter", 14.43)), link)
        self._packets = Packets()
        self._address = spec.address
        self._safe_s = 0
        self._heard_ns: int | None = None  # last valid safe packet
        self._switches = {name: settings[0] for name, settings in SWITCHES.items()}

    # --- the wire -------------------------------------------------------------------------

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes of either framing."""
        out: list[Reply] = []
        for command, safe in self._packets.feed(data, now_ns):
            self.settle(now_ns)
            text = self._command(command, now_ns)
            if text is not None:
                if safe and self._safe_s and command is not None:
                    self._heard_ns = now_ns
                out.append(self._reply(text, now_ns))
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return an alarm that is pushed unasked (safe mode), after settling the pumping."""
        self.settle(now_ns)
        syringe = self._syringe
        if syringe.pushed or not syringe.alarm or not self._safe_s:
            return []
        syringe.pushed = True
        return [self._reply("A?" + syringe.alarm, now_ns)]

    def next_ns(self) -> int | None:
        """Return when an alarm will be pushed: safe mode only."""
        if not self._safe_s:
            return None
        if self._syringe.alarm and not self._syringe.pushed:
            return self._syringe.since_ns
        stall = self._syringe.stall_ns()
        if self._heard_ns is None:
            return stall
        deadline = self._heard_ns + self._safe_s * NS
        return deadline if stall is None else min(stall, deadline)

    def settle(self, now_ns: int) -> None:
        """Move the liquid of the time since the last look; raise the alarms that are due."""
        if self._heard_ns is not None and now_ns >= self._heard_ns + self._safe_s * NS:
            self._syringe.settle(self._heard_ns + self._safe_s * NS)
            self._syringe.trip("T")
            self._heard_ns = None
        if self._syringe.state != "S":
            self._syringe.settle(now_ns)

    def _reply(self, text: str, now_ns: int) -> Reply:
        data = f"{self._address:02d}{text}".encode("ascii")
        packet = safe_packet(data) if self._safe_s else basic_packet(data)
        return now_ns + LATENCY_NS + BYTE_NS * len(packet), packet

    def _command(self, raw: str | None, now_ns: int) -> str | None:
        """Return the reply (status and data) to one packet, or None if another pump is meant."""
        if raw is None:
            return self._status() + "?COM"
        address, text = parse(raw)
        if address != self._address:
            return None
        name = next((key for key in self._COMMANDS if text.startswith(key)), "")
        if text and not name:
            return self._status() + "?"
        if self._syringe.alarm:  # reported and so cleared; the command itself is not executed
            report, self._syringe.alarm = "A?" + self._syringe.alarm, ""
            return report
        if not text:
            return self._syringe.state
        try:
            data = self._COMMANDS[name](self, text[len(name) :], now_ns)
        except _Error as error:
            data = str(error)
        except OutOfRange:
            data = "?OOR"
        return self._status() + data

    def _status(self) -> str:
        alarm = self._syringe.alarm
        return "A?" + alarm if alarm else self._syringe.state

    # --- commands -------------------------------------------------------------------------

    def _dia(self, text: str, now_ns: int) -> str:
        if not text:
            return number(self._syringe.diameter)
        self._require_stopped()
        value = _value(text)
        if not BORE_MIN <= value <= BORE_MAX:
            raise OutOfRange
        self._syringe.bore(value)
        return ""

    def _phn(self, text: str, now_ns: int) -> str:
        if not text:
            return f"{self._syringe.phase:02d}"
        self._require_stopped()
        self._syringe.phase = _whole(text, 1, PHASES)
        return ""

    def _fun(self, text: str, now_ns: int) -> str:
        if not text:
            return self._syringe.current().function
        self._require_stopped()
        if text not in ("RAT", "STP"):
            raise _Error("?")
        self._syringe.stored().function = text
        return ""

    def _rat(self, text: str, now_ns: int) -> str:
        syringe = self._syringe
        phase = syringe.current()
        if not text:
            return number(phase.rate) + phase.units
        units = text[-2:] if text[-2:] in RATE_UNITS else ""
        value = phase.rate if text == units else _value(text[: len(text) - len(units)])
        units = units or phase.units
        if syringe.state == "X" or (syringe.pumping and units != phase.units):
            raise _Error("?NA")
        syringe.require_rate(value * RATE_UNITS[units])
        if syringe.pumping:  # taken at once, not stored
            syringe.rate = value * RATE_UNITS[units]
        else:
            stored = syringe.stored()
            stored.rate, stored.units = value, units
        return ""

    def _vol(self, text: str, now_ns: int) -> str:
        syringe = self._syringe
        if not text:
            return number(syringe.current().volume) + syringe.volume_units
        self._require_stopped()
        units = text[-2:] if text[-2:] in VOLUME_UNITS else ""
        if text != units:
            syringe.stored().volume = _value(text[: len(text) - len(units)])
        syringe.volume_units = units or syringe.volume_units
        return ""

    def _dir(self, text: str, now_ns: int) -> str:
        syringe = self._syringe
        phase = syringe.current()
        if not text:
            return phase.direction
        if text not in DIRECTIONS:
            raise _Error("?")
        if syringe.pumping and (phase.volume or syringe.state == "X"):
            raise _Error("?NA")
        if text == "REV":
            text = "WDR" if phase.direction == "INF" else "INF"
        if text != "STK":  # sticky: the direction stays what it was
            syringe.stored().direction = text
        if syringe.pumping:
            syringe.point(now_ns)
        return ""

    def _run(self, text: str, now_ns: int) -> str:
        self._require_stopped()
        if self._syringe.state == "P" and not text:
            self._syringe.point(now_ns)
            return ""
        self._syringe.phase = _whole(text, 1, PHASES) if text else 1
        self._syringe.begin(now_ns)
        return ""

    def _pur(self, text: str, now_ns: int) -> str:
        self._require_stopped()
        self._syringe.purge(now_ns)
        return ""

    def _stp(self, text: str, now_ns: int) -> str:
        state = self._syringe.state
        if state == "S":
            raise _Error("?NA")
        self._syringe.state = "P" if state in "IW" else "S"
        return ""

    def _dis(self, text: str, now_ns: int) -> str:
        if text:
            raise _Error("?")
        syringe = self._syringe
        scale = VOLUME_UNITS[syringe.volume_units]
        infused, withdrawn = number(syringe.infused / scale), number(syringe.withdrawn / scale)
        return f"I{infused}W{withdrawn}{syringe.volume_units}"

    def _cld(self, text: str, now_ns: int) -> str:
        self._require_stopped()
        if text == "INF":
            self._syringe.infused = 0.0
        elif text == "WDR":
            self._syringe.withdrawn = 0.0
        else:
            raise _Error("?")
        return ""

    def _ver(self, text: str, now_ns: int) -> str:
        if text:
            raise _Error("?")
        return "NE1000V3.923"

    def _saf(self, text: str, now_ns: int) -> str:
        if text:
            self._safe_s = _whole(text, 0, SAFE_MAX_S)
            self._heard_ns = None  # the time-out runs from the first valid safe packet
            return ""
        return str(self._safe_s)

    def _adr(self, text: str, now_ns: int) -> str:
        if not text:
            return f"{self._address:02d}"
        self._address = _whole(text.split("B")[0], 0, ADDRESS_MAX)
        return ""

    def _reset(self, text: str, now_ns: int) -> str:
        self._syringe.forget_program()
        self._syringe.wake()
        self._syringe.alarm = ""
        self._safe_s, self._heard_ns = 0, None
        return ""

    def _switch(self, name: str, text: str) -> str:
        """Set or report a switch that nothing else here depends on."""
        if not text:
            return self._switches[name]
        if text not in SWITCHES[name]:
            raise _Error("?")
        self._switches[name] = text
        return ""

    def _in(self, text: str, now_ns: int) -> str:
        """Report a TTL input; nothing is connected, so all are high."""
        _whole(text, 2, 6)
        return "1"

    # Tried in this order: a name that begins like another comes first.
    _COMMANDS: ClassVar[Mapping[str, Callable[["NewEra", str, int], str]]] = {
        "*RESET": _reset, "*ADR": _adr, "DIA": _dia, "PHN": _phn, "FUN": _fun, "RAT": _rat,
        "VOL": _vol, "DIR": _dir, "DIS": _dis, "RUN": _run, "PUR": _pur, "STP": _stp,
        "CLD": _cld, "VER": _ver, "SAF": _saf, "IN": _in,
        "AL": lambda pump, text, now_ns: pump._switch("AL", text),
        "BP": lambda pump, text, now_ns: pump._switch("BP", text),
        "LOC": lambda pump, text, now_ns: pump._switch("LOC", text),
        "TRG": lambda pump, text, now_ns: pump._switch("TRG", text),
    }  # fmt: skip

    def _require_stopped(self) -> None:
        if self._syringe.pumping:
            raise _Error("?NA")

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Stall after the share `argument` of the volume left; False when nothing is pumped."""
        self.settle(now_ns)
        if not self._syringe.pumping:
            return False
        self._syringe.block(argument)
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Stop, forget the counters (guess), raise alarm R; keep non-volatile memory."""
        self.settle(now_ns)
        self._packets = Packets()
        self._heard_ns = None
        self._syringe.wake()

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "address": self._address,
            "heard_ns": self._heard_ns,
            "packets": self._packets.plain(),
            "safe_s": self._safe_s,
            "switches": dict(self._switches),
            "syringe": self._syringe.plain(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave."""
        self._address = state["address"]
        self._heard_ns = state["heard_ns"]
        self._packets.take(state["packets"])
        self._safe_s = state["safe_s"]
        self._switches = dict(state["switches"])
        self._syringe.take(state["syringe"])


def _value(text: str) -> float:
    """Return a number of at most four digits, three of them after the point."""
    whole, _, part = text.partition(".")
    digits = whole + part
    if not digits.isdecimal():
        raise _Error("?")
    if len(digits) > 4 or len(part) > 3:
        raise OutOfRange
    return float(text)


def _whole(text: str, low: int, high: int) -> int:
    """Return a whole number between `low` and `high`."""
    if not text.isdecimal():
        raise _Error("?")
    if len(text) > 4 or not low <= int(text) <= high:
        raise OutOfRange
    return int(text)
