"""The parts of the manual that the program writes itself, and where they stand.

`python -m tests.docs_blocks` says which are out of date, with `--write` it renews them. A part is
what stands between `<!-- generated: NAME -->` and `<!-- end of NAME -->`. Everything else on a page
is written by people and left alone.
"""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from typer.models import ArgumentInfo, OptionInfo

from lbl.bench.file import AnySpec
from lbl.cli import app
from lbl.journal import kinds
from lbl.run.machine import ACTING, TABLE, State, diagram, verbs_from
from lbl.watch import ladder
from lbl.watch.faults import FAULTS
from sim.mishaps import KINDS as MISHAPS
from sim.parameters import PARAMETERS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"<!-- generated: ([a-z-]+) -->\n(.*?)<!-- end of \1 -->", re.DOTALL)
EXAMPLE = re.compile(r"write it like '([0-9.]+) ([^']+)'")
COMMON = {"role", "driver", "resource", "address", "serial", "calibrated", "card"}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [list(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


# --- commands ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """One argument or option of a command, as the manual shows it."""

    names: tuple[str, ...]  # of an option; empty for an argument
    value: str
    default: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """One command with what may follow it."""

    path: str
    text: str
    words: tuple[Word, ...]


def commands(of: typer.Typer = app, path: str = "lbl") -> Iterator[Command]:
    """Every command of the program, groups unfolded, in the order of `--help`."""
    for info in of.registered_commands:
        if info.callback is not None and not info.hidden:
            name = info.name or info.callback.__name__.replace("_", "-")
            text = inspect.getdoc(info.callback) or ""
            yield Command(f"{path} {name}", " ".join(text.split()), tuple(_words(info.callback)))
    for group in of.registered_groups:
        if group.typer_instance is not None:
            yield from commands(group.typer_instance, f"{path} {group.name}")


def _words(callback: Callable[..., Any]) -> Iterator[Word]:
    hints = get_type_hints(callback, include_extras=True)
    for name, parameter in inspect.signature(callback).parameters.items():
        kind, info = get_args(hints[name])[:2]
        default = parameter.default
        required = default is inspect.Parameter.empty
        shown = "" if default in (None, "", False) or required else f"`{default}`"
        text = info.help or ""
        if info.envvar:
            text += f" Or `{info.envvar}`."
        if isinstance(info, ArgumentInfo):
            value = name.upper() if required else f"[{name.upper()}]"
            yield Word((), value, shown, text)
            continue
        assert isinstance(info, OptionInfo)
        # inside Annotated, typer keeps the first name where a default would stand
        given = (info.default, *(info.param_decls or ()))
        names = tuple(one for one in given if isinstance(one, str) and one.startswith("-"))
        names = names or (f"--{name.replace('_', '-')}",)
        yield Word(names, _value(kind), "required" if required else shown, text)


def _value(kind: Any) -> str:
    """What an option takes, in a word; "" for a switch."""
    if get_origin(kind) in (Union, UnionType):
        kind = next(one for one in get_args(kind) if one is not type(None))
    several = get_origin(kind) is list
    if several:
        kind = get_args(kind)[0]
    word = {bool: "", str: "text", int: "number", float: "number", Path: "path"}[kind]
    return f"{word}, may be repeated" if several else word


def commands_block() -> str:
    """One section a command: what it does, its arguments and options."""
    parts = []
    for command in commands():
        arguments = [word.value for word in command.words if not word.names]
        lines = [f"## {command.path}", "", command.text, ""]
        lines += [f"    {' '.join([command.path, *arguments, '[OPTIONS]'])}", ""]
        rows = [
            (", ".join(f"`{name}`" for name in word.names) or f"`{word.value.strip('[]')}`",
             word.value if word.names else "", word.default, word.text)
            for word in command.words
        ]  # fmt: skip
        parts.append("\n".join([*lines, table(("option", "takes", "default", "meaning"), rows)]))
    return "\n\n".join(parts)


# --- tables ------------------------------------------------------------------------------------


def diagram_block() -> str:
    """The state machine as Mermaid."""
    return f"```mermaid\n{diagram()}\n```"


def states_block() -> str:
    """State by state: whether it acts, what a person may ask, where it ends by itself."""
    rows = []
    for state in State:
        ends = [after.value for verb, before, after in TABLE if (verb, before) == ("done", state)]
        asked = ", ".join(f"`{verb}`" for verb in verbs_from(state))
        kind = "acts" if state in ACTING else "waits"
        rows.append((f"`{state.value}`", kind, asked or "nothing", ends[0] if ends else ""))
    return table(("state", "it", "takes", "ends by itself in"), rows)


def kinds_block() -> str:
    """The journal's vocabulary."""
    rows = ((f"`{name}`", needs, also, text) for name, needs, also, text in kinds.rows())
    return table(("kind", "always carries", "may carry", "meaning"), rows)


def ladder_block() -> str:
    """What can go wrong and what is answered, and whether anything says so today."""
    raised = set(_texts(ROOT / "lbl" / "run", ROOT / "lbl" / "watch"))
    rows = (
        (f"`{code}`", answer, "yes" if code in raised else "not yet", text)
        for code, answer, text in ladder.rows()
    )
    return table(("code", "answer", "raised today", "meaning"), rows)


def faults_block() -> str:
    """What a run must live through, line by line, and the tests of each line."""
    proofs = proved()
    rows = []
    for name, line in FAULTS.items():
        answers = ", ".join(f"`{code}`" for code in line.codes)
        response = f"{line.response} ({answers})" if answers else line.response
        tests = "<br>".join(f"`{test}`" for test in proofs.get(name, ()))
        rows.append((name, line.fault, line.detection, response, line.bound, tests))
    return table(("line", "fault", "seen by", "answer", "bound", "tests"), rows)


def proved() -> dict[str, list[str]]:
    """Line of the table of faults -> the tests marked with it, as `file::test`."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                name = f"{path.relative_to(ROOT / 'tests').as_posix()}::{node.name}"
                for line in _faults_of(node):
                    found.setdefault(line, []).append(name)
    return found


def _faults_of(node: ast.FunctionDef) -> Iterator[str]:
    """The lines that `@pytest.mark.fault(...)` names above a test."""
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault":
            yield from (str(one.value) for one in mark.args if isinstance(one, ast.Constant))


def _texts(*folders: Path) -> Iterator[str]:
    """Every text constant of the program below some folders, tables of words left out."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            if path.name not in ("ladder.py", "faults.py"):  # data of the manual alone
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    if isinstance(node, ast.Constant) and isinstance(node.value, str):
                        yield node.value


def world_block() -> str:
    """Every parameter of the simulated world."""
    rows = (
        (f"`{one.name}`", one.unit, f"{one.default:g}", f"{one.low:g}..{one.high:g}",
         "guess" if one.guess else "sourced", "yes" if one.acts else "no", one.note)
        for one in PARAMETERS.values()
    )  # fmt: skip
    return table(("name", "unit", "default", "range", "basis", "acts", "note"), rows)


def mishaps_block() -> str:
    """Everything that can befall the simulated world."""
    rows = []
    for name, kind in MISHAPS.items():
        said = f"{kind.unit.replace('-', '')} ({kind.default:g})".strip() if kind.unit else ""
        span = f"{kind.low:g}..{kind.high:g}" if kind.unit else ""
        place, lasts = ("yes" if one else "no" for one in (kind.place, kind.lasting))
        rows.append((f"`{name}`", kind.meaning, said, span, place, lasts))
    return table(
        ("world", "what happens", "argument (if left out)", "range", "where", "lasts"), rows
    )


# --- the bench file ----------------------------------------------------------------------------


def specs() -> Mapping[str, Any]:
    """Driver -> the class of its entry in a bench file."""
    return {
        get_args(one.model_fields["driver"].annotation)[0]: one
        for one in get_args(get_args(AnySpec)[0])
    }


def instruments_block() -> str:
    """What each driver's entry in a bench file says beside what all of them say."""
    rows = []
    for driver, spec in specs().items():
        fields = spec.model_fields
        role = ", ".join(f"`{word}`" for word in get_args(fields["role"].annotation))
        own = [_key(name, field) for name, field in fields.items() if name not in COMMON]
        text = " ".join((inspect.getdoc(spec) or "").split())
        rows.append((f"`{driver}`", role, "; ".join(own) or "none", text))
    return table(("`driver`", "`role`", "its own keys", "what it is"), rows)


def _key(name: str, field: FieldInfo) -> str:
    shown = f"`{name}`: {wanted(field)}"
    return shown if field.is_required() else f"{shown}; {_default(field)} if left out"


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        dots = ".." if EXAMPLE.search(_refusal(field)) else ", "
        value = dots.join(f"{one:g}" for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"


def wanted(field: FieldInfo) -> str:
    """What a key takes, in words; a quantity tells its unit when it is refused."""
    example = EXAMPLE.search(_refusal(field))
    if example:
        return f"{'range' if '..' in example[1] else 'quantity'} in {example[2]}"
    if get_origin(field.annotation) is Literal:
        return " or ".join(str(word) for word in get_args(field.annotation))
    if field.annotation in (int, float):
        return f"{'whole ' if field.annotation is int else ''}number{_range(field)}"
    plain = {bool: "true or false", str: "text"}
    return plain.get(field.annotation, "list of whole numbers")


def _refusal(field: FieldInfo) -> str:
    """What a key answers to a value that nobody could mean."""
    try:
        TypeAdapter(Annotated[field.annotation, field]).validate_python("?")
    except ValidationError as error:
        return str(error.errors()[0]["msg"])
    return ""


def _range(field: FieldInfo) -> str:
    bounds = {type(one).__name__: one for one in field.metadata}
    low, above, high = bounds.get("Ge"), bounds.get("Gt"), bounds.get("Le")
    if high is None or (low is None and above is None):
        return ""
    return f", {low.ge}..{high.le}" if low else f", above {above.gt} and at most {high.le}"


BLOCKS: Mapping[str, tuple[Path, Callable[[], str]]] = {
    "commands": (DOCS / "commands.md", commands_block),
    "diagram": (DOCS / "states.md", diagram_block),
    "states": (DOCS / "states.md", states_block),
    "kinds": (DOCS / "journal.md", kinds_block),
    "ladder": (DOCS / "journal.md", ladder_block),
    "faults": (DOCS / "faults.md", faults_block),
    "world": (DOCS / "world.md", world_block),
    "mishaps": (DOCS / "world.md", mishaps_block),
    "instruments": (DOCS / "describe-a-bench.md", instruments_block),
}


def found(page: Path) -> dict[str, str]:
    """The generated parts of a page as they stand there."""
    return dict(BLOCK.findall(page.read_text(encoding="utf-8")))


def renew(page: Path) -> str:
    """The page with its generated parts made anew."""

    def put(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- generated: {name} -->\n{BLOCKS[name][1]()}\n<!-- end of {name} -->"

    return BLOCK.sub(put, page.read_text(encoding="utf-8"))


def main(words: list[str]) -> int:
    """Say which pages are out of date, or write them."""
    stale = [page for page in sorted({page for page, _ in BLOCKS.values()})
             if renew(page) != page.read_text(encoding="utf-8")]  # fmt: skip
    for page in stale:
        if "--write" in words:
            page.write_text(renew(page), encoding="utf-8")
        print(f"{'renewed' if '--write' in words else 'out of date'}: {page.relative_to(ROOT)}")
    return int(bool(stale) and "--write" not in words)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
