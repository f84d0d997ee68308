"""One process of a run, from its start to its end, and the instant at which it is made to end.

The run's own code runs on a clock, a disk and a mailbox from here, which count its turns and
writes. The bench's models outlive the process: what they are at its death is what the next one
finds. Must never touch a run in any other way.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

from lbl.bench.simulated import Simulation
from lbl.campaign.chance import Chance
from lbl.campaign.disk import Disk, full
from lbl.campaign.strike import AT_A_WRITE, NS, Strike
from lbl.journal.inbox import Command
from lbl.run.clock import Core, RunClock
from lbl.run.mailbox import Mailbox
from lbl.run.stage import Stage

NEVER_NS: Final = 1 << 62
PARKED_NS: Final = 60 * NS  # a guardian has done its work by then
WHO: Final = "campaign"


class Cut(BaseException):
    """The process is gone: nothing after it may be carried out."""


@dataclass(slots=True)
class Life:
    """One process. `strike` is what ends it early, None if nothing shall.

    `written_ns` is when the journal was last written.
    `coming` are instants and what happens there, wishes and steps of the calendar, shared by all
    the processes of a film. After the end: `snapshot` is the world's state and `rows` what this
    process added to its ledger; `end_ns` is when. `struck_down`: by `strike`.
    """

    strike: Strike | None
    coming: list[Strike]
    start_ns: int
    boot: str
    durable: bool
    forgetful: bool
    written_ns: int
    chance: Chance
    faults: list[Any] = field(default_factory=list)
    turns: int = 0
    writes: int = 0
    struck: int = 0
    struck_down: bool = False
    end_ns: int = 0
    snapshot: dict[str, Any] | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    standing: dict[str, Any] | None = None
    _counted: int = 0
    _dead: bool = False
    _full: bool = False
    _clock: "Clock | None" = None
    _disk: Disk | None = None
    _simulation: Simulation | None = None
    _now_known: Callable[[], dict[str, Any]] = dict
    _unhold_ns: int = NEVER_NS

    def stage(self) -> Stage:
        """What the run stands on in this process."""
        return Stage(
            disk=self._storage,
            clock=self._timed,
            idle=lambda path: (self.start_ns - self.written_ns) / NS,
            mailbox=self._mailbox,
            models=self._models,
            durable=self.durable,
        )

    def now_ns(self) -> int:
        """The run's time."""
        return self.start_ns if self._clock is None else self._clock.core.now_ns()

    @property
    def attended(self) -> bool:
        """Whether somebody will unhold this process."""
        return self._unhold_ns < NEVER_NS

    @property
    def due_ns(self) -> int:
        """The next instant at which something may happen."""
        now, at = self.now_ns(), [self._unhold_ns, *(one.at_ns for one in self.coming)]
        if self.strike is not None:
            at.append(self.strike.at_ns)
        return min((one for one in at if one > now), default=NEVER_NS)

    # What the run does, and what happens then.

    def turn(self) -> None:
        """The run waits, or begins or ends an exchange."""
        if self._dead:
            raise Cut
        self.turns += 1
        strike = self.strike
        if strike is not None and strike.kind not in AT_A_WRITE and self._reached(strike):
            self._die(strike)

    def write(self, size: int) -> int | None:
        """See disk.Fate."""
        if self._dead:
            raise Cut
        self.writes += 1
        strike = self.strike
        if self._full:
            raise full("full")
        if strike is None or strike.kind not in AT_A_WRITE or not self._reached(strike):
            return None
        if strike.kind == "broken":
            self._fell()
            raise full("broken")
        return self.chance.below(size + 1)

    def after_part(self) -> None:
        """See disk.Fate."""
        strike = self.strike
        if strike is not None and strike.kind == "full":
            self._fell()
            self._full = True
            raise full("full")
        self._die(strike)

    def wishes(self) -> Iterator[Command]:
        """What somebody wants now; the calendar steps on the way."""
        now = self.now_ns()
        for one in [one for one in self.coming if one.at_ns <= now]:
            self.coming.remove(one)
            self.struck += 1
            if one.kind == "clock" and self._clock is not None:
                self._clock.step(one.argument)
            elif one.kind == "wish":
                if one.what == "hold":
                    self._unhold_ns = now + int(one.outage_s * NS)
                yield Command(one.what, WHO, one.text(), "")
        if self._unhold_ns <= now:
            self._unhold_ns = NEVER_NS
            yield Command("unhold", WHO, "it has been held for long enough", "")

    def over(self, *, repaired: bool) -> None:
        """The process has ended by itself: keep what the world is now.

        `repaired`: somebody switches every instrument off and on.
        """
        if self._dead:
            return
        if repaired and self._simulation is not None:
            self._simulation.power_cycle(self.now_ns())
        self._keep()

    def _fell(self) -> None:
        self.struck += 1
        self.struck_down = True

    def _reached(self, strike: Strike) -> bool:
        if self.now_ns() < strike.at_ns:
            return False
        self._counted += 1
        return self._counted == strike.count

    def _die(self, strike: Strike | None) -> None:
        """Now. What the process would still do is of no effect."""
        self._fell()
        if strike is not None:
            self._aftermath(strike.kind)
        self._keep()
        self._dead = True
        raise Cut

    def _aftermath(self, kind: str) -> None:
        """What happens to bench and disk as the process dies."""
        if kind == "parked" and self._clock is not None:
            self._clock.park()
        if kind == "power" and self._simulation is not None:
            self._simulation.power_cycle(self.now_ns())
        if kind in ("power", "dark") and self._disk is not None and self.durable:
            self._disk.forget(self.chance)

    def _keep(self) -> None:
        self.end_ns = max(self.now_ns(), self.start_ns)
        if self._disk is not None:
            self.written_ns = self._disk.written_ns
        simulation = self._simulation
        if simulation is not None:
            simulation.settle(self.end_ns)
            self.snapshot = self._now_known()
            self.rows = [dict(row) for row in simulation.world.ledger]
            self.standing = simulation.world.standing()

    # What the run is given.

    def _storage(self, path: Path) -> Disk:
        self._disk = Disk(path, self, self.written_ns, forgetful=self.forgetful)
        return self._disk

    def _timed(self, speed: float | None, start_ns: int, rate: float) -> RunClock:
        self._clock = Clock(self, speed, rate)
        return self._clock

    @contextmanager
    def _mailbox(self) -> Iterator[Mailbox]:
        yield Voices(self)

    def _models(self, simulation: Simulation) -> None:
        self._simulation, self._now_known = simulation, simulation.snapshot
        # The run would write its world down at every record; here its world outlives it anyway.
        simulation.snapshot = dict  # type: ignore[method-assign]
        for fault in self.faults:
            simulation.befall(fault)


