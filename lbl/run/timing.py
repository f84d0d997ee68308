"""Qualifies a computer: how late the pacer is beside the plainest C loop, in the same half minute.

Both keep deadlines at random phases (a fixed period aliases with the kernel's tick), turn by turn,
with the same policy on the same CPU; the conditions are interleaved in rounds, so that a neighbour
who comes and goes meets all of them. Must never judge by a maximum: that is the machine's.
"""

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lbl.errors import BadInput, Fault, Problem
from lbl.run.clock import Core, control

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Latenesses = NDArray[np.int64]

IDLE: Final = "idle"
GIL_BUSY: Final = "gil_busy"
CPU_BUSY: Final = "cpu_busy"
CONDITIONS: Final = (IDLE, GIL_BUSY, CPU_BUSY)

ROUNDS: Final = 3
BATCHES: Final = 7  # of one condition in one round: few make a p99 of one stall
BATCH: Final = 120  # deadlines of each of the two
GAP_NS: Final = (250_000, 2_250_000)
LEAD_NS: Final = 30_000_000  # both are asleep by the first deadline, also on a busy machine
GRACE_NS: Final = 2_000_000_000
TRIES: Final = 20  # batches that were not armed in time and are done again
HOG_CPU_S: Final = 20  # the kernel ends a load process that outlives us
HOG: Final = (
    "import resource; resource.setrlimit(resource.RLIMIT_CPU, ({0}, {0})); "
    "print(flush=True)\nwhile True: pass"
)
CYCLICTEST: Final = "cyclictest"
CYCLIC_S: Final = 1
CYCLIC_BINS: Final = 50_000  # of 1 us

# The limits of the verdict, in us.
SHARP: Final = 1_000.0  # p99; a dwell of a minute is then kept to 0.002 %
FIT: Final = 20_000.0  # p99; a command's window is open for ten times as long
RATIO: Final = 1.5  # of the C loop's p99 ...
MARGIN: Final = 20.0  # ... and so much more


@dataclass(frozen=True, slots=True)
class Summary:
    """Latenesses in us: p50 and p99 are medians of the rounds, max is that of all."""

    p50: float
    p99: float
    max: float

    def as_json(self) -> dict[str, float]:
        """The three figures."""
        return {"p50": self.p50, "p99": self.p99, "max": self.max}


@dataclass(slots=True)
class Condition:
    """What was measured under one condition, round by round, in ns."""

    pacer: list["Latenesses"] = field(default_factory=list)
    control: list["Latenesses"] = field(default_factory=list)
    cyclictest: Summary | None = None


@dataclass(frozen=True, slots=True)
class Qualification:
    """A host's figures, what they mean, and the samples for a picture (ns)."""

    conditions: Mapping[str, Condition]
    realtime: Mapping[str, Any]
    fifo_granted: bool
    verdict: str
    reason: str

    @property
    def words(self) -> Mapping[str, str]:
        """The conditions in words."""
        return WORDS

    def samples_us(self) -> dict[str, tuple[list[float], list[float]]]:
        """All latenesses, (ours, the C loop's), by the condition in words."""
        return {
            WORDS[name]: (_microseconds(one.pacer), _microseconds(one.control))
            for name, one in self.conditions.items()
        }

    def as_json(self) -> dict[str, Any]:
        """The object that `lbl timing --json` prints."""
        made: dict[str, Any] = {name: _figures(one) for name, one in self.conditions.items()}
        return {
            **made,
            "verdict": self.verdict,
            "reason": self.reason,
            "realtime": {**self.realtime, "fifo_granted": self.fifo_granted},
        }


