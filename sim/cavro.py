"""A Tecan Cavro XCalibur syringe pump: its command strings, on plunger and valve (`Works`).

Source: Tecan Cavro XCalibur operating manual 733085-B, chapter 3 and appendix B. A string runs
by itself once it is accepted; what it has done is worked out when somebody looks. Must never
wait, and never answers what was sent to another address or to several.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Final

from sim.cavro_frames import NUMBER, REPEAT, Frame, Frames, dt_frame, oem_frame
from sim.cavro_works import HOME_SPEED, PRESETS, STROKE, SyringeLink, Works
from sim.port import Reply, Spec

LATENCY_NS: Final = 2_000_000  # guess; the manual says less than 5 ms
BYTE_NS: Final = 1_041_667  # ten bits at 9600 baud
LOOP_NS: Final = 1_000_000  # guess: what a turn of a loop takes beside its commands
STEPS_MAX: Final = 2_000  # commands worked out at one look; an endless loop loses the rest
STRING_MAX: Final = 255  # characters of the command buffer
LOOPS_MAX: Final = 10  # loops inside loops
READY: Final = 0x20
STATUS: Final = 0x40
FIRMWARE: Final = "P/N733085 Rev B"  # guess
OK, NO_INIT, UNKNOWN, OPERAND, SEQUENCE, HOMELESS, PLUNGER, BYPASS, OVERFLOW = (
    0, 1, 2, 3, 4, 7, 9, 11, 15,
)  # fmt: skip
LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "v": (50, 1000), "V": (5, 6000), "c": (50, 2700), "L": (1, 20), "K": (0, 31), "k": (0, 80),
    "N": (0, 1), "J": (0, 7), "U": (0, 255),
}  # fmt: skip
OPTIONAL: Final = frozenset("ZYWwIOBEgGHkKNJ")  # no number means 0
DELAY_MAX: Final = 30_000  # ms
LOOP_MAX: Final = 30_000
REPORTS: Final[Mapping[str, str]] = {"F": "?10", "#": "?20", "&": "?23", "Q": "Q"}
_TOKEN: Final = re.compile(r"([A-Za-z])(\d{0,5}(?:,\d{0,5}){0,2})")
_MS: Final = 1_000_000

Token = tuple[str, tuple[int, ...]]
"""A command letter and its numbers."""


class _Error(Exception):
    """The error number of a command that cannot be done."""


@lru_cache(maxsize=1024)
def parse(text: str) -> tuple[Token, ...] | None:
    """Return the commands of a string, or None if one of them is unknown."""
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or found[1] not in KNOWN:
            return None
        numbers = tuple(int(part or 0) for part in found[2].split(",")) if found[2] else ()
        tokens.append((found[1], numbers))
        place = found.end()
    return tuple(tokens)


class Cavro:
    """One pump. Spec.address 1..15 is the address switch + 1.

    Options: `ports` (9; 3 for the input/output/bypass valve), `syringe` (mL). `link`: a
    SyringeLink or None (nothing is moved but the plunger).
    """

    def __init__(self, spec: Spec, link: SyringeLink | None) -> None:
        self._address = spec.address
        ports = int(spec.options.get("ports", 9))
        self._works = Works(ports, float(spec.options.get("syringe", 1.0)), link)
        self._wake()

    def _wake(self) -> None:
        self._frames = Frames()
        self._stored = ""  # a string that waits for R
        self._last = ""  # the string that X repeats
        self._running = ""  # the string in work
        self._place = 0  # its next command
        self._until_ns = 0  # when that may begin
        self._loops: list[list[int]] = []  # [first command, turns left or -1], inner last
        self._halted = self._quiet = self._terminated = False
        self._stall_ns: int | None = None
        self._error = OK  # what the next Q will tell
        self._heard = 0  # number of the last OEM frame
        self._told: tuple[int, str] = (OK, "")  # and the answer to it

    # --- the wire -------------------------------------------------------------------------

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes of either framing."""
        out: list[Reply] = []
        for frame in self._frames.feed(data):
            if not self._meant(frame.address):
                continue
            self.settle(now_ns)
            error, text = self._frame(frame, now_ns)
            if frame.address != 0x30 + self._address:
                continue  # commands to several pumps are not answered
            ready = READY if self._quiet or not self._busy() else 0
            make = oem_frame if frame.sequence >= 0 else dt_frame
            answer = make(STATUS | ready | error, text)
            out.append((now_ns + LATENCY_NS + BYTE_NS * len(answer), answer))
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return nothing: a pump never speaks unasked."""
        return []

    def next_ns(self) -> int | None:
        """Return None: a pump never speaks unasked."""
        return None

    def _meant(self, address: int) -> bool:
        """Tell whether an address character stands for this pump, alone or among others."""
        own = self._address
        if 0x41 <= address <= 0x4F:
            return own in (address - 0x40, address - 0x3F)
        if 0x51 <= address <= 0x5E:
            return address - 0x50 <= own <= address - 0x4D
        return address in (0x5F, 0x30 + own)

    def _frame(self, frame: Frame, now_ns: int) -> tuple[int, str]:
        """Carry out a frame; one that was repeated and heard before is only answered again."""
        number = frame.sequence & NUMBER
        if frame.sequence >= 0 and frame.sequence & REPEAT and number == self._heard:
            return self._told
        answer = self._command(frame.text, now_ns)
        if frame.sequence >= 0:
            self._heard, self._told = number, answer
        return answer

    def _command(self, text: str, now_ns: int) -> tuple[int, str]:
        """Return the error number and the data of the answer to one command text."""
        report = REPORTS.get(text.rstrip("R"), text.rstrip("R"))
        if report == "Q":
            error, self._error = self._error, OK
            return error, ""
        if report[:1] == "?":
            return self._report(report[1:], now_ns)
        if not text:
            return OK, ""
        tokens = parse(text)
        if tokens is None or len(text) > STRING_MAX:
            return UNKNOWN, ""
        try:
            return self._accept(text, tokens, now_ns), ""
        except _Error as error:
            return error.args[0], ""

    def _accept(self, text: str, tokens: tuple[Token, ...], now_ns: int) -> int:
        """Store or begin a string; return an error that shows at once."""
        if text in ("T", "TR"):
            return self._terminate(now_ns)
        if self._busy():
            return self._meanwhile(text, tokens, now_ns)
        if tokens[-1][0] == "X":
            text = self._last
        elif text == "R":
            text = self._stored
        elif tokens[-1][0] != "R":
            self._stored = text
            return OK
        else:
            text = text[:-1]
        self._stored, self._last = "", text
        self._begin(text, now_ns)
        self.settle(now_ns)
        error, self._error = self._error, OK  # told now, and not repeated by Q
        return error

    def _begin(self, text: str, now_ns: int) -> None:
        self._running, self._place = text, 0
        self._until_ns = now_ns
        self._loops, self._terminated = [], False
        self._error = OK

    def _meanwhile(self, text: str, tokens: tuple[Token, ...], now_ns: int) -> int:
        """Take what is allowed while a string runs: R after a halt, a new top speed."""
        if self._halted and text == "R":
            self._halted, self._until_ns = False, now_ns
            self.settle(now_ns)
            return OK
        if tokens[0][0] == "V" and [name for name, _ in tokens[1:]] in ([], ["R"]):
            self._set("V", tokens[0][1], now_ns)
            if now_ns < self._works.stroke.end_ns:
                self._until_ns = self._works.hasten(now_ns)
            return OK
        return OVERFLOW

    def _terminate(self, now_ns: int) -> int:
        """End strokes, delays and loops; a valve ends its turn first."""
        if not self._busy():
            return OK
        if now_ns < self._works.stroke.end_ns:
            self._works.halt(now_ns)
            self._until_ns = now_ns
        self._place, self._halted = len(parse(self._running) or ()), False
        self._stall_ns, self._terminated = None, True
        self.settle(now_ns)
        return OK

    # --- the running string ----------------------------------------------------------------

    def _busy(self) -> bool:
        return bool(self._running)

    def settle(self, now_ns: int) -> None:
        """Work out what the running string has done until now."""
        if not self._running:
            return
        if self._stall_ns is not None and now_ns >= self._stall_ns:
            self._overload(self._stall_ns)
            return
        tokens = parse(self._running) or ()
        for _ in range(STEPS_MAX):
            if self._halted or self._until_ns > now_ns:
                break
            self._works.settle(self._until_ns)
            if self._place >= len(tokens):
                self._running, self._quiet = "", False
                break
            self._step(tokens)
        else:
            self._until_ns = max(self._until_ns, now_ns)
        self._works.settle(now_ns)

    def _step(self, tokens: tuple[Token, ...]) -> None:
        name, numbers = tokens[self._place]
        self._place += 1
        self._quiet = False
        try:
            self._COMMANDS[name](self, name, numbers, self._until_ns)
        except _Error as error:
            self._error = error.args[0]
            self._running, self._loops = "", []

    def _overload(self, at_ns: int) -> None:
        """Stand still with error 9 and uninitialised."""
        self._works.halt(at_ns)
        self._works.settle(at_ns)
        self._works.homed = False
        self._running, self._loops, self._stall_ns = "", [], None
        self._halted = self._quiet = False
        self._error = PLUNGER

    def _stroke(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        """A P D, and a p d during which Q says ready."""
        works = self._works
        value = _one(name, numbers)
        if not works.homed:
            raise _Error(HOMELESS)
        if works.port in ("b", "e") and not works.distributes:
            raise _Error(BYPASS)
        here = works.increments(at_ns)
        target = {"A": value, "P": here + value, "D": here - value}[name.upper()]
        if not 0 <= target <= STROKE / works.pulses:
            raise _Error(OPERAND)
        self._until_ns = works.plunge(target * works.pulses, at_ns)
        self._quiet = name.islower()

    def _turn(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        """I O B E of the three-way valve, I<n> clockwise and O<n> the other way round."""
        works = self._works
        if not works.seated:
            raise _Error(HOMELESS)
        port = name.lower()
        if works.distributes:
            if name not in "IO" or not numbers or not 1 <= numbers[0] <= works.ports:
                raise _Error(OPERAND)
            port = str(numbers[0])
        elif numbers:
            raise _Error(OPERAND)
        self._until_ns = at_ns + works.turn(port, name == "I")

    def _home(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        """Z Y initialise plunger and valve, W the plunger, w the valve."""
        works = self._works
        force, inlet, outlet = (*numbers, 0, 0, 0)[:3]
        if not (0 <= force <= 2 or 10 <= force <= 40) or max(inlet, outlet) > works.ports:
            raise _Error(OPERAND)
        if name in "ZYw":
            home = "1" if name == "Y" else str(works.ports)
            port = str(outlet or home) if works.distributes else "o" if name == "Z" else "i"
            at_ns += works.seat(port)
        if name in "ZYW":
            at_ns = works.home(PRESETS[force] if force >= 10 else HOME_SPEED, at_ns)
        self._error, self._until_ns = OK, at_ns

    def _set(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        value = _one(name, numbers)
        low, high = LIMITS[name]
        if not low <= value <= high:
            raise _Error(OPERAND)
        self._works.values[name] = value

    def _preset(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        value = _one(name, numbers)
        if value >= len(PRESETS):
            raise _Error(OPERAND)
        self._works.values["V"] = PRESETS[value]

    def _delay(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        value = _one(name, numbers)
        if value > DELAY_MAX:
            raise _Error(OPERAND)
        self._until_ns = at_ns + value * _MS

    def _halt(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        """Wait for R; the two inputs never change."""
        if _one(name, numbers) > 2:
            raise _Error(OPERAND)
        self._halted = True

    def _open(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        if len(self._loops) >= LOOPS_MAX:
            raise _Error(SEQUENCE)
        self._loops.append([self._place, 0])

    def _repeat(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        """Go back to the `g`: n turns in all, 0 for endless ones."""
        turns = _one(name, numbers)
        if turns > LOOP_MAX:
            raise _Error(OPERAND)
        if not self._loops:
            raise _Error(SEQUENCE)
        loop = self._loops[-1]
        loop[1] += 1
        self._until_ns = at_ns + LOOP_NS
        if turns and loop[1] >= turns:
            self._loops.pop()
        else:
            loop[1] = loop[1] if turns else 0
            self._place = loop[0]

    def _nothing(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        """Do nothing: R, X and T act only where a string is accepted."""

    _COMMANDS: ClassVar[Mapping[str, Callable[["Cavro", str, tuple[int, ...], int], None]]] = {
        **dict.fromkeys("APDapd", _stroke),
        **dict.fromkeys("IOBE", _turn),
        **dict.fromkeys("ZYWw", _home),
        **dict.fromkeys(LIMITS, _set),
        **dict.fromkeys("RXT", _nothing),
        "S": _preset, "M": _delay, "H": _halt, "g": _open, "G": _repeat,
    }  # fmt: skip

    def _report(self, number: str, now_ns: int) -> tuple[int, str]:
        """Answer a `?` query."""
        works = self._works
        values, counts = works.values, works.counts
        answers: dict[str, object] = {
            "": works.increments(now_ns), "0": works.increments(now_ns), "1": values["v"],
            "2": values["V"], "3": values["c"], "4": works.increments(now_ns),
            "6": works.port, "10": int(bool(self._stored)), "12": values["K"], "13": 0, "14": 0,
            "15": counts["inits"], "16": counts["strokes"], "17": counts["turns"],
            "19": int(works.homed and works.seated), "20": "4B21", "23": FIRMWARE,
            "24": values["k"], "76": f"U{values['U']} N{values['N']} ports {works.ports}",
        }  # fmt: skip
        if number not in answers:
            return UNKNOWN, ""
        return OK, str(answers[number])

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Overload the plunger after the share `argument` of the stroke's time that is left."""
        self.settle(now_ns)
        left = self._works.stroke.end_ns - now_ns
        if left <= 0 or not self._running:
            return False
        self._stall_ns = now_ns + round(left * min(max(argument, 0.0), 1.0))
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Stand still, forget settings, strings and where the plunger is; either framing again."""
        self.settle(now_ns)
        self._works.halt(now_ns)
        self._works.settle(now_ns)
        self._works.wake()
        self._wake()

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "error": self._error,
            "flags": [self._halted, self._quiet],
            "frames": self._frames.plain(),
            "heard": self._heard,
            "last": self._last,
            "loops": [list(loop) for loop in self._loops],
            "place": self._place,
            "running": self._running,
            "stall_ns": self._stall_ns,
            "stored": self._stored,
            "told": list(self._told),
            "until_ns": self._until_ns,
            "works": self._works.plain(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave."""
        self._error = state["error"]
        self._halted, self._quiet = state["flags"]
        self._frames.take(state["frames"])
        self._heard = state["heard"]
        self._last = state["last"]
        self._loops = [list(loop) for loop in state["loops"]]
        self._place = state["place"]
        self._running = state["running"]
        self._stall_ns = state["stall_ns"]
        self._stored = state["stored"]
        self._told = (state["told"][0], state["told"][1])
        self._until_ns = state["until_ns"]
        self._works.take(state["works"])


KNOWN: Final = frozenset(Cavro._COMMANDS)


def _one(name: str, numbers: tuple[int, ...]) -> int:
    """Return the only number of a command; some commands take 0 for none."""
    if len(numbers) > 1 or (not numbers and name not in OPTIONAL):
        raise _Error(OPERAND)
    return numbers[0] if numbers else 0
