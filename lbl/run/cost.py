"""What a hold, a stop or an abort would cost now, in words, from the plan and the journal's state.

Pure; for people who are about to press the button. Must never be asked by the run itself: the
engine decides from what it senses, this from what was written down last.
"""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any, Final

from lbl import units
from lbl.plan.schedule import Plan, Step

SECOND: Final = 1e9
# States in which a process moves the film or keeps it; in the others nothing is left to cost.
ALIVE: Final = frozenset(
    {"Starting", "Execute", "Holding", "Held", "Unholding", "Completing", "Stopping"}
)
VERBS: Final = ("hold", "stop", "abort")


def costs(plan: Plan, state: Mapping[str, Any], now_ns: int) -> dict[str, str]:
    """One sentence for each of VERBS that would change something; `now_ns` on the run's clock.

    `state` is the journal's, so that everything is as old as its last record.
    """
    if state["state"] not in ALIVE:
        return {}
    immersion = state["immersion"]
    if immersion is None:
        return {
            "hold": "nothing has been exposed yet: the run waits, dry",
            "stop": "nothing has been exposed yet: the run is over",
            "abort": "nothing has been exposed yet: outputs off at once",
        }
    where = _Stay(plan, state, now_ns)
    made = {"stop": where.stop(), "abort": where.abort()}
    if state["state"] == "Held":
        return {"unhold": where.unhold(), **made}
    return {"hold": where.hold(), **made}


class _Stay:
    """Where the substrate is, how long it has been there, and what lies ahead on its side."""

    def __init__(self, plan: Plan, state: Mapping[str, Any], now_ns: int) -> None:
        self._plan = plan
        self._state = state
        self._in_air = state["vessel"] == ""
        immersion = state["immersion"]
        self._vessel = immersion["vessel"]
        self._step = plan.steps[max(immersion["step"], 0)]
        self._here = max(0.0, (now_ns - immersion["begin_ns"]) / SECOND)
        counted = state["exposure"] if self._step.deposition else None
        before = counted["dwell_s"] if counted and self._step.kind == "expose" else 0.0
        away = self._vessel != self._step.vessel  # a hold has taken it elsewhere
        self._had = before + (0.0 if away else self._here)
        self._way = _rinses_ahead(plan, self._step)

    def hold(self) -> str:
        """Where it would go, how long that takes, what of the dwell would be left."""
        if self._in_air:
            return "the transfer under way is finished first; then as from that vessel"
        may = f"it may stay there {units.duration(self._plan.limits.held)}"
        if not self._way:
            return f"stays in {self._vessel}; nothing is lost; {may}"
        legs = sum(step.transfer_ns for step in self._way)
        rinses = sum(step.dwell_ns for step in self._way[:-1])
        target, takes = self._way[-1].vessel, units.duration(round((legs + rinses) / SECOND))
        return f"out of {self._vessel} into {target}, {takes}; {self._left()}; {may}"

    def unhold(self) -> str:
        """What comes next, and how long it has been held where it is."""
        here = f"{units.duration(round(self._here))} in {self._vessel}"
        limit = units.duration(self._plan.limits.held)
        return f"{here} so far, of {limit} at most; {self._left()}"

    def stop(self) -> str:
        """What the film would have, for good."""
        done, planned = self._state["depositions"], self._plan.depositions
        pending = self._state["exposure"]
        lost = f", deposition {pending['deposition']} begun and not counted" if pending else ""
        return f"ends the film for good with {done} of {planned} depositions{lost}"

    def abort(self) -> str:
        """Where it would be left, and how long it may stay there."""
        outputs = "outputs off at once; lbl resume can take the film up"
        if self._in_air:
            return f"down into the vessel under the arm, or the fill is finished; {outputs}"
        stays = f"stays in {self._vessel}"
        if self._step.kind != "expose" or self._vessel != self._step.vessel:
            return f"{stays}; {outputs}"
        left = max(0.0, self._step.latest_ns / SECOND - self._had)
        within = f"within {units.duration(round(left))}, or the dwell gets too long"
        return f"{stays} and goes on adsorbing; {outputs} {within}"

    def _left(self) -> str:
        """What becomes of the dwell under way."""
        step = self._step
        left = max(0.0, step.dwell_ns / SECOND - self._had)
        if step.kind == "expose":
            return f"unhold gives the remaining {units.duration(round(left))} in {step.vessel}"
        return f"unhold does the rinse in {step.vessel} anew" if self._way else "nothing is redone"


def _rinses_ahead(plan: Plan, step: Step) -> list[Step]:
    """The rinses that follow a step on its own side, in order."""
    ahead = (one for one in plan.steps[step.index + 1 :] if one.legs or one.kind == "park")
    rinses = takewhile(lambda one: one.kind == "rinse", ahead)
    first = step.exchange[0] if step.kind == "rinse" else 0
    return [one for number, one in enumerate(rinses, first + 1) if one.exchange[0] == number]
