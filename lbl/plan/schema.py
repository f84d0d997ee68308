"""The recipe language as a JSON Schema, for editors that help while somebody writes.

Made from the models of `recipe.py`, so that it cannot say anything else than they do; draft 7,
which every YAML language server reads. Whatever `lbl check` accepts, the schema accepts; what
depends on more than one place (names of solutions, windows, order) is for `lbl check` alone. Must
never do I/O.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from lbl.plan.recipe import PHASES, Phase, Recipe

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
LITERAL: Final = frozenset({"lbl", "name", "version", "description", "parameters"})
NAME: Final = "[A-Za-z][A-Za-z0-9_]{0,63}"
REFERENCE: Final[Mapping[str, str]] = MappingProxyType(
    {"type": "string", "pattern": rf"^\${NAME}$", "description": "a parameter, as $name"}
)
_BESIDE_REPEAT: Final = tuple(
    info.alias or name for name, info in Phase.model_fields.items() if name not in (*PHASES, "when")
)

Schema = dict[str, Any]

# model -> key -> what an editor shows beside it
HELP: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "Recipe": {
            "lbl": "version of the recipe language",
            "name": "letters, digits, - and _",
            "version": "of this recipe, three numbers: raise it when you change the recipe",
            "parameters": "values used as $name below, and changed by --set name=value",
            "procedure": "what happens to the film, in order; each entry is one phase",
        },
        "Expose": {
            "to": "a film or primer solution",
            "for": "the dwell that is planned",
            "at_least": "a shorter dwell is a deviation; 90 % of `for` unless told",
            "at_most": "a longer dwell is a deviation; twice `for` unless told",
            "every": "only in every n-th round of the repeat around it",
            "on_resume": "what is done when a run is resumed inside this phase",
        },
        "Rinse": {
            "with": "a rinse solution",
            "for": "the time in each exchange",
            "at_least": "exchanges; the bench adds some where limits.carry_over needs them",
            "at_most": "exchanges",
        },
        "Measure": {"absorbance": "wavelength at which the film is looked at"},
        "Wait": {"for": "the film stays where it is"},
        "Temperature": {
            "to": "temperature of the liquids at the end",
            "over": "the time in which it is reached, evenly",
        },
        "Stir": {"at": "how fast the liquids are stirred from here on; 0 rpm: not at all"},
        "Refill": {
            "of": "a film or primer solution",
            "volume": "what is put back, by the pump that feeds its bath or by a person",
        },
        "Prime": {"with": "the film or primer solution that the film is exposed to next"},
        "Prompt": {"say": "what a person is to do; the run holds, wet, until it is done"},
        "Override": {
            "rule": "code of a rule of the chemistry that is set aside",
            "by": "who sets it aside; goes into the record",
            "reason": "why; goes into the record",
        },
        "Park": {"in": "a rinse solution; the film stays in the last rinse of its side"},
        "Phase": {
            "include": "a file beside this one; its steps happen here",
            "repeat": "how often the steps below are done",
            "while": "asked before each round but the first; false ends the repetition",
            "when": "a condition: it happens only where this is true",
            "as": "what is counted: each expose in a bilayer is one deposition",
            "steps": "the phases that are repeated",
        },
        "Solution": {
            "species": "what it holds, in words",
            "charge": "needed by everything that builds the film",
            "role": "film builds it, primer is never counted, rinse washes",
            "keep": "dark: light harms it",
        },
        "Substrate": {"area": "all coated sides together"},
        "Air": {
            "soft": "planned above is refused, measured above is a deviation",
            "hard": "measured above is a hold",
        },
        "Limits": {"carry_over": "of one polyion into the bath of its opposite"},
        "Growth": {"target": "absorbance per bilayer and side"},
    }
)


def recipe_schema() -> Schema:
    """The JSON Schema of a recipe as it is written: before `$name` is filled in."""
    made = Recipe.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    definitions = made.pop("$defs")
    for name, model in [("Recipe", made), *definitions.items()]:
        for key, words in HELP.get(name, {}).items():
            if key in model["properties"]:
                model["properties"][key] = _explained(model["properties"][key], words)
    for name, below in definitions.items():
        if name == Phase.__name__:
            _one_phase(below)
    top = made["properties"]
    filled = {key: one if key in LITERAL else _open(one) for key, one in top.items()}
    filled["parameters"] = _parameters(filled["parameters"])
    return {
        "$schema": DRAFT,
        **_tidy(made),
        "title": "lbl recipe",
        "properties": _tidy(filled),
        "definitions": {name: _tidy(_open(one)) for name, one in definitions.items()},
    }


def _explained(one: Schema, words: str) -> Schema:
    """The key's own sentence, then what its value must look like."""
    forms = [one, *one.get("anyOf", ())]
    form = next((kind["description"] for kind in forms if "description" in kind), "")
    return {**one, "description": f"{words}; {form}" if form else words}


def _one_phase(phase: Schema) -> None:
    """Exactly one phase an entry; what belongs to a repetition stands beside it only."""
    for name, given in phase["properties"].items():
        one = dict(given)
        kept = [kind for kind in one.pop("anyOf", ()) if kind != {"type": "null"}]
        # An alternative would make editors underline all of it, not what is wrong within.
        if len(kept) == 1 and (name in PHASES or kept[0].get("type") == "array"):
            phase["properties"][name] = {**kept[0], **one}
    phase["oneOf"] = [{"required": [name]} for name in PHASES]
    phase["dependencies"] = {"repeat": ["steps"], **{name: ["repeat"] for name in _BESIDE_REPEAT}}


def _parameters(given: Schema) -> Schema:
    """Names and plain values; one parameter must not refer to another."""
    value = {
        "anyOf": [{"type": "string", "not": {"pattern": r"^\$"}}, {"type": "number"}],
        "description": "a number, a quantity with its unit, or text",
    }
    allowed = {"propertyNames": {"pattern": f"^{NAME}$"}, "additionalProperties": value}
    return {**given, **allowed, "type": ["object", "null"]}


def _open(schema: Schema) -> Schema:
    """The schema with `$name` allowed for every single value in it."""
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        opened = {name: _open(one) for name, one in schema.get("properties", {}).items()}
        made = {**schema, "properties": opened} if opened else dict(schema)
        if isinstance(schema.get("additionalProperties"), dict):
            made["additionalProperties"] = _open(schema["additionalProperties"])
        return made
    if kind == "array":
        return {**schema, "items": _open(schema["items"])} if "items" in schema else schema
    if "anyOf" in schema:
        if all("$ref" in one or one.get("type") == "null" for one in schema["anyOf"]):
            return schema
        return {**schema, "anyOf": [*schema["anyOf"], dict(REFERENCE)]}
    if "$ref" in schema or kind == "null":
        return schema
    told = {key: value for key, value in schema.items() if key in ("description", "default")}
    plain = {key: value for key, value in schema.items() if key not in (*told, "title")}
    return {**told, "anyOf": [plain, dict(REFERENCE)]}


def _tidy(schema: Any) -> Any:
    """What draft 7 and an editor can use.

    Draft 7 overlooks what stands beside a $ref; titles made from keys only repeat them; defaults
    in base units, which an editor would fill in, are not what somebody writes.
    """
    if isinstance(schema, list):
        return [_tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        key: _tidy(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
        and not (key == "default" and not isinstance(value, (str, int)))
    }
    if "$ref" in made and len(made) > 1:
        return {"allOf": [{"$ref": made.pop("$ref")}], **made}
    return made
