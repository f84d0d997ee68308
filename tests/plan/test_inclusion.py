"""Included files: put in with their places, confined to the recipe's folder, kept in one text."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lbl.errors import BadInput
from lbl.plan.content import content_of
from lbl.plan.equipment import Equipment
from lbl.plan.loader import read_recipe
from lbl.plan.planner import plan

HEAD = """\
lbl: 1
name: parts
version: 1.0.0
parameters: {dwell: 2 min}
substrate: {area: 2 cm^2}
solutions:
  A: {concentration: 1 mg/mL, pH: 6, charge: positive}
  B: {concentration: 1 mg/mL, pH: 6, charge: negative}
  water: {pH: 6, role: rinse}
procedure:
"""
FILM = """\
  - repeat: 2
    as: bilayer
    steps:
      - include: positive.yaml # the first side
      - expose: {to: B, for: $dwell}
      - include: rinses.yaml
  - park: {in: water}
"""
PARTS = {
    "positive.yaml": "lbl: 1\nsteps:\n  - expose: {to: A, for: $dwell}\n  - include: rinses.yaml\n",
    "rinses.yaml": "lbl: 1\ndescription: as always\nsteps:\n"
    "  # three baths\n  - rinse: {with: water, for: 1 min, at_least: 3}\n",
}
Desk = Callable[..., Path]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A folder with a recipe and what it includes; some of it changed."""

    def made(film: str = FILM, **changed: str) -> Path:
        parts = {**PARTS, **{f"{name}.yaml": text for name, text in changed.items()}}
        for name, text in parts.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text(HEAD + film, encoding="utf-8")
        return recipe

    return made


def told(recipe: Path) -> list[tuple[str, str]]:
    """(code, place without the folder) of everything that is wrong."""
    with pytest.raises(BadInput) as raised:
        read_recipe(recipe)
    folder = f"{recipe.parent}{os.sep}"
    return [(one.code, one.place.removeprefix(folder)) for one in raised.value.problems]


def test_it_is_the_recipe_that_stands_in_one_file(desk: Desk, dip: Equipment) -> None:
    whole = """\
  - repeat: 2
    as: bilayer
    steps:
      - expose: {to: A, for: $dwell}
      - rinse: {with: water, for: 1 min, at_least: 3}
      - expose: {to: B, for: $dwell}
      - rinse: {with: water, for: 1 min, at_least: 3}
  - park: {in: water}
"""
    assert plan(read_recipe(desk()), dip).steps == plan(read_recipe(HEAD + whole), dip).steps


def test_the_text_of_it_needs_no_file_and_says_the_same(desk: Desk, dip: Equipment) -> None:
    made = read_recipe(desk())
    again = read_recipe(made.text)
    assert again.content == made.content == content_of(made.text)
    assert plan(again, dip).hash == plan(made, dip).hash
    assert "# three baths" in made.text and "# the first side" in made.text


def test_a_recipe_without_includes_is_its_own_text(demo_text: str) -> None:
    assert read_recipe(demo_text).text == demo_text


def test_what_is_included_is_content(desk: Desk) -> None:
    before = read_recipe(desk()).content
    other = PARTS["rinses.yaml"].replace("1 min", "2 min")
    assert read_recipe(desk(rinses=other)).content != before


def test_mistakes_are_told_where_they_were_written(desk: Desk) -> None:
    wrong = "lbl: 1\nsteps:\n  - rinse: {with: watr, for: 1 min}\n  - rins: {with: water}\n"
    found = told(desk(rinses=wrong))
    assert ("recipe-unknown-solution", "rinses.yaml:3:19") in found
    assert ("recipe-unknown-phase", "rinses.yaml:4:5") in found


def test_a_parameter_that_does_not_exist_is_told_in_the_part(desk: Desk) -> None:
    part = PARTS["positive.yaml"].replace("$dwell", "$dwel")
    assert told(desk(positive=part)) == [("recipe-unknown-parameter", "positive.yaml:3:26")]


def test_an_order_that_is_wrong_is_told_in_the_part(desk: Desk) -> None:
    part = "lbl: 1\nsteps:\n  - expose: {to: A, for: 1 min}\n"
    assert told(desk(positive=part)) == [("recipe-order", "positive.yaml:3:5")]


