"""Virtual time, real time and the rule as it is written down here agree on every programme.

A programme is one act a tick, in the middle of it; deadlines, leases and ends of windows lie at
other quarters, so that no two things of one programme race each other in real time. A difference in
real time that is gone when the same programme runs slower was the machine's: others use it too.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lbl._core import REASONS, Core

TICKS: Final = 12
END: Final = 4 * (TICKS + 6)  # quarters
NAMES: Final = ("pump", "arm")
VIRTUAL_NS: Final = 1_000  # a quarter of a tick
REAL_NS: Final = (1_000_000, 4_000_000, 16_000_000, 40_000_000)
SAFE: Final = ((0, 0, b"!"), (6, 1, b"?"))  # quarters after the start, channel, bytes

Act = tuple[str, int, int, int]

_zero = st.just(0)
_wire = st.integers(0, 1)
ARM: Final = st.tuples(
    st.sampled_from(["arm", "ready"]), _wire, st.integers(1, TICKS), st.integers(0, 4)
)
ACT: Final = st.one_of(
    ARM,
    ARM,
    st.tuples(st.just("confirm"), st.integers(0, 5), _zero, _zero),
    st.tuples(st.just("own"), _wire, st.integers(0, 2), _zero),
    st.tuples(st.just("free"), _wire, _zero, _zero),
    st.tuples(st.just("lease"), st.integers(0, TICKS), _zero, _zero),
    st.tuples(st.sampled_from(["hold", "clear", "park", "nothing"]), _zero, _zero, _zero),
)
PROGRAMME: Final = st.lists(ACT, min_size=TICKS, max_size=TICKS)


@dataclass
class Outcome:
    """All that a run shows; times in quarters of a tick."""

    told: list[object] = field(default_factory=list)
    happened: list[tuple[str, int, int]] = field(default_factory=list)  # reason, tag, quarter
    sent: list[bytes] = field(default_factory=lambda: [b"", b""])
    states: list[str] = field(default_factory=list)
    verdict: tuple[str, str, int] | None = None
    held: bool = False


def command(tag: int) -> bytes:
    return b"C%d;" % tag


class OnCore:
    """Performs a programme on a core."""

    def __init__(self, core: Core, wires: list[Any], quarter_ns: int) -> None:
        self.core = core
        self.quarter_ns = quarter_ns
        self.channels = [
            core.add_fd(name, wire.ours) for name, wire in zip(NAMES, wires, strict=True)
        ]
        core.safe_programme((q * quarter_ns, self.channels[c], data) for q, c, data in SAFE)
        self.start_ns = core.now_ns() + quarter_ns
        self.entries: list[int] = []
        self.owned = [False, False]

    def at(self, quarters: int) -> int:
        return self.start_ns + quarters * self.quarter_ns

    def wait(self, quarters: int) -> None:
        while not self.core.wait_until_ns(self.at(quarters)):
            pass

    def act(self, verb: str, a: int, b: int, c: int) -> object:
        core = self.core
        if verb in ("arm", "ready"):
            return self.arm(verb, a, (self.at(4 * b), self.at(4 * (b + c) + 3)))
        if verb == "confirm":
            return core.confirm(self.entries[a]) if a < len(self.entries) else None
        if verb == "own":
            return self.own(a, 4 * b * self.quarter_ns)
        if verb == "free":
            owned, self.owned[a] = self.owned[a], False
            return core.release(self.channels[a]) if owned else None
        if verb == "lease":
            return core.lease(self.at(4 * a + 1) if a else 0)
        if verb in ("hold", "clear", "park"):
            return {"hold": core.hold, "clear": core.clear, "park": core.park}[verb]()
        return None

    def arm(self, verb: str, wire: int, window: tuple[int, int]) -> None:
        tag = len(self.entries) + 1
        entry = self.core.arm(self.channels[wire], command(tag), *window, replies=1, tag=tag)
        self.entries.append(entry)
        if verb == "ready":
            self.core.confirm(entry)

    def own(self, wire: int, hold_ns: int) -> object:
        if self.owned[wire]:
            return None
        replies = self.core.acquire(self.channels[wire], hold_ns)
        self.owned[wire] = replies >= 0
        self.core.collected(self.channels[wire], max(0, replies))
        return replies


def run(core: Core, wires: list[Any], acts: list[Act], quarter_ns: int) -> Outcome:
    bench = OnCore(core, wires, quarter_ns)
    outcome = Outcome()
    for tick, act in enumerate(acts):
        bench.wait(4 * tick + 2)
        try:
            outcome.told.append(bench.act(*act))
        except RuntimeError:
            outcome.told.append("refused")
    bench.wait(END)
    for row in core.records():
        quarter = (int(row["actual_ns"]) - bench.start_ns) // quarter_ns
        outcome.happened.append((REASONS[row["reason"]], int(row["tag"]), quarter))
    outcome.sent = [wire.waiting() for wire in wires]
    outcome.states = [core.entry(entry)[0] for entry in bench.entries]
    verdict = core.verdict
    if verdict is not None:
        tag = bench.entries.index(verdict[2]) + 1 if verdict[2] else 0
        outcome.verdict = (verdict[0], verdict[1], tag)
    outcome.held = core.held
    return outcome


@dataclass
class Entry:
    wire: int
    deadline: int
    latest: int
    state: str = "armed"
    why: str = "unconfirmed"


class OnPaper:
    """The rule again, in quarters of a tick, as plainly as can be."""

    def __init__(self) -> None:
        self.now = 0
        self.entries: list[Entry] = []
        self.owned = [False, False]
        self.uncollected = [0, 0]
        self.lease = 0
        self.safe: dict[int, tuple[int, bytes]] = {}  # due, (wire, bytes)
        self.seen = Outcome()

    def pending(self) -> list[tuple[int, Entry]]:
        armed = [(i, e) for i, e in enumerate(self.entries) if e.state in ("armed", "confirmed")]
        return sorted(armed, key=lambda item: (item[1].deadline, item[0]))

    def stop(self, verdict: tuple[str, str, int] | None) -> None:
        self.seen.held = True
        for _, entry in self.pending():
            entry.state = "dropped"
        if verdict is not None:
            self.seen.verdict = verdict
            self.seen.happened.append((verdict[0], verdict[2], self.now))

    def park(self) -> None:
        self.stop(None)
        if not self.safe:
            self.safe = {self.now + q: (wire, data) for q, wire, data in SAFE}

    def judge(self) -> None:
        """All that is due at this instant."""
        if self.lease and self.lease <= self.now:
            self.lease = 0
            self.stop(("lease", "", 0))
            self.park()
        for i, entry in self.pending():
            if not entry.deadline <= self.now <= entry.latest or entry.state == "armed":
                continue
            entry.why = "busy"
            if not self.owned[entry.wire]:
                entry.state = "fired"
                self.uncollected[entry.wire] += 1
                self.seen.sent[entry.wire] += command(i + 1)
                self.seen.happened.append(("fired", i + 1, self.now))
        for due in [due for due in self.safe if due <= self.now]:
            wire, data = self.safe.pop(due)
            self.seen.sent[wire] += data
            self.seen.happened.append(("safe", 0, self.now))

    def miss(self) -> None:
        """Just after this instant; of several the one armed first is to blame."""
        for i, entry in sorted(self.pending(), key=lambda item: item[0]):
            if entry.latest <= self.now and entry.state != "dropped":
                entry.state = "missed"
                self.stop((entry.why, NAMES[entry.wire], i + 1))

    def act(self, verb: str, a: int, b: int, c: int) -> object:
        if verb in ("arm", "ready"):
            return self.arm(verb, Entry(a, 4 * b, 4 * (b + c) + 3))
        if verb == "confirm" and a < len(self.entries) and self.entries[a].state == "armed":
            self.entries[a].state = "confirmed"
        elif verb == "own":
            return self.own(a, self.now + 4 * b)
        elif verb == "free":
            self.owned[a] = False
        elif verb == "lease":
            self.lease = 4 * a + 1 if a else 0
        elif verb in ("hold", "clear", "park"):
            return {"hold": self.hold, "clear": self.clear, "park": self.park}[verb]()
        return None

    def arm(self, verb: str, entry: Entry) -> object:
        if self.seen.held:
            return "refused"
        self.entries.append(entry)
        if entry.latest < self.now:
            entry.why = "late"
            self.miss()
        elif verb == "ready":
            entry.state = "confirmed"
        return None

    def own(self, wire: int, until: int) -> object:
        if self.owned[wire]:
            return None
        near = any(e.wire == wire and e.deadline < until for _, e in self.pending())
        if near or any(due < until for due in self.safe):
            return -1
        self.owned[wire] = True
        replies, self.uncollected[wire] = self.uncollected[wire], 0
        return replies

    def hold(self) -> None:
        self.stop(None)

    def clear(self) -> object:
        if self.safe:
            return "refused"
        self.seen.held, self.seen.verdict = False, None
        return None

    def run(self, acts: list[Act]) -> Outcome:
        for self.now in range(END + 1):
            self.judge()
            if self.now % 4 == 2 and self.now // 4 < TICKS:
                self.seen.told.append(self.act(*acts[self.now // 4]))
                self.judge()
            self.miss()
        self.seen.states = [entry.state for entry in self.entries]
        return self.seen


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=PROGRAMME)
def test_virtual_time_follows_the_rule(acts: list[Act], two_wires: Any) -> None:
    with two_wires() as wires:
        assert run(Core(virtual=True), wires, acts, VIRTUAL_NS) == OnPaper().run(acts)


@pytest.mark.timeout(90)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
)
@given(acts=PROGRAMME)
def test_real_time_does_the_same(acts: list[Act], two_wires: Any) -> None:
    expected = OnPaper().run(acts)
    for quarter_ns in REAL_NS:
        with two_wires() as wires:
            outcome = run(Core(virtual=False), wires, acts, quarter_ns)
        if outcome == expected:
            return
    assert outcome == expected


@pytest.mark.timeout(90)
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
)
@given(acts=PROGRAMME, speed=st.sampled_from([0.5, 3.0, 60.0]))
def test_real_time_at_another_speed_does_the_same(
    acts: list[Act], speed: float, two_wires: Any
) -> None:
    expected = OnPaper().run(acts)
    for quarter_ns in REAL_NS:
        with two_wires() as wires:
            core = Core(virtual=False, speed=speed, start_ns=12_345)
            outcome = run(core, wires, acts, int(quarter_ns * speed))
        if outcome == expected:
            return
    assert outcome == expected


def test_scaled_time_does_the_same(two_wires: Any) -> None:
    acts: list[Act] = [("nothing", 0, 0, 0)] * TICKS
    acts[0], acts[1], acts[3], acts[8] = (
        ("ready", 0, 5, 1),
        ("arm", 1, 6, 2),
        ("confirm", 1, 0, 0),
        ("park", 0, 0, 0),
    )
    with two_wires() as wires:
        outcome = run(Core(virtual=True, speed=100.0), wires, acts, 10_000_000)
    assert outcome == OnPaper().run(acts)
