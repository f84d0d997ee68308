"""The film's procedure under way: which step is next, where the substrate is, what it has had.

Generators of instants to wait for; the engine runs them, and may close one between two legs to
run another. Time is planned from one epoch, so lateness never adds up; a hold moves the epoch once
and says so. This file must never read a command or change the run's state.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from lbl.bench.bench import Bench, InstrumentError
from lbl.plan.schedule import Plan, Step
from lbl.run.acts import Photometry, Recorder, Waits, dose, temper
from lbl.run.clock import RunClock
from lbl.run.finding import Finder, expected
from lbl.run.handling import LEAD_NS, Arrival, Handling
from lbl.run.proof import Proof
from lbl.run.resume import Recovery, decide
from lbl.run.trouble import Trouble
from lbl.watch.ladder import Verdict, answer
from lbl.watch.limits import Limits, judge_air, judge_dose, judge_dwell

T = TypeVar("T")
IMMERSIONS: Final = frozenset({"expose", "rinse", "park"})
RINSE_NS: Final = 60_000_000_000  # of a way out, where the plan has no rinse to copy
SECOND: Final = 1_000_000_000
SLACK_NS: Final = 2 * SECOND  # of a dwell window: arrival and lift are not exact to the second
LEAST_LEAD_NS: Final = LEAD_NS // 4  # to set a speed and arm
LOOKS_MAX: Final = 5  # readings tried, whatever the ladder says
RINSE_AHEAD: Final = 16  # steps looked at for the next rinse dwell


class Hears(Protocol):
    """Whoever wants to know what happens to the film."""

    def absorbance(self, step: Step, value: float) -> None:
        """The film was read: mOD through all its coated sides."""

    def deposition(self, step: Step) -> None:
        """A deposition counts."""

    def verdicts(self, verdicts: list[Verdict], step: Step | None) -> None:
        """The watch judged what was measured."""

    def news(self) -> None:
        """Something that people want to see has changed."""


@dataclass(frozen=True, slots=True)
class Immersion:
    """The step whose bath the substrate is in, and its dwell before `since_ns`.

    `away`: a hold has ended the stay for now; `had_ns` is then all it had.
    """

    step: Step
    since_ns: int
    had_ns: int = 0
    attempt: int = 0
    away: bool = False


class Procedure:
    """Carries a plan out. `position` is the index of the next step to perform, `done` counts.

    `wet` is the immersion that counts, also while a hold has taken the substrate elsewhere;
    `vessel` is where it really is, "" in air.
    """

    def __init__(
        self,
        plan: Plan,
        handling: Handling,
        bench: Bench,
        clock: RunClock,
        record: Recorder,
        photometry: Photometry | None,
        limits: Limits,
        hears: Hears,
        proof: Proof,
    ) -> None:
        self.plan = plan
        self.position = 0
        self.epoch_ns = 0
        self.done = 0
        self.wet: Immersion | None = None
        self.vessel = ""
        self.handling = handling
        self._bench = bench
        self._clock = clock
        self._record = record
        self._photometry = photometry
        self._limits = limits
        self._proof = proof
        self._on_absorbance = hears.absorbance
        self._on_deposition = hears.deposition
        self._judged = hears.verdicts
        self._news = hears.news
        self._finder = Finder(plan, handling, bench, clock, record, limits, hears.verdicts)
        self._acts: Mapping[str, Callable[[Step], Waits[None]]] = {
            "zero": self._zero,
            "measure": self._measure,
            "dose": self._dose,
            "wait": self._pass,
            "temperature": self._temper,
            "prompt": self._ask,
        }

    @property
    def step(self) -> Step | None:
        """The step that comes next."""
        return self.plan.steps[self.position] if self.position < len(self.plan.steps) else None

    def begin(self, reason: str) -> None:
        """Put the plan's zero so that the next step's first lift is armed in time."""
        before, step = self.epoch_ns, self.step
        self.epoch_ns = self._clock.now_ns() + 2 * LEAD_NS - (step.offset_ns if step else 0)
        self._rebased(before, reason)

    def _rebased(self, before: int, reason: str) -> None:
        shift = (self.epoch_ns - before) / SECOND
        self._record("rebase", None, origin_ns=self.epoch_ns, reason=reason, shift_s=shift)

    def execute(self) -> Waits[None]:
        """Perform the steps from `position` to the end."""
        yield from self._proof.through()
        steps = self.plan.steps
        while self.position < len(steps):
            step = steps[self.position]
            if step.kind in IMMERSIONS:
                yield from self._immerse(step)
            else:
                yield from self._due(step, 0)
                self._record("step-intent", step, act=step.kind, vessel=step.vessel)
                yield from self._acts[step.kind](step)
                self._record("step-outcome", step, act=step.kind, result="done")
            self.position += 1

    # Into a bath and out of it.

    def _due(self, step: Step, lead_ns: int) -> Waits[int]:
        """Wait until `lead_ns` before a step; when it is due, after what did not count as dwell."""
        while True:
            at = self.epoch_ns + step.offset_ns
            lost_ns = yield from self.handling.watch(at - lead_ns)
            if not lost_ns:
                return at
            before = self.epoch_ns
            self.epoch_ns += lost_ns
            self._rebased(before, "the dwell goes on after a disturbance")

    def _immerse(self, step: Step) -> Waits[None]:
        at = yield from self._due(step, LEAD_NS if step.legs else 0)
        if not step.legs:  # stays where it is: only the account changes
            self._leave(self._clock.now_ns())
            self._intend(step, 0, at)
            self._arrived(step, Arrival(at, self._clock.now_ns(), at), 0)
            return
        at = self._caught_up(at)
        self._intend(step, 0, at)
        arrival = yield from self.handling.transfer(step.legs, at, step.index, self._leave)
        self._arrived(step, arrival, 0)

    def _caught_up(self, at: int) -> int:
        """When an act before took too long for the next lift, the plan moves on with it.

        The dwell under way gets longer; its window says whether that is a deviation.
        """
        late_ns = self._clock.now_ns() + LEAST_LEAD_NS - at
        if late_ns <= 0:
            return at
        before = self.epoch_ns
        self.epoch_ns += late_ns
        self._rebased(before, "an act took longer than planned")
        return at + late_ns

    def _intend(self, step: Step, attempt: int, at_ns: int) -> None:
        self._record(
            "step-intent",
            step,
            attempt=attempt,
            act=step.kind,
            vessel=step.vessel,
            solution=step.solution,
            deposition=step.deposition,
            at_ns=at_ns,
        )

    def _arrived(self, step: Step, arrival: Arrival, had_ns: int, attempt: int = 0) -> None:
        self.wet = Immersion(step, arrival.immersed_ns, had_ns, attempt)
        self.vessel = step.vessel
        counted = {"deposition": step.deposition} if step.kind == "expose" else {}
        self._landed(step.vessel, step.solution, arrival, step, attempt=attempt, **counted)
        self._news()

    def _landed(
        self, vessel: str, solution: str, arrival: Arrival, step: Step | None, **more: int
    ) -> None:
        self._record(
            "transfer-outcome",
            step,
            vessel=vessel,
            solution=solution,
            immersed=True,
            air_s=arrival.air_s,
            begin_ns=arrival.immersed_ns,
            lateness_ns=arrival.immersed_ns - arrival.planned_ns,
            **more,
        )
        self._judged(judge_air(self._limits, arrival.air_s), step)

    def _leave(self, now_ns: int) -> None:
        """The dwell is over: the step is done, and maybe a deposition with it."""
        wet, self.wet, self.vessel = self.wet, None, ""
        if wet is None:
            return
        step = wet.step
        dwell_ns = self._out(wet, now_ns, "done")
        if step.kind != "park":
            low, high = step.earliest_ns - SLACK_NS, step.latest_ns + SLACK_NS
            verdicts = judge_dwell(self._limits, dwell_ns / SECOND, low / SECOND, high / SECOND)
            self._judged(verdicts, step)
        self._count(step)

    def _count(self, step: Step) -> None:
        """The last rinse of a deposition is done: now it counts, once."""
        if step.completes != self.done + 1:  # no rinse that completes one, or left a second time
            return
        self.done = step.completes
        self._record(
            "deposition-done",
            step,
            deposition=step.completes,
            bilayer=step.bilayer,
            solution=step.solution,
            vessel=step.vessel,
        )
        self._on_deposition(step)

    def _out(self, wet: Immersion, now_ns: int, result: str, stays: bool = False) -> int:
        """Record the end of a stay; returns the dwell in ns, earlier stays included.

        `stays`: the substrate does not leave the bath, only the account is closed.
        """
        stay_ns = now_ns - wet.since_ns
        self._record(
            "step-outcome",
            wet.step,
            attempt=wet.attempt,
            act=wet.step.kind,
            result=result,
            dwell_s=stay_ns / SECOND,
            stays=stays,
            planned_s=wet.step.dwell_ns / SECOND,
        )
        return stay_ns + wet.had_ns

    # Acts inside a dwell.

    def _zero(self, step: Step) -> Waits[None]:
        if self._photometry is not None:
            yield from self._look(step, self._photometry.zero)

    def _measure(self, step: Step) -> Waits[None]:
        if self._photometry is None:
            return
        absorbance = yield from self._look(step, self._photometry.measure)
        if absorbance is not None:
            self._on_absorbance(step, absorbance)
            self._news()

    def _look(self, step: Step, act: Callable[[Step], Waits[T]]) -> Waits[T | None]:
        """Read the photometer, again as often as the ladder says; a film grows without, noted."""
        end_ns = self.epoch_ns + step.end_ns
        for failures in range(1, LOOKS_MAX + 1):
            try:
                return (yield from act(step))
            except (Trouble, InstrumentError) as error:
                reason = str(error)
                response = answer("reading-suspect", failures)
                if response != "retry" or self._clock.now_ns() > end_ns:
                    break
        self._judged([Verdict(response, "reading-suspect", reason)], step)
        return None

    def _dose(self, step: Step) -> Waits[None]:
        later = self.plan.steps[self.position + 1 :]
        end_ns = next((s.offset_ns for s in later if s.legs), step.end_ns + LEAD_NS)
        limit_ns = self.epoch_ns + end_ns - 2 * LEAD_NS
        asked, moved = yield from dose(step, self._bench, self._clock, self._record, limit_ns)
        self._judged(judge_dose(self._limits, step.solution, asked, moved), step)

    def _pass(self, step: Step) -> Waits[None]:
        # The next lift is armed ahead of its deadline, which is where this wait ends.
        yield self.epoch_ns + step.end_ns - 2 * LEAD_NS

    def _temper(self, step: Step) -> Waits[None]:
        """Bring the liquids to a temperature, evenly; Trouble when they have not followed."""
        thermostat = self._bench.thermostat
        if thermostat is None:
            raise Trouble("temperature-band", "the bench has no thermostat")
        end_ns = self.epoch_ns + step.end_ns - 2 * LEAD_NS
        goal = float(str(step.detail["to_degC"]))
        yield from temper(thermostat, goal, self._clock, end_ns)

    @property
    def setpoint(self) -> float | None:
        """Where the recipe has brought the temperature so far; None: where the bench file says."""
        done = (
            one for one in reversed(self.plan.steps[: self.position]) if "to_degC" in one.detail
        )
        last = next(done, None)
        return None if last is None else float(str(last.detail["to_degC"]))

    def _ask(self, step: Step) -> Waits[None]:
        """Ask a person: the step is done, and the run holds until somebody unholds it."""
        self._judged([Verdict("hold", "prompt", str(step.detail["say"]))], step)
        yield from ()

    # Leaving the plan and coming back to it.

    def hold(self) -> Waits[None]:
        """Out through the rinse baths of this side, into the last of them; stays there."""
        yield from self.handling.drop()
        if self.handling.in_air:
            yield from self._rescue()
        wet = self.wet
        if wet is None:
            return
        way = self.handling.way_out(self.vessel, wet.step)
        dwell_ns, here = self._rinse_ns(), self.vessel
        for number, vessel in enumerate(way):
            yield from self._carry(vessel, "hold", self._paused if number == 0 else None)
            if number < len(way) - 1:
                yield self._clock.now_ns() + dwell_ns - LEAD_NS
        if here == self.vessel:
            self._paused(self._clock.now_ns(), stays=True)

    def _paused(self, now_ns: int, stays: bool = False) -> None:
        """The interrupted stay ends here; what it had is kept for the way back."""
        wet = self.wet
        if wet is not None and not wet.away:
            had_ns = self._out(wet, now_ns, "interrupted", stays)
            self.wet = Immersion(wet.step, now_ns, had_ns, wet.attempt, away=True)

    def unhold(self) -> Waits[None]:
        """Back to the interrupted step: the rest of its dwell, a rinse anew; the epoch moves."""
        wet, before = self.wet, self.epoch_ns
        if wet is None:
            self.begin("unhold")
            return
        step, had_ns, attempt = wet.step, wet.had_ns, wet.attempt + 1
        if self.vessel != step.vessel:
            yield from self._proof.through()
        self._intend(step, attempt, self._clock.now_ns())
        if self.vessel != step.vessel:
            arrival = yield from self._carry(step.vessel, "unhold", None)
            if step.kind != "expose":
                had_ns = 0
        else:
            now = self._clock.now_ns()
            had_ns += now - wet.since_ns
            arrival = Arrival(now, now, now)
        # At least the time that arming the next lift takes is left of any dwell.
        had_ns = min(had_ns, max(0, step.dwell_ns - 2 * LEAD_NS))
        self._arrived(step, arrival, had_ns, attempt)
        self.epoch_ns = arrival.immersed_ns - had_ns - step.transfer_ns - step.offset_ns
        self._rebased(before, "unhold")

    def find(self, state: Mapping[str, Any]) -> Waits[None]:
        """See where the film is, and bring it into a bath from air; see finding.Finder."""
        self.vessel = yield from self._finder.find(state)

    def recover(self, state: Mapping[str, Any]) -> Waits[None]:
        """Take the film up where a process left it, once it is found.

        Raises Refused when journal and bench leave no rule.
        """
        where = self.vessel
        clock = self._clock
        found = decide(self.plan, state, where, clock.now_ns(), clock.boot)
        self._record("note", None, text=f"resumed: {found.reason}")
        if found.hold:
            self._judged([Verdict("hold", "on-resume", found.hold)], found.step)
        self.position, self.vessel = found.position, where
        self.epoch_ns = state["origin_ns"]
        self.done = state["depositions"]
        if found.completed and found.step is not None:
            self._count(found.step)
        if found.step is not None:
            self._account(found, state)
            away = where != found.step.vessel
            self.wet = Immersion(found.step, clock.now_ns(), found.had_ns, state["attempt"], away)
        if found.rinse and found.step is not None:
            yield from self.hold()
            self.wet = Immersion(found.step, clock.now_ns(), 0, state["attempt"], away=True)
        yield from self.unhold()

    def _account(self, found: Recovery, state: Mapping[str, Any]) -> None:
        """Write down the stay that no process saw the end of, and say when it was too long."""
        step = found.step
        if step is None or step.kind == "park" or not found.stay_ns:
            return
        stay = found.stay_ns / SECOND
        if any(one["of"] == "step" and one["name"] == step.index for one in state["intents"]):
            self._record(
                "step-outcome",
                step,
                attempt=state["attempt"],
                act=step.kind,
                result="interrupted",
                reason="no process saw its end; the time is an estimate",
                dwell_s=stay,
                stays=True,
                planned_s=step.dwell_ns / SECOND,
            )
        before = state["exposure"]["dwell_s"] if step.deposition and state["exposure"] else 0.0
        low, high = step.earliest_ns / SECOND, step.latest_ns / SECOND + SLACK_NS / SECOND
        self._judged(judge_dwell(self._limits, max(low, before + stay), low, high), step)

    def _carry(self, vessel: str, why: str, left: Callable[[int], None] | None) -> Waits[Arrival]:
        """A transfer that is not in the plan; the generator's result is its Arrival."""

        def lifted(now_ns: int) -> None:
            if left is not None:
                left(now_ns)
            self.vessel = ""

        step = self.wet.step if self.wet else None
        legs = self.handling.legs(self.vessel, vessel)
        self._record("transfer-intent", step, vessel=vessel, reason=why)
        start_ns = self._clock.now_ns() + LEAD_NS
        arrival = yield from self.handling.transfer(legs, start_ns, -1, lifted)
        self.vessel = vessel
        if why == "hold":
            self._landed(vessel, self.plan.assignments.get(vessel, ""), arrival, step)
        self._news()
        return arrival

    def _rescue(self) -> Waits[None]:
        """In air and off the plan: into the nearest safe liquid, else the one it was going to."""
        step = self.step
        came_from = self._came_from()
        here = came_from.vessel if came_from else ""
        near = expected(self.plan, self.handling, here, self.position)
        target, legs = self.handling.refuge(step.vessel if step else here, near)
        self._record("transfer-intent", step, vessel=target, reason="rescue")
        start_ns = self._clock.now_ns() + LEAD_NS // 4
        arrival = yield from self.handling.transfer(legs, start_ns, -1, lambda now_ns: None)
        self.vessel = target
        if step is not None and step.vessel == target:
            self._arrived(step, arrival, 0)
            self.position += 1
            return
        # Back where it came from: that dwell is over already, and its step done.
        if came_from is None:  # a film that was never exposed
            return
        self.wet = Immersion(came_from, arrival.immersed_ns, came_from.dwell_ns, 1)
        self._intend(came_from, 1, arrival.immersed_ns)

    def _came_from(self) -> Step | None:
        """The last immersion before the next step; None for a film that was never exposed."""
        before = reversed(self.plan.steps[: self.position])
        return next((one for one in before if one.kind in IMMERSIONS), None)

    def _rinse_ns(self) -> int:
        """The plan's next rinse dwell."""
        ahead = self.plan.steps[self.position : self.position + RINSE_AHEAD]
        return next((step.dwell_ns for step in ahead if step.kind == "rinse"), RINSE_NS)
