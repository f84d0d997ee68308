"""Finding runs by what people type, and listing them without reading whole journals.

A journal that was closed in order ends with a checkpoint, so a row of the list costs two small
reads. This file must never write.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lbl.errors import BadInput, LblError, Problem
from lbl.journal.chain import JOURNAL
from lbl.journal.events import State
from lbl.journal.lock import holder
from lbl.journal.opening import Opening, survey
from lbl.journal.opening import run_of as _run_of
from lbl.journal.storage import DiskStorage

LAST: Final = "last"
RUNS_MAX: Final = 10_000  # folders looked at
NAMED_MAX: Final = 5  # candidates that an error names


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of `lbl runs`. `problem` is a sentence when the journal cannot be trusted."""

    id: str
    path: Path
    state: str
    recipe: str
    bench: str
    depositions: int
    planned: int
    bilayers: int
    deviations: int
    utc: str
    pid: int
    problem: str = ""


def find_run(runs: Path, text: str) -> Path:
    """The folder of a run: an id, a unique beginning of one, a path, or `last`.

    Raises BadInput `run-unknown`, `run-ambiguous`.
    """
    folders = _folders(runs)
    if text == LAST and folders:
        return folders[-1]
    found = [path for path in folders if path.name == text] or [
        path for path in folders if text and path.name.startswith(text)
    ]
    if not found and (Path(text) / JOURNAL).is_file():
        return Path(text)
    if not found:
        what = f"there is no run {text!r} in" if folders else "there are no runs in"
        raise BadInput(Problem("run-unknown", f"{what} {str(runs)!r}", remedy="see `lbl runs`"))
    if len(found) == 1:
        return found[0]
    names = ", ".join(path.name for path in found[-NAMED_MAX:])
    what = f"{text!r} begins the ids of {len(found)} runs, among them {names}"
    raise BadInput(Problem("run-ambiguous", what, remedy="type more of the id"))


def list_runs(runs: Path) -> list[RunRow]:
    """Every run of a folder, the one written last at the end."""
    return [_row(path) for path in _folders(runs)]


def look(path: Path) -> Opening:
    """The newest state of a run, alive or not, and what opening it would find.

    Raises as `opening.survey`.
    """
    try:
        storage = DiskStorage(path)
    except OSError as error:
        text = f"the run folder cannot be read: {error.strerror or error}"
        raise BadInput(Problem("run-unreadable", text, str(path))) from error
    try:
        return survey(storage, _run_of(storage) or path.name)
    finally:
        storage.close()


def _row(path: Path) -> RunRow:
    held = holder(path)
    pid = held.pid if held is not None else 0
    try:
        state: State = look(path).state
    except LblError as error:
        problem = error.problems[0].sentence
        return RunRow(path.name, path, "", "", "", 0, 0, 0, 0, "", pid, problem)
    return RunRow(
        id=state["run"],
        path=path,
        state=state["state"],
        recipe=state["recipe"],
        bench=state["bench"],
        depositions=state["depositions"],
        planned=state["planned"]["depositions"],
        bilayers=state["bilayers"],
        deviations=state["deviations"],
        utc=state["utc"],
        pid=pid,
    )


def _folders(runs: Path) -> list[Path]:
    """Run folders, the one whose journal was written last at the end."""
    found: list[tuple[int, str, Path]] = []
    try:
        for path in sorted(runs.iterdir())[:RUNS_MAX]:
            journal = path / JOURNAL
            if journal.is_file():
                found.append((journal.stat().st_mtime_ns, path.name, path))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        text = f"the folder of runs cannot be read: {error.strerror or error}"
        raise BadInput(Problem("run-unreadable", text, str(runs))) from error
    return [path for _, _, path in sorted(found)]
