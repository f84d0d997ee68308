"""What stands in a recipe's fields: quantities, counts, names of solutions, dwell windows.

Each is checked where it stands and kept in base units. Must never know a phase.
"""

from collections.abc import Iterable, Mapping
from math import inf
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from lbl import units
from lbl.errors import short
from lbl.marked import choice

TOLERANCE: Final = 1e-9  # relative, of every comparison of quantities
SHORTEST_S: Final = 1e-3  # of one phase: the planner counts in milliseconds
LONGEST_S: Final = 30 * 86400.0  # of one phase
MAX_REPEAT: Final = 100_000
MAX_EXCHANGES: Final = 32
MAX_NAME: Final = 64
EARLY: Final = 0.9  # at_least, where the user wrote none, as a share of `for`

STRICT: Final = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def not_above(value: float, limit: float) -> bool:
    """Whether value <= limit, within the relative tolerance."""
    return value <= limit + TOLERANCE * abs(limit)


def complaint(code: str, sentence: str, remedy: str = "", at: Iterable[str] = ()) -> Exception:
    """Return the error by which a validator reports a problem at `at` below its own place."""
    # The sentence travels in the context: a brace in a user's text must not be read as a field.
    context = {"sentence": sentence, "remedy": remedy, "at": tuple(at)}
    return PydanticCustomError(f"recipe-{code}", "{sentence}", context)


def quantity(unit: str, low: float = -inf, high: float = inf) -> BeforeValidator:
    """A number with a unit, turned into `unit`, inside [low, high]."""

    def read(given: object) -> float:
        value = units.number(given, unit)
        if not_above(low, value) and not_above(value, high):
            return value
        word, bound = ("more", high) if value > high else ("less", low)
        shown = units.duration(bound) if unit == "s" else units.show(bound, unit)
        raise complaint("out-of-range", f"'{short(given)}' is {word} than {shown}")

    return BeforeValidator(read, json_schema_input_type=_written(units.form(unit, low, high)))


def whole(given: object) -> object:
    """A number that is no truth value: to Python `true` and `1.0` equal 1."""
    if type(given) is not int:
        raise ValueError("no whole number")
    return given


def span_of(unit: str) -> BeforeValidator:
    """Two numbers with a unit, low..high, turned into `unit`."""

    def read(given: object) -> tuple[float, float]:
        return units.span(given, unit)

    return BeforeValidator(read, json_schema_input_type=_written(units.span_form(unit)))


def _written(form: dict[str, Any]) -> Any:
    """The type that stands for a text of this form where a JSON Schema is made."""
    return Annotated[str, WithJsonSchema(form)]


Dwell = Annotated[float, quantity("s", SHORTEST_S, LONGEST_S)]
Every = Annotated[int, Field(ge=1, le=MAX_REPEAT)]
Exchanges = Annotated[int, Field(ge=1, le=MAX_EXCHANGES)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


def solution_for(*roles: str) -> AfterValidator:
    """The name of a declared solution whose role is one of `roles`."""

    def check(name: str, info: ValidationInfo) -> str:
        solutions: Mapping[str, Any] = (info.context or {}).get("solutions", {})
        if name not in solutions:
            remedy = choice(name, solutions, "declared")
            sentence = f"there is no solution '{short(name)}'"
            raise complaint("unknown-solution", sentence, remedy)
        given = solutions[name]
        role = given.get("role", "film") if isinstance(given, dict) else roles[0]
        if role in ("film", "primer", "rinse") and role not in roles:
            sentence = (
                f"'{short(name)}' has role {role}; this phase takes role {' or '.join(roles)}"
            )
            raise complaint("wrong-solution", sentence, "name another solution")
        return name

    return AfterValidator(check)


FilmSolution = Annotated[Name, solution_for("film", "primer")]
RinseSolution = Annotated[Name, solution_for("rinse")]
Speed = Annotated[float, quantity("rpm", 0, 3000)]
Poured = Annotated[float, quantity("mL", 0.001, 10_000)]


def dwell_window(
    dwell: float, at_least: float | None, at_most: float | None, latest: float
) -> tuple[float, float]:
    """The shortest and the longest dwell: as written, else EARLY of it and `latest`."""
    return (
        min(at_least if at_least is not None else EARLY * dwell, dwell),
        max(at_most if at_most is not None else latest, dwell),
    )


def check_window(dwell: float, least: float | None, most: float | None) -> None:
    """Raise a complaint when a dwell is outside its own window."""
    if least is not None and most is not None and not not_above(least, most):
        sentence = f"at_least ({least:g} s) is more than at_most ({most:g} s)"
        raise complaint("window", sentence, at=("at_least",))
    if least is not None and not not_above(least, dwell):
        sentence = f"{units.duration(dwell)} is less than at_least, {units.duration(least)}"
        raise complaint("window", sentence, "lengthen it, or widen the window", ("for",))
    if most is not None and not not_above(dwell, most):
        sentence = f"{units.duration(dwell)} is more than at_most, {units.duration(most)}"
        raise complaint("window", sentence, "shorten it, or widen the window", ("for",))
