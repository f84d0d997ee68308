"""Events and what they change: a pure fold from the journal's records to the state of the run.

The state is plain JSON data of bounded size, so that a checkpoint can hold it whole. Does no I/O
and knows no clock. It must never accept a deposition out of order: the count is a fact, not a sum.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from lbl.errors import LblError, Problem
from lbl.journal.canonical import plain

State = dict[str, Any]

COMMANDS_KEPT: Final = 64  # ids remembered, so that a command found twice is obeyed once
RESTING: Final = frozenset({"Holding", "Aborting", "Stopping"})  # the way to a state that waits
OPEN_MAX: Final = 16  # intents without outcome; the engine needs at most a few at once
ROUND: Final = 6  # decimals of accounts in seconds and mL, so that sums print tidily
# Families of which one intent at a time can be open, whatever step it belongs to.
_SINGLE: Final[Mapping[str, str]] = MappingProxyType({"transfer": "", "safe": ""})
IMMERSIONS: Final = ("expose", "rinse", "park")
READINGS: Final = ("dark", "reference", "absorbance")
ZERO_HASH: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Event:
    """One record. `mono_ns` compares only within one `boot`; `epoch` counts the openings."""

    seq: int
    utc: str
    mono_ns: int
    boot: str
    epoch: int
    kind: str
    actor: str
    substrate: int
    step: int
    attempt: int
    payload: dict[str, Any]
    prev: str
    hash: str


def initial() -> State:
    """The state before the first record."""
    return {
        "run": "",
        "durable": True,
        "recipe": "",
        "recipe_hash": "",
        "plan_hash": "",
        "bench": "",
        "planned": {"bilayers": 0, "depositions": 0},
        "state": "Aborted",  # power-on state of ISA-TR88.00.02 as used here
        "epoch": 0,
        "boot": "",
        "seq": 0,
        "hash": ZERO_HASH,
        "utc": "",
        "mono_ns": 0,
        "step": -1,
        "attempt": 0,
        "done_step": -1,
        "left": -1,  # the last immersion whose dwell is over
        "jump": None,  # the newest steps that a condition has left out: from, to
        "readings": {},  # the photometer's newest dark, reference and absorbance
        "intents": [],
        "vessel": "",
        "immersion": None,
        "exposure": None,
        "aloft_ns": None,  # since when no liquid is known around it, on the newest boot's clock
        "depositions": 0,
        "bilayers": 0,
        "wet_s": 0,
        "air_s": 0,
        "air_worst_s": 0,
        "origin_ns": 0,
        "deviations": 0,
        "torn": 0,
        "commands": {"count": 0, "recent": [], "pending": {}},
        "doses": {},
        "growth": None,
        "judged": None,  # the newest verdict: code, reason
        "rest": None,  # what took the run to where it waits, as its state record says, if it does
        "closed": False,
    }


def fold(state: State, event: Event) -> State:
    """Return the state after `event`; `state` itself stays as it is.

    Raises LblError `journal-count` for a deposition that is skipped, doubled or never exposed, and
    `journal-intent` when more than OPEN_MAX intents are open.
    """
    new = state.copy()
    new["seq"] = event.seq
    new["hash"] = event.hash
    new["epoch"] = event.epoch
    new["boot"] = event.boot
    new["utc"] = event.utc
    new["mono_ns"] = event.mono_ns
    change = _CHANGES.get(event.kind)
    if change is not None:
        new.update(change(state, event))
    return new


def open_intent(state: State) -> dict[str, Any] | None:
    """The newest intent that has no outcome yet, or None.

    Keys: `of` (step, transfer, dose, prepare, safe), `name`, `step`, `attempt`, `act`, `leg`,
    `seq`.
    """
    intents: list[dict[str, Any]] = state["intents"]
    return intents[-1] if intents else None


def seen(state: State, command: str) -> bool:
    """True when the command id is already in the journal."""
    return command in state["commands"]["recent"]


def _created(state: State, event: Event) -> State:
    payload = event.payload
    if state["seq"]:
        raise _wrong("journal-count", event, "a second run-created stands in one journal")
    same = ("run", "durable", "recipe", "recipe_hash", "plan_hash", "bench")
    change: State = {key: payload[key] for key in same}
    planned = {"bilayers": payload["bilayers"], "depositions": payload["depositions"]}
    return {**change, "planned": planned}


def _opened(state: State, event: Event) -> State:
    """What nobody saw begins with the last record; what began before goes on, boot or no boot."""
    last_ns, since_ns = state["mono_ns"], state["aloft_ns"]
    begun_ns = last_ns if since_ns is None else since_ns
    if event.boot != state["boot"]:
        begun_ns += event.mono_ns - round(event.payload.get("outage_s", 0) * 1e9) - last_ns
    return {"closed": False, "aloft_ns": begun_ns}


def _closed(state: State, event: Event) -> State:
    return {"closed": True}


def _state(state: State, event: Event) -> State:
    """At power-on a run passes through Stopped; only one that was being stopped is over."""
    to = event.payload["to"]
    passing = to == "Stopped" and event.payload.get("before") == "Clearing"
    change: State = {"state": "Clearing" if passing else to}
    if to in RESTING:
        said = {key: str(event.payload.get(key, "")) for key in ("by", "cause")}
        change["rest"] = {**said, "at": event.seq, "judged": state["judged"]}
    elif to == "Execute":
        change["rest"] = None
    return change


def _verdict(state: State, event: Event) -> State:
    return {"judged": {key: str(event.payload[key]) for key in ("code", "reason")}}


def _command(state: State, event: Event) -> State:
    commands = state["commands"]
    name = event.payload["id"]
    if not name:  # signals and verdicts have no id and cannot be found twice
        return {"commands": {**commands, "count": commands["count"] + 1}}
    pending = {**commands["pending"], name: event.payload["verb"]}
    while len(pending) > COMMANDS_KEPT:
        del pending[next(iter(pending))]
    recent = [*commands["recent"], name][-COMMANDS_KEPT:]
    return {"commands": {"count": commands["count"] + 1, "recent": recent, "pending": pending}}


def _effect(state: State, event: Event) -> State:
    commands = state["commands"]
    pending = {k: v for k, v in commands["pending"].items() if k != event.payload["id"]}
    return {"commands": {**commands, "pending": pending}}


def _opener(of: str, key: str) -> Callable[[State, Event], State]:
    """A change that opens an intent of a family, named by a payload key (or the step)."""

    def change(state: State, event: Event) -> State:
        payload = event.payload
        name = payload[key] if key else _SINGLE.get(of, event.step)
        kept = [one for one in state["intents"] if one["of"] != of or one["name"] != name]
        if len(kept) >= OPEN_MAX:
            raise _wrong("journal-intent", event, f"more than {OPEN_MAX} intents are open")
        intent = {
            "of": of,
            "name": name,
            "step": event.step,
            "attempt": event.attempt,
            "act": payload.get("act", ""),
            "leg": payload.get("leg", ""),
            "seq": event.seq,
        }
        return {"intents": [*kept, intent]}

    return change


def _close(state: State, of: str, name: Any) -> list[dict[str, Any]]:
    return [one for one in state["intents"] if one["of"] != of or one["name"] != name]


def _step_intent(state: State, event: Event) -> State:
    return {**_OPEN_STEP(state, event), "step": event.step, "attempt": event.attempt}


def _condition(state: State, event: Event) -> State:
    payload = event.payload
    if payload["holds"]:
        return {}
    jump = {"from": event.step, "to": payload["to"]}
    return {"done_step": max(state["done_step"], payload["to"] - 1), "jump": jump}


def _step_outcome(state: State, event: Event) -> State:
    payload = event.payload
    change: State = {"intents": _close(state, "step", event.step)}
    if payload["result"] == "done":
        change["done_step"] = max(state["done_step"], event.step)
        if payload["act"] in IMMERSIONS:
            change["left"] = event.step
    if payload["act"] in IMMERSIONS and not payload.get("stays", False):
        change |= {"vessel": "", "aloft_ns": event.mono_ns}  # the lift has fired
    exposure = state["exposure"]
    if payload["act"] == "expose" and exposure is not None and "dwell_s" in payload:
        dwell = _tidy(exposure["dwell_s"] + payload["dwell_s"])
        change["exposure"] = {**exposure, "dwell_s": dwell}
    return change


def _transfer(state: State, event: Event) -> State:
    payload = event.payload
    air = payload["air_s"]
    change: State = {
        "air_s": _tidy(state["air_s"] + air),
        "air_worst_s": max(state["air_worst_s"], air),
        "vessel": "",
        "aloft_ns": event.mono_ns if state["aloft_ns"] is None else state["aloft_ns"],
        "immersion": None,
        "intents": _close(state, "transfer", ""),
    }
    begin = payload.get("begin_ns", event.mono_ns)
    last = state["immersion"]
    if last is not None and last["boot"] == event.boot:
        wet = max(0.0, (begin - last["begin_ns"]) / 1e9 - air)
        change["wet_s"] = _tidy(state["wet_s"] + wet)
    if not payload["immersed"]:
        return change
    deposition = payload.get("deposition", 0)
    immersion = {
        "vessel": payload["vessel"],
        "solution": payload["solution"],
        "begin_ns": begin,
        "boot": event.boot,
        "utc": event.utc,
        "step": event.step,
        "deposition": deposition,
    }
    change |= {"vessel": payload["vessel"], "aloft_ns": None}
    change["immersion"] = immersion
    if deposition:
        change["exposure"] = _exposure(state, event, immersion)
    return change


def _exposure(state: State, event: Event, immersion: State) -> State:
    """The pending deposition: a second dip of the same one adds to it, another is a skip."""
    deposition = immersion["deposition"]
    if deposition != state["depositions"] + 1:
        text = f"deposition {deposition} is begun after {state['depositions']} were done"
        raise _wrong("journal-count", event, text)
    before = state["exposure"] or {"dips": 0, "dwell_s": 0}
    return {**immersion, "dips": before["dips"] + 1, "dwell_s": before["dwell_s"]}


def _done(state: State, event: Event) -> State:
    number = event.payload["deposition"]
    planned = state["planned"]["depositions"]
    exposure = state["exposure"]
    if number != state["depositions"] + 1:
        text = f"deposition {number} is recorded as done after {state['depositions']}"
    elif number > planned:
        text = f"deposition {number} is recorded as done and only {planned} are planned"
    elif exposure is None:
        text = f"deposition {number} is recorded as done and was never exposed"
    else:
        bilayers = number * state["planned"]["bilayers"] // planned
        return {"depositions": number, "bilayers": bilayers, "exposure": None}
    raise _wrong("journal-count", event, text)


def _dose(state: State, event: Event) -> State:
    payload = event.payload
    solution = payload["solution"]
    before = state["doses"].get(solution, {"ml": 0, "count": 0})
    total = _tidy(before["ml"] + payload["volume_ml"])
    doses = {**state["doses"], solution: {"ml": total, "count": before["count"] + 1}}
    return {"intents": _close(state, "dose", solution), "doses": doses}


def _prepared(state: State, event: Event) -> State:
    return {"intents": _close(state, "prepare", event.payload["role"])}


def _safe(state: State, event: Event) -> State:
    return {"intents": _close(state, "safe", "")}


def _measured(state: State, event: Event) -> State:
    payload = event.payload
    change: State = {}
    if payload["quantity"] in READINGS:
        change["readings"] = {**state["readings"], payload["quantity"]: payload["value"]}
    if payload.get("growth") is not None:
        change["growth"] = payload["growth"]
    return change


def _deviation(state: State, event: Event) -> State:
    return {"deviations": state["deviations"] + 1}


def _rebase(state: State, event: Event) -> State:
    return {"origin_ns": event.payload["origin_ns"]}


def _torn(state: State, event: Event) -> State:
    """Comes before the opening that says how long nobody was there: the clock stays till then."""
    return {"torn": state["torn"] + 1, "boot": state["boot"], "mono_ns": state["mono_ns"]}


def _tidy(value: float) -> Any:
    """A sum as plain data, so that a state in memory is the state read back."""
    return plain(round(value, ROUND))


def _wrong(code: str, event: Event, text: str) -> LblError:
    remedy = "this is a fault of the program: keep the run folder and report it"
    return LblError(Problem(code, text, f"record {event.seq}", remedy))


_OPEN_STEP: Final = _opener("step", "")
_CHANGES: Final[Mapping[str, Callable[[State, Event], State]]] = MappingProxyType(
    {
        "run-created": _created,
        "run-opened": _opened,
        "run-closed": _closed,
        "state": _state,
        "verdict": _verdict,
        "command": _command,
        "command-effect": _effect,
        "prepare-intent": _opener("prepare", "role"),
        "prepare-outcome": _prepared,
        "condition": _condition,
        "step-intent": _step_intent,
        "transfer-intent": _opener("transfer", ""),
        "transfer-outcome": _transfer,
        "step-outcome": _step_outcome,
        "deposition-done": _done,
        "dose-intent": _opener("dose", "solution"),
        "dose-outcome": _dose,
        "measurement": _measured,
        "deviation": _deviation,
        "rebase": _rebase,
        "safe-intent": _opener("safe", ""),
        "safe-outcome": _safe,
        "torn-tail": _torn,
    }
)
