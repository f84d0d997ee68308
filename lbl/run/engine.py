"""The engine: one thread, one loop, from power-on to the end of a run.

For each acting state there is one activity (a generator of instants to wait for); the loop waits,
tends, reads wishes and moves the state machine. It must never speak to a wire except through the
bench, never read a clock except the run's, and never let a wish wait behind an act that can yield.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final, Protocol

from lbl.bench.bench import Bench, InstrumentError
from lbl.journal.inbox import Command
from lbl.plan.schedule import Plan, Step
from lbl.run.acts import Photometry, Recorder, Waits
from lbl.run.clock import RunClock
from lbl.run.finding import perhaps_touched
from lbl.run.machine import RunMachine, State, answering
from lbl.run.mailbox import Mailbox
from lbl.run.procedure import Procedure
from lbl.run.tending import Tending
from lbl.run.trouble import Trouble
from lbl.watch.ladder import Verdict, answer
from lbl.watch.limits import judge_held

SECOND: Final = 1_000_000_000
LEASE_AIR_NS: Final = 5 * SECOND
LEASE_WET_NS: Final = 60 * SECOND
HELD_NS: Final = 10 * SECOND
FOREVER_NS: Final = 2**62
WARM_UP_NS: Final = 3600 * SECOND
RESCUE_NS: Final = 20 * SECOND  # a dead-man's lowering is over by then
EXHAUSTED: Final = 99  # drivers have retried already: the ladder's last answer counts
# What an instrument's complaint means on the ladder.
KINDS: Final[Mapping[str, str]] = {
    "no answer": "instrument-silent", "garbled": "instrument-silent", "lost": "instrument-silent",
}  # fmt: skip
OWN: Final = frozenset({"done", "clear", "reset", "start"})  # verbs that need no other reason
# Waiting states the run leaves by itself, and the verb that does it.
ONWARD: Final[Mapping[State, str]] = {State.STOPPED: "reset", State.IDLE: "start"}


class Hears(Protocol):
    """Whoever wants to know how the run goes."""

    def moved(self, state: State) -> None:
        """The run's state changed."""

    def journaled(self, command: Command) -> None:
        """A command is in the journal."""

    def verdicts(self, verdicts: list[Verdict], step: Step | None) -> None:
        """The watch judged what was measured."""

    def news(self) -> None:
        """Time has passed, or something has changed."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: its last state, the reason in words, and whether somebody left it so."""

    state: State
    reason: str
    left: bool


