"""Something went wrong while acting: a code of the ladder and the reason in words.

Carried from an act to the loop, which turns it into a verb of the state machine. Must never reach
a user as it is.
"""

from typing import Final

BLOCKS: Final = {
    "unconfirmed": "nobody confirmed it in time",
    "busy": "its line was in use",
    "late": "it could not be sent before its latest instant",
    "choked": "the instrument stopped reading",
    "failed": "the line is closed or broken",
    "lease": "the controller stalled past its lease",
}


class Trouble(Exception):
    """An act could not be carried out; `code` is a rung of the ladder."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason

    @classmethod
    def of_block(cls, verdict: tuple[str, str, int] | None, what: str) -> "Trouble":
        """Why a timed command did not fire, from the core's last verdict."""
        if verdict is None:
            return cls("late", f"{what} was dropped before it fired")
        reason, channel, _ = verdict
        return cls("late", f"{what} did not fire on {channel}: {BLOCKS.get(reason, reason)}")
