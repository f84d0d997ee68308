"""The hash of what a recipe says: blind to layout alone; and recipes of other formats."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lbl.errors import BadInput
from lbl.plan.content import content_of
from lbl.plan.loader import read_recipe
from lbl.plan.migration import MIGRATIONS, migrated

DEMO = (Path(__file__).parents[2] / "recipes" / "demo.yaml").read_text(encoding="utf-8")


def test_comments_layout_and_the_order_of_keys_leave_the_content_alone() -> None:
    bare = "\n".join(line.split(" #")[0] for line in DEMO.splitlines() if line[:1] != "#")
    turned = bare.replace("area: 2 cm^2, form: flat witness", "form: 'flat witness', area: 2 cm^2")
    wide = turned.replace("  - park: {in: buffer}", "  - park:\n      in: buffer\n")
    assert len({DEMO, bare, turned, wide}) == 4
    assert {read_recipe(text).content for text in (DEMO, bare, turned, wide)} == {content_of(DEMO)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1.0.0", "version: 1.0.1"),
        ("dwell: 2 min", "dwell: 121 s"),
        ("run from end to end", "run from end to the end"),
        ("role: primer", "role: film"),
        ("      - measure: {absorbance: 570 nm}\n", ""),
    ],
)
def test_each_value_is_part_of_the_content(old: str, new: str) -> None:
    assert DEMO.count(old) == 1
    assert content_of(DEMO.replace(old, new)) != content_of(DEMO)


def test_the_order_of_the_solutions_is_part_of_the_content() -> None:
    lines = DEMO.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("  PDAC:"))
    lines[place], lines[place + 1] = lines[place + 1], lines[place]
    turned = "\n".join(lines)
    assert sorted(turned) == sorted(DEMO.rstrip("\n"))
    assert read_recipe(turned).content != content_of(DEMO)


def test_a_value_from_the_command_line_is_not_the_authors() -> None:
    assert read_recipe(DEMO, {"dwell": "3 min"}).content == content_of(DEMO)


def test_a_number_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(BadInput, match="recipe-out-of-range"):
        read_recipe(DEMO.replace("bilayers: 5", "bilayers: 123456789012345678"))


def test_a_newer_format_is_refused_alone_and_by_name() -> None:
    text = DEMO.replace("lbl: 1", "lbl: 7") + "swirl: very\n"
    with pytest.raises(BadInput) as caught:
        read_recipe(text)
    (problem,) = caught.value.problems
    assert problem.code == "recipe-language"
    assert "this asks for '7', which is newer" in problem.sentence
    assert problem.place == "recipe:3:6"


@pytest.mark.parametrize("stated", ["0", "-1", "true", "1.0", "1.5", "'1'"])
def test_what_is_no_known_format_is_refused(stated: str) -> None:
    with pytest.raises(BadInput, match="recipe-language"):
        read_recipe(DEMO.replace("lbl: 1", f"lbl: {stated}"))


def test_an_older_format_goes_through_every_row_of_the_table() -> None:
    def second(data: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**data, "steps": data["phases"]}

    def third(data: Mapping[str, Any]) -> Mapping[str, Any]:
        assert data["lbl"] == 2
        return {key: value for key, value in data.items() if key != "phases"}

    table = {1: second, 2: third}
    old = {"lbl": 1, "phases": [1]}
    assert migrated(old, "", table, 3) == {"lbl": 3, "steps": [1]}
    assert old == {"lbl": 1, "phases": [1]}
    assert migrated({"lbl": 0}, "", table, 3) == {"lbl": 0}  # the recipe's own check refuses it


def test_the_first_format_has_no_row_to_lead_to_it() -> None:
    assert dict(MIGRATIONS) == {}
