"""Reading the journal: lines to events, and the hash chain that holds them together.

A line either checks in every respect or is damage, named by its number and what is wrong with it.
Only an unfinished last line (no newline, or a tail of NULs) is torn. This file must never write,
and never guess over damage.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from lbl.errors import LblError
from lbl.journal.canonical import encode
from lbl.journal.events import ZERO_HASH, Event, State, fold, initial
from lbl.journal.kinds import KINDS
from lbl.journal.storage import Storage

JOURNAL: Final = "journal.jsonl"
VERSION: Final = 1
LINE_MAX: Final = 1 << 18  # bytes of one record; instrument cards and checkpoints are about 10 kB
BLOCK: Final = 1 << 16
# The members of a record in their canonical order, and the type of each value.
_FORM: Final[Mapping[str, type]] = MappingProxyType(
    {
        "actor": str,
        "attempt": int,
        "boot": str,
        "epoch": int,
        "hash": str,
        "kind": str,
        "mono_ns": int,
        "payload": dict,
        "prev": str,
        "seq": int,
        "step": int,
        "substrate": int,
        "utc": str,
        "v": int,
    }
)
_NAMES: Final = list(_FORM)
_TYPES: Final = list(_FORM.values())
_DECODER: Final = json.JSONDecoder()
_HASH_AT: Final = b',"hash":"'  # no earlier member can hold these bytes: quotes are escaped
_HASH_SPAN: Final = len(_HASH_AT) + 64 + 1


class Damage(Exception):
    """Something in the journal does not check: the line (1 = first) and what is wrong."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")
        self.line = line
        self.what = what


class Newer(Exception):
    """The journal was written by a later version of the format."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Where the whole lines end, and the unfinished bytes after them."""

    whole: int
    torn: bytes
    torn_bytes: int


def find_tail(storage: Storage) -> Tail:
    """Look at the end of the file only. Raises Damage (line 0) for a last line with extra bytes."""
    size = storage.size(JOURNAL)
    end = size
    kept = b""
    while end > 0:
        start = max(0, end - BLOCK)
        block = storage.read(JOURNAL, start, end - start)
        at = block.rfind(b"\n")
        piece = block[at + 1 :]
        kept = (piece + kept)[:LINE_MAX]
        if at >= 0:
            return _tail(start + at + 1, kept, size)
        end = start
    return _tail(0, kept, max(size, 0))


def _tail(whole: int, torn: bytes, size: int) -> Tail:
    """A torn line is the beginning of one; a whole object and more after it is damage."""
    text = torn.rstrip(b"\0").decode("utf-8", "replace")
    try:
        _, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return Tail(whole, torn, size - whole)
    if end < len(text):
        raise Damage(0, "the last line goes on after its record")
    return Tail(whole, torn, size - whole)


def lines(storage: Storage, start: int, end: int, number: int) -> Iterator[tuple[int, int, bytes]]:
    """Whole lines between two offsets as (line number, offset of its end, bytes without newline).

    Raises Damage for a line longer than LINE_MAX.
    """
    kept = b""
    at = start
    while at < end:
        block = storage.read(JOURNAL, at, min(BLOCK, end - at))
        if not block:
            raise Damage(number, "the file became shorter while it was read")
        done = at - len(kept)
        at += len(block)
        pieces = (kept + block).split(b"\n")
        kept = pieces.pop()
        for piece in pieces:
            done += len(piece) + 1
            if len(piece) > LINE_MAX:
                raise Damage(number, f"the line is longer than {LINE_MAX} bytes")
            yield number, done, piece
            number += 1
        if len(kept) > LINE_MAX:
            raise Damage(number, f"the line is longer than {LINE_MAX} bytes")


def parse(line: int, data: bytes) -> Event:
    """One line to its event. Checks the form, the kind and the record's own hash.

    Raises Damage, or Newer when the record says it is of a later format.
    """
    try:
        text = data.decode("utf-8")
        record, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise Damage(line, "it is not JSON") from error
    if type(record) is not dict or end != len(text):
        raise Damage(line, "it is not a JSON object")
    _check_form(line, record)
    at = data.find(_HASH_AT)
    body = data[:at] + data[at + _HASH_SPAN :]
    if hashlib.sha256(body).hexdigest() != record["hash"]:
        raise Damage(line, "its hash does not match its content")
    (
        actor, attempt, boot, epoch, digest, kind, mono_ns, payload, prev, seq, step, substrate,
        utc, _,
    ) = record.values()  # fmt: skip
    return Event(
        seq, utc, mono_ns, boot, epoch, kind, actor, substrate, step, attempt, payload, prev, digest
    )


def _check_form(line: int, record: dict[str, Any]) -> None:
    version = record.get("v")
    if type(version) is int and version > VERSION:
        raise Newer(f"line {line} has format {version}, this program reads up to {VERSION}")
    if version != VERSION or list(record) != _NAMES:
        raise Damage(line, "it does not have the members of a record")
    if list(map(type, record.values())) != _TYPES:
        raise Damage(line, "a member of the record has the wrong type")
    kind = KINDS.get(record["kind"])
    if kind is None:
        raise Damage(line, f"its kind {record['kind']!r} is not in the vocabulary")
    if not kind.required <= record["payload"].keys():
        raise Damage(line, f"a {record['kind']} record lacks a payload key")


class Walk:
    """Follows the chain record by record and folds the state. Constant memory.

    Begin it at the first record, or at a checkpoint whose place a head has named; the caller then
    has to see the head's record go by, which confirms the checkpoint.
    """

    def __init__(self) -> None:
        self.state: State = initial()
        self.seq = 0
        self.hash = ZERO_HASH

    def begin_at(self, event: Event) -> None:
        """Take the state from a checkpoint event."""
        if event.kind != "checkpoint":
            raise Damage(event.seq, "a head says that a checkpoint stands here, and none does")
        self.state = event.payload["state"]
        self.seq = event.seq - 1
        self.hash = event.prev

    def take(self, line: int, data: bytes) -> Event:
        """Check the next line and fold it. Raises Damage or Newer."""
        event = parse(line, data)
        if event.seq != self.seq + 1:
            raise Damage(line, f"it is record {event.seq} where {self.seq + 1} is due")
        if event.prev != self.hash:
            raise Damage(line, "it does not follow the record before it")
        self._fold(line, event)
        self.seq = event.seq
        self.hash = event.hash
        return event

    def _fold(self, line: int, event: Event) -> None:
        if (event.seq == 1) is not (event.kind == "run-created"):
            raise Damage(line, "a journal begins with run-created, once")
        try:
            if event.kind == "checkpoint" and not _same(event.payload["state"], self.state):
                raise Damage(line, "its checkpoint is not the state of the records before it")
            self.state = fold(self.state, event)
        except LblError as error:
            raise Damage(line, error.problems[0].sentence) from error
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise Damage(line, f"a {event.kind} record has a payload of the wrong form") from error


def _same(told: State, folded: State) -> bool:
    """Equal as text: 1 and 1.0 are one number in JSON, True and 1 are not."""
    return encode(told) == encode(folded)
