"""An INFICON SQM-160 thin-film monitor with quartz sensors.

Source: SQM-160 operating manual, serial protocol, as recorded from a real monitor in pymeasure's
tests (pymeasure/instruments/inficon); 14-bit CRC. Thickness comes through the link
`thickness(sensor, now_ns)`. Must never answer a damaged request (guess: the host asks again).
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from sim.port import Reply, Spec

LATENCY_NS: Final = 15_000_000  # guess; a client takes what is there after 100 ms
BYTE_NS: Final = 520_834  # ten bits at 19200 baud
SYNC: Final = 0x21
ASKED: Final = 34  # added to the length of a request
TOLD: Final = 35  # added to the length of an answer
COMMAND_MAX: Final = 64  # bytes of a command
CRC_START: Final = 0x3FFF
CRC_POLY: Final = 0x2001
CRC_BYTES: Final = 2
PERIOD_NS: Final = 250_000_000  # guess: the rate is taken anew at most this often
FRESH_HZ: Final = 6e6  # a new crystal
SPENT_HZ: Final = 5e6  # one with no life left
USED_HZ: Final = 5_875_830.23  # the crystals before anything is deposited
HZ_PER_ANGSTROM: Final = 0.976  # Sauerbrey, 6 MHz crystal (12.3 ng/cm2 per Hz), 1.2 g/cm3
SENSORS: Final = 6


class FilmLink(Protocol):
    """What lies on the crystals."""

    def thickness(self, sensor: int, now_ns: int, /) -> float:
        """Return the film on a sensor (from 1) in angstrom."""


def crc(data: bytes) -> bytes:
    """Return the two check bytes: a reflected 14-bit CRC, low seven bits first, 34 added."""
    value = CRC_START
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (CRC_POLY if value & 1 else 0)
    return bytes(((value & 0x7F) + 34, (value >> 7 & 0x7F) + 34))


def answer(status: str, text: str) -> bytes:
    """Return an answer: sync, length, status A (done), C (unknown) or D (bad data), text, CRC."""
    body = bytes((len(status + text) + TOLD,)) + (status + text).encode("ascii")
    return b"!" + body + crc(body)


class SQM160:
    """One monitor.

    Options: `sensors` (1 to 6), `version` (what `@` answers). `link`: a FilmLink or None (bare
    crystals).
    """

    def __init__(self, spec: Spec, link: FilmLink | None) -> None:
        self._link = link
        sensors = int(spec.options.get("sensors", SENSORS))
        if not 1 <= sensors <= SENSORS:
            raise ValueError(f"{spec.name}: 1 to {SENSORS} sensors, got {sensors}")
        self._sensors = range(1, sensors + 1)
        self._version = str(spec.options.get("version", "MON Ver 4.13"))
        self._zeros = [0.0] * sensors  # angstrom
        self._wake(0)

    def _wake(self, now_ns: int) -> None:
        self._buffer = b""  # begins with the sync byte, or is empty
        self._reset = True  # told once by Y
        self._dead = False
        self._seen_ns = now_ns  # last look at the thickness, for the rate
        self._seen = [self._film(sensor, now_ns) for sensor in self._sensors]
        self._rates = [0.0] * len(self._seen)  # angstrom/s

    # --- the wire -------------------------------------------------------------------------

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; the sync byte is never anything else, so it always begins a request."""
        out: list[Reply] = []
        for byte in data:
            if byte == SYNC:
                self._buffer = b"!"
            elif self._buffer:
                self._buffer += bytes((byte,))
                self._byte(now_ns, out)
        return out

    def _byte(self, now_ns: int, out: list[Reply]) -> None:
        """Look whether the request is complete, and answer it."""
        length = self._buffer[1] - ASKED
        if not 1 <= length <= COMMAND_MAX:
            self._buffer = b""
            return
        if len(self._buffer) < 2 + length + CRC_BYTES:
            return
        body, check = self._buffer[1:-CRC_BYTES], self._buffer[-CRC_BYTES:]
        self._buffer = b""
        if crc(body) == check:
            self._look(now_ns)
            reply = answer(*self._command(body[1:].decode("latin-1"), now_ns))
            out.append((now_ns + LATENCY_NS + BYTE_NS * len(reply), reply))

    def poll(self, now_ns: int) -> list[Reply]:
        """Return nothing: the monitor never speaks unasked."""
        return []

    def next_ns(self) -> int | None:
        """Return None: the monitor never speaks unasked."""
        return None

    def _command(self, text: str, now_ns: int) -> tuple[str, str]:
        """Return status and text of the answer."""
        name, rest = text[0], text[1:].removesuffix("?")
        if name in "LNPR":
            return self._sensor(name, rest, now_ns)
        if rest or name not in "@JMOSTWYZ":
            return "C", ""
        if name in "STZ":
            if name != "T":
                self._zeros = [self._film(sensor, now_ns) for sensor in self._sensors]
            return "A", ""
        return "A", self._general(name, now_ns)

    def _sensor(self, name: str, rest: str, now_ns: int) -> tuple[str, str]:
        """Answer rate, thickness, frequency or life of one sensor."""
        if not rest or not (rest.isascii() and rest.isdecimal()):
            return "C", ""
        if len(rest) > 2 or int(rest) not in self._sensors:
            return "D", ""
        sensor = int(rest)
        if name == "L":
            return "A", f" {self._rates[sensor - 1]:.2f} "
        if name == "N":
            return "A", f" {self._thickness(sensor, now_ns):.3f} "
        hertz = self._hertz(sensor, now_ns)
        if name == "P":
            return "A", f"{hertz:.3f}"
        return "A", f" {100.0 * max(hertz - SPENT_HZ, 0.0) / (FRESH_HZ - SPENT_HZ):.0f} "

    def _general(self, name: str, now_ns: int) -> str:
        count = len(self._sensors)
        if name == "@":
            return self._version
        if name == "J":
            return str(count)
        if name == "M":
            return f" {sum(self._rates) / count:.2f} "
        if name == "O":
            return f" {sum(self._thickness(at, now_ns) for at in self._sensors) / count:.3f} "
        if name == "Y":
            told, self._reset = self._reset, False
            return str(int(told))
        rows = [
            f" {self._rates[at - 1]:.2f}, {self._thickness(at, now_ns):.3f},"
            f"{self._hertz(at, now_ns):.3f}"
            for at in self._sensors
        ]
        return "00.00" + ",".join(rows)

    # --- the crystals -----------------------------------------------------------------------

    def _film(self, sensor: int, now_ns: int) -> float:
        return self._link.thickness(sensor, now_ns) if self._link is not None else 0.0

    def _thickness(self, sensor: int, now_ns: int) -> float:
        """Return what lies on a sensor since the last zero; within what can be shown."""
        film = self._film(sensor, now_ns) - self._zeros[sensor - 1]
        return 0.0 if self._dead else min(max(film, -1e6), 1e7)

    def _hertz(self, sensor: int, now_ns: int) -> float:
        if self._dead:
            return 0.0
        return max(USED_HZ - HZ_PER_ANGSTROM * self._film(sensor, now_ns), 0.0)

    def _look(self, now_ns: int) -> None:
        """Take the rates anew, if the last look is old enough."""
        since_ns = now_ns - self._seen_ns
        if since_ns < PERIOD_NS:
            return
        films = [self._film(sensor, now_ns) for sensor in self._sensors]
        self._rates = [
            0.0 if self._dead else (film - before) / since_ns * 1e9
            for film, before in zip(films, self._seen, strict=True)
        ]
        self._seen_ns, self._seen = now_ns, films

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Let every crystal stop oscillating until the next power-on."""
        self._dead = True
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Come back with the reset flag up; the zeros are kept (guess)."""
        self._wake(now_ns)

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "buffer": self._buffer.decode("latin-1"),
            "dead": self._dead,
            "rates": list(self._rates),
            "reset": self._reset,
            "seen": list(self._seen),
            "seen_ns": self._seen_ns,
            "zeros": list(self._zeros),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave."""
        self._buffer = state["buffer"].encode("latin-1")
        self._dead = state["dead"]
        self._rates = [float(value) for value in state["rates"]]
        self._reset = state["reset"]
        self._seen = [float(value) for value in state["seen"]]
        self._seen_ns = state["seen_ns"]
        self._zeros = [float(value) for value in state["zeros"]]
