"""The house holds: import contracts, sizes, one room for each side effect, words that are kept."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("lbl", "drivers", "sim", "recipes")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
FILE_MAX = 500
FUNCTION_MAX = 60
BANNED_NAMES = {"utils", "helpers", "manager", "misc"}
# module -> the files that may import it: time, wire and signals each have one room.
ONE_ROOM = {
    "time": {"lbl/run/clock.py", "sim/clock.py", "sim/visa.py"},
    "lbl._core": {"lbl/run/clock.py"},
    "pyvisa": {"drivers/bus.py", "sim/visa.py", "sim/sessions.py"},
    "signal": {"lbl/run/mailbox.py", "lbl/runs.py", "lbl/instruments.py"},
    "transitions": {"lbl/run/machine.py"},
    "random": set(),
    "pickle": set(),
    "asyncio": set(),
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_says_what_it_is_for_and_stays_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a file opens with what it is for"
    assert len(text.splitlines()) <= FILE_MAX
    assert path.stem not in BANNED_NAMES
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < FUNCTION_MAX, node.name
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, "no bare except"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_each_side_effect_has_one_room(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module]
        for module in modules:
            allowed = ONE_ROOM.get(module, ONE_ROOM.get(module.split(".")[0]))
            assert allowed is None or name(path) in allowed, f"{name(path)} imports {module}"


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
