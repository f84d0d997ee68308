"""From YAML to a Recipe: parameters put in, every problem told at once with file:line:col.

Must never build half a recipe: either it is right, or BadInput says all that is wrong.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from lbl.errors import BadInput, Problem, short
from lbl.marked import (
    MAX_PROBLEMS,
    Marked,
    Route,
    bounded,
    choice,
    in_file_order,
    load,
    problem_of,
    scalar,
    suggest,
)
from lbl.plan.content import content_hash
from lbl.plan.inclusion import included
from lbl.plan.migration import migrated
from lbl.plan.order import findings
from lbl.plan.recipe import LANGUAGE, PHASES, Phase, Recipe

_PARAMETER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_PROCEDURE: Final = TypeAdapter(list[Phase])
_LITERAL: Final = frozenset({"lbl", "name", "version", "description", "parameters"})

Values = Mapping[str, str | int | float]
NO_OVERRIDES: Final[Mapping[str, str]] = {}


def read_recipe(source: Path | str, overrides: Mapping[str, str] = NO_OVERRIDES) -> Recipe:
    """Read a recipe from a file (a Path) or from YAML text (a str).

    `overrides` replace parameters, name -> text as after `--set`; they are checked like what
    they replace. Raises BadInput with every problem at once.
    """
    marked = load(source, "" if isinstance(source, Path) else "recipe")
    if not isinstance(marked.data, dict):
        remedy = "begin with 'lbl: 1'"
        raise BadInput(
            Problem("recipe-not-mapping", "this is no mapping of keys", marked.place(), remedy)
        )
    today = replace(marked, data=migrated(marked.data, marked.place(("lbl",))))
    folder = source.parent if isinstance(source, Path) else None
    whole = included(today, folder)
    filling = _Filling(whole.marked, overrides)
    filled = filling.fill()
    recipe, problems = _validate(filled, filling.values)
    problems = [*filling.problems, *problems]
    if recipe is None or problems:
        # A parameter that is wrong is told once, however often it is used; what follows from a
        # value that could not be put in has no place, and is not told at all.
        told = dict.fromkeys(problem for problem in problems if problem.place)
        raise BadInput(*bounded(sorted(told or problems, key=in_file_order), marked.name))
    written = replace(marked, data=whole.marked.data) if whole.marked.grafts else marked
    return recipe.marked_by(filled, content_hash(written), whole.text)


def _validate(marked: Marked, values: Values) -> tuple[Recipe | None, list[Problem]]:
    data: Any = marked.data
    solutions = data.get("solutions")
    context = {
        "conditions": set(),
        "solutions": solutions if isinstance(solutions, dict) else {},
        "parameters": values,
    }
    raw = {**data, "parameters": dict(values)}
    try:
        recipe = Recipe.model_validate(raw, context=context)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        problems = _told(wrong, marked)
        if any(one["loc"][:1] == ("procedure",) for one in wrong):
            return None, problems
        procedure = _PROCEDURE.validate_python(data["procedure"], context=context)
        return None, [*problems, *_order(procedure, context, marked)]
    return recipe, _order(recipe.procedure, context, marked)


def _told(wrong: list[Any], marked: Marked) -> list[Problem]:
    """What pydantic found, each once; of far too many only as many as show that there are.

    What follows from a parameter that is told already has no place, and is left out.
    """
    told: dict[Problem, None] = {}
    for one in wrong:
        problem = _problem(one, marked)
        if problem.place:
            told[problem] = None
        if len(told) > MAX_PROBLEMS:
            break
    return list(told)


def _order(procedure: list[Phase], context: Mapping[str, Any], marked: Marked) -> list[Problem]:
    primers = frozenset(
        name
        for name, made in context["solutions"].items()
        if isinstance(made, dict) and made.get("role") == "primer"
    )
    return [
        Problem(found.code, found.sentence, marked.place(found.route), found.remedy)
        for found in findings(procedure, primers, context["parameters"])
    ]


def _problem(one: Any, marked: Marked) -> Problem:
    """One of pydantic's findings; those about phases and the language get their own words."""
    loc, kind = one["loc"], one["type"]
    if loc == ("lbl",) and kind != "missing":
        sentence = f"the recipe language is {LANGUAGE}, and this asks for '{short(one['input'])}'"
        return Problem("recipe-language", sentence, marked.place(loc), f"write 'lbl: {LANGUAGE}'")
    in_list = len(loc) > 1 and isinstance(loc[-2], int)
    if kind == "extra_forbidden" and in_list:
        sentence = f"'{short(loc[-1])}' is not a phase this version knows"
        words = [*PHASES, "as", "steps", "when", "while"]
        remedy = suggest(str(loc[-1]), words) or choice("", PHASES, "phases")
        return Problem("recipe-unknown-phase", sentence, marked.key_place(loc), remedy)
    if kind in ("model_type", "model_attributes_type") and isinstance(loc[-1], int):
        sentence = "a step is one phase with its options"
        remedy = "write it like 'rinse: {with: buffer, for: 1 min}'"
        return Problem("recipe-phase-shape", sentence, marked.place(loc), remedy)
    return problem_of(one, marked, "recipe", Recipe)


