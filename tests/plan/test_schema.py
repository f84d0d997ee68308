"""The schema for editors: as lenient as `lbl check`, and it catches what one place can show."""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from lbl import units
from lbl.errors import BadInput
from lbl.marked import load
from lbl.plan.loader import read_recipe
from lbl.plan.recipe import PHASES
from lbl.plan.schema import HELP, recipe_schema

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))
SCHEMA = recipe_schema()
VALIDATOR = Draft7Validator(SCHEMA)
DEMO = next(path for path in RECIPES if path.stem == "demo").read_text(encoding="utf-8")
GOOD = {
    "another unit of time": ("for: 5 min, at_most: 60 min", "for: 0.1 h, at_most: 1 hour"),
    "a unit that only pint knows": ("for: 5 min, at_most: 60 min", "for: 5 min, at_most: 0.1 days"),
    "no blank": ("for: 5 min", "for: 300s"),
    "a number as a parameter": ("carry_over: $carry_over", "carry_over: 1e-6"),
    "a share": ("carry_over: $carry_over", "carry_over: 0.0001 %"),
    "kelvin": ("15..30 degC", "288.15 K..303.15 K"),
    "no parameters of its own": ("  rinses: 3", "  rinses: 3\n  none: text"),
    "a word as a parameter": (
        "  rinses: 3",
        "  rinses: 3\n  answer: hold",
    ),
    "every": ("for: $dwell, at_least: 1 min", "for: $dwell, every: 2, at_least: 1 min"),
    "a parameter for a word": ("chart: cusum, on_alarm: note", "on_alarm: note"),
}
# name -> (what stands in demo, what stands there instead, the key where an editor underlines)
WRONG = {
    "no unit": ("for: 5 min", "for: 5", "for"),
    "a clock time": ("for: 5 min", "for: '1:30'", "for"),
    "a unit of another kind": ("for: 5 min", "for: 5 mL", "for"),
    "an area as a time": ("area: 2 cm^2", "area: 2 s", "area"),
    "a temperature as a time": ("soft: 20 s", "soft: 20 degC", "soft"),
    "a range without unit": ("15..30 degC", "15..30", "temperature"),
    "half a parameter": ("for: $dwell,", "for: '2 $dwell',", "for"),
    "unknown option": ("at_most: 60 min", "at_mots: 60 min", "expose"),
    "unknown phase": ("- park:", "- parc:", 3),
    "two phases in one": (
        "  - park: {in: buffer}",
        "  - park: {in: buffer}\n    wait: {for: 1 s}",
        3,
    ),
    "a phase without options": ("{in: buffer}", "", "park"),
    "repeat without steps": ("  - park: {in: buffer}", "  - repeat: 5", 3),
    "steps without repeat": ("- repeat: $bilayers", "- measure: {absorbance: 570 nm}", 2),
    "as beside a phase": (
        "  - park: {in: buffer}",
        "  - park: {in: buffer}\n    as: bilayer",
        3,
    ),
    "a word not allowed": ("charge: negative", "charge: minus", "charge"),
    "a parameter that refers": ("rinses: 3 #", "rinses: $bilayers #", "rinses"),
    "a name with a blank": ("name: demo", "name: my demo", "name"),
    "a parameter as a name": ("name: demo", "name: $bilayers", "name"),
    "two numbers as version": ("version: 1.0.0", "version: 1.0", "version"),
    "a word for the language": ("lbl: 1", "lbl: true", "lbl"),
    "another language": ("lbl: 1", "lbl: 2", "lbl"),
    "pH off the scale": ("pH: 9.0, charge: negative", "pH: 19.0, charge: negative", "pH"),
    "too many exchanges": ("at_least: $rinses", "at_least: 99", "at_least"),
    "a list for a mapping": (
        "  growth: {target: 1.0 mOD, chart: cusum, on_alarm: note}",
        "  - growth",
        "quality",
    ),
}


def changed(before: str, after: str) -> Any:
    assert before in DEMO
    return load(DEMO.replace(before, after, 1)).data


def test_the_schema_is_one() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("draft-07/schema#")


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_recipes_that_ship_are_valid(path: Path) -> None:
    assert list(VALIDATOR.iter_errors(load(path).data)) == []


