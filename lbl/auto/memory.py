"""The folder `.auto` among the runs: logbook, hour meter, reserve, lock, commands.

Must never hold anything of a film: that is in its run folder.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from lbl.auto import logbook
from lbl.auto.config import Config
from lbl.auto.logbook import Logbook
from lbl.journal.inbox import Command, Inbox
from lbl.journal.lock import RunLock, unwritable
from lbl.journal.room import Reserve
from lbl.journal.storage import DiskStorage
from lbl.run.clock import boot_id, steady_s

FOLDER: Final = ".auto"
PURPOSE: Final = "lbl auto"
CLEAR: Final = "clear"


class Memory:
    """What one process of autonomous mode holds on disk. `damage` says what could not be read."""

    def __init__(self, config: Config) -> None:
        """Open it; raises Refused `run-locked` when another process has it, BadInput."""
        self._config = config
        self._opened = ExitStack()
        folder = made(Path(config.runs))
        self._opened.callback(RunLock.take(folder, PURPOSE, boot_id()).release)
        self._storage = DiskStorage(folder)
        self._opened.callback(self._storage.close)
        self._inbox = Inbox(folder)
        self._saved_s = steady_s()
        self.reserve = Reserve(folder, config.disk.reserve)
        self.book, self.damage = logbook.read(self._storage)

    def close(self) -> None:
        """Let go of everything."""
        self._opened.close()

    def meter(self) -> float:
        """The hour meter: seconds that this program has run, over all its starts."""
        return self.book.meter + steady_s() - self._saved_s

    def keep(self, book: Logbook | None = None) -> bool:
        """Save the logbook with the meter as it stands; False when the disk does not take it."""
        now = self.meter()
        self._saved_s, self.book = steady_s(), replace(book or self.book, meter=now)
        try:
            self.book = logbook.write(self._storage, self.book)
        except OSError:
            return False
        return True

    def start(self) -> None:
        """Count this start, and say what the one before says of itself."""
        self.keep(self.book.started(boot_id(), self._config))

    def leave(self) -> None:
        """Say that this process ends in order."""
        self.keep(replace(self.book, open=False))

    def commands(self) -> Sequence[Command]:
        """What people ask for, each once."""
        taken = self._inbox.take()
        for one in taken:
            self._inbox.remove(one.id)
        return taken


def made(runs: Path) -> Path:
    """The folder, made when it is missing; raises BadInput `run-unwritable`."""
    folder = runs / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(str(folder), error) from None
    return folder


def ask_to_clear(runs: Path, by: str, reason: str) -> str:
    """Have the budgets given back, by the process that runs or by the next; returns a sentence."""
    Inbox(made(runs)).post(CLEAR, by, reason)
    return f"clear is posted to {runs / FOLDER}: it is taken within seconds, or by the next start"
