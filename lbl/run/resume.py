"""Where a run goes on after its process has gone: journal and sensed bench, in; one decision, out.

Pure. A deposition counts only after its last rinse is journaled; whatever is uncertain is decided
here and given its reason in words, never guessed elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lbl.errors import Problem, Refused
from lbl.plan.schedule import IMMERSIONS, Plan, Step

FINAL: Final = frozenset({"Complete", "Stopped"})
HELD: Final = "Held"
SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Recovery:
    """`step` is the immersion that counts (None: none yet), with what it has had of its dwell.

    `position` is the next step to perform; `completed` the immersion that is over, whose deposition
    may not have been said to be done (None: none is); `hold` is why a person must look first ("":
    nobody need); `rinse` asks for a full rinse before the step is done once more. `stay_ns` is how
    long the substrate has been in the step's bath without a process, as far as the clocks can tell;
    `untold` says that they cannot (the computer was off), and then it is taken for longer than the
    step may last. `asked` is a dose or refill that a person is asked about: settled by whoever
    takes the run up, unless `hold` asks again.
    """

    position: int
    step: Step | None
    had_ns: int
    completed: Step | None
    reason: str
    hold: str = ""
    rinse: bool = False
    stay_ns: int = 0
    untold: bool = False
    asked: Step | None = None


def resumable(state: Mapping[str, Any]) -> None:
    """Raise Refused for a run that is over."""
    if state["state"] in FINAL:
        sentence = f"run {state['run']} is {state['state']}: there is nothing left to resume"
        raise Refused(Problem("run-finished", sentence, remedy="start a new run"))


def decide(plan: Plan, state: Mapping[str, Any], vessel: str, now_ns: int, boot: str) -> Recovery:
    """Decide from the folded journal and the vessel the substrate is found in ("" is in air).

    `now_ns` compares with the journal's times only within one boot; nobody asks the calendar, which
    may be wrong just then. Otherwise a stay that was under way may have lasted for ever. Raises
    Refused `position-unknown` where no rule fits.
    """
    found = _found(plan, state, vessel, now_ns, boot)
    return replace(found, hold="") if found.hold and _asked_before(state) else found


def _asked_before(state: Mapping[str, Any]) -> bool:
    """Whether an earlier resume has asked: whoever takes the run up now has looked."""
    judged = (state["rest"] or {}).get("judged")
    return state["state"] == HELD and judged is not None and judged["code"] == "on-resume"


def _found(plan: Plan, state: Mapping[str, Any], vessel: str, now_ns: int, boot: str) -> Recovery:
    immersion = state["immersion"]
    if immersion is None:
        return _before_the_first(plan, state, vessel)
    last = plan.steps[immersion["step"]]
    done = state["left"] >= last.index
    if not done:
        return _within(plan, last, state, vessel, _since(state, now_ns, boot))
    next_index = max(last.index + 1, jumped(state["jump"], last.index))
    following = next((s for s in plan.steps[next_index:] if s.kind in IMMERSIONS), None)
    if following is not None and vessel == following.vessel != last.vessel:
        reason = f"it had arrived in {vessel} when the process ended; its dwell counts anew"
        return Recovery(following.index + 1, following, 0, last, reason)
    if vessel and vessel in (last.vessel, state["vessel"]):  # the latter: a hold has taken it there
        reason = (
            f"it is in {vessel}; the dwell in {last.vessel} was over, and it goes on from there"
        )
        position = following.index if following is not None else len(plan.steps)
        again_ns = max(0, now_ns - int(state["mono_ns"])) if state["boot"] == boot else 0
        return Recovery(position, last, last.dwell_ns, last, reason, stay_ns=again_ns)
    raise _lost(last, vessel)


def jumped(jump: Mapping[str, int] | None, after: int) -> int:
    """The step that a condition went on with, if it was asked after step `after`; 0: none."""
    return jump["to"] if jump is not None and jump["from"] > after else 0


def _before_the_first(plan: Plan, state: Mapping[str, Any], vessel: str) -> Recovery:
    first = next(step for step in plan.steps if step.kind in IMMERSIONS)
    begun = any(one["of"] == "step" and one["step"] == first.index for one in state["intents"])
    if begun and vessel == first.vessel:
        reason = f"the first bath, {vessel}, had just been reached"
        return Recovery(first.index + 1, first, 0, None, reason)
    position, hold, asked = _next_act(plan, -1, state)
    return Recovery(position, None, 0, None, "nothing had been exposed yet", hold, asked=asked)


def _within(
    plan: Plan, last: Step, state: Mapping[str, Any], vessel: str, since_ns: int | None
) -> Recovery:
    """The dwell of `last` was not over: its rule decides."""
    position, hold, asked = _next_act(plan, last.index, state)
    here = vessel == last.vessel
    untold = here and since_ns is None
    stay_ns = since_ns if here and since_ns is not None else 0
    had_ns = stay_ns + (int(state["exposure"]["dwell_s"] * SECOND) if _counted(last, state) else 0)
    rule, rinse = last.on_resume, False
    if rule == "hold":
        hold = hold or f"the recipe asks for a person after an interrupted {last.kind}"
    if rule == "auto" and last.kind == "expose" and (untold or had_ns > last.latest_ns):
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
    if untold:
        reason += "; how long the computer was off, nobody knows"
    return Recovery(position, last, had_ns, None, reason, hold, rinse, stay_ns, untold, asked)


def _counted(last: Step, state: Mapping[str, Any]) -> bool:
    """Whether the journal has an account of earlier stays of this very exposure."""
    return last.kind == "expose" and bool(state["exposure"]) and last.deposition > 0


def _next_act(plan: Plan, last: int, state: Mapping[str, Any]) -> tuple[int, str, Step | None]:
    """The next step after the `last` immersion and what is done; why a person must look first.

    A dose that was begun is not begun again: nobody knows whether its liquid moved. The third is
    the dose, or refill, that a person is asked about. One who takes up a run that was held for it
    has seen to it.
    """
    position = max(last, state["done_step"]) + 1
    begun = [one for one in state["intents"] if one["of"] == "dose"]
    if not begun:
        return position, _unfinished(plan, last, state), None
    dose = plan.steps[begun[-1]["step"]]
    position = max(position, dose.index + 1)
    if dose.kind == "refill":
        hold = "" if state["state"] == HELD else f"{dose.detail['say']}, unless somebody has"
        return position, hold, dose
    hold = f"a dose of {dose.solution} into {dose.vessel} was interrupted: did its liquid move?"
    return position, hold, dose


def _unfinished(plan: Plan, last: int, state: Mapping[str, Any]) -> str:
    """Why a person must look at an act inside the stay that has no end; "" nobody need."""
    open_ = (one["step"] for one in state["intents"] if one["of"] == "step" and one["step"] > last)
    acts = (plan.steps[number] for number in open_)
    kind = next((act.kind for act in acts if act.on_resume == "hold" and act.kind != "dose"), "")
    return f"the recipe asks for a person after an interrupted {kind}" if kind else ""


def _since(state: Mapping[str, Any], now_ns: int, boot: str) -> int | None:
    """How long the stay under way has lasted; None where the clocks cannot tell."""
    immersion = state["immersion"]
    return max(0, now_ns - int(immersion["begin_ns"])) if immersion["boot"] == boot else None


def _lost(last: Step, vessel: str) -> Refused:
    where = vessel or "the air"
    sentence = f"the substrate is in {where}, which no rule expects after {last.vessel}"
    return Refused(Problem("position-unknown", sentence, remedy="look at the bench, then abort"))
