"""What a study varies: words such as `dwell=1min,2min` or `c_BR=0.1..1:5` as named levels.

The name decides whether a level is a recipe parameter or a world parameter. Must never guess
between the two, and never read a recipe.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lbl import units
from lbl.bench.simulated import world_parameters, world_units
from lbl.errors import BadInput, Problem, short
from lbl.marked import scalar, suggest
from lbl.study.case import Cell

LEVELS_MAX: Final = 10_000
_RANGE: Final = re.compile(
    r"\s*([-+.0-9eE]+)\s*([^.:0-9\s][^:]*?)?\s*\.\.\s*([-+.0-9eE]+)\s*([^:]*?)\s*"
    r":\s*([0-9]{1,5})\s*(?::\s*(log|lin)\s*)?"
)
# Units of the recipe language, and what the column of a table calls them.
_COLUMNS: Final[Mapping[str, str]] = {
    "s": "s", "mg/mL": "mg_per_ml", "mL": "ml", "degC": "degC", "mOD": "mOD", "cm^2": "cm2",
    "mm/s": "mm_per_s", "mL/min": "ml_per_min", "nm": "nm",
}  # fmt: skip
# Columns that a recipe's parameter may not take from the table.
_TAKEN: Final = frozenset(
    {"side", "recipe", "bench", "seed", "run", "state", "reason", "deviations", "duration_s"}
)
FORM: Final = "write a list like dwell=1min,2min or a range with a count like c_BR=0.1..1:5"


@dataclass(frozen=True, slots=True)
class Factor:
    """One parameter and the values it takes, as somebody would write them after --set or --world.

    `column` is what the table calls it, `unit` what its numbers are in.
    """

    name: str
    world: bool
    levels: tuple[str, ...]
    column: str
    unit: str

    def cell(self, level: str) -> Cell:
        """A level as the table has it."""
        if self.world:
            return world_parameters({self.name: level}, "--vary")[self.name]
        return cells({self.name: level})[self.column]


def factor(text: str, recipe: Mapping[str, object], option: str) -> Factor:
    """NAME=VALUES as a factor; `recipe` holds the recipe's parameters.

    Raises BadInput `study-values` for words that cannot be read, `study-name` for a name that is
    unknown or that recipe and world share, `world-parameter` for a value out of range.
    """
    name, _, spec = (part.strip() for part in text.partition("="))
    if not name or not spec:
        raise BadInput(Problem("study-values", f"'{short(text)}' is not NAME=VALUES", option, FORM))
    world = is_world(name, recipe, option)
    levels = _levels(spec, option)
    if world:
        for level in levels:
            world_parameters({name: level}, option)
        return Factor(name, True, levels, name, world_units()[name])
    columns = {column for level in levels for column in cells({name: level})}
    if len(columns) > 1:
        sentence = f"the values of '{short(name)}' are of different kinds: {', '.join(levels)}"
        raise BadInput(Problem("study-values", sentence, option, FORM))
    column = columns.pop()
    marks = {f"{name}_{mark}": unit for unit, mark in _COLUMNS.items()}
    return Factor(name, False, levels, column, marks.get(column, ""))


def is_world(name: str, recipe: Mapping[str, object], option: str) -> bool:
    """Whether a name is a parameter of the world; raises BadInput `study-name` if nobody's."""
    world = world_units()
    if name in recipe and name in world:
        sentence = f"both the recipe and the world have a parameter '{short(name)}'"
        remedy = "rename the recipe's, or give it with --set or --world"
        raise BadInput(Problem("study-name", sentence, option, remedy))
    if name not in recipe and name not in world:
        near = suggest(name, [*recipe, *world])
        remedy = (
            near or f"the recipe has {', '.join(recipe) or 'none'}; the world's are in its page"
        )
        sentence = f"neither the recipe nor the world has a parameter '{short(name)}'"
        raise BadInput(Problem("study-name", sentence, option, remedy))
    return name in world


def _levels(spec: str, option: str) -> tuple[str, ...]:
    if ".." in spec:
        return _range(spec, option)
    levels = tuple(level.strip() for level in spec.split(","))
    if not all(levels):
        sentence = f"'{short(spec)}' has an empty value"
        raise BadInput(Problem("study-values", sentence, option, FORM))
    if len(set(levels)) < len(levels):
        sentence = f"'{short(spec)}' has a value twice"
        raise BadInput(Problem("study-values", sentence, option, "use --seeds for more films"))
    return levels


def _range(spec: str, option: str) -> tuple[str, ...]:
    """low..high:count, evenly or in equal ratios."""
    match = _RANGE.fullmatch(spec)
    try:
        if match is None:
            raise ValueError(f"'{short(spec)}' is no range with a count")
        first, first_unit, second, unit, digits, scale = match.groups()
        high = float(second)
        low = units.number(f"{first} {first_unit}", unit) if first_unit else float(first)
        count = int(digits)
        if not 2 <= count <= LEVELS_MAX:
            raise ValueError(f"a range takes 2 to {LEVELS_MAX:,} values, not {count}")
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"'{short(spec)}' must run from low to high")
        if scale == "log" and low <= 0.0:
            raise ValueError(f"'{short(spec)}' must be above 0 to be divided in equal ratios")
    except ValueError as error:
        raise BadInput(Problem("study-values", str(error), option, FORM)) from None
    return tuple(f"{value:.9g} {unit}".strip() for value in _spread(low, high, count, scale))


def _spread(low: float, high: float, count: int, scale: str | None) -> list[float]:
    shares = [index / (count - 1) for index in range(count)]
    if scale == "log":
        return [low * (high / low) ** share for share in shares]
    return [low + (high - low) * share for share in shares]


def cells(parameters: Mapping[str, object]) -> dict[str, Cell]:
    """Recipe parameters as columns: plain numbers and words as they are, quantities in base units.

    A dwell of "2 min" is `dwell_s` 120.0.
    """
    made: dict[str, Cell] = {}
    for parameter, given in parameters.items():
        name = f"set_{parameter}" if parameter in _TAKEN else parameter
        value = scalar(given) if isinstance(given, str) else given
        if isinstance(value, bool) or not isinstance(value, int | float):
            suffix, number = _quantity(str(given))
            if number is not None:
                made[f"{name}_{suffix}"] = number
                continue
            value = str(given)
        made[name] = value
    return made


def _quantity(text: str) -> tuple[str, float | None]:
    if not text[:1].isdigit() and text[:1] not in "+-.":
        return "", None  # a word: nothing is asked of it
    for unit, suffix in _COLUMNS.items():
        try:
            return suffix, units.number(text, unit)
        except ValueError:
            continue
    return "", None


def product(factors: Sequence[Factor]) -> list[tuple[str, ...]]:
    """Every combination of levels, the last factor fastest."""
    made: list[tuple[str, ...]] = [()]
    for one in factors:
        made = [(*before, level) for before in made for level in one.levels]
    return made
