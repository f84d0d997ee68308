"""Why a run stands where it does, from its journal: who or what brought it there.

Pure but for reading. Must never judge whether that may be undone; that is the policy's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lbl.journal.events import Event

RESTING: Final = frozenset({"Holding", "Aborting", "Stopping"})  # the way to a state that waits
LEFT: Final = frozenset({"terminal"})  # signals that ask a process to go, not a film to wait
ITSELF: Final = frozenset({"engine", "watch"})


@dataclass(frozen=True, slots=True)
class Cause:
    """`kind` is cut (no process saw an end), left (a process was asked to go), code, or person.

    `code` is the rung of the ladder if there is one, `text` the reason in words, `at` the number
    of the record that says so.
    """

    kind: str = "cut"
    code: str = ""
    text: str = ""
    at: int = 0


def cause_of(events: Iterable[Event]) -> Cause:
    """Why the run is held, aborted or stopped; `cut` when it is none of them."""
    cause, code, reason = Cause(), "", ""
    for event in events:
        payload = event.payload
        if event.kind == "verdict":
            code, reason = str(payload["code"]), str(payload["reason"])
        elif event.kind == "state" and payload["to"] in RESTING:
            said = str(payload.get("cause", ""))
            by, text = str(payload.get("by", "")), said.partition(": ")[2] or said
            if by in LEFT:
                cause = Cause("left", "", text, event.seq)
            elif by in ITSELF:
                cause = Cause("code", code if text == reason else "", text, event.seq)
            else:
                cause = Cause("person", "", f"{text} ({by})", event.seq)
        elif event.kind == "state" and payload["to"] == "Execute":
            cause = Cause()
    return cause
