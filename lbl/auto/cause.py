"""Why a run stands where it does, from its journal: who or what brought it there.

Pure. Must never judge whether that may be undone; that is the policy's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

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


def cause_of(rest: Mapping[str, Any] | None) -> Cause:
    """Why the run is held, aborted or stopped, from what its journal says of that."""
    if rest is None:
        return Cause()
    said, by, at = rest["cause"], rest["by"], rest["at"]
    text = said.partition(": ")[2] or said
    if by in LEFT:
        return Cause("left", "", text, at)
    if by not in ITSELF:
        return Cause("person", "", f"{text} ({by})", at)
    judged = rest["judged"]
    return Cause("code", judged["code"] if judged and judged["reason"] == text else "", text, at)
