"""INFICON SQM-160 packets: sync, length, text, 14-bit checksum; pure functions.

Source: SQM-160 operating manual, "Computer communications", by way of its examples (`!#@O7`) and
of exchanges recorded by two independent clients. This file must never touch a port.
"""

import re
from dataclasses import dataclass
from typing import Final

from drivers.errors import InstrumentError, garbled
from drivers.framing import ANY_BYTE

SYNC: Final = 0x21
ASK: Final = 34  # length byte of a question: its text's length and this
TELL: Final = 35  # of an answer: its status letter, its text, and this
CHECK: Final = 2  # checksum bytes
_MARK: Final = bytes([SYNC])
_START: Final = 0x3FFF
_POLYNOMIAL: Final = 0x2001
_NUMBER: Final = re.compile(rb" *([+-]?\d{1,9}(?:\.\d{1,6})?) *")

REFUSALS: Final = {"C": "unknown command", "D": "value out of range"}


def checksum(text: bytes) -> bytes:
    """Two bytes over all between the sync and them: 14 bits, 7 each, raised above the sync."""
    crc = _START
    for byte in text:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
    return bytes([(crc & 0x7F) + ASK, (crc >> 7 & 0x7F) + ASK])


def encode(command: str) -> bytes:
    """A question's packet; the manual's own example is `@` -> `!#@O7`."""
    text = bytes([len(command) + ASK]) + command.encode("ascii")
    return _MARK + text + checksum(text)


@dataclass(frozen=True, slots=True)
class Packet:
    """Answer packets, cut by their length and taken only with the right checksum."""

    end: int = ANY_BYTE  # checksum bytes may look like anything above the sync

    def take(self, data: bytes) -> tuple[bytes | None, bytes]:
        """First whole packet's status and text, and the rest; damaged ones are passed over."""
        while True:  # each turn drops at least one byte, or returns
            start = data.find(_MARK)
            if start < 0:
                return None, b""
            data = data[start:]
            if len(data) < 2:
                return None, data
            size = data[1] - TELL
            if size >= 1:
                end = 2 + size
                if len(data) < end + CHECK:
                    return None, data
                if checksum(data[1:end]) == data[end : end + CHECK]:
                    return data[2:end], data[end + CHECK :]
            data = data[1:]


def answer(message: bytes) -> bytes:
    """The text of an answer; raises InstrumentError when its status is a refusal."""
    status = message[:1].decode("ascii", "backslashreplace")
    if status in REFUSALS:
        raise InstrumentError(
            f"{REFUSALS[status]} ({status})", kind="refused", cure="check model and sensor number"
        )
    if status not in ("A", "B"):  # B: done, and it was reset before
        raise garbled(message, "an answer of an SQM-160")
    return message[1:]


def number(message: bytes) -> float:
    """A number padded with blanks, such as `A 0.00 `; raises InstrumentError otherwise."""
    match = _NUMBER.fullmatch(answer(message))
    if match is None:
        raise garbled(message, "a number of an SQM-160")
    return float(match[1])