def qualify(
    *,
    fifo: int = 0,
    cpu: int = -1,
    rounds: int = ROUNDS,
    batches: int = BATCHES,
    tell: Callable[[str], None] = lambda text: None,
) -> Qualification:
    """Measure this host for about 22 s, with the policy and CPU that a run would ask for.

    `tell` hears about the progress. Raises BadInput when the policy or CPU is refused, Fault
    when the machine is so busy that no batch can be armed in time.
    """
    granted = Core(virtual=False).realtime(fifo=max(1, fifo))["fifo"] > 0
    core = Core(virtual=False)
    force = core.realtime(fifo=fifo, cpu=cpu)
    if force["refused"]:
        what, why = next(iter(force["refused"].items()))
        raise BadInput(
            Problem("timing", f"the system refuses it: {why}", f"--{what}", "leave it away")
        )
    conditions = {name: Condition() for name in CONDITIONS}
    loads: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
        IDLE: contextlib.nullcontext, GIL_BUSY: _busy_thread, CPU_BUSY: _busy_cpus,
    }  # fmt: skip
    with open(os.devnull, "wb") as sink:
        channel = core.add_fd("timing", sink.fileno())
        for number in range(rounds):
            for name in _turned(CONDITIONS, number):
                tell(f"round {number + 1} of {rounds}: {name}")
                with loads[name]():
                    _round(core, channel, batches, conditions[name], (fifo, cpu))
                    if number == 0:
                        conditions[name].cyclictest = _cyclictest(fifo, cpu)
        core.remove(channel)
    verdict, reason = judge(conditions, fifo > 0, granted)
    return Qualification(conditions, force, granted, verdict, reason)


def judge(conditions: Mapping[str, Condition], fifo: bool, granted: bool) -> tuple[str, str]:
    """A word (sharp, fit, unfit, slow-pacer) and a sentence that says why.

    The pacer may be 1.5 times as late as the C loop and 20 us more: what it is then late is the
    host's, and can be changed by a scheduling policy or a better host only.
    """
    ours = {name: summary(one.pacer).p99 for name, one in conditions.items()}
    theirs = {name: summary(one.control).p99 for name, one in conditions.items()}
    worse = [name for name, one in conditions.items() if _slower(one)]
    worst = max(ours, key=lambda name: ours[name])
    figures = (
        f"99 of 100 commands leave within {_us(ours[worst])} of their time when {WORDS[worst]}, "
        f"{_us(ours[IDLE])} when idle"
    )
    if ours[worst] > FIT:
        return "unfit", f"{figures}: windows of commands would pass; {_advice(fifo, granted)}"
    if worse:
        name = worse[0]
        return "slow-pacer", (
            f"{figures}; but when {WORDS[name]} a plain C loop keeps {_us(theirs[name])}: "
            "measure again on a quiet machine, and report it if it stays"
        )
    if ours[worst] > SHARP:
        return "fit", (
            f"{figures}: enough for dwells of a minute, and a plain C loop does no better; "
            + _advice(fifo, granted)
        )
    return "sharp", f"{figures}; a plain C loop does no better"


WORDS: Final[Mapping[str, str]] = {
    IDLE: "idle", GIL_BUSY: "a Python thread is busy", CPU_BUSY: "two programs share each CPU",
}  # fmt: skip


def _slower(one: Condition) -> bool:
    """Round by round and over all rounds: one stall of the machine does not make it so."""
    pairs = [(summary(one.pacer), summary(one.control)), (_pooled(one.pacer), _pooled(one.control))]
    return all(ours.p99 > RATIO * theirs.p99 + MARGIN for ours, theirs in pairs)


def _pooled(rounds: Sequence["Latenesses"]) -> Summary:
    import numpy

    return summary([numpy.concatenate(list(rounds))])


def _advice(fifo: bool, granted: bool) -> str:
    if fifo:
        return "even SCHED_FIFO waits here, as it does in a virtual machine with neighbours"
    if granted:
        return "lbl run --fifo 10 makes it sharp (SCHED_FIFO is granted here)"
    return "leave the computer to the run, or let it have SCHED_FIFO (CAP_SYS_NICE)"


def _us(value: float) -> str:
    return f"{value:.0f} us" if value < 1_000.0 else f"{value / 1000:.1f} ms"


def summary(rounds: Sequence["Latenesses"]) -> Summary:
    """Quantiles of each round, then the median of the rounds; the maximum of all."""
    import numpy

    quantiles = [numpy.percentile(late, [50, 99]) / 1e3 for late in rounds]
    p50, p99 = (statistics.median(float(one[i]) for one in quantiles) for i in (0, 1))
    worst = max(int(late.max()) for late in rounds) / 1e3
    return Summary(round(p50, 1), round(p99, 1), round(worst, 1))


def _microseconds(rounds: Sequence["Latenesses"]) -> list[float]:
    return [late_ns / 1e3 for late in rounds for late_ns in late.tolist()]


def _figures(one: Condition) -> dict[str, Any]:
    made = {"pacer_us": summary(one.pacer).as_json(), "control_us": summary(one.control).as_json()}
    if one.cyclictest is not None:
        made["cyclictest_us"] = one.cyclictest.as_json()
    return made


