"""The recipe schema in somebody else's editor server: the yaml-language-server of Red Hat."""

import json
from collections.abc import Iterator

import pytest

from lbl.plan.schema import recipe_schema
from tests.plan.test_schema import DEMO, GOOD, RECIPES, WRONG
from tests.thirdparty.editor import SERVER, Editor

Underlined = dict[str, list[tuple[int, str]]]
HEAD = "# yaml-language-server: $schema=recipe.schema.json\n"


def changed(before: str, after: str) -> str:
    return HEAD + DEMO.replace(before, after, 1)


@pytest.fixture(scope="module")
def underlined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Underlined]:
    if not SERVER.exists():
        pytest.skip("no editor server: make thirdparty found no npm")
    folder = tmp_path_factory.mktemp("editor")
    (folder / "recipe.schema.json").write_text(json.dumps(recipe_schema()), encoding="utf-8")
    texts = {path.stem: HEAD + path.read_text(encoding="utf-8") for path in RECIPES}
    texts |= {name: changed(*change) for name, change in GOOD.items()}
    texts |= {name: changed(*change[:2]) for name, change in WRONG.items()}
    editor = Editor(folder)
    try:
        yield editor.underlined(texts)
    finally:
        editor.close()


@pytest.mark.parametrize("name", [*(path.stem for path in RECIPES), *GOOD])
def test_nothing_is_underlined_in_a_right_recipe(underlined: Underlined, name: str) -> None:
    assert underlined[name] == []


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_underlined_near_its_line(underlined: Underlined, name: str) -> None:
    before, after, _ = WRONG[name]
    first = DEMO[: DEMO.index(before)].count("\n") + 1  # below the head
    found = [line for line, _ in underlined[name]]
    assert any(first - 1 <= line <= first + after.count("\n") for line in found), (first, found)
