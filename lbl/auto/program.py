"""Autonomous mode itself: outputs off, look, decide, and one of three things: drive, wait, leave.

A plain sequence; what must outlive it is in its memory. Must never drive the film itself: it asks
the doors that people use.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lbl.auto.attendant import Attendant
from lbl.auto.beacon import Beacon, Status
from lbl.auto.budget import spent
from lbl.auto.config import Config
from lbl.auto.finding import GONE, Finder
from lbl.auto.memory import CLEAR, Memory
from lbl.auto.notify import Notify
from lbl.auto.outputs import frozen_bench, outputs_off
from lbl.auto.policy import DONE, LOOK_S, Act, Situation, decide, onward
from lbl.errors import BadInput, Fault, LblError
from lbl.journal.room import free_bytes
from lbl.run.clock import calendar_s, pause, stamp_now, steady_s, wall_s
from lbl.run.mailbox import listening
from lbl.run.news import News
from lbl.watch.host import Calendar

if TYPE_CHECKING:
    from lbl.app import Order
    from lbl.run.result import Result

BY: Final = "auto"
TURN_S: Final = 0.2  # between two looks at signals and commands while waiting
INTERRUPTED: Final = 5
LEAVES: Final = {"wait": INTERRUPTED, "kernel": 4}  # exit codes of --once
MB: Final = 1_000_000
UNSEEN: Final = "nobody has looked since"
# What may be otherwise when it is tried again; anything else stays as it is until somebody looks.
PASSING: Final = frozenset(
    {"bench-no-answer", "bench-unsafe", "run-locked", "run-unwritable", "run-unreadable",
     "auto-unwell"}
)  # fmt: skip


class Auto:
    """One start of autonomous mode. `say` hears one line whenever something changes."""

    def __init__(self, config: Config, say: Callable[[str], None], *, once: bool = False) -> None:
        """Open what the program itself needs; raises BadInput when it runs already.

        `once`: leave where it would wait.
        """
        self._config = config
        self._say = say
        self._once = once
        self._runs = Path(config.runs)
        self._memory = Memory(config)
        self._finder = Finder(self._runs, any_state=self._memory.book.doubtful)
        self._notify = Notify()
        self._beacon = Beacon(config.beacon.file, config.beacon.udp)
        self._calendar = Calendar(config.calendar.least_s, config.calendar.step)
        self._attendant = Attendant(
            self._beacon, self._notify, config.beacon.every,
            known=self._known, keep=self._memory.keep, held=self._held, say=say,
        )  # fmt: skip
        self._began_s = steady_s()
        self._unsafe = [UNSEEN]
        self._looked_s = -LOOK_S
        self._held_why = ""

    def run(self) -> int:
        """Until the film is over or somebody asks the process to go; the exit code."""
        try:
            if self._memory.damage:
                self._say(f"memory: {self._memory.damage}")
            self._make_safe()
            self._memory.start()
            self._notify.ready()
            code: int | None = None
            while code is None:  # each round drives, waits for a bounded time, or is the last
                code = self._round()
            self._notify.stopping()
            self._memory.leave()
            return code
        finally:
            self._beacon.close()
            self._notify.close()
            self._memory.close()

    def _round(self) -> int | None:
        """Look, decide, do it; the exit code when that was the last."""
        self._obey()
        found = self._finder.look(self._memory.book.run)
        if self._unsafe and not found.pid:
            self._make_safe()
        act = decide(self._config, self._memory.book, found, self._memory.meter())
        if act.mode == "drive":
            return self._drive(act, found)
        self._attendant.beat(status(found, act))
        if act.mode == "done":
            return act.code
        return self._wait(act, found)

    def _make_safe(self) -> None:
        """Outputs off, by the bench file of the run if there is one, else by the configuration's.

        A bench that another process has is in its hands, or in those of its guardian.
        """
        path = self._finder.path(self._memory.book.run)
        benches = [frozen_bench(path)] if path is not None else []
        sent: list[float] = []
        self._unsafe = outputs_off([*benches, self._config.bench], lambda: sent.append(wall_s()))
        said = "; ".join(self._unsafe) or "outputs are off"
        when = f"sent {sent[0]:.2f} s, read back {wall_s():.2f} s after the start" if sent else ""
        self._attendant.beat(Status("safe", reason=f"{said}; {when}"))

    def _wait(self, act: Act, found: Situation) -> int | None:
        """Wait, attending, until it is time to look again; an exit code to leave with."""
        if self._once:
            return LEAVES[act.mode]
        end_s = steady_s() + min(act.seconds, LOOK_S)
        with listening() as mailbox:
            while steady_s() < end_s:
                self._attendant.beat(status(found, act))
                if any(wish.by == "terminal" for wish in mailbox.collect()):
                    return INTERRUPTED
                if self._obey():
                    break
                pause(min(TURN_S, max(0.0, end_s - steady_s())))
        return None

    def _obey(self) -> bool:
        """Take what people ask for; whether anything was."""
        taken = self._memory.commands()
        for command in taken:
            if command.verb != CLEAR:
                self._say(f"{command.verb}: there is no such command here")
                continue
            found = self._finder.look(self._memory.book.run)
            over = found.state in DONE or found.problem == GONE
            run = "" if over else found.run
            self._memory.keep(self._memory.book.clear(found.seq, run))
            self._say(f"cleared by {command.by}: {command.reason or 'no reason given'}")
        return bool(taken)

    # Driving.

    def _drive(self, act: Act, found: Situation) -> int | None:
        """Have the run go on, here; None when there is something to decide afterwards."""
        memory = self._memory
        if not memory.keep(memory.book.unheld() if act.unhold else memory.book):
            memory.reserve.give_back()  # what cannot be remembered is not begun
            wait = Act("wait", "the disk takes nothing", self._config.disk.look)
            self._attendant.beat(status(found, wait))
            return self._wait(wait, found)
        memory.reserve.keep()
        self._say(f"drive: {act.reason}")
        try:
            result = self._carried_out(act, found)
        except LblError as error:
            self._failed(error)
            return None
        memory.keep(replace(memory.book, run=result.run))
        return INTERRUPTED if result.exit_code == INTERRUPTED else None

    def _carried_out(self, act: Act, found: Situation) -> "Result":
        from lbl import app as door  # here: outputs are off long before it is loaded

        if found.run:
            return door.resume(found.run, self._runs, by=BY, reason=act.reason).run(self._hear)
        return door.prepare(order(self._config, act.reason)).run(self._hear)

    def _hear(self, news: News) -> None:
        if news.run != self._memory.book.run:  # from here on a next start knows which film is ours
            self._memory.keep(replace(self._memory.book, run=news.run))
        self._attendant.hear(news)

    def _failed(self, error: LblError) -> None:
        """The run could not be driven, or not to its end; raises what only a person can mend."""
        memory, self._unsafe = self._memory, [UNSEEN]
        why, codes = str(error).splitlines()[0], {one.code for one in error.problems}
        found = self._finder.look(memory.book.run)
        if not found.run and isinstance(error, BadInput) and not codes & PASSING:
            raise error
        self._say(why)
        if "run-unwritable" in codes:
            from lbl.auto.fault import journaled

            memory.reserve.give_back()
            journaled(self._runs / found.run, f"{why}; the bench was parked")
            if found.free is not None and found.free < self._config.disk.least:
                return  # it waits for room, and that uses up nothing
        found = self._finder.look(memory.book.run)
        memory.keep(memory.book.failed(-1 if codes & PASSING else found.seq, why, self._config))

    def _held(self, run: str) -> str:
        """A run under way is held: why it stays so, or have it go on as a person would."""
        if steady_s() - self._looked_s < LOOK_S:
            return self._held_why
        self._looked_s = steady_s()
        self._obey()
        memory, found = self._memory, self._finder.look(run)
        act = onward(self._config, memory.book, found, memory.meter())
        self._held_why = act.reason
        if act.unhold or (found.seq == memory.book.cleared and act.mode == "drive"):
            from lbl import runs as past

            memory.keep(memory.book.unheld() if act.unhold else memory.book)
            past.command("unhold", run, self._runs, by=BY, reason=act.reason)
        return act.reason

    # Telling.

    def _known(self, status: Status) -> Status:
        """What the program knows beside the film."""
        book, config = self._memory.book, self._config
        now_s = steady_s()
        self._calendar.look(calendar_s(), now_s)
        free = free_bytes(self._runs)
        used = spent(book.restarts, self._memory.meter(), config.restarts.within)
        return replace(
            status,
            run=status.run or book.run,
            start=book.starts,
            boots=spent(book.boots, self._memory.meter(), config.boots.within),
            restarts_left=max(0, config.restarts.times - used),
            calendar=self._calendar.quality,
            free_mb=-1 if free is None else free // MB,
            up_s=int(now_s - self._began_s),
            utc=stamp_now(),
        )


def start(config: Config, say: Callable[[str], None], *, once: bool = False) -> int:
    """One start of autonomous mode, to its exit code; see `Auto`.

    Raises BadInput for what only a person can mend; Fault `run-unwritable` when nothing can be
    remembered: then outputs are off, and nothing else has been done.
    """
    try:
        auto = Auto(config, say, once=once)
    except BadInput as error:
        if error.problems[0].code != "run-unwritable":
            raise
        say("; ".join(outputs_off([config.bench], lambda: None)) or "outputs are off")
        raise Fault(*error.problems) from None
    return auto.run()


def order(config: Config, reason: str) -> "Order":
    """The film that the configuration asks for, as a person would order it."""
    from lbl.app import Order

    return Order(
        recipe=config.recipe,
        bench=config.bench,
        sets=config.sets,
        seed=config.seed,
        speed=config.speed,
        lots=config.lots,
        runs=Path(config.runs),
        by=BY,
        reason=reason,
        signed=config.signed,
        trust=Path(config.trust) if config.trust else None,
    )


def status(found: Situation, act: Act) -> Status:
    """What to tell of a run that is not under way here."""
    return Status(
        mode=act.mode,
        state=found.state,
        run=found.run,
        reason=act.reason,
        bilayers=found.bilayers,
        depositions=found.depositions,
        deviations=found.deviations,
    )
