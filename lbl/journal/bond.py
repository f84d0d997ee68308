"""Ties a file that is written again and again to the place in the journal where that happened.

The file stays a JSON object; its first member names run, record and time, and holds a digest of all
the rest. Must never let a file through that is not, byte for byte, one that was written.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from lbl.journal.canonical import encode

BOUND: Final = "bound"
_BEGIN: Final = b'{"bound":'
_DIGEST: Final = b',"sha256":"'
_END: Final = b'"},'
_HEX: Final = 64


class NotBound(ValueError):
    """The content is not what was written."""


@dataclass(frozen=True, slots=True)
class Bond:
    """After record `seq` with this hash, which ends at byte `size`; `at_ns` is the run's clock."""

    run: str
    seq: int
    hash: str
    size: int
    at_ns: int

    def around(self, text: bytes) -> bytes:
        """A JSON object's text (not an empty one's) with the bond as its first member."""
        front = (
            f'{{"bound":{{"at_ns":{self.at_ns},"hash":"{self.hash}","run":{encode(self.run)},'
            f'"seq":{self.seq},"size":{self.size},"sha256":"'
        ).encode()
        back = text[1:]
        return b"".join((front, _digest(front, back), _END, back))


def bond_of(data: bytes) -> Bond | None:
    """The bond of a file, None when it begins without one. Raises NotBound when it does not fit."""
    if not data.startswith(_BEGIN):
        return None
    at = data.find(_DIGEST) + len(_DIGEST)
    front, told, back = data[:at], data[at : at + _HEX], data[at + _HEX + len(_END) :]
    if data[at + _HEX : at + _HEX + len(_END)] != _END or told != _digest(front, back):
        raise NotBound
    try:
        body: dict[str, Any] = json.loads(data)[BOUND]
        return Bond(body["run"], body["seq"], body["hash"], body["size"], body["at_ns"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotBound from error


def _digest(front: bytes, back: bytes) -> bytes:
    return hashlib.sha256(front + back).hexdigest().encode()