class _Filling:
    """Puts parameters and overrides in; collects the problems and where values came from."""

    def __init__(self, marked: Marked, overrides: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self.values: dict[str, str | int | float] = {}
        self._marked = marked
        self._places: dict[str, str] = {}
        self._origins: dict[Route, str] = {}
        self._declare()
        for name, text in overrides.items():
            self._override(name, text)

    def fill(self) -> Marked:
        """Return the data with each `$name` replaced by its value."""
        data: Any = self._marked.data
        filled = {
            key: value if key in _LITERAL else self._filled(value, (key,))
            for key, value in data.items()
        }
        return replace(self._marked, data=filled, origins=self._origins)

    def _declare(self) -> None:
        data: Any = self._marked.data
        declared = data.get("parameters")
        if declared is None:
            return
        if not isinstance(declared, dict):
            self._note("wrong-type", "'parameters' must be a mapping", ("parameters",))
            return
        for name, value in declared.items():
            route = ("parameters", name)
            self._places[name] = self._marked.place(route)
            if not _PARAMETER.fullmatch(name):
                sentence = f"'{short(name)}' cannot be the name of a parameter"
                self._note("bad-parameter", sentence, route, "use letters, digits and _")
            elif isinstance(value, bool) or not isinstance(value, (str, int, float)):
                sentence = f"parameter '{name}' must be a number, a quantity or text"
                self._note("bad-parameter", sentence, route)
            elif isinstance(value, str) and value.startswith("$"):
                sentence = f"parameter '{name}' must not refer to another parameter"
                self._note("bad-parameter", sentence, route, "write its value")
            else:
                self.values[name] = value
                continue
            self.values[name] = 0  # stands in, so that uses of the name are not reported too
            self._places[name] = ""

    def _override(self, name: str, text: str) -> None:
        place = f"--set {short(name)}={short(text)}"
        value = scalar(text.strip())
        if name not in self.values:
            remedy = choice(name, self.values, "parameters")
            sentence = f"there is no parameter '{short(name)}'"
            self.problems.append(Problem("recipe-unknown-parameter", sentence, place, remedy))
        elif isinstance(value, (bool, type(None))) or str(value).startswith("$"):
            sentence = f"'{short(text)}' cannot be the value of a parameter"
            self.problems.append(Problem("recipe-bad-parameter", sentence, place))
        else:
            self.values[name] = value
            self._places[name] = place

    def _filled(self, value: object, route: Route) -> object:
        if isinstance(value, dict):
            return {key: self._filled(below, (*route, key)) for key, below in value.items()}
        if isinstance(value, list):
            return [self._filled(below, (*route, number)) for number, below in enumerate(value)]
        if isinstance(value, str) and value.startswith("$"):
            return self._referred(value[1:], value, route)
        return value

    def _referred(self, name: str, written: str, route: Route) -> object:
        if name in self.values:
            self._origins[route] = self._places[name]
            return self.values[name]
        self._origins[route] = ""
        if len(self.problems) > MAX_PROBLEMS:
            return written
        remedy = choice(name, self.values, "parameters")
        sentence = f"'{short(written)}' is not a parameter"
        if not _PARAMETER.fullmatch(name):
            sentence += ", and only a whole value can be one"
        self._note("unknown-parameter", sentence, route, remedy)
        return written

    def _note(self, code: str, sentence: str, route: Route, remedy: str = "") -> None:
        place = self._marked.place(route)
        self.problems.append(Problem(f"recipe-{code}", sentence, place, remedy))