def _turned(names: Sequence[str], by: int) -> list[str]:
    """Another condition goes first in each round."""
    by %= len(names)
    return [*names[by:], *names[:by]]


# One round.


def _round(
    core: Core, channel: int, batches: int, into: Condition, policy: tuple[int, int]
) -> None:
    import numpy

    made: list[tuple[Latenesses, Latenesses]] = []
    for _ in range(batches + TRIES):
        one = _batch(core, channel, policy)
        if one is not None:
            made.append(one)
        if len(made) == batches:
            into.pacer.append(numpy.concatenate([pair[0] for pair in made]))
            into.control.append(numpy.concatenate([pair[1] for pair in made]))
            return
    sentence = f"{TRIES} times the deadlines had passed before they were armed"
    raise Fault(Problem("timing", sentence, remedy="try again on a quieter machine"))


def _batch(
    core: Core, channel: int, policy: tuple[int, int]
) -> "tuple[Latenesses, Latenesses] | None":
    """Latenesses of armed entries and of the C loop at the deadlines between; None: armed late."""
    import numpy

    gaps = numpy.frombuffer(os.urandom(8 * 2 * BATCH), dtype=numpy.uint64)
    low, high = GAP_NS
    after_ns = LEAD_NS + numpy.cumsum(low + (gaps % (high - low)).astype(numpy.int64))
    deadlines = core.now_ns() + after_ns
    for deadline_ns in deadlines[::2].tolist():
        core.confirm(core.arm(channel, b"x", deadline_ns, deadline_ns + GRACE_NS))
    if core.now_ns() > int(deadlines[0]) - LEAD_NS // 2:
        core.hold()
        core.clear()
        core.records()
        return None
    fifo, cpu = policy
    woken = control(deadlines[1::2], fifo=fifo, cpu=cpu)
    while core.next_deadline_ns(channel) >= 0 and core.verdict is None:
        core.wait_until_ns(core.now_ns() + GAP_NS[0])
    rows = core.records()
    if core.verdict is not None:
        core.clear()
    return rows["actual_ns"] - rows["deadline_ns"], woken - deadlines[1::2]


# The loads.


@contextlib.contextmanager
def _busy_thread() -> Iterator[None]:
    """A Python thread that always wants the interpreter's lock."""
    ended = threading.Event()

    def spin() -> None:
        while not ended.is_set():
            pass

    thread = threading.Thread(target=spin, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextlib.contextmanager
def _busy_cpus() -> Iterator[None]:
    """Two processes for each CPU that always want to run; the kernel bounds their CPU time."""
    command = [sys.executable, "-I", "-S", "-c", HOG.format(HOG_CPU_S)]
    with contextlib.ExitStack() as stack:
        hogs = []
        for _ in range(2 * len(os.sched_getaffinity(0))):
            hog = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            stack.callback(hog.kill)
            hogs.append(hog)
        for hog in hogs:
            if hog.stdout is not None:
                hog.stdout.readline()  # it runs
        yield


# The well-known program, where there is one.


def _cyclictest(fifo: int, cpu: int) -> Summary | None:
    program = shutil.which(CYCLICTEST)
    if program is None:
        return None
    command = [program, "-q", "-t", "1", "-i", "1000", "-D", str(CYCLIC_S), "-h", str(CYCLIC_BINS)]
    command += ["-p", str(fifo)] if fifo else []
    command += ["-a", str(cpu)] if cpu >= 0 else []
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=10 * CYCLIC_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return cyclic_summary(done.stdout)


def cyclic_summary(text: str) -> Summary | None:
    """The figures in the histogram of cyclictest -h (rt-tests, cyclictest(8)); None: not one."""
    bins: dict[int, int] = {}
    worst = 0
    for line in text.splitlines():
        words = line.split()
        if line.startswith("# Max Latencies:"):
            worst = int(words[-1])
        elif len(words) == 2 and words[0].isdigit() and words[1].isdigit():
            bins[int(words[0])] = int(words[1])
    total = sum(bins.values())
    if not total:
        return None
    return Summary(_quantile(bins, 0.5 * total), _quantile(bins, 0.99 * total), float(worst))


def _quantile(bins: Mapping[int, int], wanted: float) -> float:
    seen = 0
    for value in sorted(bins):
        seen += bins[value]
        if seen >= wanted:
            return float(value)
    return float(max(bins))