@pytest.mark.parametrize("case", GOOD)
def test_what_the_loader_accepts_the_schema_accepts(case: str) -> None:
    before, after = GOOD[case]
    data = changed(before, after)
    read_recipe(DEMO.replace(before, after, 1))
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []


@pytest.mark.parametrize("case", WRONG)
def test_what_the_schema_refuses_the_loader_refuses_too(case: str) -> None:
    before, after, key = WRONG[case]
    places = [list(error.absolute_path) for error in VALIDATOR.iter_errors(changed(before, after))]
    assert places, "the schema accepts it"
    assert any(key in place[-1:] for place in places), places
    with pytest.raises(BadInput):
        read_recipe(DEMO.replace(before, after, 1))


def test_each_sentence_for_editors_belongs_to_a_key() -> None:
    models = {"Recipe": SCHEMA, **SCHEMA["definitions"]}
    for name, keys in HELP.items():
        for key, words in keys.items():
            assert models[name]["properties"][key]["description"].startswith(words), (name, key)


def test_each_phase_is_one_of_the_alternatives() -> None:
    phase = SCHEMA["definitions"]["Phase"]
    assert [one["required"] for one in phase["oneOf"]] == [[name] for name in PHASES]


def test_no_default_is_offered_that_could_not_be_written() -> None:
    def walk(schema: Any) -> None:
        if isinstance(schema, list):
            for one in schema:
                walk(one)
        elif isinstance(schema, dict):
            if "default" in schema:
                within = {**schema, "definitions": SCHEMA["definitions"]}
                assert Draft7Validator(within).is_valid(schema["default"]), schema
            for one in schema.values():
                walk(one)

    walk(SCHEMA)


@pytest.mark.parametrize("unit", ["s", "mg/mL", "cm^2", "nm", "OD", "degC", ""])
@pytest.mark.parametrize(
    "text", ["5 s", "5 mL", "2e3 ug/mL", "1 °C", "7 %", "1 mm²", "3 degF", "0.1 mOD", "5", "1:30"]
)
def test_the_form_of_a_quantity_refuses_nothing_that_can_be_read(unit: str, text: str) -> None:
    valid = Draft7Validator(units.form(unit)).is_valid(text)
    try:
        units.number(text, unit)
    except ValueError:
        return
    assert valid


VALUES = (
    "5 min", "5", "5 mL", "1e-6", "5 %", "2 cm^2", "0.1 OD", "15..30 degC", "$dwell", "$bilayers",
    "$rinses", "$none", "film", "rinse", "hold", "auto", "PDAC", "buffer", "none", "7.5", "3", "-1",
    "true", "null", "[]", "{}", "1.0.0", "2 weeks", "25 degC", "560", "''",
)  # fmt: skip


def leaves(value: Any, route: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, (dict, list)) and route:
        yield route
    if isinstance(value, (dict, list)):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, below in pairs:
            yield from leaves(below, (*route, key))
    else:
        yield route


@pytest.mark.parametrize("seed", range(4))
def test_the_schema_refuses_nothing_that_the_loader_accepts(seed: int) -> None:
    """Any value at any place: whatever the loader takes, an editor must not underline."""
    chance = random.Random(seed)
    data: Any = load(DEMO).data
    routes = list(leaves(data))
    accepted = 0
    for _ in range(120):
        mutant = json.loads(json.dumps(data))
        at: Any = mutant
        *above, last = chance.choice(routes)
        for part in above:
            at = at[part]
        at[last] = load(f"v: {chance.choice(VALUES)}").data["v"]  # type: ignore[index]
        try:
            read_recipe(json.dumps(mutant))
        except BadInput:
            continue
        accepted += 1
        assert [error.message for error in VALIDATOR.iter_errors(mutant)] == []
    assert accepted


def test_the_patterns_are_fit_for_the_editors() -> None:
    """Editors compile patterns as JavaScript in unicode mode, which refuses needless escapes."""
    patterns = re.findall(r'"pattern": ("(?:[^"\\\\]|\\\\.)*")', json.dumps(SCHEMA))
    assert len(patterns) > 10
    for pattern in map(json.loads, patterns):
        assert set(re.findall(r"\\(.)", pattern)) <= set("sd.$^*+?(){}|[]/")
        assert "(?P" not in pattern
