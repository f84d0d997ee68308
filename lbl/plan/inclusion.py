"""`include: FILE.yaml`: phases that stand in a file of their own, put in where they are asked for.

The file lies beside the recipe and holds `lbl: 1` and `steps:`; every value in it keeps the place
where it was written. An `include` that has its `steps:` already is a copy in one text, such as a
run keeps, and reads nothing. Must never read anything outside the recipe's own folder.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML

from lbl.errors import BadInput, Problem, short
from lbl.marked import MAX_BYTES, Marked, Route, load, problems_of
from lbl.nodes import MAX_NODES, child
from lbl.plan.recipe import whole

KEY: Final = "include"
STEPS: Final = "steps"
MAX_FILES: Final = 16  # put in, one that is put in twice counted twice
MAX_NESTED: Final = 4  # files that include files
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.yaml")
_REMEDY: Final = "name a file that lies beside the recipe, such as 'include: rinses.yaml'"


class Fragment(BaseModel):
    """What an included file holds."""

    model_config = ConfigDict(extra="forbid", strict=True)
    lbl: Annotated[Literal[1], BeforeValidator(whole)]
    description: Annotated[str, Field(max_length=4000)] = ""
    steps: Annotated[list[Any], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Whole:
    """A recipe with everything that it includes, and all of it in one text."""

    marked: Marked
    text: str


def included(marked: Marked, folder: Path | None) -> Whole:
    """Put every included file in, from `folder` (None: the recipe is no file and has none).

    Raises BadInput with all that is wrong with what is included.
    """
    inclusion = _Inclusion(folder, len(marked.text), marked.root.size)
    made = inclusion.into(marked, ("procedure",), ())
    if inclusion.problems:
        raise BadInput(*inclusion.problems)
    return Whole(made, _one_text(made, inclusion.files) if made.grafts else marked.text)


class _Inclusion:
    """The files that were read, and what one recipe may still take in."""

    def __init__(self, folder: Path | None, size: int, nodes: int) -> None:
        self.problems: list[Problem] = []
        self.files: dict[str, Marked] = {}
        self._folder = folder
        self._count = 0
        self._size = size
        self._nodes = nodes

    def into(self, marked: Marked, route: Route, chain: tuple[str, ...]) -> Marked:
        """The text with everything put in that the list at `route` asks for."""
        data: Any = marked.data
        if not isinstance(data, dict) or not isinstance(data.get(route[0]), list):
            return marked
        grafts: dict[Route, Marked] = {}
        steps = self._list(data[route[0]], route, marked, chain, grafts)
        return replace(marked, data={**data, route[0]: steps}, grafts=grafts)

    def _list(
        self,
        items: list[Any],
        route: Route,
        marked: Marked,
        chain: tuple[str, ...],
        grafts: dict[Route, Marked],
    ) -> list[Any]:
        made = []
        for number, item in enumerate(items):
            here = (*route, number)
            if isinstance(item, dict) and KEY in item and STEPS not in item:
                part = self._part(item, here, marked, chain)
                if part is not None:
                    grafts[(*here, STEPS)] = part
                    item = {**item, STEPS: part.data}
            elif isinstance(item, dict) and isinstance(item.get(STEPS), list):
                steps = self._list(item[STEPS], (*here, STEPS), marked, chain, grafts)
                item = {**item, STEPS: steps}
            made.append(item)
        return made

    def _part(
        self, item: dict[str, Any], route: Route, marked: Marked, chain: tuple[str, ...]
    ) -> Marked | None:
        """The steps of one included file; None, and a problem, when they cannot be had."""
        name, place = item[KEY], marked.place((*route, KEY))
        why, remedy = self._refusal(name, chain)
        if why:
            self.problems.append(Problem("recipe-include", why, place, remedy))
            return None
        try:
            file = self._read(name)
        except BadInput as error:
            self.problems += error.problems
            return None
        self._count += 1
        self._size += len(file.text)
        self._nodes += file.root.size
        if self._size > MAX_BYTES or self._nodes > MAX_NODES:
            sentence = f"with '{name}' the recipe is larger than a file may be"
            self.problems.append(Problem("file-too-large", sentence, place, "include less"))
            return None
        whole_file = self.into(file, (STEPS,), (*chain, name))
        data: Any = whole_file.data
        root = child(file.root, STEPS)
        grafts = {below[1:]: part for below, part in whole_file.grafts.items()}
        return replace(whole_file, data=data[STEPS], root=root or file.root, grafts=grafts)

    def _refusal(self, name: object, chain: tuple[str, ...]) -> tuple[str, str]:
        """Why a file is not put in, and what to do; "" when it may be."""
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            return f"'{short(name)}' cannot be included", _REMEDY
        if self._folder is None:
            return f"this recipe is no file, and has no folder where '{name}' could be", ""
        if name in chain:
            return f"'{name}' includes itself", "remove one 'include'"
        if len(chain) >= MAX_NESTED or self._count >= MAX_FILES:
            sentence = f"at most {MAX_FILES} files are put in, and {MAX_NESTED} deep"
            return sentence, "write the phases here"
        return "", ""

    def _read(self, name: str) -> Marked:
        """A file of the recipe's folder, read once; raises BadInput."""
        if name in self.files:
            return self.files[name]
        folder = self._folder or Path()
        path = folder / name
        if path.resolve() != folder.resolve() / name:
            sentence = f"'{name}' is a link to somewhere else"
            raise BadInput(Problem("recipe-include", sentence, str(path), _REMEDY))
        file = load(path)
        try:
            Fragment.model_validate(file.data)
        except ValidationError as error:
            raise BadInput(*problems_of(error, file, "recipe", Fragment)) from None
        self.files[name] = file
        return file


def _one_text(made: Marked, files: Mapping[str, Marked]) -> str:
    """The recipe with the steps of what it includes written out, comments and all.

    Raises BadInput when that text would say something else, as anchors of one name would.
    """
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = MAX_BYTES  # a line is never broken for its length
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    data = yaml.load(made.text)
    _write_out(data["procedure"], yaml, files)
    yaml.dump(data, stream)
    text = stream.getvalue()
    if load(text, made.name).data != made.data:
        sentence = "the recipe and what it includes cannot stand in one text"
        remedy = "give anchors different names"
        raise BadInput(Problem("recipe-include", sentence, made.place(("procedure",)), remedy))
    return text


def _write_out(steps: Any, yaml: YAML, files: Mapping[str, Marked]) -> None:
    """Put the steps below each include; files do not include themselves, so that this ends."""
    for item in steps:
        if isinstance(item, dict) and KEY in item and STEPS not in item:
            item[STEPS] = yaml.load(files[item[KEY]].text)[STEPS]
        if isinstance(item, dict) and isinstance(item.get(STEPS), list):
            _write_out(item[STEPS], yaml, files)
