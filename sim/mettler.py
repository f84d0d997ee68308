"""A Mettler Toledo balance (XS205DU) that speaks MT-SICS.

Source: Mettler Toledo MT-SICS reference manual for Excellence balances, 11780711. Weighs through
the link `grams(now_ns)`; a mass that still changes is reported as dynamic. Must never wait.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Protocol

from sim.port import Reply, Spec

LATENCY_NS: Final = 10_000_000  # guess: identification and control commands
WEIGH_NS: Final = 60_000_000  # guess: a weight needs one conversion, 50 to 100 ms
BYTE_NS: Final = 1_041_667  # ten bits at 9600 baud
REPEAT_NS: Final = 100_000_000  # SIR: about ten a second
LOOK_NS: Final = 250_000_000  # how often a pending S looks again
PATIENCE_NS: Final = 10_000_000_000  # guess: then S gives up with S I
SETTLE_NS: Final = 1_500_000_000  # guess: stability 1 to 3 s after the last change
WINDOW_NS: Final = 1_000_000_000  # changes are judged against a weight at least this old
QUIET: Final = 0.001  # g within WINDOW_NS: slower changes count as stable
LINE_MAX: Final = 64  # bytes of an unfinished command that are kept
BURST_MAX: Final = 64  # SIR lines made up at one look; the rest was never read
CAPACITY: Final = 220.0  # g
START_NS: Final = 2_000_000_000  # guess: from power-on to the announcement
LEVELS: Final = (
    (0, "@"), (0, "D"), (0, "DW"), (0, "I0"), (0, "I1"), (0, "I2"), (0, "I3"), (0, "I4"),
    (0, "S"), (0, "SI"), (0, "SIR"), (0, "Z"), (0, "ZI"), (1, "T"), (1, "TA"), (1, "TAC"),
    (1, "TI"), (2, "C3"), (2, "I10"), (2, "I11"), (2, "M28"), (2, "WS"), (3, "SNR"),
)  # fmt: skip


class MassLink(Protocol):
    """What stands on the pan."""

    def grams(self, now_ns: int, /) -> float:
        """Return the mass in g."""


class Mettler:
    """One balance.

    Options: `capacity` (g), `decimals` (digits after the point of a weight in g). `link`: a
    MassLink or None (an empty pan).
    """

    def __init__(self, spec: Spec, link: MassLink | None) -> None:
        self._link = link
        self._serial = spec.serial or "B021002593"
        self._capacity = float(spec.options.get("capacity", CAPACITY))
        self._decimals = int(spec.options.get("decimals", 4))
        self._name = "Balance"
        self._wake()

    def _wake(self) -> None:
        self._buffer = b""
        self._zero = 0.0  # g
        self._tare = 0.0
        self._seen: tuple[int, float] | None = None  # when, g: what changes are judged against
        self._moved_ns = -SETTLE_NS  # last change that was seen
        self._stream = ""  # SIR or SNR while it repeats
        self._sent = 0.0  # g, last weight of SNR
        self._waiting = ""  # S, T or Z while it waits for stability
        self._give_up_ns = 0
        self._next_ns: int | None = None
        self._announce_ns: int | None = None

    # --- the wire -------------------------------------------------------------------------

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; CR LF (or either) ends a command."""
        lines = (self._buffer + data).replace(b"\r", b"\n").split(b"\n")
        self._buffer = lines.pop()[: LINE_MAX + 1]
        out: list[Reply] = []
        for line in lines:
            if not line:
                continue
            if len(line) > LINE_MAX:
                out.append(_line("ET", now_ns))
                continue
            text = line.decode("latin-1")
            name, _, rest = text.partition(" ")
            command = self._COMMANDS.get(name)
            if command is None:
                out.append(_line("ES", now_ns))
            else:
                out += command(self, name, rest.strip(), now_ns)
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return the announcement, repeated weights, and weights that became stable."""
        out: list[Reply] = []
        if self._announce_ns is not None and now_ns >= self._announce_ns:
            out.append(_line(f'I4 A "{self._serial}"', self._announce_ns))
            self._announce_ns = None
        if self._next_ns is None or now_ns < self._next_ns:
            return out
        if self._waiting:
            return out + self._look(now_ns)
        behind = (now_ns - self._next_ns) // REPEAT_NS
        first = max(0, behind - BURST_MAX + 1)
        start = self._next_ns + first * REPEAT_NS
        for place in range(behind - first + 1):
            out += self._repeat(start + place * REPEAT_NS, now_ns)
        self._next_ns = start + (behind - first + 1) * REPEAT_NS
        return out

    def next_ns(self) -> int | None:
        """Return when the balance will speak unasked, or look for stability."""
        if self._announce_ns is None:
            return self._next_ns
        return self._announce_ns if self._next_ns is None else min(self._announce_ns, self._next_ns)

    # --- weighing -------------------------------------------------------------------------

    def _weigh(self, now_ns: int) -> tuple[float, bool]:
        """Return the gross mass and whether it is stable."""
        grams = self._link.grams(now_ns) if self._link is not None else 0.0
        if self._seen is None:
            self._seen = (now_ns, grams)
        since_ns, before = self._seen
        changed = abs(grams - before)
        age_ns = now_ns - since_ns
        if changed > QUIET * max(1.0, age_ns / WINDOW_NS):
            self._moved_ns = now_ns
            self._seen = (now_ns, grams)
        elif age_ns >= WINDOW_NS:
            self._seen = (now_ns, grams)
        return grams, now_ns - self._moved_ns >= SETTLE_NS

    def _weight(self, gross: float, net: float, status: str) -> str:
        if gross > self._capacity:
            return "S +"
        if gross < -1.0:
            return "S -"
        return f"S {status} {_grams(net, self._decimals)}"

    def _now(self, name: str, rest: str, now_ns: int) -> list[Reply]:
        self._still()
        return [self._report(now_ns, now_ns)]

    def _report(self, due_ns: int, now_ns: int) -> Reply:
        gross, stable = self._weigh(now_ns)
        text = self._weight(gross, gross - self._zero - self._tare, "S" if stable else "D")
        return _line(text, due_ns, WEIGH_NS)

    def _when_stable(self, name: str, rest: str, now_ns: int) -> list[Reply]:
        """Begin S, T or Z; they answer once the weight is stable."""
        if self._waiting:
            return [_line(f"{name} I", now_ns)]
        self._still()
        self._waiting = name
        self._give_up_ns = now_ns + PATIENCE_NS
        return self._look(now_ns)

    def _look(self, now_ns: int) -> list[Reply]:
        name = self._waiting
        gross, stable = self._weigh(now_ns)
        if not stable and now_ns < self._give_up_ns:
            self._next_ns = now_ns + LOOK_NS
            return []
        self._waiting, self._next_ns = "", None
        if not stable:
            return [_line(f"{name} I", now_ns)]
        return [_line(self._done(name, gross, "S"), now_ns, WEIGH_NS)]

    def _done(self, name: str, gross: float, status: str) -> str:
        """Return the answer to S, T or Z (or the immediate TI, ZI) at this mass."""
        if name == "S":
            return self._weight(gross, gross - self._zero - self._tare, status)
        if gross > self._capacity:
            return f"{name} +"
        if name in ("Z", "ZI"):
            self._zero, self._tare = gross, 0.0
            return "Z A" if name == "Z" else f"ZI {status}"
        self._tare = gross - self._zero
        return f"{name} {status} {_grams(self._tare, self._decimals)}"

    def _at_once(self, name: str, rest: str, now_ns: int) -> list[Reply]:
        gross, stable = self._weigh(now_ns)
        return [_line(self._done(name, gross, "S" if stable else "D"), now_ns, WEIGH_NS)]

    def _begin_stream(self, name: str, rest: str, now_ns: int) -> list[Reply]:
        self._still()
        self._stream = name
        self._next_ns = now_ns + REPEAT_NS
        self._sent = self._weigh(now_ns)[0]
        return [self._report(now_ns, now_ns)]

    def _repeat(self, due_ns: int, now_ns: int) -> list[Reply]:
        gross, stable = self._weigh(now_ns)
        if self._stream == "SNR" and (not stable or abs(gross - self._sent) < 10.0 * QUIET):
            return []
        self._sent = gross
        return [self._report(due_ns, now_ns)]

    def _still(self) -> None:
        self._stream, self._waiting, self._next_ns = "", "", None

    # --- everything else --------------------------------------------------------------------

    def _cancel(self, name: str, rest: str, now_ns: int) -> list[Reply]:
        self._still()
        self._tare = 0.0
        return [_line(f'I4 A "{self._serial}"', now_ns)]

    def _set_tare(self, name: str, rest: str, now_ns: int) -> list[Reply]:
        if rest:
            value, _, unit = rest.partition(" ")
            if unit != "g" or not value.replace(".", "", 1).isdecimal() or len(value) > 12:
                return [_line("TA L", now_ns)]
            self._tare = float(value)
        return [_line(f"TA A {_grams(self._tare, self._decimals)}", now_ns)]

    def _clear_tare(self, name: str, rest: str, now_ns: int) -> list[Reply]:
        self._tare = 0.0
        return [_line("TAC A", now_ns)]

    def _identity(self, name: str, rest: str, now_ns: int) -> list[Reply]:
        type_text = f"XS205DU Excellence {self._capacity:.4f} g"
        texts = {
            "I1": 'I1 A "0123" "2.30" "2.22" "2.33" "2.20"',
            "I2": f'I2 A "{type_text}"',
            "I3": 'I3 A "2.10 10.28.0.493.142"',
            "I4": f'I4 A "{self._serial}"',
            "I11": 'I11 A "XS205DU"',
            "M28": "M28 A 1 22.5",
            "WS": "WS A 0",
        }
        return [_line(texts[name], now_ns)]

    def _list(self, name: str, rest: str, now_ns: int) -> list[Reply]:
        last = len(LEVELS) - 1
        return [
            _line(f'I0 {"A" if place == last else "B"} {level} "{command}"', now_ns)
            for place, (level, command) in enumerate(LEVELS)
        ]

    def _label(self, name: str, rest: str, now_ns: int) -> list[Reply]:
        if not rest:
            return [_line(f'I10 A "{self._name}"', now_ns)]
        if len(rest) < 2 or rest[0] != '"' or rest[-1] != '"':
            return [_line("I10 L", now_ns)]
        self._name = rest[1:-1][:20]
        return [_line("I10 A", now_ns)]

    def _display(self, name: str, rest: str, now_ns: int) -> list[Reply]:
        wrong = name == "D" and (len(rest) < 2 or rest[0] != '"' or rest[-1] != '"')
        return [_line(f"{name} {'L' if wrong else 'A'}", now_ns)]

    def _adjust(self, name: str, rest: str, now_ns: int) -> list[Reply]:
        return [_line("C3 B", now_ns), _line("C3 A", now_ns, PATIENCE_NS)]

    _COMMANDS: ClassVar[Mapping[str, Callable[["Mettler", str, str, int], list[Reply]]]] = {
        "S": _when_stable, "SI": _now, "SIR": _begin_stream, "SNR": _begin_stream,
        "Z": _when_stable, "ZI": _at_once, "T": _when_stable, "TI": _at_once, "TA": _set_tare,
        "TAC": _clear_tare, "@": _cancel, "I0": _list, "I1": _identity, "I2": _identity,
        "I3": _identity, "I4": _identity, "I10": _label, "I11": _identity, "M28": _identity,
        "WS": _identity, "D": _display, "DW": _display, "C3": _adjust,
    }  # fmt: skip

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Be shaken: nothing is stable for `argument` times ten seconds from now on."""
        self._moved_ns = now_ns + int(max(argument, 0.0) * PATIENCE_NS)
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Come back without tare and stream; the serial number is announced after a while."""
        self._wake()
        self._announce_ns = now_ns + START_NS

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "announce_ns": self._announce_ns,
            "buffer": self._buffer.decode("latin-1"),
            "give_up_ns": self._give_up_ns,
            "moved_ns": self._moved_ns,
            "name": self._name,
            "next_ns": self._next_ns,
            "seen": None if self._seen is None else list(self._seen),
            "sent": self._sent,
            "stream": self._stream,
            "tare": self._tare,
            "waiting": self._waiting,
            "zero": self._zero,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave."""
        self._announce_ns = state["announce_ns"]
        self._buffer = state["buffer"].encode("latin-1")
        self._give_up_ns = state["give_up_ns"]
        self._moved_ns = state["moved_ns"]
        self._name = state["name"]
        self._next_ns = state["next_ns"]
        self._seen = None if state["seen"] is None else (state["seen"][0], state["seen"][1])
        self._sent = state["sent"]
        self._stream = state["stream"]
        self._tare = state["tare"]
        self._waiting = state["waiting"]
        self._zero = state["zero"]


def _line(text: str, now_ns: int, after_ns: int = LATENCY_NS) -> Reply:
    data = text.encode("latin-1", "replace") + b"\r\n"
    return now_ns + after_ns + BYTE_NS * len(data), data


def _grams(value: float, decimals: int) -> str:
    """Return a weight right-aligned in ten characters, a blank and the unit."""
    return f"{round(value, decimals) + 0.0:10.{decimals}f} g"
