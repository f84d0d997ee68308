"""Recipes that mean harm are refused with a code and a place, in bounded time and memory.

Figures are compared with those of a good recipe of the same size in the same run; the absolute
ones are in `make bench`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lbl.errors import CODES, BadInput, Problem
from lbl.marked import MAX_BYTES
from lbl.plan.loader import read_recipe
from tests.plan import hostile

ROOT = Path(__file__).parents[2]
DEAREST = 8.0  # times what a good recipe of the same size costs; 3 is the most that was seen
MEMORY_MB = 64.0


def refused(source: str | Path) -> tuple[Problem, ...]:
    with pytest.raises(BadInput) as raised:
        read_recipe(source)
    assert all(problem.code in CODES for problem in raised.value.problems)
    return raised.value.problems


@pytest.mark.parametrize("name", hostile.SMALL)
def test_a_small_hostile_recipe_is_refused_where_it_is_hostile(name: str) -> None:
    text, code, place = hostile.small(name)
    assert len(text) < 4096
    found = [problem for problem in refused(text) if problem.code == code]
    assert found, refused(text)
    assert not place or f"recipe:{place}" in {problem.place for problem in found}, found


@pytest.mark.parametrize("name", hostile.LARGE)
def test_a_large_hostile_recipe_is_refused_with_few_words(name: str) -> None:
    text, code = hostile.LARGE[name]
    assert MAX_BYTES * 0.6 < len(text) <= MAX_BYTES
    found = refused(text)
    assert found[0].code == code
    assert len(found) <= 101
    assert len("\n".join(map(str, found))) < 32_000


def test_hostile_recipes_cost_little_more_than_good_ones() -> None:
    """Processor time, so that others on the machine do not count; what is dear is measured again.

    And none takes much memory.
    """
    rows = _costs()
    assert len(rows) == len(hostile.SMALL) + len(hostile.LARGE) + 2
    assert {name: row[-1] for name, row in rows.items() if row[-1] > MEMORY_MB} == {}
    dear = _dear(rows)
    assert not dear or not dear & _dear(_costs())


def _costs() -> dict[str, list[float]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.plan.hostile"],
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=True,
    )  # fmt: skip
    return {name: row for name, *row in map(json.loads, done.stdout.splitlines())}


def _dear(rows: dict[str, list[float]]) -> set[str]:
    """Texts that cost far more than a good one of their size."""
    small, large = (rows[name][2] for name in ("a good recipe", "a good large one"))
    return {
        name
        for name, (size, _, worked, _) in rows.items()
        if worked > DEAREST * (small if size < MAX_BYTES * 0.6 else large)
    }


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a hole of a terabyte


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "none": (lambda path: None, "file-unreadable"),
    "a folder": (Path.mkdir, "file-unreadable"),
    "a pipe that nobody writes": (os.mkfifo, "file-unreadable"),
    "a device without end": (lambda path: path.symlink_to("/dev/zero"), "file-unreadable"),
    "a terminal": (lambda path: path.symlink_to("/dev/tty"), "file-unreadable"),
    "a link to itself": (lambda path: path.symlink_to(path), "file-unreadable"),
    "a link to nothing": (lambda path: path.symlink_to("nothing"), "file-unreadable"),
    "a terabyte": (_huge, "file-too-large"),
    "one byte too many": (lambda path: path.write_bytes(b"#" * (MAX_BYTES + 1)), "file-too-large"),
    "nothing": (lambda path: path.write_bytes(b""), "recipe-not-mapping"),
    "NUL": (lambda path: path.write_bytes(b"\0" * 4096), "file-encoding"),
    "a program": (lambda path: path.write_bytes(Path(sys.executable).read_bytes()[:4096]),
                  "file-encoding"),
    "UTF-16": (lambda path: path.write_bytes(hostile.BASE.encode("utf-16")), "file-encoding"),
    "UTF-16 without a mark": (lambda path: path.write_bytes(hostile.BASE.encode("utf-16-le")),
                              "file-encoding"),
    "UTF-32": (lambda path: path.write_bytes(hostile.BASE.encode("utf-32")), "file-encoding"),
    "EBCDIC": (lambda path: path.write_bytes(hostile.BASE.encode("cp037")), "file-encoding"),
    "Latin-1": (lambda path: path.write_bytes(hostile.BASE.encode() + b"# \xe9"), "file-encoding"),
    "overlong UTF-8": (lambda path: path.write_bytes(b"name: \xc0\xaf"), "file-encoding"),
    "a surrogate in UTF-8": (lambda path: path.write_bytes(b"name: \xed\xa0\x80"), "file-encoding"),
    "two byte-order marks": (lambda path: path.write_bytes(b"\xef\xbb\xbf" * 2 + b"- 1"),
                             "recipe-not-mapping"),
}  # fmt: skip


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_recipe_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    make, code = FILES[name]
    make(path)
    (found,) = refused(path)
    assert found.code == code
    assert found.place.startswith(str(path))


@pytest.mark.parametrize("name", ["a\0b.yaml", "x" * 300, "/".join("x" * 3000)])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    (found,) = refused(Path(name))
    assert found.code == "file-unreadable"
    assert str(found).isprintable()


def test_a_recipe_by_another_hand_is_read() -> None:
    """What looks odd and is right: a byte-order mark, line ends of others, no last line end."""
    windows = hostile.BASE.replace("\n", "\r\n").rstrip()
    assert read_recipe(windows).model_dump() == read_recipe(hostile.BASE).model_dump()
    assert read_recipe(windows.replace("\r\n", "\r")).name == "film"
