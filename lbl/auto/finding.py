"""Finds the film to go on with, and what its folder says. Reads; must never write or lock."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lbl.auto.cause import Cause, cause_of
from lbl.auto.policy import DONE, Situation
from lbl.errors import LblError
from lbl.journal.folder import RunFolder
from lbl.journal.lock import holder
from lbl.journal.opening import events
from lbl.journal.room import free_bytes
from lbl.journal.runs import list_runs, look
from lbl.run.clock import steady_s

GONE: Final = "the folder of the run is gone"


class Finder:
    """Looks into one folder of runs; what cannot have changed since is not read again."""

    def __init__(self, runs: Path, *, any_state: bool = False) -> None:
        """`any_state`: nobody remembers which film is ours, so the newest is, even if over."""
        self._runs = runs
        self._any_state = any_state
        self._known = ""
        self._cause = Cause()
        self._signed = False
        self._since_s = 0.0

    def path(self, run: str) -> Path | None:
        """The folder of a run; for "" that of the newest one that is not over, None if none."""
        if run:
            return self._runs / run
        rows = [row for row in list_runs(self._runs) if self._any_state or row.state not in DONE]
        return rows[-1].path if rows else None

    def look(self, run: str) -> Situation:
        """What the folder of the run says now; never raises for what it finds there."""
        path, free = self.path(run), free_bytes(self._runs)
        if path is None:
            return Situation(free=free)
        if not path.is_dir():
            return Situation(run=path.name, problem=GONE, free=free)
        held = holder(path)
        pid, gone = (held.pid, not held.alive()) if held is not None else (0, False)
        try:
            state = look(path).state
            self._read(path, state)
        except LblError as error:
            problem = error.problems[0].sentence
            return Situation(run=path.name, problem=problem, pid=pid, gone=gone, free=free)
        planned = state["planned"]
        return Situation(
            run=path.name,
            state=state["state"],
            seq=state["seq"],
            pid=pid,
            gone=gone,
            cause=self._cause,
            held_s=steady_s() - self._since_s,
            signed=self._signed,
            free=free,
            bilayers=(state["bilayers"], planned["bilayers"]),
            depositions=(state["depositions"], planned["depositions"]),
            deviations=state["deviations"],
        )

    def _read(self, path: Path, state: Mapping[str, Any]) -> None:
        """Why the run stands there, and whether its recipe had to be signed."""
        cause, before = cause_of(state["rest"]), self._cause
        if self._known != path.name:
            folder = RunFolder.open(path)
            try:
                first = next(iter(events(folder.storage, folder.id)))
            finally:
                folder.close()
            self._signed = bool(first.payload.get("signed"))
        if self._known != path.name or cause.at != before.at:
            self._since_s = steady_s()
        self._known, self._cause = path.name, cause
