"""Where a run goes on after its process has gone: journal and sensed bench, in; one decision, out.

Pure. A deposition counts only after its last rinse is journaled; whatever is uncertain is decided
here and given its reason in words, never guessed elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lbl.errors import Problem, Refused
from lbl.plan.schedule import Plan, Step

IMMERSIONS: Final = frozenset({"expose", "rinse", "park"})
FINAL: Final = frozenset({"Complete", "Stopped"})
SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Recovery:
    """`step` is the immersion that counts (None: none yet), with what it has had of its dwell.

    `position` is the next step to perform; `completed` a deposition that is done and was not yet
    said so (0: none).
    """

    position: int
    step: Step | None
    had_ns: int
    completed: int
    reason: str


def resumable(state: Mapping[str, Any]) -> None:
    """Raise Refused for a run that is over."""
    if state["state"] in FINAL:
        sentence = f"run {state['run']} is {state['state']}: there is nothing left to resume"
        raise Refused(Problem("run-finished", sentence, remedy="start a new run"))


def decide(plan: Plan, state: Mapping[str, Any], vessel: str, now_ns: int, boot: str) -> Recovery:
    """Decide from the folded journal and the vessel the substrate is found in ("" is in air).

    `now_ns` compares with the journal's times only within one boot; otherwise a stay that was
    under way counts from now. Raises Refused `position-unknown` where no rule fits.
    """
    immersion = state["immersion"]
    if immersion is None:
        return _before_the_first(plan, state, vessel)
    last = plan.steps[immersion["step"]]
    done = state["left"] >= last.index
    if not done:
        return _within(last, state, vessel, _since(state, now_ns, boot))
    following = next((s for s in plan.steps[last.index + 1 :] if s.kind in IMMERSIONS), None)
    completed = last.completes if last.completes > state["depositions"] else 0
    if following is not None and vessel == following.vessel != last.vessel:
        reason = f"it had arrived in {vessel} when the process ended; its dwell counts anew"
        return Recovery(following.index + 1, following, 0, completed, reason)
    if vessel == last.vessel:
        reason = f"it is back in {vessel}, whose dwell was over; it goes on from there"
        position = following.index if following is not None else len(plan.steps)
        return Recovery(position, last, last.dwell_ns, completed, reason)
    raise _lost(last, vessel)


def _before_the_first(plan: Plan, state: Mapping[str, Any], vessel: str) -> Recovery:
    first = plan.steps[0]
    begun = any(one["of"] == "step" for one in state["intents"])
    if begun and vessel == first.vessel:
        return Recovery(1, first, 0, 0, f"the first bath, {vessel}, had just been reached")
    return Recovery(0, None, 0, 0, "nothing had been exposed yet")


def _within(last: Step, state: Mapping[str, Any], vessel: str, since_ns: int) -> Recovery:
    """The dwell of `last` was not over."""
    position = max(last.index, state["done_step"]) + 1
    stays = state["exposure"]
    had_ns = int(stays["dwell_s"] * SECOND) if stays and last.kind == "expose" else 0
    if vessel == last.vessel:
        had_ns += since_ns
        reason = f"the {last.kind} in {vessel} goes on; it has had {had_ns / SECOND:.0f} s"
    elif last.kind == "expose":
        reason = f"back to {last.vessel} for what is left of its dwell"
    else:
        reason = f"the {last.kind} in {last.vessel} is done anew"
    return Recovery(position, last, had_ns, 0, reason)


def _since(state: Mapping[str, Any], now_ns: int, boot: str) -> int:
    """How long the stay under way has lasted, where the clocks can tell."""
    immersion = state["immersion"]
    return max(0, now_ns - int(immersion["begin_ns"])) if immersion["boot"] == boot else 0


def _lost(last: Step, vessel: str) -> Refused:
    where = vessel or "the air"
    sentence = f"the substrate is in {where}, which no rule expects after {last.vessel}"
    return Refused(Problem("position-unknown", sentence, remedy="look at the bench, then abort"))
