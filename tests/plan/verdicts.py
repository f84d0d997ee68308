"""What reading and planning a mutant must come to: a recipe, a plan, or problems fit to be read.

Any other exception passes through: it is a finding. Must never mutate, nor know why it is wrong.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from lbl.errors import CODES, BadInput, Problem
from lbl.plan.equipment import Equipment
from lbl.plan.loader import read_recipe
from lbl.plan.planner import plan
from lbl.plan.recipe import Recipe
from lbl.plan.unroll import count
from tests.plan.mutants import Mutant

LONGEST = 500  # characters of a line that is told
MOST = 101  # problems told at once
ACTS = 300  # of a recipe that is planned here; a film of days takes seconds
BREAKS = re.compile("\r\n|[\n\r]")
PLACE = re.compile(r"(.*):(\d+):(\d+)", re.DOTALL)


def read(mutant: Mutant, path: Path) -> Recipe | tuple[Problem, ...]:
    """The recipe of a mutant or why there is none; bytes are read from a file at `path`."""
    source: Path | str = path
    if isinstance(mutant.source, bytes):
        path.write_bytes(mutant.source)
    else:
        source = mutant.source
    try:
        return read_recipe(source, mutant.sets)
    except BadInput as error:
        name = "recipe" if isinstance(source, str) else str(path)
        judge(error.problems, name, _rows(mutant.source))
        return error.problems


def planned(recipe: Recipe, equipment: Equipment) -> bool:
    """Whether a plan came out; what refuses it is judged."""
    if count(recipe.procedure)[0] > ACTS:
        return False
    try:
        return plan(recipe, equipment).duration_ns > 0
    except BadInput as error:
        judge(error.problems, "recipe", None)
        return False


def judge(problems: Sequence[Problem], name: str, rows: Sequence[str] | None) -> None:
    """Each problem has a known code, one line, and a place that somebody can find."""
    assert 0 < len(problems) <= MOST, len(problems)
    assert len(set(problems)) == len(problems), "told twice"
    for problem in problems:
        line = str(problem)
        assert problem.code in CODES, line
        assert len(problem.sentence) > 10, line
        assert line.isprintable() and len(line) < LONGEST + len(name), line
        if rows is not None:
            assert problem.place.startswith("--set ") or _stands(problem.place, name, rows), line


def _rows(source: str | bytes) -> list[str]:
    text = source if isinstance(source, str) else source.decode("utf-8-sig", "replace")
    return BREAKS.split(text)


def _stands(place: str, name: str, rows: Sequence[str]) -> bool:
    """Whether there is such a line and such a column in the file."""
    if place == name:
        return True
    found = PLACE.fullmatch(place)
    if found is None or found.group(1) != name:
        return False
    row, column = int(found.group(2)), int(found.group(3))
    return 1 <= row <= len(rows) and 1 <= column <= len(rows[row - 1]) + 1


def told(outcome: Recipe | tuple[Problem, ...]) -> object:
    """What must be the same each time that the same text is read."""
    return outcome.model_dump() if isinstance(outcome, Recipe) else tuple(map(str, outcome))
