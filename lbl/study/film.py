"""Grows one case as a real run through the whole stack, in virtual time, and makes a row of it.

Whatever happens to one film, the others go on: a refusal, a hold and even our own bug become a row
with a state and a reason. Must never say anything that would differ on another machine.
"""

import json
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lbl import app
from lbl.errors import BadInput, LblError
from lbl.journal.folder import RECORD
from lbl.run.result import Result
from lbl.study.case import Case, Cell, Film, Row

Changes = tuple[tuple[str, str], ...]
REFUSED: Final = "Refused"  # not a state of a run: there was none
FAILED: Final = "Failed"
OUR_BUG: Final = 1
CONDITIONS: Final = 4  # remembered in a process
HOUR_S: Final = 3600.0
# A Dask worker has threads, and one film needs the interpreter for itself anyway.
_ONE: Final = threading.Lock()


def grow(number: int, case: Case, keep: str = "", scratch: str = "") -> Film:
    """The film of a case; `keep` is the folder that its run folder stays in, "" deletes it.

    `scratch` is a folder that somebody sweeps if this process is killed, "" any.
    """
    try:
        with (
            _ONE,
            tempfile.TemporaryDirectory(prefix="lbl-film-", dir=scratch or None) as desk,
        ):
            prepared = _prepared(
                case.recipe, case.bench, tuple(case.sets.items()), tuple(case.world.items()), desk
            )
            runs = Path(keep or desk)
            what = replace(prepared.launch, seed=case.seed, runs=runs)
            result = app.Prepared(what).run(lambda news: None, case.run)
            curve = _curve(result.folder, what.plan.substrate.sides)
    except LblError as error:
        reasons = (f"{one.sentence} [{one.code}]" for one in error.problems)
        state = REFUSED if isinstance(error, BadInput) else FAILED
        return _without(number, case, state, "; ".join(reasons), error.exit_code)
    except Exception as error:  # our bug in one film is no reason to lose the others
        reason = f"internal error: {type(error).__name__}: {error}"
        return _without(number, case, FAILED, reason, OUR_BUG)
    return Film(number, _row(case, result), curve, result.exit_code)


_seen: dict[tuple[object, ...], app.Prepared] = {}


def _prepared(recipe: str, bench: str, sets: Changes, world: Changes, desk: str) -> app.Prepared:
    """What the films of one condition share: read and planned once, for all its seeds.

    Few are remembered: the seeds of a condition follow each other.
    """
    key = (recipe, bench, sets, world)
    if key not in _seen:
        files = Path(desk, "recipe.yaml"), Path(desk, "bench.yaml")
        for file, text in zip(files, (recipe, bench), strict=True):
            file.write_text(text, encoding="utf-8")
        order = app.Order(
            str(files[0]), str(files[1]), sets=dict(sets), world=dict(world), speed="max",
            heed=False,
        )  # fmt: skip
        made = app.prepare(order)
        if len(_seen) >= CONDITIONS:
            del _seen[next(iter(_seen))]
        _seen[key] = made
    return _seen[key]


def _without(number: int, case: Case, state: str, reason: str, code: int) -> Film:
    row: Row = {**case.inputs, "run": case.run, "state": state, "reason": reason}
    return Film(number, row, exit_code=code)


def _row(case: Case, result: Result) -> Row:
    """Inputs, then what came of them: nm, mOD, s, mL as the names say."""
    film = dict(result.film)
    thickness, hours = film.get("thickness_nm"), result.duration / HOUR_S
    solutions: dict[str, Cell] = {
        f"{name}_{figure}": value
        for name, used in result.solutions.items()
        for figure, value in used.items()
    }
    return {
        **case.inputs,
        "run": result.run,
        "state": result.state,
        "reason": "" if result.exit_code == 0 else result.reason,
        "bilayers_done": result.bilayers,
        "depositions_done": result.depositions,
        "deviations": result.deviations,
        "duration_s": result.duration,
        **film,
        "nm_per_h": thickness / hours if thickness is not None and hours > 0.0 else None,
        **solutions,
    }


def _curve(folder: Path, sides: int) -> tuple[tuple[int, float], ...]:
    """What the run's journal says was measured, from its record; mOD of one side."""
    record: Mapping[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    last: dict[int, float] = {}  # a bilayer that was measured again counts once
    for row in record["measurements"]:
        if row.get("quantity") == "absorbance":
            last[int(row["bilayer"])] = float(row["value"]) / sides
    return tuple(sorted(last.items()))
