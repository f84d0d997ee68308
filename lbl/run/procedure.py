"""The film's procedure under way: which step is next, where the substrate is, what it has had.

Generators of instants to wait for; the engine runs them, and may close one between two legs to
run another. Time is planned from one epoch, so lateness never adds up; a hold moves the epoch once
and says so. This file must never read a command or change the run's state.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from lbl.bench.bench import Bench
from lbl.errors import LblError, Problem
from lbl.plan.condition import Unjudged, parsed
from lbl.plan.schedule import IMMERSIONS, Ask, Plan, Step
from lbl.run.acts import Photometry, Recorder, Waits
from lbl.run.clock import RunClock
from lbl.run.finding import Finder, expected
from lbl.run.handling import LEAD_NS, Arrival, Handling
from lbl.run.proof import Proof
from lbl.run.resume import Recovery, decide, jumped
from lbl.run.stay import Hears as StayHears
from lbl.run.stay import Stay
from lbl.run.trouble import Trouble
from lbl.watch.ladder import Verdict
from lbl.watch.limits import Limits, judge_air, judge_dwell

LOOKS: Final = frozenset({"zero", "measure"})
GOING_ON: Final = frozenset({"wait", "temperature"})  # the rest of it after a hold
AGAIN: Final = "lbl resume goes on from the journal, which nothing has contradicted"
RINSE_NS: Final = 60_000_000_000  # of a way out, where the plan has no rinse to copy
SECOND: Final = 1_000_000_000
SLACK_NS: Final = 2 * SECOND  # of a dwell window: arrival and lift are not exact to the second
LEAST_LEAD_NS: Final = LEAD_NS // 4  # to set a speed and arm
RINSE_AHEAD: Final = 16  # steps looked at for the next rinse dwell


class Hears(StayHears, Protocol):
    """Whoever wants to know what happens to the film."""

    def deposition(self, step: Step) -> None:
        """A deposition counts."""

    def readings(self) -> dict[str, float | int]:
        """What the recipe's conditions may ask for, as far as it is known."""


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
        self._limits = limits
        self._proof = proof
        self._on_deposition = hears.deposition
        self._judged = hears.verdicts
        self._readings = hears.readings
        self._jump: Mapping[str, int] | None = None
        self._news = hears.news
        self._stay = Stay(plan, handling, bench, clock, record, photometry, limits, hears)
        self._finder = Finder(plan, handling, bench, clock, record, limits, hears.verdicts)

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
            self._audit(step)
            if step.ask is not None and not (yield from self._wanted(step, step.ask)):
                continue
            if step.kind in IMMERSIONS:
                yield from self._immerse(step)
            else:
                yield from self._due(step, 0)
                self._record("step-intent", step, act=step.kind, vessel=step.vessel)
                yield from self._stay.perform(step, self.epoch_ns)
                self._record("step-outcome", step, act=step.kind, result="done")
            self.position += 1

    def _wanted(self, step: Step, ask: Ask) -> Waits[bool]:
        """Ask the recipe's condition of a step; where it does not hold, go on further down."""
        yield from self._due(step, 2 * LEAD_NS)
        values = ask.values({**self.plan.parameters, **self._readings()})
        try:
            asked = parsed(ask.text)
            holds = asked.holds(values)
        except Unjudged as why:
            raise Trouble("condition", str(why)) from None
        told = {name: values.get(name) for name in sorted(asked.names)}
        to = {} if holds else {"to": ask.otherwise}
        self._record("condition", step, text=ask.text, holds=holds, values=told, **to)
        if not holds:
            self._jump = {"from": step.index, "to": ask.otherwise}
            self.position = ask.otherwise
            before = self.epoch_ns
            self.epoch_ns -= self._left_out_ns(step.index - 1)
            if self.epoch_ns != before:
                self._rebased(before, "a condition has left steps out")
        return holds

    def _left_out_ns(self, after: int) -> int:
        """The time that a condition asked after step `after` has taken out of the plan."""
        to = jumped(self._jump, after)
        if self._jump is None or not to or self.plan.steps[self._jump["from"]].kind in LOOKS:
            return 0  # a look takes no time of its own
        return self.plan.steps[to].offset_ns - self.plan.steps[self._jump["from"]].offset_ns

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

    def _audit(self, step: Step) -> None:
        """The step must follow the stay under way: a flipped bit must not leave a rinse out."""
        index = self._before(step.index)
        if self._jump is not None and index < self._jump["to"] <= step.index:
            index = self._before(self._jump["from"])
        stay = self.wet.step.index if self.wet is not None else -1
        if index != stay:
            sentence = f"step {step.index} is next, and the stay under way is step {stay}'s"
            raise LblError(Problem("run-inconsistent", sentence, remedy=AGAIN))

    def _before(self, index: int) -> int:
        """The last immersion before a step of the plan; -1 where there is none."""
        behind = range(index - 1, -1, -1)
        return next((n for n in behind if self.plan.steps[n].kind in IMMERSIONS), -1)

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
        if not step.completes or step.completes <= self.done:  # or left a second time
            return
        if step.completes != self.done + 1:
            sentence = f"deposition {step.completes} is done, and {self.done} were before"
            raise LblError(Problem("run-inconsistent", sentence, remedy=AGAIN))
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

    @property
    def setpoint(self) -> float | None:
        """Where the recipe has brought the temperature (degC); None: where the bench file says."""
        return self._brought("to_degC")

    @property
    def speed(self) -> float | None:
        """How fast the recipe has the liquids stirred (rpm); None: as the bench file says."""
        return self._brought("rpm")

    def _brought(self, key: str) -> float | None:
        """The newest value under `key` among the details of the steps that are done."""
        steps, jump = self.plan.steps, self._jump
        left_out = range(jump["from"], jump["to"]) if jump is not None else range(0)
        done = (steps[n].detail for n in range(self.position - 1, -1, -1) if n not in left_out)
        last = next((detail[key] for detail in done if key in detail), None)
        return None if last is None else float(str(last))

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
        self._stay.settle()
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
        at_ns = self._within_plan(step, had_ns)
        had_ns = min(had_ns, at_ns - step.offset_ns - step.transfer_ns)
        self._arrived(step, arrival, had_ns, attempt)
        self.epoch_ns = arrival.immersed_ns - at_ns
        self._rebased(before, "unhold")

    def _within_plan(self, step: Step, had_ns: int) -> int:
        """The plan's time after so long in a step's bath, of which the next step is known.

        Waits there that are over, or were left out, do not come again; one that was under way goes
        on. At least the time that arming the next lift takes is left of any stay.
        """
        following = self.step
        begin_ns, end_ns = step.end_ns - step.dwell_ns, step.end_ns
        gone_ns = max(0, following.offset_ns - end_ns) if following is not None else 0
        at_ns, end_ns = begin_ns + min(had_ns, step.dwell_ns) + gone_ns, end_ns + gone_ns
        over_ns = had_ns - step.dwell_ns - gone_ns + self._left_out_ns(step.index)
        if following is not None and following.kind in GOING_ON:
            end_ns = following.end_ns
            at_ns += max(0, over_ns) if following.on_resume == "continue" else 0
        return max(begin_ns + gone_ns, min(at_ns, end_ns - 2 * LEAD_NS))

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
        self._jump = state["jump"]
        self.done = state["depositions"]
        if found.completed is not None:
            self._count(found.completed)
        if found.step is not None:
            self._account(found, state)
            away = where != found.step.vessel
            landed_ns = None if away or found.stay_ns else self._finder.landed_ns
            since_ns = clock.now_ns() if landed_ns is None else landed_ns
            self.wet = Immersion(found.step, since_ns, found.had_ns, state["attempt"], away)
        if found.rinse and found.step is not None:
            yield from self.hold()
            self.wet = Immersion(found.step, clock.now_ns(), 0, state["attempt"], away=True)
        if found.asked is not None and not found.hold:
            self._stay.ask(found.asked)
        yield from self.unhold()
        if found.asked is not None and found.hold:
            self._stay.ask(found.asked)

    def _account(self, found: Recovery, state: Mapping[str, Any]) -> None:
        """Write down the stay that no process saw the end of, and say when it was too long."""
        step = found.step
        if step is not None and step.kind == "expose" and found.untold:
            sentence = f"it was in {step.vessel} while the computer was off: nobody knows how long"
            self._judged([Verdict("note", "dwell-long", sentence)], step)
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
        index = self._before(self.position)
        return self.plan.steps[index] if index >= 0 else None

    def _rinse_ns(self) -> int:
        """The plan's next rinse dwell."""
        ahead = self.plan.steps[self.position : self.position + RINSE_AHEAD]
        return next((step.dwell_ns for step in ahead if step.kind == "rinse"), RINSE_NS)
