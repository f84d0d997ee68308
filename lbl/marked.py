"""YAML 1.2 with marks: plain data that remembers where each value was written.

Also turns what pydantic finds wrong with such data into problems with a place and a cure. Must
never evaluate what it reads, and never read anything but a plain file of bounded size.
"""

import difflib
import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, get_args

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from lbl.errors import BadInput, Problem, short
from lbl.nodes import MAX_PROBLEMS, Builder, Node, Scalar, Scanner, bounded, child, plain, scalar

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

__all__ = [
    "MAX_PROBLEMS", "Marked", "Route", "Scalar", "bounded", "choice", "load", "problem_of",
    "problems_of", "scalar", "suggest",
]  # fmt: skip

MAX_BYTES: Final = 256 * 1024
MAX_COMPARED: Final = 256  # names, to find the one that was meant
MAX_LISTED: Final = 16  # names in one message
# The characters that YAML 1.2 allows in a stream (YAML 1.2.2, production 1, c-printable).
_FORBIDDEN: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_BREAK: Final = re.compile("\r\n|[\r\n]")

Route = tuple[str | int, ...]
_NO_ORIGINS: Final[Mapping[Route, str]] = MappingProxyType({})
_NO_GRAFTS: "Final[Mapping[Route, Marked]]" = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Marked:
    """Plain data with the place of every value. `name` is what places begin with.

    `origins` overrides the place of values that were written elsewhere than where they are used;
    `grafts` are whole texts that stand at a route of this one. `text` is what was read.
    """

    name: str
    data: object
    root: Node = field(repr=False)
    origins: Mapping[Route, str] = field(default_factory=lambda: _NO_ORIGINS, repr=False)
    grafts: "Mapping[Route, Marked]" = field(default_factory=lambda: _NO_GRAFTS, repr=False)
    text: str = field(default="", repr=False)

    def place(self, route: Route = ()) -> str:
        """Return `file:line:col` of the value at `route`, or of what holds it if it is missing."""
        if route in self.origins:
            return self.origins[route]
        other, rest = self._owner(route)
        if other is not self:
            return other.place(rest)
        node = self._reach(route)
        return f"{self.name}:{node.line}:{node.column}"

    def key_place(self, route: Route) -> str:
        """Return `file:line:col` of the key that the value at `route` belongs to."""
        other, rest = self._owner(route)
        if other is not self:
            return other.key_place(rest)
        keys = self._reach(route[:-1]).keys or {}
        if not route or route[-1] not in keys:
            return self.place(route)
        line, column, _ = keys[str(route[-1])]
        return f"{self.name}:{line}:{column}"

    def known(self, route: Iterable[str | int]) -> Route:
        """Return `route` without the parts that the data does not have, the last one excepted."""
        parts = tuple(route)
        other, rest = self._owner(parts)
        if other is not self:
            return (*parts[: len(parts) - len(rest)], *other.known(rest))
        node, kept = self.root, []
        for number, part in enumerate(parts):
            below = child(node, part)
            if below is not None or number == len(parts) - 1:
                kept.append(part)
            node = below or node
        return tuple(kept)

    def _owner(self, route: Route) -> "tuple[Marked, Route]":
        """The text that a value was written in, and where in it."""
        if self.grafts:
            for length in range(1, len(route) + 1):
                if route[:length] in self.grafts:
                    return self.grafts[route[:length]], route[length:]
        return self, route

    def _reach(self, route: Route) -> Node:
        node = self.root
        for part in route:
            below = child(node, part)
            if below is None:
                break
            node = below
        return node


def load(source: Path | str, name: str = "") -> Marked:
    """Read YAML from a file (a Path) or a text (a str); raises BadInput with every problem.

    `name` is what places begin with; the path as given, unless told otherwise.
    """
    if isinstance(source, Path):
        name = name or str(source)
        source = _read(source, name)
    name = name or "text"
    _check_text(source, name)
    builder = Builder(name)
    try:
        yaml = YAML(typ="safe", pure=True)
        yaml.Scanner = Scanner
        for event in yaml.parse(source):
            builder.take(event)
    except MarkedYAMLError as error:
        raise BadInput(*builder.problems, _syntax(error, name)) from None
    except (YAMLError, RecursionError, ValueError, OverflowError) as error:
        sentence = f"this is not YAML 1.2: {' '.join(str(error).split())[:200]}"
        raise BadInput(*builder.problems, Problem("yaml-syntax", sentence, name)) from None
    if builder.problems:
        raise BadInput(*builder.problems)
    root = builder.root or Node(1, 1)
    return Marked(name, plain(root), root, text=source)


