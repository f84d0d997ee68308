"""Cavro OEM protocol: frames with a sequence number, a repeat mark and a checksum; pure functions.

Source: Cavro XCalibur operating manual (733085-B), chapter 3, "OEM communication protocol"; the
TriContinent C-Series puts FF in front, which is no part of the frame. This file must never touch a
port.
"""

from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

from drivers.framing import ANY_BYTE, ETX, STX

MASTER: Final = 0x30  # the address of whoever asks
NUMBERS: Final = 7  # sequence numbers 1..7
REPEAT: Final = 0x08
ANSWER_MAX: Final = 300  # the pump's own buffer holds 255
# ends a frame cut anywhere: its checksum is then wrong, or the byte asked for is this ETX
SPOIL: Final = b"\x03\x00"
_STX: Final = bytes([STX])


def frame(address: bytes, number: int, words: str, *, repeat: bool = False) -> bytes:
    """A command; with `repeat` a pump that heard this number last answers and does nothing."""
    sequence = 0x30 | (REPEAT if repeat else 0) | number
    body = _STX + address + bytes([sequence]) + words.encode("ascii") + bytes([ETX])
    return body + bytes([reduce(xor, body)])


@dataclass(frozen=True, slots=True)
class Oem:
    """Answers `STX 0 status data ETX xor`, taken only with the right checksum."""

    end: int = ANY_BYTE  # the checksum comes last

    def take(self, data: bytes) -> tuple[bytes | None, bytes]:
        """First whole answer from its `0` to its data, and the rest; damaged ones are passed over.

        Noise, FF in front and the echo of a question are passed over too.
        """
        while True:  # each turn drops at least one byte, or returns
            start = data.find(_STX)
            if start < 0:
                return None, b""
            data = data[start:]
            end = data.find(ETX)
            if end < 0 and len(data) <= ANSWER_MAX or end == len(data) - 1:
                return None, data
            whole = 3 <= end <= ANSWER_MAX and data[1] == MASTER
            if whole and reduce(xor, data[: end + 1]) == data[end + 1]:
                return data[1:end], data[end + 2 :]
            data = data[1:]
