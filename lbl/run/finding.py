"""Where the film of a run that is taken up again is, and into a bath with it if it is in air.

Comes before everything that may wait: a film that hangs in air dries while baths warm up. Must
never decide how the film goes on; that is `resume`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from lbl.bench.bench import Bench
from lbl.plan.schedule import IMMERSIONS, Plan, Step
from lbl.run.acts import Recorder, Waits
from lbl.run.clock import RunClock
from lbl.run.handling import LEAD_NS, Handling
from lbl.watch.ladder import Verdict, answer
from lbl.watch.limits import Limits, judge_air

SECOND: Final = 1_000_000_000


class Finder:
    """Looks where the substrate is, lands it, and says how long it may have been in air.

    States are the journal's, with `left_ns` and `found_ns` of this run's clock: since when nobody
    knows of a liquid around the substrate, as far as clock or calendar can tell, however many
    processes have died since; and when this one began.
    """

    def __init__(
        self,
        plan: Plan,
        handling: Handling,
        bench: Bench,
        clock: RunClock,
        record: Recorder,
        limits: Limits,
        judged: Callable[[list[Verdict], Step | None], None],
    ) -> None:
        self._plan = plan
        self._handling = handling
        self._bench = bench
        self._clock = clock
        self._record = record
        self._limits = limits
        self._judged = judged
        self.landed_ns: int | None = None  # when this process has brought it into a liquid

    def find(self, state: Mapping[str, Any]) -> Waits[str]:
        """The vessel that the substrate is in; from air it is brought into one first.

        Raises Trouble when the bath is unknown, InstrumentError from drivers.
        """
        where = self._handling.where(state["vessel"])
        if where == "":
            return (yield from self._land(state))
        self._unseen(where, state)
        return where

    def _land(self, state: Mapping[str, Any]) -> Waits[str]:
        """From the air into the nearest safe liquid, else into the one that was meant.

        After a power cut what the bench says of positions means nothing: back to the vessel that
        the journal last knew, or the one the substrate was going to.
        """
        position = max(state["step"], 0)
        meant = state["vessel"] or self._plan.steps[position].vessel
        homed = self._bench.homed
        here = state["immersion"]["vessel"]
        near = () if homed else expected(self._plan, self._handling, here, position)
        there, legs = self._handling.refuge(meant, near)
        dry = self._handling.in_air
        found = "found in air" if dry else "found in a liquid that nobody has written down"
        self._record("transfer-intent", None, vessel=there, reason=found)
        self._handling.in_air = True
        start_ns = self._clock.now_ns() + LEAD_NS // 4
        arrival = yield from self._handling.transfer(legs, start_ns, -1, lambda now_ns: None)
        self.landed_ns = arrival.immersed_ns
        since_ns = arrival.lifted_ns
        if dry:  # a bath that the film was in until an axis had to home was left by this process,
            # unless one before it had begun to home
            tried = any(one["of"] == "prepare" for one in state["intents"])
            here = homed and state["vessel"] and not tried
            since_ns = state["found_ns" if here else "left_ns"]
        self._judged(judge_air(self._limits, (arrival.immersed_ns - since_ns) / SECOND), None)
        return there

    def _unseen(self, where: str, state: Mapping[str, Any]) -> None:
        """A transfer was under way when the process ended, and the dead-man has brought it home."""
        most = (self._clock.now_ns() - state["left_ns"]) / SECOND
        if self._under_way(state) and most > self._limits.air_soft:
            reason = f"in {where} after a transfer that nobody saw: at most {most:.0f} s in air"
            self._judged([Verdict(answer("air-unseen"), "air-unseen", reason, most)], None)

    def _under_way(self, state: Mapping[str, Any]) -> bool:
        """Whether the substrate may have been lifted since it was last journaled in a vessel."""
        steps, last = self._plan.steps, state["immersion"]["step"]
        return not state["vessel"] or any(
            one["of"] == "transfer"
            or (one["of"] == "step" and one["name"] > last and steps[one["name"]].legs)
            for one in state["intents"]
        )


def perhaps_touched(plan: Plan, state: Mapping[str, Any]) -> list[Verdict]:
    """A first bath that nobody wrote down: the substrate may have touched it, and dried since."""
    first = next(step for step in plan.steps if step.kind in IMMERSIONS)
    if not any(one["of"] == "step" and one["name"] == first.index for one in state["intents"]):
        return []
    reason = f"it may have been in {first.vessel} already, and in air since"
    return [Verdict(answer("air-unseen"), "air-unseen", reason)]


def expected(plan: Plan, handling: Handling, here: str, position: int) -> set[str]:
    """Vessels that a substrate in air may be near: between two steps, or on the way of a hold.

    `position` is the step under way. Anything else that the bench says is chance, and may be the
    other side's liquid.
    """
    steps = plan.steps[max(0, position - 1) : position + 1]
    near = {here, *(step.vessel for step in steps if step.kind in IMMERSIONS)}
    for step in steps:
        if here and step.kind in IMMERSIONS:
            near |= set(handling.way_out(here, step))
    return near
