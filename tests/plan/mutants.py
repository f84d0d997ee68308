"""Recipes to which something happened: seeded, and aware of what a recipe is made of.

A mutant begins as a recipe that ships. Its tree is changed where somebody may err (keys, types,
units, names, order, parameters) or mean harm (depth, aliases, tags, numbers), is written down as
YAML, and its text may be hurt once more. Keys and options are taken from the models, so that what
the language learns is mutated too. Must never judge: that is for `verdicts`.
"""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from lbl.marked import load
from lbl.plan.recipe import PHASES, Phase, Recipe

SHIPPED = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in SHIPPED}
SHARES = [1 / len(text) ** 2 for text in TEXTS.values()]  # short ones are read sooner
TREES: dict[str, Any] = {name: load(text).data for name, text in TEXTS.items()}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _language(model: type[BaseModel], known: dict[str, type[BaseModel]]) -> dict[str, Any]:
    """Every model of the language by name, from the whole recipe downwards."""
    known[model.__name__] = model
    for info in model.model_fields.values():
        for below in _models(info.annotation):
            if below.__name__ not in known:
                _language(below, known)
    return known


def _keys(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


MODELS = _language(Recipe, {})
KEYS = sorted({key for model in MODELS.values() for key in _keys(model)})
# phase -> the options of its model; what has no model of its own (repeat) has none
OPTIONS = {
    name: [key for model in _models(Phase.model_fields[name].annotation) for key in _keys(model)]
    for name in PHASES
}


class Raw(str):
    """Text that is written as it is, quoted or not."""


QUANTITIES = (
    "10 min", "1 s", "0.5 h", "1e-9 s", "9e999 s", "1e400 min", "-5 min", "0 s", "31 d", "5 mL",
    "1 mg/mL", "2 cm^2", "570 nm", "1.0 mOD", "22 degC", "-300 degC", "15..30 degC", "30..15 degC",
    "1..2", "5 %", "7 mins", "3 q", "5 min min", "1 s^4*s^4*s^4", "10min", " 10  min ", "1_0 min",
    "٣ min", "1,5 min", "10 мин", "1 fortnight", "1e-6 kg", "9" * 99 + " s", "1 m/s/s/s/s/s/s",
)  # fmt: skip
NUMBERS = (
    "0", "1", "2", "-1", "32", "33", "2.5", "1e3", "1e-6", "010", "0x1F", "1_000", "1:30", "+5",
    ".5", "5.", ".nan", ".inf", "-.inf", "1e309", "-0.0", "99999", "100001", "9007199254740993",
    "9" * 18, "9" * 19, "9" * 300, "1." + "9" * 300,
)  # fmt: skip
WORDS = (
    "no", "yes", "on", "true", "null", "~", "''", '""', "bilayer", "cusum", "hold", "rinse",
    "film", "positive", "dark", "auto", "redo", "rule-dwell", "rule-none", "é",
    "\U0001f600", "'{0}{x}%s'",
    '"\\u2028"', '"\\0"', '"\\x1b[2J"', "'\u202e'", "x" * 70, "x" * 5000, "../x.yaml",
    "/etc/passwd", "part.yaml", "bilayer % 2 == 0", "1 / (bilayer - bilayer) > 0",
    "absorbance < 1.0", "!(deviations > 1 && elapsed_h < 2.0)",
    "a b", "[]", "{}", "[1, [2]]", "{a: 1}", "1 == 1", "n > 3", "f(x)", "-",
    "|", "# no",
)  # fmt: skip
REFERENCES = ("$", "$$", "$none", "$dwel", "$dwell", "$bilayers", "$rinses", "$dwell ", "2 $dwell",
              "$a.b", "$" + "d" * 300, "'$dwell'", "$1", "$é")  # fmt: skip
YAML = (
    "*a", "&a 1", "&a [*a]", "&b {for: 1 s}", "*b", "!!str 5", "!x 1", "!!python/name:os.system x",
    "<<", "? a", "%YAML 1.1", "'", '"', "[", "{", "}", "@", "`", "|2", ">-",
)  # fmt: skip
POOLS = (QUANTITIES, QUANTITIES, NUMBERS, WORDS, REFERENCES, YAML)


@dataclass(slots=True)
class Mutant:
    """What stands in the file, or the text itself, and what is set; `about` says from what."""

    source: str | bytes
    sets: dict[str, str] = field(default_factory=dict)
    about: str = ""


def mutant(seed: int, number: int) -> Mutant:
    """The `number`-th mutant of a seed; the same two give the same one."""
    chance = random.Random(f"{seed}/{number}")
    name = chance.choices(list(TREES), SHARES)[0]
    if chance.random() < 0.05:
        text = TEXTS[name]
    else:
        tree = _shorn(TREES[name], chance)
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 5))):
            chance.choice(CHANGES)(tree, chance)
        text = "".join(_written(tree, chance))
    if chance.random() < 0.3:
        text = chance.choice(HURTS)(text, chance)
    source = _encoded(text, chance) if chance.random() < 0.1 else text
    return Mutant(source, _sets(TREES[name], chance), name)


