"""A Stanford Research Systems QCM200 quartz crystal microbalance with a 5 MHz crystal.

Source: srsinst.qcm, the maker's own client (the manual was not at hand). Frequency and resistance
are measured once a gate and stay until the next one; what the crystal feels comes through the link
`frequency(now_ns)`, `resistance(now_ns)`. Must never answer a setting or an unknown command.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from sim.port import Reply, Spec

LATENCY_NS: Final = 5_000_000  # guess
BYTE_NS: Final = 1_041_667  # ten bits at 9600 baud
LINE_MAX: Final = 32  # bytes of an unfinished command that are kept
GATES_NS: Final = (100_000_000, 1_000_000_000, 10_000_000_000)  # P 0, 1, 2
RANGE_HZ: Final = (4_000_000.0, 6_000_000.0)  # guess: what the controller can follow
RANGE_OHM: Final = 5_000.0  # guess: more damping stops the oscillation
CRYSTAL_HZ: Final = 5_000_000.0  # without a world: a crystal in air
CRYSTAL_OHM: Final = 10.0
SETTINGS: Final[Mapping[str, int]] = {"P": 2, "D": 6, "V": 6, "T": 1}  # highest number of each
NEW_R, NEW_F, OVER, UNDER, BAD = 1, 2, 4, 8, 16  # bits of the status byte


class CrystalLink(Protocol):
    """What the crystal feels."""

    def frequency(self, now_ns: int, /) -> float:
        """Return its series resonance in Hz."""

    def resistance(self, now_ns: int, /) -> float:
        """Return its motional resistance in ohm."""


class QCM200:
    """One controller with its crystal. `link`: a CrystalLink or None (a dry crystal)."""

    def __init__(self, spec: Spec, link: CrystalLink | None) -> None:
        self._link = link
        self._serial = spec.serial or "90123"
        self._wake(0)

    def _wake(self, now_ns: int) -> None:
        self._buffer = b""
        self._values = {"P": 1, "D": 0, "V": 0, "T": 0}
        self._offsets = {"G": 0.0, "S": 0.0}  # Hz, ohm
        self._since_ns = now_ns  # begin of the gates
        self._gates = 0  # gates that are over and were looked at
        self._hz, self._ohm = CRYSTAL_HZ, CRYSTAL_OHM  # of the last gate
        self._status = 0
        self._dead = False

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; CR ends a command (a lone one says nothing), LF is dropped."""
        lines = (self._buffer + data.replace(b"\n", b"")).split(b"\r")
        self._buffer = lines.pop()[: LINE_MAX + 1]
        out: list[Reply] = []
        for line in lines:
            text = line[: LINE_MAX + 1].decode("latin-1").strip().upper()
            if not text:
                continue
            self._look(now_ns)
            answer = self._command(text, now_ns) if len(text) <= LINE_MAX else None
            if answer is None:
                self._status |= BAD
            elif answer:
                reply = answer.encode("ascii") + b"\r"
                out.append((now_ns + LATENCY_NS + BYTE_NS * len(reply), reply))
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return nothing: the controller never speaks unasked."""
        return []

    def next_ns(self) -> int | None:
        """Return None: the controller never speaks unasked."""
        return None

    def _look(self, now_ns: int) -> None:
        """Take over the measurement of the last gate that is over."""
        over = (now_ns - self._since_ns) // GATES_NS[self._values["P"]]
        if over <= self._gates:
            return
        self._gates = over
        if self._link is not None:
            self._hz, self._ohm = self._link.frequency(now_ns), self._link.resistance(now_ns)
        if self._dead or self._ohm > RANGE_OHM:
            self._hz, self._ohm = 0.0, RANGE_OHM
        self._status &= ~(OVER | UNDER)
        self._status |= NEW_R | NEW_F
        self._status |= OVER * (self._hz > RANGE_HZ[1]) | UNDER * (self._hz < RANGE_HZ[0])

    def _command(self, text: str, now_ns: int) -> str | None:
        """Return the answer, "" for none, None for a command that is not understood."""
        name, rest = text[0], text[1:].strip()
        if rest in ("", "?") and name in "FRBI":
            return self._measured(name)
        if name in self._offsets:
            return self._offset(name, rest)
        high = SETTINGS.get(name)
        if high is None:
            return None
        if rest == "?":
            return str(self._values[name])
        if not (rest.isascii() and rest.isdecimal() and len(rest) == 1 and int(rest) <= high):
            return None
        self._values[name] = int(rest)
        if name == "P":  # the first gate of the new length begins
            self._since_ns, self._gates = now_ns, 0
        return ""

    def _measured(self, name: str) -> str:
        """Answer F, R, B or I; reading a value, or the status, clears its new bit."""
        if name == "I":
            return f"QCM200_1.05_0_{self._serial}"
        if name == "B":
            status, self._status = self._status, self._status & (OVER | UNDER)
            return str(status)
        if name == "F":
            self._status &= ~NEW_F
            return f"{self._hz:.2f}"
        self._status &= ~NEW_R
        return f"{self._ohm:.2f}"

    def _offset(self, name: str, rest: str) -> str | None:
        """Zero, set or report the offset of frequency (G) or resistance (S)."""
        if rest == "?":
            return f"{self._offsets[name]:.2f}"
        value = _number(rest) if rest else self._hz if name == "G" else self._ohm
        if value is None:
            return None
        self._offsets[name] = value
        return ""

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Let the crystal stop oscillating until the next power-on."""
        self._dead = True
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Come back with defaults and without offsets (guess); the first gate begins."""
        self._wake(now_ns)

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "buffer": self._buffer.decode("latin-1"),
            "dead": self._dead,
            "gates": self._gates,
            "hz": self._hz,
            "offsets": dict(self._offsets),
            "ohm": self._ohm,
            "since_ns": self._since_ns,
            "status": self._status,
            "values": dict(self._values),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave."""
        self._buffer = state["buffer"].encode("latin-1")
        self._dead = state["dead"]
        self._gates = state["gates"]
        self._hz = float(state["hz"])
        self._offsets = {name: float(value) for name, value in state["offsets"].items()}
        self._ohm = float(state["ohm"])
        self._since_ns = state["since_ns"]
        self._status = state["status"]
        self._values = dict(state["values"])


def _number(text: str) -> float | None:
    """Return a plain decimal number, or None."""
    digits = text[1:] if text[:1] in ("-", "+") else text
    if len(digits) > 14 or not digits.isascii() or not digits.replace(".", "", 1).isdecimal():
        return None
    return float(text)
