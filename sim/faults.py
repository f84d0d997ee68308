"""What goes wrong with an instrument and its wire, as data: a device model behind a bad cable.

Wraps one device model and changes what comes out of it. Repeatable: a seed and a count decide
every byte. Must never reach into a model beyond the `Device` contract.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sim.port import Device, Reply

KINDS: Final[Mapping[str, float | str]] = {
    # kind -> default argument
    "delay": 0.5,  # s added to the answer
    "drop": 0.0,
    "truncate": -1.0,  # bytes that remain; below 0: half
    "corrupt": -1.0,  # position of the changed byte; below 0: drawn from the seed
    "duplicate": 0.0,
    "unsolicited": "\x00\xff?!\r\n",  # text that nobody asked for, Latin-1
    "stall": 0.5,  # share of the way (or volume) that is still done
    "vanish": 5.0,  # s without power; comes back in power-on state
}
ACTS_ALONE: Final = frozenset({"unsolicited", "vanish"})
PENDING_FAULTS_MAX: Final = 1000
COUNT_MAX: Final = 1_000_000
HEALTHY: Final[Mapping[str, object]] = {"drawn": 0, "gone_until_ns": None, "pending": []}
_NS_PER_S: Final = 1_000_000_000
_MASK: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    It strikes from `at_ns` on and after `after` more answers of the device, `count` times: each
    time one answer is hit (`unsolicited` and `vanish` with after=0 need no answer; `stall` waits
    for one during which the device moves). `argument`: see KINDS; None takes the default.
    Raises ValueError for an unknown kind or a number that cannot be.
    """

    kind: str
    at_ns: int = 0
    after: int = 0
    count: int = 1
    argument: float | str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.kind not in KINDS:
            raise ValueError(f"no fault '{self.kind}'; one of {', '.join(KINDS)}")
        if self.at_ns < 0 or self.after < 0 or not 1 <= self.count <= COUNT_MAX:
            raise ValueError(
                f"fault '{self.kind}': at_ns and after from 0, count 1 to {COUNT_MAX}; got "
                f"{self.at_ns}, {self.after}, {self.count}"
            )
        if self.argument is None:
            object.__setattr__(self, "argument", KINDS[self.kind])
        if isinstance(self.argument, str) != isinstance(KINDS[self.kind], str):
            raise ValueError(f"fault '{self.kind}': argument {self.argument!r} is of a wrong type")

    def plain(self) -> dict[str, object]:
        """Return the fault as JSON data; `Fault(**data)` is the way back."""
        return {
            "kind": self.kind,
            "at_ns": self.at_ns,
            "after": self.after,
            "count": self.count,
            "argument": self.argument,
        }


class _Pending:
    """A fault and what is left of it."""

    __slots__ = ("fault", "after", "left")

    def __init__(self, fault: Fault, after: int, left: int) -> None:
        self.fault = fault
        self.after = after
        self.left = left


