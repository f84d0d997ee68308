"""The door to recipe texts: the schema for editors, the canonical form, a new recipe.

Files are written here, whole or not at all; a new one never over another. Must never print, and
never import a face.
"""

import contextlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from lbl.errors import BadInput, Problem, short
from lbl.marked import MAX_BYTES
from lbl.shipped import find

INDENT: Final = 1
PIPED: Final = "standard input"


def schema_text() -> str:
    """The JSON Schema of recipes, as text."""
    from lbl.plan.schema import recipe_schema

    return json.dumps(recipe_schema(), indent=INDENT, ensure_ascii=True) + "\n"


def write_schema(path: Path) -> None:
    """Write the schema into a file, over an older one; raises BadInput when it cannot be."""
    _replace(path, schema_text())


@dataclass(frozen=True, slots=True)
class Laid:
    """A recipe's text before and after it was laid out; `path` is None for a text."""

    path: Path | None
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether the canonical form differs from what was there."""
        return self.before != self.after

    def demand_canonical(self, place: str) -> None:
        """Raise BadInput `recipe-form` when it is not canonical."""
        if self.changed:
            sentence = "this is not in canonical form"
            raise BadInput(Problem("recipe-form", sentence, place, "run lbl fmt without --check"))


def lay_out(given: str) -> Laid:
    """The canonical form of a recipe: a file, or the name of one that ships."""
    from lbl.marked import load
    from lbl.plan.layout import canonical

    path = find(given, "recipes", "recipe")
    load(path)  # refuses what is no plain file, too large, or no UTF-8
    before = path.read_bytes().decode("utf-8")
    own = Path(given) if Path(given).is_file() else None
    return Laid(own, before, canonical(before, str(path)))


def lay_out_stream(stream: BinaryIO) -> Laid:
    """The canonical form of a text that comes from elsewhere."""
    from lbl.plan.layout import canonical

    try:
        text = stream.read(MAX_BYTES + 1).decode("utf-8")
    except UnicodeDecodeError as error:
        sentence = f"byte {error.object[error.start]:#04x} is not UTF-8 text"
        raise BadInput(Problem("file-encoding", sentence, PIPED, "send it as UTF-8")) from None
    return Laid(None, text, canonical(text, PIPED))


def write_layout(laid: Laid) -> None:
    """Put the canonical form in place; raises BadInput for a recipe that ships with the program."""
    if laid.path is None:
        sentence = "a recipe that ships is not rewritten"
        raise BadInput(Problem("file-unwritable", sentence, remedy="copy it, or say --check"))
    if laid.changed:
        _replace(laid.path, laid.after)


def refuse_existing(path: Path) -> None:
    """Raise BadInput `new-exists` when something of that name is there."""
    if os.path.lexists(path):
        sentence = "this file is there already, and stays as it is"
        raise BadInput(Problem("new-exists", sentence, str(path), "give another name, or -o FILE"))


def new_recipe(text: str, path: Path, bench: str) -> tuple[str, tuple[str, ...]]:
    """Write a new recipe that `lbl check` accepts on a bench; what it takes, and warnings.

    Raises BadInput with what is wrong, or `new-exists` when the file is there; then nothing is
    written.
    """
    from lbl import app, units

    refuse_existing(path)
    if len(text.encode()) > MAX_BYTES:
        raise BadInput(Problem("file-too-large", "the recipe would be too large", str(path)))
    with tempfile.TemporaryDirectory(prefix="lbl-new-") as folder:
        tried = Path(folder) / path.name
        tried.write_text(text, encoding="utf-8")
        plan, notes = app.look(str(tried), bench, {})
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None
    takes = f"{plan.depositions} depositions, {units.duration(plan.duration_ns / 1e9)}"
    shown = tuple(note.replace(str(tried), str(path)) for note in notes)
    return f"{takes} on bench {plan.bench}", shown


def _unwritable(path: Path, error: Exception) -> BadInput:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return BadInput(
        Problem("file-unwritable", f"this file cannot be written: {short(reason)}", str(path))
    )


def _replace(path: Path, text: str) -> None:
    """Write beside the file, then put it in its place: a reader sees the one or the other."""
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        mode = target.stat().st_mode & 0o7777 if target.exists() else 0o644
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(target)
    except (OSError, ValueError) as error:
        with contextlib.suppress(OSError, ValueError):
            temporary.unlink()
        raise _unwritable(path, error) from None