class Engine:
    """Drives one procedure through the state machine."""

    def __init__(
        self,
        plan: Plan,
        bench: Bench,
        clock: RunClock,
        mailbox: Mailbox,
        procedure: Procedure,
        photometry: Photometry | None,
        tending: Tending,
        record: Recorder,
        hears: Hears,
        past: Mapping[str, Any] | None,
    ) -> None:
        self._plan = plan
        self._bench = bench
        self._clock = clock
        self._core = clock.core
        self._mailbox = mailbox
        self._procedure = procedure
        self._photometry = photometry
        self._tending = tending
        self._record = record
        self._past = past
        self._told = hears.moved
        self._news = hears.news
        self._journaled = hears.journaled
        self._judged = hears.verdicts
        self.machine = RunMachine(self._moved)
        self._wish: Command | None = None
        self._cause = "power on"
        self._stopped = False
        self._activities: Mapping[State, Callable[[], Waits[None]]] = {
            State.CLEARING: self._clearing,
            State.RESETTING: self._resetting,
            State.STARTING: self._starting,
            State.EXECUTE: self._execute,
            State.HOLDING: procedure.hold,
            State.UNHOLDING: self._unholding,
            State.STOPPING: self._stopping,
            State.ABORTING: self._aborting,
            State.COMPLETING: self._completing,
        }

    def run(self) -> Ending:
        """From power-on (Aborted, outputs made safe first) until the run needs nobody's process."""
        self._safe_outputs()
        self.machine.do("clear")
        while True:
            activity = self._activities.get(self.machine.state)
            verb = self._drive(activity()) if activity is not None else self._wait()
            if verb is None:
                return Ending(self.machine.state, self._cause, self._mailbox.leaving)
            self.machine.do(verb)

    def _moved(self, before: State, verb: str, after: State) -> None:
        wish, self._wish = self._wish, None
        self._record(
            "state",
            to=after.value,
            before=before.value,
            cause=verb if verb in OWN else f"{verb}: {self._cause}",
            by=wish.by if wish else "engine",
        )
        self._told(after)

    # The loop.

    def _drive(self, activity: Waits[None]) -> str:
        """Run an activity to its end ("done"), to a wish, or to trouble; returns the verb."""
        try:
            for wake_ns in activity:
                verb = self._until(wake_ns)
                if verb is not None:
                    return verb
        except Trouble as trouble:
            self._procedure.handling.distrust()
            return self._answer(trouble.code, trouble.reason)
        except InstrumentError as error:
            self._procedure.handling.distrust()
            return self._answer(KINDS.get(error.kind, "instrument-refused"), str(error))
        finally:
            activity.close()
        return "done"

    def _until(self, wake_ns: int) -> str | None:
        """Wait, tending; returns the verb of a wish that takes effect now."""
        while True:
            verb = self._heed()
            if verb is not None:
                return verb
            now = self._clock.now_ns()
            if now >= wake_ns:
                return None
            target = wake_ns
            if not self._procedure.handling.in_air:
                target = min(target, self._tending.next_ns)
            target = min(target, now + self._clock.listen_ns)
            self._core.lease(target + self._patience_ns())
            self._core.wait_until_ns(target)
            if not self._procedure.handling.in_air:
                self._tend()
            if self._clock.speed != 0.0:  # somebody may be watching: the clock, a pending wish
                self._news()

    def _tend(self) -> None:
        """Read slow sensors; while the run starts, values are waited for and not judged."""
        verdicts = self._tending.tend()
        if self.machine.state is not State.STARTING:
            self._judged(verdicts, None)

    def _patience_ns(self) -> int:
        """How long this process may stall: seconds in air, a minute wet; real, on any clock."""
        patience_ns = LEASE_AIR_NS if self._procedure.handling.in_air else LEASE_WET_NS
        return int(patience_ns * self._clock.rate)

    def _heed(self) -> str | None:
        """The strongest wish, if it may take effect at this instant."""
        for wish in self._mailbox.collect():
            self._record(
                "command", actor=wish.by or "?", id=wish.id, verb=wish.verb, reason=wish.reason
            )
            self._journaled(wish)
        strongest = self._mailbox.strongest()
        if strongest is None:
            return None
        wish = strongest
        if not self.machine.can(wish.verb):
            self._mailbox.done(wish)
            self._effect(wish, f"refused: the run is {self.machine.state.value}")
            return None
        if wish.verb in ("hold", "stop") and not self._may_leave():
            return None  # pending until the transfer is over
        self._mailbox.done(wish)
        self._effect(wish, "taken")
        self._wish, self._cause = wish, wish.reason or f"{wish.verb} by {wish.by}"
        return wish.verb

    def _may_leave(self) -> bool:
        return not self._procedure.handling.in_air and self.machine.state is not State.STARTING

    def _effect(self, wish: Command, effect: str) -> None:
        self._record("command-effect", verb=wish.verb, effect=effect, id=wish.id)

    def _answer(self, code: str, reason: str) -> str:
        """The answer of the ladder to a failed act, or the next stronger one the state takes."""
        verb = answering(answer(code, EXHAUSTED), self.machine.state)
        self._cause = reason
        self._record("verdict", response=verb, code=code, reason=reason)
        return verb

    def _wait(self) -> str | None:
        """In a waiting state: go on by itself, or wait for a person; None leaves the process."""
        state = self.machine.state
        if state in ONWARD and not self._stopped:
            return ONWARD[state]
        if state is not State.HELD or self._mailbox.leaving or not self._clock.attended:
            return None
        end_ns = self._clock.now_ns() + int(self._plan.limits.held * SECOND)
        while True:
            verb = self._until(self._clock.now_ns() + HELD_NS)
            if verb is not None:
                return verb
            if self._mailbox.leaving:
                return None
            if self._clock.now_ns() > end_ns:
                self._judged([judge_held(self._plan.limits.held)], None)
                end_ns = FOREVER_NS

    # The activities.

    def _safe_outputs(self) -> None:
        self._record("safe-intent", reason="power on")
        failed = self._bench.outputs_off()
        self._record("safe-outcome", result="; ".join(failed) or "safe")

    def _clearing(self) -> Waits[None]:
        for name, identity in self._bench.identify().items():
            self._record(
                "instrument",
                role=name,
                maker=identity.maker,
                model=identity.model,
                serial=identity.serial,
                firmware=identity.firmware,
            )
            yield 0

    def _resetting(self) -> Waits[None]:
        yield 0

    def _starting(self) -> Waits[None]:
        """Prepare every instrument, the lift first: it homes up before anything may turn."""
        past, others = self._past, frozenset(self._bench.instruments)
        begun = past is not None and past["immersion"] is not None
        if past is not None and begun:  # what is in air must not wait for lamps and heaters
            yield from self._prepare(moves=False, only=self._bench.handlers)
            self._bench.rest()
            yield from self._procedure.find(past)
            others -= self._bench.handlers
        yield from self._prepare(moves=not begun, only=others)
        yield from self._warm_up()
        if self._photometry is not None:
            self._photometry.dark()
        self._bench.rest()
        if not begun:
            yield from self._procedure.handling.ready()
        if past is None:
            self._procedure.begin("start")
            return
        if not begun:
            self._judged(perhaps_touched(self._plan, past), None)
        if self._photometry is not None:
            self._photometry.zero_w = past["readings"].get("reference", 0.0)
        yield from self._procedure.recover(past)

    def _prepare(self, *, moves: bool, only: Set[str]) -> Waits[None]:
        """Make the named instruments ready, with intent and outcome."""
        plan = self._plan
        for name, what, act in self._bench.preparations(
            plan.up,
            plan.start,
            wavelength(plan),
            moves=moves,
            setpoint=self._procedure.setpoint,
            rpm=self._procedure.speed,
        ):
            if name not in only:
                continue
            self._record("prepare-intent", role=name, moves=what)
            act()
            self._record("prepare-outcome", role=name, result="done")
            yield 0

    def _unholding(self) -> Waits[None]:
        """Ports that were lost are opened anew and their instruments made ready; then back."""
        lost = self._bench.lost
        if lost:
            failed = self._bench.reconnect()
            if failed:
                raise Trouble("instrument-silent", "; ".join(failed))
            if self._bench.adrift:  # homing takes the film out of its bath: that is a resume's
                raise Trouble("position-unknown", "an axis has lost its zero: resume the run")
            self._record("note", text=f"connected again: {', '.join(sorted(lost))}")
            yield from self._prepare(moves=False, only=lost)
            self._bench.rest()
        yield from self._procedure.unhold()

    def _warm_up(self) -> Waits[None]:
        """Wait until the baths are where the recipe wants them; a film is not begun before."""
        if self._bench.thermostat is None:
            return
        limits, began = self._plan.limits, self._clock.now_ns()
        low, high = limits.temperature_low, limits.temperature_high
        while True:
            at = self._tending.temperature
            if at is not None and low <= at <= high:
                return
            if self._clock.now_ns() - began > WARM_UP_NS:
                words = f"stay at {at:.1f} degC" if at is not None else "tell no temperature"
                raise Trouble("temperature-band", f"the baths {words}")
            yield self._clock.now_ns() + SECOND

    def _execute(self) -> Waits[None]:
        yield from self._procedure.execute()

    def _completing(self) -> Waits[None]:
        self._cause = "complete"
        self._finish("complete")
        yield 0

    def _stopping(self) -> Waits[None]:
        self._stopped = True
        yield from self._procedure.hold()
        self._finish("stop")

    def _aborting(self) -> Waits[None]:
        """Fastest safe state: the core's safe programme first, then each instrument, read back."""
        self._stopped = True
        self._core.park()
        self._record("safe-intent", reason=self._cause)
        if self._procedure.handling.in_air:
            yield self._clock.now_ns() + RESCUE_NS
            self._bench.rest()  # a second park must not lower by what an axis knew before
            self._say_where()
        failed = self._bench.outputs_off()
        yield from self._procedure.handling.drop()
        self._core.lease(0)
        self._record("safe-outcome", result="; ".join(failed) or "safe")

    def _say_where(self) -> None:
        """After a dead-man's lowering: in which bath the substrate is, or that it is in air."""
        try:
            vessel = self._procedure.handling.where(self._procedure.vessel)
        except InstrumentError as error:
            vessel, where = "", f"unknown: {error}"
        else:
            where = f"in {vessel}" if vessel else "in air: somebody must look at it now"
        self._record("note", text=f"after the abort the substrate is {where}")

    def _finish(self, reason: str) -> None:
        """Outputs off; the substrate stays wet where it is; nothing is armed any more."""
        self._record("safe-intent", reason=reason)
        failed = self._bench.outputs_off()
        self._core.lease(0)
        self._record("safe-outcome", result="; ".join(failed) or "safe")


def wavelength(plan: Plan) -> float:
    """The wavelength of the plan's measurements in nm; 570 where it has none."""
    measures = (step.detail for step in plan.steps if step.kind == "measure")
    return float(str(next(measures, {"wavelength_nm": 570.0})["wavelength_nm"]))
