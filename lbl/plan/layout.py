"""The canonical form of a recipe's text: the same data and comments, laid out one way.

Two blanks a level, one blank before a comment, one empty line at most, the keys of the top level
and of options in the order of the manual, values of neighbouring phases under each other. ruamel's
round trip does the rest. Must never change what the recipe says, nor lose a comment: a text with
which that cannot be done is refused. Pure.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode
from ruamel.yaml.tokens import AnchorToken, ScalarToken, Token

from lbl.errors import BadInput, Problem, short
from lbl.marked import load
from lbl.plan.recipe import Air, Growth, Phase, Recipe, Solution, Substrate

WIDTH: Final = 4096  # a line is never broken for its length
ROUNDS: Final = 5  # until the text stays as it is; two are the most that was seen

Order = tuple[str, ...]
Lines = list[str]


def _keys(model: type[BaseModel]) -> Order:
    return tuple(info.alias or name for name, info in model.model_fields.items())


def _options() -> Iterator[tuple[str, Order]]:
    """The options of each phase, in the order of its model."""
    for name, info in Phase.model_fields.items():
        models = [one for one in getattr(info.annotation, "__args__", ()) if _is_model(one)]
        if models:
            yield info.alias or name, _keys(models[0])


def _is_model(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, BaseModel)


_TOP: Final = _keys(Recipe)
_PHASES: Final = frozenset(name for name, _ in _options())
# key -> the order of the keys in the mapping that is its value
_ORDERS: Final[Mapping[str, Order]] = MappingProxyType(
    {
        "substrate": _keys(Substrate),
        "air": _keys(Air),
        "growth": _keys(Growth),
        **dict(_options()),
    }
)


def canonical(text: str, name: str = "recipe") -> str:
    """The text in canonical form; canonical text stays as it is.

    Raises BadInput when it is not YAML, and `recipe-layout` when a comment stands where it could
    not be kept.
    """
    before = load(text, name).data
    if not isinstance(before, dict):
        remedy = "begin with 'lbl: 1'"
        raise BadInput(Problem("recipe-not-mapping", "this is no mapping of keys", name, remedy))
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    done = text
    for _ in range(ROUNDS):
        last, done = done, _round(done, name)
        if done == last:
            break
    else:
        raise _refusal("it takes another form each time that it is laid out", name)
    _prove(text, done, name)
    return done


def _round(text: str, name: str) -> str:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    try:
        data = yaml.load(text)
        if not any(isinstance(token, AnchorToken) for token in _scan(text)):
            _sort(data)  # an alias must not come to stand before its anchor
        yaml.dump(data, stream)
    except YAMLError as error:
        raise _refusal(f"{' '.join(str(error).split())[:120]}", name) from None
    return _aligned("".join(_ordered(_tidied(stream.getvalue()))))


def _refusal(why: str, name: str) -> BadInput:
    remedy = "put comments on lines of their own, above what they are about"
    return BadInput(Problem("recipe-layout", f"this text cannot be laid out: {why}", name, remedy))


def _prove(before: str, after: str, name: str) -> None:
    """Raise unless both texts hold the same data and the same comments."""
    lost = Counter(_comments(before)) - Counter(_comments(after))
    for comment in lost:
        raise _refusal(f"the comment '{short(comment)}' would be lost", name)
    if _told(before) != _told(after):
        raise _refusal("a value would change", name)


def _told(text: str) -> str:
    return json.dumps(load(text).data, sort_keys=True)


# --- order of keys -------------------------------------------------------------------------------


def _sort(node: Any, key: str = "", above: str = "") -> None:
    """Put the keys of flow mappings in the order of the manual; comments stay with block ones."""
    if isinstance(node, list):
        for item in node:
            _sort(item, "", key)
    if not isinstance(node, dict):
        return
    order = _keys(Solution) if above == "solutions" else _ORDERS.get(key, ())
    fmt, comments = getattr(node, "fa", None), getattr(node, "ca", None)
    if fmt is not None and fmt.flow_style() and not (comments and comments.items):
        for one in [*(k for k in order if k in node), *(k for k in node if k not in order)]:
            value = node.pop(one)
            node[one] = value
    for one, value in node.items():
        _sort(value, str(one), key)


def _ordered(lines: Lines) -> Lines:
    """Put the keys of the top level in the order of the manual, their comments with them."""
    root = load("".join(lines)).root
    starts = sorted((line - 1, key) for key, (line, column, _) in (root.keys or {}).items())
    wanted = sorted(starts, key=lambda one: _TOP.index(one[1]) if one[1] in _TOP else len(_TOP))
    flow = any(not lines[line].startswith((key, "'", '"')) for line, key in starts)
    if flow or wanted == starts or any(isinstance(t, AnchorToken) for t in _scan("".join(lines))):
        return lines
    first = starts[0][0]
    begins = [first, *(_begin(lines, line) for line, _ in starts[1:])]
    ends = [*begins[1:], len(lines)]
    spans = zip(begins, ends, strict=True)
    blocks = {key: lines[b:e] for (_, key), (b, e) in zip(starts, spans, strict=True)}
    moved = [line for _, key in wanted for line in blocks[key]]
    while moved and not moved[0].strip():
        moved.pop(0)
    return [*lines[:first], *moved]


def _begin(lines: Lines, line: int) -> int:
    """Where the block of a top-level key begins: at the comments above it."""
    while lines[line - 1].startswith("#"):
        line -= 1
    while not lines[line - 1].strip():
        line -= 1
    return line


# --- blanks and comments -------------------------------------------------------------------------


def _scan(text: str) -> list[Token]:
    return list(YAML(typ="safe", pure=True).scan(text))


def _extents(text: str) -> tuple[dict[int, int], set[int]]:
    """Where the last token of each line ends, and the lines that belong to a longer scalar."""
    ends: dict[int, int] = {}
    frozen: set[int] = set()
    for token in _scan(text):
        start, end = token.start_mark, token.end_mark
        if start.index == end.index:
            continue
        ends[end.line] = max(ends.get(end.line, 0), end.column)
        if isinstance(token, ScalarToken) and end.line > start.line:
            last = end.line if end.column else end.line - 1
            frozen.update(range(start.line, last + 1))
    return ends, frozen


def _comments(text: str) -> list[str]:
    ends, frozen = _extents(text)
    rests = [
        line[ends.get(number, 0) :].strip()
        for number, line in enumerate(text.splitlines())
        if number not in frozen
    ]
    return [rest for rest in rests if rest.startswith("#")]


def _tidied(text: str) -> Lines:
    """One blank before a comment, comments indented as what follows, one empty line at most."""
    ends, frozen = _extents(text)
    lines, made = text.splitlines(), Lines()
    for number, line in enumerate(lines):
        if number in frozen:
            made.append(line)
            continue
        content = line[: ends.get(number, 0)].rstrip()
        rest = line[ends.get(number, 0) :].strip()
        if content:
            made.append(f"{content} {rest}".rstrip())
        elif rest:
            made.append(" " * _indent_of_comment(lines, number, ends) + rest)
        elif made and made[-1]:
            made.append("")
    while made and not made[-1]:
        made.pop()
    return [f"{line}\n" for line in made]


def _indent_of_comment(lines: Sequence[str], number: int, ends: Mapping[int, int]) -> int:
    """The indentation of what follows; of what is above, for the last comment of a block."""
    own = _indent(lines[number])
    below = next((_indent(lines[n]) for n in range(number + 1, len(lines)) if n in ends), 0)
    above = next((_indent(lines[n]) for n in range(number - 1, -1, -1) if n in ends), 0)
    if own <= below:
        return below
    return min(own, above) if above > below else below


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


# --- values under each other ---------------------------------------------------------------------


def _aligned(text: str) -> str:
    """Put the one-line mappings of neighbouring keys or phases under each other."""
    root = YAML(typ="safe", pure=True).compose(StringIO(text))
    lines = text.splitlines(keepends=True)
    for group in _groups(root):
        widest = max(value.start_mark.column for value in group)
        for value in group:
            mark = value.start_mark
            line = lines[mark.line]
            pad = " " * (widest - mark.column)
            lines[mark.line] = line[: mark.column] + pad + line[mark.column :]
    return "".join(lines)


def _groups(node: Node | None) -> Iterator[list[Node]]:
    """Runs of neighbours whose values are flow mappings; they stand on one line each."""
    pairs: list[tuple[Node, Node]] = []
    if isinstance(node, MappingNode) and not node.flow_style:
        pairs = list(node.value)
    elif isinstance(node, SequenceNode) and not node.flow_style:
        pairs = [
            one.value[0]
            if isinstance(one, MappingNode) and not one.flow_style and len(one.value) == 1
            else (one, one)
            for one in node.value
        ]
    run: list[Node] = []
    for key, value in pairs:
        flow = isinstance(value, MappingNode) and value.flow_style and value is not key
        if flow and value.start_mark.line == key.start_mark.line:
            run.append(value)
        else:
            yield from ([run] if run else [])
            run = []
    yield from ([run] if run else [])
    for key, value in pairs:
        below = value if value is not key else key
        yield from _groups(below)
