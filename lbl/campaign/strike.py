"""What goes wrong with a film, as data drawn from its seed.

A strike that ends the process (ENDING) waits for its instant and then counts operations; the next
such one counts in the next process. The others happen at their instant. Pure: nothing is broken
here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lbl.campaign.chance import Chance

NS: Final = 1_000_000_000
STRIKES_MAX: Final = 5  # of one film
# How a process ends: killed, its guardian parking the bench or not; killed in the middle of a
# write; the disk full or broken; the controller without power; everything without power.
ENDING: Final = ("kill", "parked", "torn", "full", "broken", "dark", "power")
AT_A_WRITE: Final = frozenset({"torn", "full", "broken"})
KINDS: Final = (
    *("kill",) * 4, *("parked",) * 3, *("torn",) * 3, "full", "broken", "dark", "power",
    *("instrument",) * 4, "world", *("wish",) * 3, "clock",
)  # fmt: skip
TOGETHER: Final = 0.3  # of the strikes come at the instant of the one before
NEAR: Final = 120  # operations after an instant: some seconds
RECOVERY: Final = 0.5  # of later deaths, how many come while the run is taken up
# kind of fault -> argument's bounds, as sim/faults.py understands it (0, 0: none)
INSTRUMENT: Final = {
    "delay": (0.05, 20.0), "drop": (0.0, 0.0), "truncate": (0.0, 0.0), "corrupt": (0.0, 0.0),
    "duplicate": (0.0, 0.0), "unsolicited": (0.0, 0.0), "stall": (0.05, 0.95),
    "vanish": (0.5, 60.0),
}  # fmt: skip
# kind of bench -> mishaps that pass or that a bench can get rid of, with bounds of their argument
WORLD: Final = {
    "dip": {
        "room-light": (1.0, 100.0), "heater-stuck": (35.0, 90.0), "power": (0.0, 0.0),
    },
    "flow": {
        "bubble": (0.5, 4.0), "blocked": (0.2, 1.0), "heater-stuck": (35.0, 90.0),
        "power": (0.0, 0.0),
    },
}  # fmt: skip
LASTS_S: Final = (2.0, 900.0)
WISHES: Final = ("hold", "hold", "abort")
CLOCK_S: Final = (1.0, 1e8)


@dataclass(frozen=True, slots=True)
class Nominal:
    """What a film without faults takes: its length, and how many operations of each sort."""

    duration_ns: int
    turns: int
    writes: int
    bench: str
    instruments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Strike:
    """One thing that goes wrong from `at_ns` on.

    `count` is after how many turns (waits and exchanges) or, AT_A_WRITE, writes of that process.
    `what` is an instrument, a mishap or a verb; `how` the kind of fault; `argument` its number.
    `outage_s`: how long nobody takes the run up afterwards.
    """

    kind: str
    at_ns: int = 0
    count: int = 1
    what: str = ""
    how: str = ""
    argument: float = 0.0
    outage_s: float = 1.0

    @property
    def ends(self) -> bool:
        """Whether it ends the process."""
        return self.kind in ENDING

    def text(self) -> str:
        """A few words for people."""
        words = [self.kind, self.what, self.how]
        at = f"at {self.at_ns / NS:.3f} s"
        tail = [f"after {self.count} {'writes' if self.kind in AT_A_WRITE else 'turns'}"]
        tail += [f"away for {self.outage_s:.1f} s"]
        number = [f"{self.argument:.4g}"] if self.argument else []
        return " ".join([word for word in words if word] + number + [at] + tail * self.ends)

    def as_json(self) -> dict[str, Any]:
        """The object that a failure is told with."""
        return {name: getattr(self, name) for name in self.__slots__}


def drawn(seed: int, nominal: Nominal) -> list[Strike]:
    """The strikes of a film, 1 to STRIKES_MAX."""
    chance = Chance(seed)
    strikes: list[Strike] = []
    for _ in range(1 + chance.below(STRIKES_MAX)):
        strikes.append(_one(chance, nominal, strikes))
    return strikes


def _one(chance: Chance, nominal: Nominal, before: Sequence[Strike]) -> Strike:
    kind = chance.one_of(KINDS)
    at_ns = int(chance.share() * nominal.duration_ns)
    near = bool(before) and before[-1].at_ns > 0 and chance.happens(TOGETHER)
    if near:
        at_ns = before[-1].at_ns
    if kind in ENDING:
        return _ending(chance, nominal, before, kind, at_ns if near else -1)
    if kind == "instrument":
        how = chance.one_of([*INSTRUMENT])
        what = chance.one_of(nominal.instruments)
        count = 1 + chance.below(6) if chance.happens(0.5) else 1
        return Strike(kind, at_ns, count, what, how, _argument(chance, INSTRUMENT[how]))
    if kind == "world":
        mishaps = WORLD[nominal.bench]
        what = chance.one_of([*mishaps])
        lasts_s = chance.between(*LASTS_S)
        argument = _argument(chance, mishaps[what])
        return Strike(kind, at_ns, 1, what, "", argument, outage_s=lasts_s)
    if kind == "wish":
        return Strike(kind, at_ns, 1, chance.one_of(WISHES), "", outage_s=chance.between(1, 600))
    sign = -1.0 if chance.happens(0.5) else 1.0
    return Strike("clock", at_ns, 1, argument=sign * chance.between(*CLOCK_S))


def _ending(
    chance: Chance, nominal: Nominal, before: Sequence[Strike], kind: str, at_ns: int
) -> Strike:
    """A death: right after something else, in the middle of taking up, or anywhere."""
    all_of_it = nominal.writes if kind in AT_A_WRITE else nominal.turns
    outage_s = chance.between(0.1, 4000.0)
    again = any(one.ends for one in before)
    if at_ns >= 0 or (again and chance.happens(RECOVERY)):
        return Strike(kind, max(at_ns, 0), 1 + chance.below(NEAR), outage_s=outage_s)
    return Strike(kind, 0, 1 + chance.below(all_of_it), outage_s=outage_s)


def _argument(chance: Chance, bounds: tuple[float, float]) -> float:
    low, high = bounds
    return chance.between(low, high) if high else 0.0