@pytest.mark.parametrize(
    "name",
    ["../rinses.yaml", "/etc/passwd", "a/b.yaml", "rinses", ".hidden.yaml", "rinses.yml", "$dwell",
     "C:\\\\x.yaml", "\"rinses.yaml\\0\"", "[rinses.yaml]", "12"],
)  # fmt: skip
def test_only_files_beside_it_can_be_included(desk: Desk, name: str) -> None:
    film = FILM.replace("include: rinses.yaml", f"include: {name}")
    (found,) = told(desk(film))
    assert found == ("recipe-include", "recipe.yaml:16:18")


def test_a_link_out_of_the_folder_is_refused(desk: Desk, tmp_path: Path) -> None:
    recipe = desk()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "rinses.yaml").rename(tmp_path / "elsewhere" / "rinses.yaml")
    (tmp_path / "rinses.yaml").symlink_to(tmp_path / "elsewhere" / "rinses.yaml")
    assert set(told(recipe)) == {("recipe-include", "rinses.yaml")}


def test_what_is_no_plain_file_is_refused(desk: Desk, tmp_path: Path) -> None:
    recipe = desk()
    (tmp_path / "rinses.yaml").unlink()
    assert {code for code, _ in told(recipe)} == {"file-unreadable"}
    os.mkfifo(tmp_path / "rinses.yaml")
    assert {code for code, _ in told(recipe)} == {"file-unreadable"}


def test_a_circle_is_refused(desk: Desk) -> None:
    part = PARTS["rinses.yaml"] + "  - include: positive.yaml\n"
    assert ("recipe-include", "rinses.yaml:6:14") in told(desk(rinses=part))


def test_too_many_and_too_deep_are_refused(desk: Desk) -> None:
    film = FILM.replace("      - include: rinses.yaml\n", "      - include: rinses.yaml\n" * 17)
    assert {code for code, _ in told(desk(film))} == {"recipe-include"}
    deep = {f"p{n}": f"lbl: 1\nsteps: [{{include: p{n + 1}.yaml}}]\n" for n in range(5)}
    film = FILM.replace("include: rinses.yaml", "include: p0.yaml")
    assert told(desk(film, **deep)) == [("recipe-include", "p3.yaml:2:19")]


def test_together_they_are_no_larger_than_one_file(desk: Desk) -> None:
    long = PARTS["rinses.yaml"] + "# " + "x" * 200_000 + "\n"
    assert {code for code, _ in told(desk(rinses=long))} == {"file-too-large"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[]", "recipe-wrong-type"),
        ("lbl: 1\n", "recipe-missing-key"),
        ("lbl: 2\nsteps: [{wait: {for: 1 s}}]\n", "recipe-wrong-word"),
        ("lbl: 1\nsteps: []\n", "recipe-out-of-range"),
        ("lbl: 1\nname: x\nsteps: [{wait: {for: 1 s}}]\n", "recipe-unknown-key"),
        ("lbl: [\n", "yaml-syntax"),
    ],
)
def test_a_part_that_is_none(desk: Desk, text: str, code: str) -> None:
    (found, *_) = told(desk(rinses=text))
    assert found[0] == code
    assert found[1].startswith("rinses.yaml")


def test_a_text_has_no_folder() -> None:
    with pytest.raises(BadInput, match="has no folder"):
        read_recipe(HEAD + FILM)


def test_anchors_that_would_meet_are_refused_or_kept(desk: Desk, dip: Equipment) -> None:
    """One text has one set of anchors; what it says must stay what was written."""
    part = "lbl: 1\nsteps:\n  - expose: &x {to: A, for: $dwell}\n  - include: rinses.yaml\n"
    film = FILM.replace("{to: B, for: $dwell}", "&x {to: B, for: $dwell}")
    recipe = desk(film, positive=part)
    try:
        made = read_recipe(recipe)
    except BadInput as error:
        assert error.problems[0].code == "recipe-include"
        return
    assert plan(read_recipe(made.text), dip).hash == plan(made, dip).hash
