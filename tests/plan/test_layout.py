"""The canonical form: same data, same comments, same plan, and it stays as it is."""

import json
import random
from pathlib import Path

import pytest

from lbl.errors import BadInput
from lbl.marked import load
from lbl.plan.equipment import Equipment
from lbl.plan.layout import canonical
from lbl.plan.loader import read_recipe
from lbl.plan.planner import plan

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))
MESSY = """\
---
# head

name:   film   # the name
lbl: 1


version: 1.0.0
procedure:
# first the film
- expose: {for: 60 s,to: A}   # one minute
- rinse:
      # how
      at_least:   3
      with: water
      for: 60 s
      # the end of this rinse


- park: {in: water}

# liquids
solutions:
    A: {charge: positive,
        pH: 9.0, concentration: 1 mg/mL}
    water: {role: 'rinse', pH: 9.0}
substrate: {area: 2 cm^2}
# the last word
"""
TIDY = """\
# head

lbl: 1
name: film # the name

version: 1.0.0
substrate: {area: 2 cm^2}
# the last word

# liquids
solutions:
  A:     {concentration: 1 mg/mL, pH: 9.0, charge: positive}
  water: {pH: 9.0, role: 'rinse'}
procedure:
  # first the film
  - expose: {to: A, for: 60 s} # one minute
  - rinse:
      # how
      at_least: 3
      with: water
      for: 60 s
      # the end of this rinse

  - park: {in: water}
"""


def comments(text: str) -> list[str]:
    """The comments of texts without '#' in values."""
    return sorted(line[line.index("#") :].strip() for line in text.splitlines() if "#" in line)


def test_a_messy_recipe_becomes_tidy() -> None:
    assert canonical(MESSY) == TIDY
    assert canonical(TIDY) == TIDY


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_that_ship_are_canonical(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert canonical(text) == text, f"run: lbl fmt recipes/{path.name}"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_plan_stays_the_same(path: Path, dip: Equipment) -> None:
    text = path.read_text(encoding="utf-8")
    shaken = shake(text, random.Random(path.stem))
    assert shaken != text
    assert plan(read_recipe(canonical(shaken)), dip).hash == plan(read_recipe(text), dip).hash


def shake(text: str, chance: random.Random) -> str:
    """The same recipe by a careless hand: other indents, blank lines, comments, line ends."""
    made = []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if chance.random() < 0.2:
            made.append("" if chance.random() < 0.5 else " " * chance.randrange(9) + "# aside")
        line = " " * (indent + 2 * (indent > 0)) + line.lstrip()
        if "{" in line and chance.random() < 0.3:
            line = line.replace(", ", ",   ")
        if line.strip() and "#" not in line and chance.random() < 0.3:
            line += " " * chance.randrange(1, 9) + "# told"
        made.append(line)
    return chance.choice(("\n", "\r\n")).join(made) + "\n"


@pytest.mark.parametrize("seed", range(16))
def test_data_and_comments_stay_and_the_form_is_stable(seed: int) -> None:
    chance = random.Random(seed)
    text = shake(chance.choice(RECIPES).read_text(encoding="utf-8"), chance)
    done = canonical(text)
    assert json.dumps(load(done).data, sort_keys=True) == json.dumps(
        load(text).data, sort_keys=True
    )
    assert comments(done) == comments(text)
    assert canonical(done) == done


@pytest.mark.parametrize(
    "value",
    ["'010'", "1e-6", "0.50", "'1:30'", "no", "'yes'", "~", ".5", '"a # b"', "[1,2]", "'$x'", "+5"],
)
def test_values_keep_their_meaning(value: str) -> None:
    text = f"lbl: 1\nparameters:\n    x:   {value}   # why\n"
    done = canonical(text)
    assert repr(load(done).data) == repr(load(text).data)
    assert done.endswith("# why\n")


def test_long_texts_keep_their_lines() -> None:
    text = "lbl: 1\ndescription: |\n  one   # no comment\n\n\n    two: {a: 1,b: 2}\nname: x\n"
    done = canonical(text)
    assert load(done).data == load(text).data
    assert "  one   # no comment\n\n\n    two: {a: 1,b: 2}\n" in done


def test_anchors_stay_before_their_aliases() -> None:
    text = "procedure:\n  - &a {wait: {for: 1 s}}\n  - *a\nlbl: 1\n"
    done = canonical(text)
    assert load(done).data == load(text).data
    assert canonical(done) == done


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: [1\n", "yaml-syntax"),
        ("- 1\n", "recipe-not-mapping"),
        ("a: 1\na: 2\n", "yaml-duplicate-key"),
        ("a: !!python/object 1\n", "yaml-tag"),
        ("lbl: 1\nname: {a: 1, # inside\n  b: 2}\n", "recipe-layout"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        canonical(text)
    assert caught.value.problems[0].code == code
