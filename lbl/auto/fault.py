"""Leaves a word in the journal of a run that nobody drives: why it could not go on.

Must never say anything about the film, and never raise: the disk may still be full.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lbl.errors import LblError
from lbl.journal.folder import RunFolder
from lbl.journal.journal import Journal
from lbl.journal.runs import look
from lbl.run.clock import SCALED_BOOT, VIRTUAL_BOOT, boot_id, stamp_now

LOST: Final = "journal-lost"


@dataclass(slots=True)
class _Still:
    """The time of a run's last record: nothing has been done in it since."""

    boot: str
    mono_ns: int
    calendar: str

    def utc(self) -> str:
        return self.calendar

    def now_ns(self) -> int:
        return self.mono_ns


def journaled(path: Path, sentence: str) -> bool:
    """Whether the run's journal now says why it was left; False when it cannot be written."""
    try:
        state = look(path).state
        folder = RunFolder.open(path)
    except (LblError, OSError):
        return False
    try:
        folder.lock("auto: a word in the journal", boot_id())
        journal = Journal.open(folder.storage, folder.id, clock=_still(state))
        journal.append("deviation", actor="auto", code=LOST, sentence=sentence)
        journal.renew_heads()
    except (LblError, OSError):
        return False
    finally:
        folder.close()
    return True


def _still(state: dict[str, Any]) -> _Still:
    simulated = state["boot"] in (VIRTUAL_BOOT, SCALED_BOOT)
    return _Still(state["boot"], state["mono_ns"], state["utc"] if simulated else stamp_now())