class Clock(RunClock):
    """A run's clock whose every wait is a turn of its process; it goes on where the world stands.

    What the run believes to be the time since its last process is not asked.
    """

    def __init__(self, life: Life, speed: float | None, rate: float) -> None:
        super().__init__(speed, life.start_ns, rate)
        self._life = life
        self._own = self.core
        self.core = cast(Core, Pacer(self.core, life))
        self.boot = life.boot

    @property
    def attended(self) -> bool:
        """See RunClock."""
        return self._life.attended

    def step(self, seconds: float) -> None:
        """Somebody sets the calendar."""
        self.calendar += timedelta(seconds=seconds)

    def park(self) -> None:
        """What the guardian does: the safe programme, to its end."""
        core = self._own
        core.park()
        end_ns = core.now_ns() + PARKED_NS
        while core.parking and core.now_ns() < end_ns:
            core.wait_until_ns(min(end_ns, core.now_ns() + PARKED_NS // 600))


class Pacer:
    """The core, with a turn at each wait and at both ends of each exchange."""

    def __init__(self, core: Core, life: Life) -> None:
        self._core = core
        self._life = life
        self.now_ns = core.now_ns

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def wait_until_ns(self, deadline_ns: int) -> bool:
        """See Core; woken by what is due before."""
        self._life.turn()
        due_ns = self._life.due_ns
        if due_ns < deadline_ns:
            self._core.wait_until_ns(due_ns)
            return False
        return self._core.wait_until_ns(deadline_ns)

    def acquire(self, channel: int, hold_ns: int) -> int:
        """See Core."""
        self._life.turn()
        return self._core.acquire(channel, hold_ns)

    def release(self, channel: int) -> None:
        """See Core."""
        self._life.turn()
        self._core.release(channel)


class Voices(Mailbox):
    """The mailbox of a process that is given its wishes at their instants."""

    def __init__(self, life: Life) -> None:
        super().__init__()
        self._life = life

    def collect(self) -> list[Command]:
        """See Mailbox."""
        for one in self._life.wishes():
            self.wish(one.verb, one.by, one.reason)
        return super().collect()
