"""The tree of a YAML 1.2 text, built from ruamel.yaml's events, every value with its mark.

Depth, size, aliases, tags and doubled keys are refused here, before they can cost anything. Must
never build anything but text, numbers, booleans, None, lists and mappings.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.scanner import Scanner as PureScanner

from lbl.errors import BadInput, Problem, short

MAX_DEPTH: Final = 32
MAX_NODES: Final = 25_000
MAX_ALIASES: Final = 256
MAX_ALIASED: Final = 1024  # values that aliases stand for, or 4 KB would cost what 256 KB cost
MAX_PROBLEMS: Final = 100  # told at once; nobody reads more, and a file may hold thousands
MAX_DIGITS: Final = 18  # of an integer; more would overflow what the plan counts with

# The core schema (YAML 1.2.2, section 10.3.2), but an integer with leading zeros stays text:
# "010" is 8 to some readers and 10 to others, so that somebody must write what is meant.
_INT: Final = re.compile(rf"[-+]?(?:0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}})")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: Final[tuple[tuple[frozenset[str], bool | float | None], ...]] = (
    (frozenset({"", "~", "null", "Null", "NULL"}), None),
    (frozenset({"true", "True", "TRUE"}), True),
    (frozenset({"false", "False", "FALSE"}), False),
    (frozenset({".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"}), float("inf")),
    (frozenset({"-.inf", "-.Inf", "-.INF"}), float("-inf")),
    (frozenset({".nan", ".NaN", ".NAN"}), float("nan")),
)

Scalar = str | int | float | bool | None


def bounded(problems: Sequence[Problem], name: str) -> Sequence[Problem]:
    """As many problems as are told at once, and a last one that says so where there are more."""
    if len(problems) <= MAX_PROBLEMS:
        return problems
    sentence = f"there are more mistakes than these {MAX_PROBLEMS}"
    more = Problem("file-more", sentence, name, "correct these first, then check again")
    return (*problems[:MAX_PROBLEMS], more)


@dataclass(slots=True)
class Node:
    """One value and where it stands (from 1); exactly one of the three fields below holds it."""

    line: int
    column: int
    scalar: Scalar = None
    items: "list[Node] | None" = None
    keys: "dict[str, tuple[int, int, Node]] | None" = None
    size: int = 1
    height: int = 1
    closed: bool = True


def scalar(text: str) -> Scalar:
    """Return what a plain YAML 1.2 scalar means: "200" is 200, "no" and "1:30" are text."""
    for words, value in _WORDS:
        if text in words:
            return value
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and not _is_long_integer(text):
        return float(text)
    return text


def child(node: Node, part: str | int) -> Node | None:
    """The node below `node` at a key or an index, or None."""
    if node.items is not None and isinstance(part, int) and 0 <= part < len(node.items):
        return node.items[part]
    if node.keys is not None and part in node.keys:
        return node.keys[str(part)][2]
    return None


def plain(node: Node) -> object:
    """The node and all below it as plain data."""
    if node.items is not None:
        return [plain(item) for item in node.items]
    if node.keys is not None:
        return {key: plain(value) for key, (_, _, value) in node.keys.items()}
    return node.scalar


def _is_long_integer(text: str) -> bool:
    return text.lstrip("+-").isdigit()


class Scanner(PureScanner):
    """Reads no further ahead than a text may be deep.

    Each open bracket may begin a key, and is looked at again for each that follows; 1 KB of them
    would take as long as 100 KB of recipe. What is deeper than allowed is refused in any case.
    """

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803
        """Forget the keys that might begin above, so that the brackets so far are handed on."""
        if self.flow_level > MAX_DEPTH:
            self.possible_simple_keys.clear()
        super().fetch_flow_collection_start(TokenClass, to_push)


class Builder:
    """Builds the tree of nodes from events; collects the problems that leave it readable."""

    def __init__(self, name: str) -> None:
        """Begin an empty tree; `name` is what places begin with."""
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._name = name
        self._open: list[Node] = []
        self._keys: list[tuple[str, int, int] | None] = []  # the key that waits, per open node
        self._anchors: dict[str, Node] = {}
        self._aliases = 0
        self._aliased = 0
        self._documents = 0
        self._nodes = 0

    def take(self, event: Event) -> None:
        """Take the next event; raises BadInput where reading on would be unsafe."""
        if isinstance(event, ScalarEvent):
            self._add(self._scalar(event), event)
        elif isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            self._start(event)
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self._end()
        elif isinstance(event, AliasEvent):
            self._alias(event)
        elif isinstance(event, DocumentStartEvent):
            self._document(event)

    def _document(self, event: DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            self._fatal("yaml-syntax", "a second document starts here", event, "keep one")
        if event.version not in (None, (1, 2)):
            self._fatal("yaml-syntax", "this asks for another YAML than 1.2", event, "remove it")

    def _scalar(self, event: ScalarEvent) -> Node:
        self._refuse_tag(event)
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        plain = event.style in (None, "") and event.implicit[0]
        return Node(line, column, scalar(event.value) if plain else event.value)

    def _start(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._fatal("yaml-too-deep", f"the nesting is deeper than {MAX_DEPTH} levels", event)
        self._refuse_tag(event)
        node = Node(event.start_mark.line + 1, event.start_mark.column + 1, closed=False)
        if isinstance(event, MappingStartEvent):
            node.keys = {}
        else:
            node.items = []
        self._add(node, event)
        self._open.append(node)
        self._keys.append(None)

    def _end(self) -> None:
        node = self._open.pop()
        self._keys.pop()
        node.closed = True
        below = node.items or [value for _, _, value in (node.keys or {}).values()]
        node.size = 1 + sum(child.size for child in below)
        node.height = 1 + max((child.height for child in below), default=0)

    def _alias(self, event: AliasEvent) -> None:
        self._aliases += 1
        target = self._anchors.get(event.anchor)
        if target is None:
            self._fatal("yaml-alias", f"alias '*{short(event.anchor)}' has no anchor", event)
        if not target.closed:
            self._fatal("yaml-alias", f"alias '*{short(event.anchor)}' contains itself", event)
        if self._aliases > MAX_ALIASES:
            self._fatal("yaml-alias", f"there are more than {MAX_ALIASES} aliases", event)
        self._aliased += target.size
        if self._aliased > MAX_ALIASED:
            sentence = f"the aliases stand for more than {MAX_ALIASED} values"
            self._fatal("yaml-alias", sentence, event, "write 'repeat' instead")
        self._add(target, event)

    def _add(self, node: Node, event: Event) -> None:
        """Put a node where the innermost open one wants it; count it, alias or not, in full."""
        self._nodes += node.size
        if self._nodes > MAX_NODES:
            self._fatal("yaml-too-many", f"there are more than {MAX_NODES} values", event)
        if len(self._open) + node.height > MAX_DEPTH + 1:
            self._fatal("yaml-too-deep", f"the nesting is deeper than {MAX_DEPTH} levels", event)
        anchor = getattr(event, "anchor", None)
        if anchor and not isinstance(event, AliasEvent):
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if parent.items is not None:
            parent.items.append(node)
        else:
            self._add_to_mapping(parent, node, event)

    def _add_to_mapping(self, parent: Node, node: Node, event: Event) -> None:
        waiting = self._keys[-1]
        if waiting is None:
            self._keys[-1] = self._key(node, event)
            return
        self._keys[-1] = None
        key, line, column = waiting
        if isinstance(event, ScalarEvent) and event.start_mark.index == event.end_mark.index:
            node.line, node.column = line, column  # nothing is written: the key is the place
        keys = parent.keys if parent.keys is not None else {}
        if key in keys:
            first = keys[key][0]
            sentence = f"'{short(key)}' stands twice; first on line {first}"
            self._note(Problem("yaml-duplicate-key", sentence, self._place(line, column)))
        keys.setdefault(key, (line, column, node))

    def _key(self, node: Node, event: Event) -> tuple[str, int, int]:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if node.scalar == "<<" and getattr(event, "style", None) in (None, ""):
            self._note(
                Problem(
                    "yaml-merge-key",
                    "the merge key '<<' is not YAML 1.2",
                    self._place(line, column),
                    "write the keys out",
                )
            )
        elif not isinstance(node.scalar, str) or isinstance(event, AliasEvent):
            shown = "this" if node.scalar is None else f"'{short(node.scalar)}'"
            sentence = f"{shown} is not text, and a key must be"
            place = self._place(line, column)
            self._note(Problem("yaml-key", sentence, place, "put it in quotes"))
        return str(node.scalar), line, column

    def _refuse_tag(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        if event.ctag is not None and str(event.tag or "") not in ("", "None"):
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            sentence = f"the tag '{short(event.tag)}' is not allowed"
            place = self._place(line, column)
            self._note(Problem("yaml-tag", sentence, place, "write the plain value"))

    def _place(self, line: int, column: int) -> str:
        return f"{self._name}:{line}:{column}"

    def _note(self, problem: Problem) -> None:
        self.problems.append(problem)
        if len(self.problems) > MAX_PROBLEMS:
            raise BadInput(*bounded(self.problems, self._name))

    def _fatal(self, code: str, sentence: str, event: Event, remedy: str = "") -> NoReturn:
        place = self._place(event.start_mark.line + 1, event.start_mark.column + 1)
        raise BadInput(*self.problems, Problem(code, sentence, place, remedy))
