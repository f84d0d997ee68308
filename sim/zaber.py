"""A Zaber X-series device with one axis: the Zaber ASCII protocol, version 2 (firmware 7).

Source: Zaber ASCII Protocol Manual; what its opening pages leave open is marked as a guess.
Must never wait, and must never answer what was not addressed to it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Final, NamedTuple

from sim.axis import HALT_FACTOR, Axis, AxisLink
from sim.port import Reply, Spec

LATENCY_NS: Final = 2_000_000  # guess: from the terminator to the first byte of the reply
BYTE_NS: Final = 86_806  # ten bits at 115200 baud
SLOT_NS: Final = 1_000_000  # guess: spacing of the replies of a chain to address 0
PACKET_MAX: Final = 80  # comm.packet.size.max
SPEED_SCALE: Final = 1.6384  # maxspeed data per microstep/s
ACCEL_SCALE: Final = 1.6384e-4  # accel data per microstep/s2
DATA_MAX: Final = 2**31 - 1
ADDRESS_MAX: Final = 99
FIXED: Final[Mapping[str, int | str]] = {
    "deviceid": 30342, "version": "7.32", "version.build": 13718, "resolution": 64,
    "system.axiscount": 1, "peripheralid": 68404, "peripheral.hw.modified": 0,
    "device.hw.modified": 0, "comm.packet.size.max": PACKET_MAX, "comm.word.size.max": 50,
    "comm.command.packets.max": 1, "get.settings.max": 1,
}  # fmt: skip
LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "accel": (1, DATA_MAX), "motion.accelonly": (1, DATA_MAX), "motion.decelonly": (1, DATA_MAX),
    "maxspeed": (1, DATA_MAX), "limit.approach.maxspeed": (1, DATA_MAX),
    "limit.min": (-DATA_MAX, DATA_MAX), "limit.max": (-DATA_MAX, DATA_MAX),
    "comm.alert": (0, 1), "comm.checksum": (0, 1), "comm.address": (1, ADDRESS_MAX),
    "system.access": (1, 2),
}  # fmt: skip


class Request(NamedTuple):
    """A parsed command line; `ident` is the message id with a blank before it, or ""."""

    address: int
    axis: int
    ident: str
    words: tuple[str, ...]


class _Reject(Exception):
    """The reason that follows RJ."""


@lru_cache(maxsize=1024)
def parse(line: bytes) -> Request | None:
    """Return the request in one line without its terminator, or None if it is to be ignored.

    `/[address [axis [id]]] [words][:checksum]`; a wrong checksum makes the line ignored (guess).
    """
    start = line.find(b"/")
    if start < 0:
        return None
    text = line[start + 1 :].decode("ascii", "replace")
    if len(text) > 2 and text[-3] == ":":
        if text[-2:].upper() != checksum(text[:-3]):
            return None
        text = text[:-3]
    words = text.split()
    leading: list[str] = []
    while words and len(leading) < 3 and words[0].isdecimal() and len(words[0]) <= 3:
        leading.append(words.pop(0))
    return Request(
        int(leading[0]) if leading else 0,
        int(leading[1]) if len(leading) > 1 else 0,
        f" {leading[2]:0>2}" if len(leading) > 2 else "",
        tuple(words),
    )


def checksum(text: str) -> str:
    """Return the two hexadecimal digits of the longitudinal redundancy check of `text`."""
    return f"{-sum(text.encode('ascii', 'replace')) & 0xFF:02X}"


class Zaber:
    """One device with one axis.

    Options: `microstep` (mm or deg), `accel` (unit/s2), `speed` (unit/s), `high` (travel from 0,
    unit), `at` (where it stands at first, unit). `link`: an AxisLink or None.
    """

    def __init__(self, spec: Spec, link: AxisLink | None) -> None:
        options = spec.options
        self._address = spec.address
        self._own_address = spec.address
        self._serial = spec.serial or f"{98000 + spec.address}"
        self._microstep = float(options.get("microstep", 0.49609375e-3))
        high = float(options.get("high", 604724 * self._microstep))
        steps_s = float(options.get("speed", 20.0)) / self._microstep
        accel = float(options.get("accel", 50.0)) / self._microstep * ACCEL_SCALE
        data = max(1, round(accel))
        self._settings: dict[str, int] = {
            "accel": data, "motion.accelonly": data, "motion.decelonly": data,
            "maxspeed": max(1, round(steps_s * SPEED_SCALE)),
            "limit.approach.maxspeed": max(1, round(steps_s * SPEED_SCALE / 2)),
            "limit.min": 0, "limit.max": int(high / self._microstep + 1e-6),
            "comm.alert": 0, "comm.checksum": 0, "system.access": 1,
        }  # fmt: skip
        self._buffer = b""
        self._axis = Axis(high, float(options.get("at", 0.0)), link)

    # --- the wire -------------------------------------------------------------------------

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; any mix of CR and LF ends a command."""
        lines = (self._buffer + data).replace(b"\r", b"\n").split(b"\n")
        self._buffer = lines.pop()[: PACKET_MAX + 1]
        out: list[Reply] = []
        for line in lines:
            if line:
                self._line(line, now_ns, out)
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return the alert of a motion that has ended, when alerts are on."""
        due = self.next_ns()
        if due is None or due > now_ns:
            return []
        self._axis.settle(now_ns)
        return [(due + LATENCY_NS, self._seal(f"!{self._address:02d} 1 IDLE {self._axis.worst}"))]

    def next_ns(self) -> int | None:
        """Return the end of the motion, when alerts are on."""
        if self._axis.task and self._settings["comm.alert"]:
            return self._axis.motion.end_ns
        return None

    def _line(self, line: bytes, now_ns: int, out: list[Reply]) -> None:
        request = parse(line[: PACKET_MAX + 1])
        if request is None:
            return
        address, axis = request.address, self._axis
        if address != 0 and address != self._address:
            return
        if axis.task and now_ns >= axis.motion.end_ns:
            out += self.poll(now_ns)  # its alert, if it has one, comes first
            axis.settle(now_ns)
        try:
            data = self._execute(request, len(line), now_ns)
            flag = "OK"
        except _Reject as reason:
            data, flag = str(reason), "RJ"
        state = "BUSY" if now_ns < axis.motion.end_ns else "IDLE"
        reply = self._seal(
            f"@{self._address:02d} {request.axis}{request.ident} {flag} {state} {axis.worst} {data}"
        )
        due = now_ns + LATENCY_NS + BYTE_NS * len(reply)
        out.append((due + SLOT_NS * (self._address - 1) if address == 0 else due, reply))

    def _seal(self, text: str) -> bytes:
        if self._settings["comm.checksum"]:
            text = f"{text}:{checksum(text[1:])}"
        return text.encode("ascii") + b"\r\n"

    def _execute(self, request: Request, length: int, now_ns: int) -> str:
        """Carry out a command and return the data of its reply."""
        if request.axis > 1:
            raise _Reject("BADAXIS")
        if length > PACKET_MAX:
            raise _Reject("BADCOMMAND")
        if not request.words:
            return "0"
        command = self._COMMANDS.get(request.words[0])
        if command is None:
            raise _Reject("BADCOMMAND")
        return command(self, request, request.words[1:], now_ns)

    # --- settings -------------------------------------------------------------------------

    def _get(self, request: Request, words: Sequence[str], now_ns: int) -> str:
        if len(words) != 1:
            raise _Reject("BADCOMMAND")
        name = words[0]
        if name == "pos":
            return str(self._reading(now_ns))
        if name in self._settings:
            return str(self._settings[name])
        if name in FIXED:
            return str(FIXED[name])
        if name in ("system.serial", "peripheral.serial"):
            return self._serial
        if name == "comm.address":
            return str(self._address)
        raise _Reject("BADCOMMAND")

    def _set(self, request: Request, words: Sequence[str], now_ns: int) -> str:
        if len(words) != 2:
            raise _Reject("BADCOMMAND")
        name, value = words[0], _number(words[1])
        if name == "pos":
            if self._axis.busy(now_ns):
                raise _Reject("STATUSBUSY")
            self._axis.offset = self._axis.motion.target - value * self._microstep
            self._axis.lower("WR")
            return "0"
        if name not in LIMITS:
            raise _Reject("BADCOMMAND" if name not in FIXED else "NOACCESS")
        low, high = LIMITS[name]
        if not low <= value <= high:
            raise _Reject("BADDATA")
        if name == "comm.address":
            self._address = value
            return "0"
        self._settings[name] = value
        if name == "accel":
            self._settings["motion.accelonly"] = self._settings["motion.decelonly"] = value
        elif name == "motion.accelonly":
            self._settings["accel"] = value
        return "0"

    # --- motion ---------------------------------------------------------------------------

    def _move(self, request: Request, words: Sequence[str], now_ns: int) -> str:
        self._require_drive()
        kind = words[0] if words else ""
        numbers = [_number(word) for word in words[1:4]]
        settings = self._settings
        speed, accel = settings["maxspeed"], settings["accel"]
        if kind in ("min", "max") and len(words) == 1:
            target = settings["limit.min"] if kind == "min" else settings["limit.max"]
        elif kind in ("abs", "rel") and 2 <= len(words) <= 4:
            target = numbers[0] + (self._reading(now_ns) if kind == "rel" else 0)
            speed = numbers[1] if len(numbers) > 1 else speed
            accel = numbers[2] if len(numbers) > 2 else accel
        elif kind == "vel" and len(words) == 2:
            if numbers[0] == 0:
                return self._stop(request, (), now_ns)
            target = settings["limit.max" if numbers[0] > 0 else "limit.min"]
            speed = abs(numbers[0])
        else:
            raise _Reject("BADCOMMAND")
        if not settings["limit.min"] <= target <= settings["limit.max"]:
            raise _Reject("BADDATA")
        self._begin("move", target * self._microstep + self._axis.offset, speed, accel, now_ns)
        return "0"

    def _home(self, request: Request, words: Sequence[str], now_ns: int) -> str:
        if words:
            raise _Reject("BADCOMMAND")
        self._require_drive()
        speed, accel = self._settings["limit.approach.maxspeed"], self._settings["accel"]
        self._begin("home", 0.0, speed, accel, now_ns)
        return "0"

    def _stop(self, request: Request, words: Sequence[str], now_ns: int) -> str:
        self._axis.brake(self._decel(), now_ns)
        return "0"

    def _estop(self, request: Request, words: Sequence[str], now_ns: int) -> str:
        self._axis.brake(self._decel() * HALT_FACTOR, now_ns)
        return "0"

    def _begin(self, task: str, place: float, speed: int, accel: int, now_ns: int) -> None:
        unit_s = max(speed, 1) / SPEED_SCALE * self._microstep
        unit_s2 = max(accel, 1) / ACCEL_SCALE * self._microstep
        self._axis.begin(task, place, unit_s, unit_s2, now_ns)

    def _decel(self) -> float:
        return self._settings["motion.decelonly"] / ACCEL_SCALE * self._microstep

    def _require_drive(self) -> None:
        if self._axis.parked:
            raise _Reject("PARKED")
        if "FO" in self._axis.flags:
            raise _Reject("DRIVERDISABLED")

    def _reading(self, now_ns: int) -> int:
        return round((self._axis.motion.at(now_ns) - self._axis.offset) / self._microstep)

    # --- administration -------------------------------------------------------------------

    def _warnings(self, request: Request, words: Sequence[str], now_ns: int) -> str:
        flags = self._axis.flags
        if words and words != ("clear",):
            raise _Reject("BADCOMMAND")
        if words:
            self._axis.acknowledge()
        return " ".join([f"{len(flags):02d}", *flags])

    def _tools(self, request: Request, words: Sequence[str], now_ns: int) -> str:
        if len(words) != 2 or words[0] != "parking":
            raise _Reject("BADCOMMAND")
        if words[1] == "state":
            return str(int(self._axis.parked))
        if words[1] not in ("park", "unpark"):
            raise _Reject("BADCOMMAND")
        if self._axis.busy(now_ns):
            raise _Reject("STATUSBUSY")
        self._axis.parked = words[1] == "park"
        return "0"

    def _driver(self, request: Request, words: Sequence[str], now_ns: int) -> str:
        if words == ("enable",):
            self._axis.lower("FO")
        elif words == ("disable",):
            self._axis.brake(self._decel() * HALT_FACTOR, now_ns)
            self._axis.hoist("FO")
        else:
            raise _Reject("BADCOMMAND")
        return "0"

    def _system(self, request: Request, words: Sequence[str], now_ns: int) -> str:
        if words != ("reset",):
            raise _Reject("BADCOMMAND")
        if request.axis:
            raise _Reject("DEVICEONLY")
        self._axis.wake(self._decel() * HALT_FACTOR, now_ns)
        return "0"

    def _renumber(self, request: Request, words: Sequence[str], now_ns: int) -> str:
        """Take the address given, or the place in the chain when all are asked."""
        number = _number(words[0]) if len(words) == 1 else self._own_address
        if len(words) > 1 or not 1 <= number <= ADDRESS_MAX:
            raise _Reject("BADDATA")
        self._address = number
        return "0"

    _COMMANDS: ClassVar[
        Mapping[str, Callable[["Zaber", Request, Sequence[str], int], str]]
    ] = {
        "get": _get, "set": _set, "move": _move, "home": _home, "stop": _stop, "estop": _estop,
        "warnings": _warnings, "tools": _tools, "driver": _driver, "system": _system,
        "renumber": _renumber,
    }  # fmt: skip

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Stall after the share `argument` of the way that is left; False while at rest."""
        return self._axis.stall(argument, now_ns)

    def power_cycle(self, now_ns: int) -> None:
        """Stop where it stands and forget the position, unless parked; keep the settings."""
        self._buffer = b""
        self._axis.wake(self._decel() * HALT_FACTOR, now_ns)

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "address": self._address,
            "axis": self._axis.plain(),
            "buffer": self._buffer.decode("latin-1"),
            "settings": dict(self._settings),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave."""
        self._address = state["address"]
        self._axis.take(state["axis"])
        self._buffer = state["buffer"].encode("latin-1")
        self._settings = dict(state["settings"])


def _number(word: str) -> int:
    """Return the whole number nearest to a decimal one; raises _Reject for anything else."""
    digits = word[1:] if word.startswith("-") else word
    if len(digits) > 20 or not digits.replace(".", "", 1).isdecimal():
        raise _Reject("BADDATA")
    return round(float(word))