def _shorn(tree: Any, chance: random.Random) -> Any:
    """A copy, mostly without what only takes time to read."""
    made = deepcopy(tree)
    if chance.random() < 0.8:
        made.pop("description", None)
        for solution in made["solutions"].values():
            solution.pop("species", None)
    return made


# --- changes of the tree -------------------------------------------------------------------------

Change = Callable[[Any, random.Random], None]


def _holders(node: Any) -> Iterator[Any]:
    """Every mapping and list that is not empty."""
    if isinstance(node, (dict, list)) and node:
        yield node
        for below in node.values() if isinstance(node, dict) else node:
            yield from _holders(below)


def _spot(tree: Any, chance: random.Random) -> tuple[Any, Any]:
    """A holder and a key or an index in it."""
    at = chance.choice(list(_holders(tree)) or [{"": None}])
    return at, chance.choice(list(at)) if isinstance(at, dict) else chance.randrange(len(at))


def _value(chance: random.Random) -> Any:
    return Raw(chance.choice(chance.choice(POOLS)))


def drop(tree: Any, chance: random.Random) -> None:
    at, key = _spot(tree, chance)
    del at[key]


def retype(tree: Any, chance: random.Random) -> None:
    at, key = _spot(tree, chance)
    at[key] = _value(chance)


def rename(tree: Any, chance: random.Random) -> None:
    at, key = _spot(tree, chance)
    if isinstance(at, dict):
        near = str(key)[: chance.randrange(len(str(key)) + 1)] + chance.choice(("", "x", "s", "_"))
        at[chance.choice((near, str(key).upper(), chance.choice(KEYS), _value(chance)))] = at.pop(
            key
        )


def swap(tree: Any, chance: random.Random) -> None:
    lists = [node for node in _holders(tree) if isinstance(node, list)]
    if lists:
        chance.shuffle(chance.choice(lists))


def double(tree: Any, chance: random.Random) -> None:
    at, key = _spot(tree, chance)
    if isinstance(at, list):
        at.insert(chance.randrange(len(at) + 1), deepcopy(at[key]))
    else:
        at[chance.choice(KEYS)] = deepcopy(at[key])


def graft(tree: Any, chance: random.Random) -> None:
    (at, key), (other, below) = _spot(tree, chance), _spot(tree, chance)
    at[key] = deepcopy(other[below])


def nest(tree: Any, chance: random.Random) -> None:
    at, key = _spot(tree, chance)
    for _ in range(chance.choice((1, 1, 2, 30, 40))):
        at[key] = [at[key]] if chance.random() < 0.5 else {chance.choice(KEYS): at[key]}


def phase(tree: Any, chance: random.Random) -> None:
    """Another phase somewhere, with options of its model and values that may fit."""
    name = chance.choice(PHASES)
    options = {key: _near(tree, key, chance) for key in OPTIONS[name] if chance.random() < 0.6}
    made: Any = {name: options or _value(chance)}
    if chance.random() < 0.2:
        made = {"repeat": chance.choice((1, 3, 0, 70_000)), "steps": [made]}
    lists = [node for node in _holders(tree) if isinstance(node, list)]
    if lists:
        at = chance.choice(lists)
        at.insert(chance.randrange(len(at) + 1), made)


def _near(tree: Any, key: str, chance: random.Random) -> Any:
    """A value that stands under this key somewhere, or any."""
    found = [node[key] for node in _holders(tree) if isinstance(node, dict) and key in node]
    return deepcopy(chance.choice(found)) if found and chance.random() < 0.8 else _value(chance)


def option(tree: Any, chance: random.Random) -> None:
    """A key of the language at a place where it may or may not belong."""
    maps = [node for node in _holders(tree) if isinstance(node, dict)] or [{}]
    key = chance.choice(KEYS)
    chance.choice(maps)[key] = _near(tree, key, chance)


