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
    said so (0: none); `hold` is why a person must look first ("": nobody need); `rinse` asks for a
    full rinse before the step is done once more. `stay_ns` is how long the substrate has been in
    the step's bath without a process, as far as the clocks can tell.
    """

    position: int
    step: Step | None
    had_ns: int
    completed: int
    reason: str
    hold: str = ""
    rinse: bool = False
    stay_ns: int = 0


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
        return _within(plan, last, state, vessel, _since(state, now_ns, boot))
    following = next((s for s in plan.steps[last.index + 1 :] if s.kind in IMMERSIONS), None)
    completed = last.completes if last.completes > state["depositions"] else 0
    if following is not None and vessel == following.vessel != last.vessel:
        reason = f"it had arrived in {vessel} when the process ended; its dwell counts anew"
        return Recovery(following.index + 1, following, 0, completed, reason)
    if vessel and vessel in (last.vessel, state["vessel"]):  # the latter: a hold has taken it there
        reason = (
            f"it is in {vessel}; the dwell in {last.vessel} was over, and it goes on from there"
        )
        position = following.index if following is not None else len(plan.steps)
        again_ns = max(0, now_ns - int(state["mono_ns"])) if state["boot"] == boot else 0
        return Recovery(position, last, last.dwell_ns, completed, reason, stay_ns=again_ns)
    raise _lost(last, vessel)


def _before_the_first(plan: Plan, state: Mapping[str, Any], vessel: str) -> Recovery:
    first = plan.steps[0]
    begun = any(one["of"] == "step" for one in state["intents"])
    if begun and vessel == first.vessel:
        return Recovery(1, first, 0, 0, f"the first bath, {vessel}, had just been reached")
    return Recovery(0, None, 0, 0, "nothing had been exposed yet")


def _within(
    plan: Plan, last: Step, state: Mapping[str, Any], vessel: str, since_ns: int
) -> Recovery:
    """The dwell of `last` was not over: its rule decides."""
    position, hold = _next_act(plan, last, state)
    here = vessel == last.vessel
    had_ns = (int(state["exposure"]["dwell_s"] * SECOND) if _counted(last, state) else 0) + (
        since_ns if here else 0
    )
    rule, rinse = last.on_resume, False
    if rule == "hold":
        hold = hold or f"the recipe asks for a person after an interrupted {last.kind}"
    if rule == "auto" and last.kind == "expose" and had_ns > last.latest_ns:
        rule = "rinse-and-redo"
    if rule == "rinse-and-redo":
        had_ns, rinse = 0, here and last.kind == "expose"
    if rule == "redo" or (last.kind != "expose" and not here):
        had_ns = 0
    what = f"the {last.kind} in {last.vessel}"
    if had_ns:
        reason = f"{what} goes on; it has had {had_ns / SECOND:.0f} s"
    else:
        reason = f"{what} is done once more" + (", after a full rinse" if rinse else "")
    return Recovery(position, last, had_ns, 0, reason, hold, rinse, since_ns if here else 0)


def _counted(last: Step, state: Mapping[str, Any]) -> bool:
    """Whether the journal has an account of earlier stays of this very exposure."""
    return last.kind == "expose" and bool(state["exposure"]) and last.deposition > 0


def _next_act(plan: Plan, last: Step, state: Mapping[str, Any]) -> tuple[int, str]:
    """The next step after what is done; a dose that was begun is not begun again.

    Nobody knows whether its liquid moved, so a person must look.
    """
    position = max(last.index, state["done_step"]) + 1
    begun = [one for one in state["intents"] if one["of"] == "dose"]
    if not begun:
        return position, ""
    dose = plan.steps[begun[-1]["step"]]
    hold = f"a dose of {dose.solution} into {dose.vessel} was interrupted: did its liquid move?"
    return max(position, dose.index + 1), hold


def _since(state: Mapping[str, Any], now_ns: int, boot: str) -> int:
    """How long the stay under way has lasted, where the clocks can tell."""
    immersion = state["immersion"]
    return max(0, now_ns - int(immersion["begin_ns"])) if immersion["boot"] == boot else 0


def _lost(last: Step, vessel: str) -> Refused:
    where = vessel or "the air"
    sentence = f"the substrate is in {where}, which no rule expects after {last.vessel}"
    return Refused(Problem("position-unknown", sentence, remedy="look at the bench, then abort"))