def suggest(word: str, words: Iterable[str]) -> str:
    """Return "did you mean 'PDAC'?" for the nearest of `words`, or "" if none is near.

    Only the first MAX_COMPARED are looked at: a file may hold thousands, each misspelt once.
    """
    by_lower = {known.lower(): known for known in islice(words, MAX_COMPARED)}
    near = difflib.get_close_matches(word.lower()[:64], list(by_lower), n=1, cutoff=0.7)
    return f"did you mean '{short(by_lower[near[0]])}'?" if near else ""


def choice(word: str, words: Collection[str], what: str) -> str:
    """Return the nearest of `words` as `suggest` does, or what there is: "phases: a, b"."""
    listed = [short(known) for known in islice(words, MAX_LISTED)]
    if len(words) > MAX_LISTED:
        listed.append(f"and {len(words) - MAX_LISTED} more")
    return suggest(word, words) or f"{what}: {', '.join(listed) or 'none'}"


def _read(path: Path, name: str) -> str:
    """The text of a plain file of bounded size; a pipe or a device would wait for ever."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise BadInput(
                Problem("file-unreadable", "this is not a plain file", name, "name a YAML file")
            )
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadInput(
            Problem("file-unreadable", f"cannot read this file: {reason}", name)
        ) from None
    if len(data) > MAX_BYTES:
        raise BadInput(_too_large(name))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        sentence = f"byte {data[error.start]:#04x} is not UTF-8 text"
        raise BadInput(
            Problem("file-encoding", sentence, _at(name, before), "save the file as UTF-8")
        ) from None


def _check_text(text: str, name: str) -> None:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise BadInput(_too_large(name))
    found = _FORBIDDEN.search(text)
    if found:
        sentence = f"character U+{ord(found.group()):04X} is not allowed in YAML"
        place = _at(name, text[: found.start()])
        raise BadInput(Problem("file-encoding", sentence, place, "remove it"))


def _too_large(name: str) -> Problem:
    return Problem("file-too-large", f"the file is larger than {MAX_BYTES // 1024} KB", name)


def _at(name: str, before: str) -> str:
    """The place after `before`; a lone carriage return ends a line too (YAML 1.2.2, 5.4)."""
    rows = _BREAK.split(before)
    return f"{name}:{len(rows)}:{len(rows[-1]) + 1}"


def _syntax(error: MarkedYAMLError, name: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
    what = " ".join(f"{error.problem or 'it cannot be read'}".split())[:200]
    return Problem("yaml-syntax", f"this is not YAML 1.2: {what}", place, "check the indentation")


# What pydantic finds, in the words of a person.

# pydantic error type -> what is due at the place
_DUE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "string_type": "text",
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "float_parsing": "a number",
        "bool_type": "true or false",
        "bool_parsing": "true or false",
        "list_type": "a list (lines that begin with '- ')",
        "tuple_type": "a list (lines that begin with '- ')",
        "dict_type": "a mapping of keys to values",
        "mapping_type": "a mapping of keys to values",
        "model_type": "a mapping of keys to values",
        "model_attributes_type": "a mapping of keys to values",
    }
)
# name of a bound in pydantic's context -> what it asks for
_BOUNDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ge": "be at least {}",
        "gt": "be more than {}",
        "le": "be at most {}",
        "lt": "be less than {}",
        "min_length": "have a length of at least {}",
        "max_length": "have a length of at most {}",
    }
)
_WORDS: Final = frozenset({"literal_error", "enum", "string_pattern_mismatch"})
_KEY: Final = "[key]"  # how pydantic says that a mapping's key is wrong
_TAGS: Final[Mapping[str, str]] = MappingProxyType(
    {"union_tag_invalid": "literal_error", "union_tag_not_found": "missing"}
)
_QUOTED: Final = re.compile(r"'([^']*)'")


def problems_of(
    error: "ValidationError", marked: Marked, prefix: str, model: "type[BaseModel] | None" = None
) -> list[Problem]:
    """Turn pydantic's findings into problems, in the order of the file.

    Codes are `prefix` ("recipe", "bench") and what is wrong ("-unknown-key"). `model` is what was
    validated; with it, an unknown key is answered with the nearest known one.
    """
    found = [
        problem_of(one, marked, prefix, model)
        for one in error.errors(include_url=False, include_input=True)
    ]
    return sorted(found, key=in_file_order)


def in_file_order(problem: Problem) -> tuple[str, int, int]:
    """Sort key of a problem: its file, line and column; places outside a file come last."""
    parts = problem.place.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
        return parts[0], int(parts[1]), int(parts[2])
    return "\U0010ffff", 0, 0


def problem_of(
    one: Mapping[str, Any], marked: Marked, prefix: str, model: "type[BaseModel] | None" = None
) -> Problem:
    """Turn one of pydantic's error dicts into a problem; see `problems_of`."""
    context = one.get("ctx") or {}
    kind, given, at = str(one["type"]), one.get("input"), context.get("at", ())
    if kind in _TAGS:  # the key that tells the members of a union apart is missing or wrong
        kind, at = _TAGS[kind], (str(context["discriminator"]).strip("'"),)
        given = context.get("tag")
    of_key = one["loc"][-1:] == (_KEY,)  # the key itself is wrong, not its value
    route = marked.known((*one["loc"][: -1 if of_key else None], *at))
    place = marked.key_place(route) if of_key else marked.place(route)
    key = short(route[-1]) if route else "the file"
    if kind.startswith(f"{prefix}-"):
        return Problem(kind, one["msg"], place, context.get("remedy", ""))
    if kind == "missing":
        whose = next((str(part) for part in reversed(route[:-1]) if isinstance(part, str)), "")
        sentence = f"'{key}' is missing" + (f" in '{short(whose)}'" if whose else "")
        return Problem(f"{prefix}-missing-key", sentence, marked.place(route[:-1]))
    if kind == "extra_forbidden":
        fields = sorted(_fields(model, one["loc"][:-1]))
        cure = choice(str(route[-1]), fields, "known") if fields else ""
        sentence = f"'{key}' is not known here"
        return Problem(f"{prefix}-unknown-key", sentence, marked.key_place(route), cure)
    if kind == "value_error":
        return _of_value(context.get("error"), prefix, key, place)
    if kind in _WORDS:
        return _wrong_word(
            prefix,
            key,
            given,
            str(context.get("expected") or context.get("expected_tags") or ""),
            place,
        )
    if kind in _DUE or kind.endswith("_type"):
        sentence = f"'{key}' must be {_DUE.get(kind, 'something else')}, not {_named(given)}"
        return Problem(f"{prefix}-wrong-type", sentence, place, _hint(kind, given))
    return Problem(f"{prefix}-out-of-range", _out_of_range(key, given, context, one), place)