class Faulty:
    """A device whose answers go through pending faults; itself a `Device`."""

    def __init__(self, device: Device, seed: int) -> None:
        self.device = device
        self._seed = seed
        self._drawn = 0
        self._pending: list[_Pending] = []
        self._gone_until_ns: int | None = None

    @property
    def ill(self) -> bool:
        """Whether there is, or ever was, more to it than the device."""
        return bool(self._pending or self._drawn or self._gone_until_ns is not None)

    def add(self, fault: Fault) -> None:
        """Let `fault` happen; raises ValueError when too many are pending."""
        if len(self._pending) >= PENDING_FAULTS_MAX:
            raise ValueError(f"{PENDING_FAULTS_MAX} faults are pending already")
        self._pending.append(_Pending(fault, fault.after, fault.count))

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Pass bytes on, unless the device has no power, and spoil the answers."""
        unasked = self._alone(now_ns)
        if self._gone_until_ns is not None:
            return unasked
        out = unasked
        for reply in self.device.receive(data, now_ns):
            out += self._spoil(reply, now_ns)
            if self._gone_until_ns is not None:
                break
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return unasked bytes, those of faults among them."""
        unasked = self._alone(now_ns)
        if self._gone_until_ns is None:
            unasked += self.device.poll(now_ns)
        return unasked

    def next_ns(self) -> int | None:
        """Return when the device, or a fault that needs no answer, acts next."""
        if self._gone_until_ns is not None:
            return self._gone_until_ns
        times = [
            pending.fault.at_ns
            for pending in self._pending
            if pending.after == 0 and pending.fault.kind in ACTS_ALONE
        ]
        own = self.device.next_ns()
        if own is not None:
            times.append(own)
        return min(times, default=None)

    def power_cycle(self, now_ns: int) -> None:
        """Lose power and get it back; a vanished device is there again."""
        self._gone_until_ns = None
        self.device.power_cycle(now_ns)

    def outage(self, now_ns: int, until_ns: int) -> None:
        """Lose power now and get it back at another time."""
        self.device.power_cycle(now_ns)
        self._gone_until_ns = until_ns

    def fail(self, now_ns: int, argument: float) -> bool:
        """Fail in the device's own way."""
        return self.device.fail(now_ns, argument)

    def snapshot(self) -> dict[str, object]:
        """Return the pending faults (the device gives its own state)."""
        return {
            "drawn": self._drawn,
            "gone_until_ns": self._gone_until_ns,
            "pending": [[each.fault.plain(), each.after, each.left] for each in self._pending],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the pending faults that `snapshot` gave."""
        self._drawn = state["drawn"]
        self._gone_until_ns = state["gone_until_ns"]
        self._pending = [
            _Pending(Fault(**plain), after, left) for plain, after, left in state["pending"]
        ]

    def _alone(self, now_ns: int) -> list[Reply]:
        """Let the faults act that wait for no answer; bring a vanished device back."""
        if self._gone_until_ns is not None and now_ns >= self._gone_until_ns:
            self._gone_until_ns = None
            self.device.power_cycle(now_ns)
        out: list[Reply] = []
        for each in list(self._pending):
            fault = each.fault
            if fault.kind not in ACTS_ALONE or each.after or fault.at_ns > now_ns:
                continue
            if self._gone_until_ns is not None:
                break
            if fault.kind == "vanish":
                self._vanish(each, now_ns)
            else:
                out += [(now_ns, str(fault.argument).encode("latin-1"))] * each.left
                self._pending.remove(each)
        return out

    def _spoil(self, reply: Reply, now_ns: int) -> list[Reply]:
        """Return what is left of one answer after every fault that strikes it."""
        replies = [reply]
        for each in list(self._pending):
            fault = each.fault
            if fault.at_ns > now_ns:
                continue
            if each.after:
                each.after -= 1
                continue
            if fault.kind == "vanish":
                self._vanish(each, now_ns)
                return []
            if fault.kind == "stall":
                if self.device.fail(now_ns, float(fault.argument or 0.0)):
                    self._struck(each)
                continue
            replies = [after for before in replies for after in self._alter(fault, before)]
            self._struck(each)
        return replies

    def _alter(self, fault: Fault, reply: Reply) -> Sequence[Reply]:
        due, data = reply
        argument = fault.argument
        if isinstance(argument, str):
            return [(due, argument.encode("latin-1")), reply]
        number = argument or 0.0
        if fault.kind == "delay":
            return [(due + int(number * _NS_PER_S), data)]
        if fault.kind == "truncate":
            keep = int(number) if number >= 0 else len(data) // 2
            return [(due, data[:keep])] if data[:keep] else []
        if fault.kind == "corrupt":
            place = int(number) if number >= 0 else self._draw(len(data))
            place = min(place, len(data) - 1)
            wrong = data[place] ^ (1 + self._draw(255))
            return [(due, data[:place] + bytes([wrong]) + data[place + 1 :])]
        return [reply, reply] if fault.kind == "duplicate" else []

    def _vanish(self, each: _Pending, now_ns: int) -> None:
        self.device.power_cycle(now_ns)
        self._gone_until_ns = now_ns + int(float(each.fault.argument or 0.0) * _NS_PER_S)
        self._struck(each)

    def _struck(self, each: _Pending) -> None:
        each.left -= 1
        if each.left == 0:
            self._pending.remove(each)

    def _draw(self, below: int) -> int:
        """Return the next number in [0, below) of a splitmix64 sequence (Steele et al. 2014)."""
        self._drawn += 1
        word = (self._seed + self._drawn * 0x9E3779B97F4A7C15) & _MASK
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _MASK
        return (word ^ (word >> 31)) % below
