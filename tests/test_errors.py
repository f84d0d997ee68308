"""The error family: one line a problem, one meaning a code, and a manual page that agrees."""

import ast
import re
from pathlib import Path

import pytest

from lbl.errors import (
    CODES,
    BadInput,
    Ended,
    Fault,
    Interrupted,
    LblError,
    Problem,
    Refused,
    short,
)

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"\| `([a-z-]+)` \| (.+) \| (.+) \|")


def test_a_problem_is_one_line_with_place_remedy_and_code() -> None:
    whole = Problem("recipe-order", "the park is missing", "a.yaml:3:1", "add it")
    assert str(whole) == "a.yaml:3:1: the park is missing; add it [recipe-order]"
    assert str(Problem("plan-volume", "too little")) == "too little [plan-volume]"


def test_an_error_prints_one_line_a_problem() -> None:
    error = BadInput(Problem("yaml-tag", "one"), Problem("yaml-key", "two"))
    assert str(error).splitlines() == ["one [yaml-tag]", "two [yaml-key]"]
    assert [problem.sentence for problem in error.problems] == ["one", "two"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [(LblError, 1), (BadInput, 2), (Refused, 2), (Ended, 3), (Fault, 4), (Interrupted, 5)],
)
def test_each_kind_has_its_exit_code(kind: type[LblError], code: int) -> None:
    assert kind(Problem("yaml-tag", "")).exit_code == code
    assert issubclass(kind, LblError)


def test_a_repeated_text_is_short_and_printable() -> None:
    assert short("PDAC") == "PDAC"
    assert short("x" * 100) == "x" * 37 + "..."
    assert short("a\nb\x1b[2J") == "a\\nb\\x1b[2J"


def test_the_manual_lists_each_code_with_the_same_meaning_and_a_cure() -> None:
    rows = ROW.findall((ROOT / "docs" / "errors.md").read_text(encoding="utf-8"))
    assert {code: meaning for code, meaning, _ in rows} == dict(CODES)
    assert [code for code, _, _ in rows] == list(CODES)
    assert all(cure.strip() for _, _, cure in rows)


def test_each_code_that_the_program_uses_is_in_the_table() -> None:
    unknown = []
    for path in sorted((ROOT / "lbl").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            first = node.args[0] if node.args else None
            if node.func.id == "Problem" and isinstance(first, ast.Constant):
                unknown += [(path.name, first.value)] * (first.value not in CODES)
    assert unknown == []