def _wrong_word(prefix: str, key: str, given: object, expected: str, place: str) -> Problem:
    due = f"must be {expected}" if expected else "has characters that are not allowed"
    sentence = f"'{key}' {due}, not {_named(given)}"
    cure = suggest(str(given), _QUOTED.findall(expected))
    return Problem(f"{prefix}-wrong-word", sentence, place, cure)


def _of_value(error: object, prefix: str, key: str, place: str) -> Problem:
    """A quantity that could not be read: the sentence of lbl.units names the cure itself."""
    sentence, _, remedy = str(error).partition("; ")
    code = "unit-missing" if "has no unit" in sentence else "quantity"
    return Problem(f"{prefix}-{code}", f"'{key}': {sentence}", place, remedy)


def _named(given: object) -> str:
    if given is None:
        return "nothing"
    if isinstance(given, dict):
        return "a mapping"
    if isinstance(given, (list, tuple)):
        return "a list"
    if isinstance(given, bool):
        return "true" if given else "false"
    return f"'{short(given)}'"


def _hint(kind: str, given: object) -> str:
    if kind == "string_type" and isinstance(given, (int, float)):
        return "put it in quotes"
    if isinstance(given, str) and given.lower() in ("yes", "no", "on", "off"):
        return "YAML 1.2 knows true and false only"
    if isinstance(given, str) and given.lstrip("+-").isdigit():
        return "write it without leading zeros and without quotes"
    return ""


def _out_of_range(
    key: str, given: object, context: Mapping[str, Any], one: Mapping[str, Any]
) -> str:
    for name, words in _BOUNDS.items():
        if name in context:
            return f"'{key}' must {words.format(context[name])}, not {_named(given)}"
    return f"'{key}': {one['msg'][:1].lower()}{one['msg'][1:]}"


def _fields(model: "type[BaseModel] | None", route: Iterable[str | int]) -> set[str]:
    """The keys a model knows at `route`; parts that name a union's member are passed over."""
    candidates = _models(model)
    for part in route:
        below = [
            found
            for candidate in candidates
            for name, info in candidate.model_fields.items()
            if part in (name, info.alias)
            for found in _models(info.annotation)
        ]
        candidates = below or candidates
    return {
        info.alias or name
        for candidate in candidates
        for name, info in candidate.model_fields.items()
    }


def _models(annotation: object) -> "list[type[BaseModel]]":
    """The models inside an annotation: of X | None, list[X], Mapping[str, X] or Annotated."""
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models(part)]
