"""Conditions of a recipe, `when` and `while`: the part of CEL that a technician needs, checked.

Comparisons and sums of counts, parameters and readings, joined by && || ! and ?: (Common Expression
Language, cel.dev; evaluated by cel-python). Calls, macros, lists, members and text are refused
before anything is evaluated. Pure. Must never know when a condition is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from lbl.errors import short
from lbl.marked import suggest

COUNTS: Final = ("bilayer", "deposition", "repetition")
# What is known only while the film grows, and what it is.
READINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "absorbance_mOD": "the last absorbance of the film, a side",
        "temperature_degC": "the last temperature of the liquids",
        "deviations": "how many deviations the journal has",
    }
)
MAX_TEXT: Final = 160  # characters
MAX_DIFFERENT: Final = 256  # of one recipe; each takes as long to read as many phases
MAX_NESTED: Final = 12  # brackets, and signs in a row
_KEPT: Final = 20_000  # answers remembered: a plan asks each of them twice
_PROBE: Final = 1  # every count, to see whether the types fit together

# Rules of the grammar of cel-python that a condition may use; leaves are names and numbers.
_GRAMMAR: Final = """
    expr conditionalor conditionaland relation relation_lt relation_le relation_gt relation_ge
    relation_eq relation_ne addition addition_add addition_sub multiplication multiplication_mul
    multiplication_div multiplication_mod unary unary_not unary_neg member primary paren_expr
    ident literal
"""
_RULES: Final = frozenset(_GRAMMAR.split())
_LITERALS: Final = frozenset({"INT_LIT", "FLOAT_LIT", "BOOL_LIT"})

Values = Mapping[str, int | float | str | bool]


class Unjudged(ValueError):
    """A condition that cannot be asked: a sentence, and what to write instead."""

    def __init__(self, sentence: str, remedy: str = "") -> None:
        """Keep both."""
        super().__init__(sentence)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as it was written, and the names that it asks for."""

    text: str
    names: frozenset[str]

    @property
    def read(self) -> bool:
        """Whether only the growing film can answer it."""
        return not self.names.isdisjoint(READINGS)

    def holds(self, values: Values) -> bool:
        """The answer; a reading that is not in `values` was not taken yet, and makes it true.

        Raises Unjudged where nothing can be answered, such as a division by zero.
        """
        if any(name in READINGS and name not in values for name in self.names):
            return True
        return _answer(self.text, tuple((name, values[name]) for name in sorted(self.names)))


def condition(text: str, parameters: Values) -> Condition:
    """A condition that may be asked with these parameters; raises Unjudged with what is wrong."""
    made = parsed(text)
    for name in sorted(made.names):
        if name in parameters and name in (*COUNTS, *READINGS):
            raise Unjudged(f"'{name}' is a parameter here, and also what the run counts or reads")
        if name in parameters and isinstance(parameters[name], str):
            sentence = f"parameter '{name}' is no plain number"
            raise Unjudged(sentence, "conditions compare plain numbers")
        if name not in parameters and name not in (*COUNTS, *READINGS):
            known = (*COUNTS, *READINGS, *parameters)
            remedy = suggest(name, known) or f"known: {', '.join(short(one) for one in known)}"
            raise Unjudged(f"'{short(name)}' is neither a parameter nor a count", remedy)
    probe: dict[str, Any] = {**parameters, **dict.fromkeys(COUNTS, _PROBE)}
    made.holds({**probe, **{name: _probe(name) for name in READINGS}})
    return made


def _probe(name: str) -> int | float:
    return _PROBE if name == "deviations" else float(_PROBE)


@lru_cache(maxsize=MAX_DIFFERENT)
def parsed(text: str) -> Condition:
    """A condition whose names nobody has looked at yet; raises Unjudged."""
    if not text.strip() or len(text) > MAX_TEXT:
        raise Unjudged(f"a condition has 1 to {MAX_TEXT} characters")
    if text.count("(") > MAX_NESTED or text.count("!") + text.count("-") > MAX_NESTED:
        raise Unjudged("this condition is nested too deeply", "write it shorter")
    from lark import Token, Tree

    tree = _program(text)[1]
    names = set()
    for node in tree.iter_subtrees():
        rule = str(node.data)
        if rule not in _RULES:
            raise Unjudged(f"'{short(text)}' uses more than comparisons of numbers", _REMEDY)
        for leaf in node.children:
            if isinstance(leaf, Tree) or leaf is None:
                continue
            if rule == "ident" and isinstance(leaf, Token):
                names.add(str(leaf))
            elif leaf.type not in _LITERALS:
                raise Unjudged(f"'{short(leaf)}' is no number", _REMEDY)
    return Condition(text, frozenset(names))


_REMEDY: Final = "such as 'bilayer % 10 == 0 && absorbance_mOD > 150.0'"


@lru_cache(maxsize=MAX_DIFFERENT)
def _program(text: str) -> tuple[Any, Any]:
    """The runnable program and the tree of a condition."""
    import celpy
    from celpy.celparser import CELParseError

    environment = celpy.Environment()
    try:
        tree = environment.compile(text)
        return environment.program(tree), tree
    except (CELParseError, RecursionError):
        raise Unjudged(f"'{short(text)}' cannot be read as a condition", _REMEDY) from None


@lru_cache(maxsize=_KEPT)
def _answer(text: str, values: tuple[tuple[str, int | float | str | bool], ...]) -> bool:
    from celpy.adapter import json_to_cel
    from celpy.celtypes import BoolType
    from celpy.evaluation import CELEvalError

    program = _program(text)[0]
    try:
        answer = program.evaluate({name: json_to_cel(value) for name, value in values})
    except CELEvalError as error:
        raise Unjudged(*_why(text, error)) from None
    except RecursionError:
        raise Unjudged("this condition is nested too deeply", "write it shorter") from None
    if not isinstance(answer, BoolType):
        raise Unjudged(f"'{short(text)}' is neither true nor false", _REMEDY)
    return bool(answer)


def _why(text: str, error: Exception) -> tuple[str, str]:
    what = str(error.args[0]) if error.args else ""
    if "zero" in what:
        return f"'{short(text)}' divides by zero", ""
    if "overflow" in what:
        return f"'{short(text)}' needs a number that is too large", ""
    sentence = f"'{short(text)}' mixes what cannot be compared"
    return sentence, "a whole number and 1.5 do not mix, nor a number and a truth"