def override(tree: Any, chance: random.Random) -> None:
    if isinstance(tree, dict):
        rule = chance.choice(("rule-dwell", "rule-light", "rule-heat", "rule-dwel", _value(chance)))
        tree["overrides"] = [{"rule": rule, "by": "Ada", "reason": chance.choice(("known", "x"))}]


def crowd(tree: Any, chance: random.Random) -> None:
    """Much more of one thing."""
    at, key = _spot(tree, chance)
    number = chance.choice((3, 10, 33, 120))
    if isinstance(at, list):
        at[key:key] = [deepcopy(at[key]) for _ in range(min(number, 33))]
    else:
        at.update({f"{key}{n}": "1 s" for n in range(number)})


CHANGES: tuple[Change, ...] = (
    drop, drop, retype, retype, retype, rename, swap, double, graft, nest, phase, phase, option,
    option, override, crowd,
)  # fmt: skip


# --- the tree as YAML ----------------------------------------------------------------------------


def _written(tree: Any, chance: random.Random) -> Iterator[str]:
    """The top level and the phases on lines of their own, the rest in braces."""
    if not isinstance(tree, dict):
        yield _flow(tree)
        return
    for key, value in tree.items():
        if isinstance(value, list) and value:
            yield f"{_flow(key)}:\n"
            yield from (f"  - {_flow(one)}\n" for one in value)
        elif isinstance(value, dict) and value and chance.random() < 0.5:
            yield f"{_flow(key)}:\n"
            yield from (f"  {_flow(name)}: {_flow(one)}\n" for name, one in value.items())
        else:
            yield f"{_flow(key)}: {_flow(value)}\n"


def _flow(node: Any) -> str:
    if isinstance(node, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(one)}" for key, one in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(map(_flow, node)) + "]"
    if isinstance(node, str) and not isinstance(node, Raw) and set(node) & set(",:#'\"{}[]"):
        return "'" + node.replace("'", "''") + "'"
    return "true" if node is True else "" if node is None else str(node)


# --- hurts of the text, and how it is encoded ----------------------------------------------------

Hurt = Callable[[str, random.Random], str]
ODD = (
    "\t", "\0", "\x07", "\x85", "\u2028", "\ufeff", "\ud800", "\ufffe", "\r", "\n", "\n\n", ": ",
    "- ", "{", "[", "]", "}", "'", '"', "# ", "&a ", "*a ", "!t ", "<<: ", "? ", "|\n", "---\n",
    "...\n", "%YAML 1.1\n", "$", "\U0001f600", "e\u0301", " " * 300, "[" * 50, "[" * 40 + "]" * 40,
)  # fmt: skip


def insert(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(ODD) + text[at:]


def cut(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at + chance.choice((1, 1, 2, 5, 50, len(text))) :]


def flip(text: str, chance: random.Random) -> str:
    at = chance.randrange(max(len(text), 1))
    return (
        text[:at] + chr(ord(text[at : at + 1] or "a") ^ (1 << chance.randrange(8))) + text[at + 1 :]
    )


def lines(text: str, chance: random.Random) -> str:
    """A line indented otherwise, doubled, moved; or all line ends of another kind."""
    rows = text.split("\n")
    at, to = chance.randrange(len(rows)), chance.randrange(len(rows))
    how = chance.randrange(4)
    if how == 0:
        rows[at] = chance.choice((" ", "  ", "\t")) + rows[at]
    elif how == 1:
        rows.insert(to, rows[at])
    elif how == 2:
        rows[at], rows[to] = rows[to], rows[at]
    return (chance.choice(("\r\n", "\r")) if how == 3 else "\n").join(rows)


HURTS: tuple[Hurt, ...] = (insert, insert, cut, flip, lines)


def _encoded(text: str, chance: random.Random) -> bytes:
    code = chance.choice(
        ("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1", "cp037")
    )
    data = bytearray(text.encode(code, "surrogatepass" if "utf" in code else "replace"))
    if data and chance.random() < 0.5:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _sets(tree: Any, chance: random.Random) -> dict[str, str]:
    if chance.random() > 0.1:
        return {}
    names = [*(tree.get("parameters") or {}), "dwel", "none", "a-b", "", "n" * 200]
    return {chance.choice(names): str(_value(chance)) for _ in range(chance.randint(1, 2))}
