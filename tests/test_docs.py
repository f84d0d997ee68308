"""The manual agrees with the program: everything is documented, and what is shown is true.

Parts that the program can write are compared with what it writes now; after a change run
`python -m tests.docs_blocks --write`. The sentences around them are for people.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from lbl.bench import file as bench_file
from lbl.bench import flow as flow_file
from lbl.cli import app
from lbl.errors import CODES
from lbl.journal.kinds import KINDS
from lbl.run.machine import VERBS, State
from lbl.watch.faults import FAULTS
from lbl.watch.ladder import LADDER
from sim.mishaps import KINDS as MISHAPS
from sim.parameters import PARAMETERS
from tests import docs_blocks

ROOT = docs_blocks.ROOT
DOCS = docs_blocks.DOCS
PAGES = sorted(DOCS.rglob("*.md"))
SHOWN = [path for path in (ROOT / "README.md", *PAGES) if path.exists()]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^(?:\.venv/bin/)?lbl (.+)$", re.MULTILINE)
INDENTED = re.compile(r"^ {4,}(?:\.venv/bin/)?lbl (.+)$", re.MULTILINE)
INLINE = re.compile(r"`(?:\.venv/bin/)?lbl ([^`]+)`")
MISSING = "MissingParameter"  # typer brings its own click, or not, so the class has no one home
TABLE_ROW = re.compile(r"^\| `([A-Za-z_]+)`", re.MULTILINE)
ROW_KEYS = re.compile(r"^\| ((?:`\w+` ?)+)\|", re.MULTILINE)
# section of the page -> the class whose keys it lists; those of drivers are generated
SECTIONS: dict[str, type[BaseModel]] = {
    "simulated": bench_file.Simulated,
    "cell": flow_file.CellFile,
    "sensing": flow_file.SensingFile,
    "bladder": flow_file.BladderFile,
    "microbalance": flow_file.MicrobalanceFile,
    "arm": bench_file.ArmFile,
    "dosing": bench_file.DosingFile,
    "temperature": bench_file.TemperatureFile,
    "stirring": bench_file.StirringFile,
}
# sections that two kinds of bench write with different keys
SHARED: dict[str, tuple[type[BaseModel], ...]] = {
    "Top level": (bench_file.DipFile, bench_file.FlowFile),
    "photometry": (bench_file.PhotometryFile, flow_file.WindowFile),
    "vessels": (bench_file.Vessel, flow_file.Reservoir),
}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    """What stands under a heading, up to the next of the same depth."""
    parts = re.split(r"^## (.+)$", read(page), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[title]


# --- generated parts -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", docs_blocks.BLOCKS)
def test_a_generated_part_is_what_the_program_generates(name: str) -> None:
    page, make = docs_blocks.BLOCKS[name]
    found = docs_blocks.found(page)
    assert name in found, f"{named(page)} has no part called {name}"
    assert found[name].strip() == make().strip(), "run: python -m tests.docs_blocks --write"


def test_no_page_has_a_part_that_nobody_generates() -> None:
    for page in PAGES:
        assert docs_blocks.found(page).keys() <= docs_blocks.BLOCKS.keys(), named(page)


# --- everything is documented --------------------------------------------------------------------


def test_each_command_and_option_is_documented() -> None:
    text = read("commands.md")
    for command in docs_blocks.commands():
        assert f"## {command.path}\n" in text
        assert command.text, f"{command.path} does not say what it does"
        for word in command.words:
            assert word.text, f"{command.path} {word.names or word.value} has no help"


def test_each_command_is_also_in_the_registry_of_typer() -> None:
    """The walk over the program that generates the page misses no command and no option."""
    walked = {one.path: {name for word in one.words for name in word.names} for one in commands()}
    for path, leaf in leaves(typer.main.get_command(app)):
        options = {name for one in leaf.params for name in one.opts if name.startswith("-")}
        assert options - {"--help"} == walked[path], path


def commands() -> list[docs_blocks.Command]:
    return list(docs_blocks.commands())


def leaves(command: Any, path: str = "lbl") -> Iterator[tuple[str, Any]]:
    for name, below in getattr(command, "commands", {}).items():
        if hasattr(below, "commands"):
            yield from leaves(below, f"{path} {name}")
        else:
            yield f"{path} {name}", below


def test_each_state_and_verb_is_documented() -> None:
    described = section("states.md", "What happens in each")
    for state in State:
        assert f"`{state.value}`" in described
    text = read("states.md")
    for verb in VERBS:
        assert re.search(rf"`(lbl )?{verb}`", text), verb


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("errors.md", CODES),
        ("journal.md", KINDS),
        ("journal.md", LADDER),
        ("world.md", PARAMETERS),
        ("world.md", MISHAPS),
        ("describe-a-bench.md", docs_blocks.specs()),
    ],
    ids=("codes", "kinds", "ladder", "world", "mishaps", "drivers"),
)
def test_each_word_has_its_row(page: str, words: Any) -> None:
    text = read(page)
    assert [word for word in words if f"\n| `{word}` |" not in text] == []


def test_each_fault_is_proved_by_a_test() -> None:
    proofs = docs_blocks.proved()
    assert [line for line in FAULTS if not proofs.get(line)] == []
    assert sorted(proofs.keys() - FAULTS.keys()) == [], "a mark that names no line"


def test_each_answer_to_a_fault_is_on_the_ladder() -> None:
    told = {code for line in FAULTS.values() for code in line.codes}
    assert sorted(told - LADDER.keys()) == []


@pytest.mark.parametrize("title", SECTIONS)
def test_each_key_of_a_bench_file_is_documented(title: str) -> None:
    fields = SECTIONS[title].model_fields
    keys = [field.alias or name for name, field in fields.items()]
    assert sorted(TABLE_ROW.findall(section("describe-a-bench.md", title))) == sorted(keys)


@pytest.mark.parametrize("title", SHARED)
def test_each_key_of_either_kind_of_bench_is_documented(title: str) -> None:
    text = section("describe-a-bench.md", title)
    shown = {key for row in ROW_KEYS.findall(text) for key in re.findall(r"`(\w+)`", row)}
    fields = [item for model in SHARED[title] for item in model.model_fields.items()]
    assert shown == {field.alias or name for name, field in fields}


def test_each_key_of_an_instrument_is_documented() -> None:
    text = section("describe-a-bench.md", "instruments")
    for key in docs_blocks.COMMON:
        assert f"\n| `{key}` |" in text, key
    for driver, spec in docs_blocks.specs().items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{driver}` |"))
        for key in spec.model_fields.keys() - docs_blocks.COMMON:
            assert f"`{key}`:" in row, (driver, key)


def test_each_kind_of_bench_is_documented() -> None:
    text = section("describe-a-bench.md", "Top level")
    for kind in bench_file.KINDS:
        assert f"`{kind}`:" in text, kind


def test_each_page_is_in_the_index() -> None:
    index = read("README.md")
    for page in DOCS.glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index, page.name
    decisions = read("decisions/README.md")
    for page in (DOCS / "decisions").glob("0*.md"):
        assert f"]({page.name})" in decisions, page.name


# --- what is shown is true -----------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors that headings of a page have on GitHub."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", SHOWN, ids=named)
def test_each_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        reached = (page.parent / path).resolve() if path else page
        assert reached.exists(), target
        if anchor:
            assert anchor in anchors(reached), target


def shown(page: Path) -> Iterator[tuple[str, bool]]:
    """Every `lbl …` of a page without comment or pipe, and whether it is a whole line to type."""
    text = docs_blocks.BLOCK.sub("", page.read_text(encoding="utf-8"))
    fenced = [line for block in FENCE.findall(text) for line in FENCED.findall(block)]
    for line in [*fenced, *INDENTED.findall(text)]:
        yield line.split(" #")[0].split(" | ")[0].rstrip(" &;"), True
    for line in INLINE.findall(text):
        yield line, False


LINES = sorted({(named(page), *found) for page in SHOWN for found in shown(page)})


@pytest.mark.parametrize(("page", "line", "whole"), LINES, ids=[f"{a}: {b}" for a, b, _ in LINES])
def test_each_command_line_shown_is_one_the_program_takes(
    page: str, line: str, whole: bool
) -> None:
    command, words = typer.main.get_command(app), shlex.split(line)
    if words[-1] in ("--help", "--debug", "COMMAND"):
        return
    words = words[words[0] == "--debug" :]
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"{page} shows `lbl {line}`"
        command, words = command.commands[words[0]], words[1:]
    try:
        command.make_context("lbl", words)
    except Exception as error:
        # a sentence may name a command, or one of its options, without its arguments
        if whole or type(error).__name__ != MISSING:
            raise


def test_there_is_something_to_check() -> None:
    assert len(LINES) > 30
    assert len(PAGES) > 15
