"""A Tecan Cavro XCalibur syringe pump: its command strings, on plunger and valve (`Works`).

Source: Tecan Cavro XCalibur operating manual 733085-B, chapter 3 and appendix B. A string runs
by itself once it is accepted; what it has done is worked out when somebody looks. Must never
wait, and never answers what was sent to another address or to several.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from sim.cavro_frames import NUMBER, REPEAT, Frame, Frames, dt_frame, oem_frame
from sim.cavro_strings import LIMITS, STRING_MAX, CommandError, Token, one, parse
from sim.cavro_works import HOME_SPEED, PRESETS, STEPS, SyringeLink, Works
from sim.port import Reply, Spec

LATENCY_NS: Final = 2_000_000  # guess; the manual says less than 5 ms
BYTE_NS: Final = 1_041_667  # ten bits at 9600 baud
LOOP_NS: Final = 1_000_000  # guess: what a turn of a loop takes beside its commands
STEPS_MAX: Final = 2_000  # commands worked out at one look; an endless loop loses the rest
LOOPS_MAX: Final = 10  # loops inside loops
READY: Final = 0x20
STATUS: Final = 0x40
FIRMWARE: Final = "P/N733085 Rev B"  # guess
OK, UNKNOWN, OPERAND, SEQUENCE, HOMELESS, PLUNGER, BYPASS, OVERFLOW = 0, 2, 3, 4, 7, 9, 11, 15
QUIET: Final = ("a", "p", "d")  # Q says ready while these run
VALVE: Final = ("I", "O", "B", "E", "w")  # not to be terminated
HOMING: Final = ("Z", "Y", "W")
DELAY_MAX: Final = 30_000  # ms
LOOP_MAX: Final = 30_000
REPORTS: Final[Mapping[str, str]] = {"F": "?10", "#": "?20", "&": "?23", "Q": "Q"}
_MS: Final = 1_000_000


class Cavro:
    """One pump. Spec.address 1..15 is the address switch + 1.

    Options: `ports` (9; 3 for the input/output/bypass valve), `syringe` (mL), `steps` (increments
    of a full stroke, 3000). `link`: a SyringeLink or None (nothing is moved but the plunger).
    """

    def __init__(self, spec: Spec, link: SyringeLink | None) -> None:
        self._address = spec.address
        ports = int(spec.options.get("ports", 9))
        volume, steps = spec.options.get("syringe", 1.0), spec.options.get("steps", STEPS)
        self._works = Works(ports, float(volume), link, int(steps))
        self._wake()

    def _wake(self) -> None:
        self._frames = Frames()
        self._stored = ""  # a string that waits for R
        self._last = ""  # the string that X repeats
        self._running = ""  # the string in work
        self._place = 0  # its next command
        self._until_ns = 0  # when that may begin
        self._loops: list[list[int]] = []  # [first command, turns left or -1], inner last
        self._act = ""  # the command in work
        self._halted = False
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
            ready = READY if not self._running or self._act in QUIET else 0
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
        except CommandError as error:
            return error.args[0], ""

    def _accept(self, text: str, tokens: tuple[Token, ...], now_ns: int) -> int:
        """Store or begin a string; return an error that shows at once."""
        if text in ("T", "TR"):
            return self._terminate(now_ns)
        if self._running:
            return self._meanwhile(text, tokens, now_ns)
        if text in ("X", "XR"):
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
        self._loops, self._error = [], OK

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
        if not self._running:
            return OK
        if self._act not in VALVE:
            self._works.halt(now_ns)
            self._until_ns = now_ns
        if self._act in HOMING:
            self._works.homed = False
        self._place, self._halted = len(parse(self._running) or ()), False
        self._stall_ns = None
        self.settle(now_ns)
        return OK

    # --- the running string ----------------------------------------------------------------

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
            if self._works.stalled:
                self._overload(self._until_ns)
                return
            if self._place >= len(tokens):
                self._running = ""
                break
            self._step(tokens)
        else:
            self._until_ns = now_ns + 1
        self._works.settle(now_ns)
        if self._works.stalled:
            self._overload(now_ns)

    def _step(self, tokens: tuple[Token, ...]) -> None:
        name, numbers = tokens[self._place]
        self._place += 1
        self._act = name
        try:
            self._COMMANDS[name](self, name, numbers, self._until_ns)
        except CommandError as error:
            self._error = error.args[0]
            self._running, self._loops = "", []

    def _overload(self, at_ns: int) -> None:
        """Stand still with error 9 and uninitialised."""
        self._works.halt(at_ns)
        self._works.settle(at_ns)
        self._works.homed = self._works.stalled = False
        self._running, self._loops, self._stall_ns = "", [], None
        self._halted = False
        self._error = PLUNGER

    def _stroke(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        """A P D, and a p d during which Q says ready."""
        works = self._works
        value = one(name, numbers)
        if not works.homed:
            raise CommandError(HOMELESS)
        if works.port in ("b", "e") and not works.distributes:
            raise CommandError(BYPASS)
        here = works.increments(at_ns)
        target = {"A": value, "P": here + value, "D": here - value}[name.upper()]
        if not 0 <= target <= works.full / works.pulses:
            raise CommandError(OPERAND)
        self._until_ns = works.plunge(target * works.pulses, at_ns)

    def _turn(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        """I O B E of the three-way valve, I<n> clockwise and O<n> the other way round."""
        works = self._works
        if not works.seated:
            raise CommandError(HOMELESS)
        port = name.lower()
        if works.distributes:
            if name not in "IO" or not numbers or not 1 <= numbers[0] <= works.ports:
                raise CommandError(OPERAND)
            port = str(numbers[0])
        elif numbers:
            raise CommandError(OPERAND)
        self._until_ns = at_ns + works.turn(port, name == "I")

    def _home(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        """Z Y initialise plunger and valve, W the plunger, w the valve."""
        works = self._works
        force, inlet, outlet = (*numbers, 0, 0, 0)[:3]
        if not (0 <= force <= 2 or 10 <= force <= 40) or max(inlet, outlet) > works.ports:
            raise CommandError(OPERAND)
        if name in "ZYw":
            home = "1" if name == "Y" else str(works.ports)
            port = str(outlet or home) if works.distributes else "o" if name == "Z" else "i"
            at_ns += works.seat(port)
        if name in "ZYW":
            at_ns = works.home(PRESETS[force] if force >= 10 else HOME_SPEED, at_ns)
        self._error, self._until_ns = OK, at_ns

    def _set(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        value = one(name, numbers)
        low, high = LIMITS[name]
        if not low <= value <= high:
            raise CommandError(OPERAND)
        self._works.values[name] = value

    def _preset(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        value = one(name, numbers)
        if value >= len(PRESETS):
            raise CommandError(OPERAND)
        self._works.values["V"] = PRESETS[value]

    def _delay(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        value = one(name, numbers)
        if value > DELAY_MAX:
            raise CommandError(OPERAND)
        self._until_ns = at_ns + value * _MS

    def _halt(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        """Wait for R; the two inputs never change."""
        if one(name, numbers) > 2:
            raise CommandError(OPERAND)
        self._halted = True

    def _open(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        if len(self._loops) >= LOOPS_MAX:
            raise CommandError(SEQUENCE)
        self._loops.append([self._place, 0])

    def _repeat(self, name: str, numbers: tuple[int, ...], at_ns: int) -> None:
        """Go back to the `g`: n turns in all, 0 for endless ones."""
        turns = one(name, numbers)
        if turns > LOOP_MAX:
            raise CommandError(OPERAND)
        if not self._loops:
            raise CommandError(SEQUENCE)
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
            "act": self._act,
            "error": self._error,
            "frames": self._frames.plain(),
            "halted": self._halted,
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
        self._act = state["act"]
        self._error = state["error"]
        self._frames.take(state["frames"])
        self._halted = state["halted"]
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
