"""The two heads: how long the journal must at least be, and which record ends it there.

A journal alone cannot show that its end is missing. Each head names the newest record at the time
of writing, checks itself by a digest, and stands in a file of its own, so that one damaged sector
leaves the other. This file must never be lenient: a head that does not check is no head.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from lbl.journal.canonical import encode
from lbl.journal.storage import MISSING, Storage, latest, replace

HEADS: Final = ("head.a", "head.b")
HEAD_BYTES_MAX: Final = 4096
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Head:
    """The record `seq` with this hash ends at byte `size`; `checkpoint` is where one starts.

    `checkpoint` is the byte offset of the newest checkpoint record, or -1.
    """

    run: str
    seq: int
    hash: str
    size: int
    checkpoint: int = -1

    def text(self) -> bytes:
        """One canonical JSON line with its own digest."""
        body = self._body()
        return encode({**body, "digest": digest(body)}).encode() + b"\n"

    def _body(self) -> dict[str, Any]:
        return {
            "v": VERSION,
            "run": self.run,
            "seq": self.seq,
            "hash": self.hash,
            "size": self.size,
            "checkpoint": self.checkpoint,
        }


def digest(body: dict[str, Any]) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(encode(body).encode()).hexdigest()


def parse(data: bytes) -> Head | None:
    """The head in these bytes, or None when they are not exactly one whole head."""
    try:
        body = json.loads(data)
        head = Head(body["run"], body["seq"], body["hash"], body["size"], body["checkpoint"])
        return head if head.text() == data else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def write_heads(storage: Storage, head: Head, *, durable: bool) -> None:
    """Renew both heads, one after the other; a crash in between leaves one of each age."""
    text = head.text()
    for name in HEADS:
        replace(storage, name, text, durable=durable)


def read_heads(storage: Storage) -> tuple[list[Head], list[str]]:
    """The heads that check, newest first, and a sentence for each that does not."""
    heads: list[Head] = []
    findings: list[str] = []
    for name in HEADS:
        data = latest(storage, name, HEAD_BYTES_MAX)
        head = None if data is None else parse(data)
        if head is not None:
            heads.append(head)
        else:
            findings.append(f"{name} is {'missing' if data is None else 'damaged'}")
    heads.sort(key=lambda head: head.seq, reverse=True)
    return heads, findings


def exists(storage: Storage) -> bool:
    """True when there is at least one head file, whole or not."""
    return any(storage.size(name) != MISSING for name in HEADS)
