"""The two framings of a Cavro pump: DT lines and OEM frames, in any mix.

Source: Tecan Cavro XCalibur operating manual 733085-B, chapter 3. Pure: bytes in, command texts
out; must never act on a command.
"""

from functools import reduce
from operator import xor
from typing import Final, NamedTuple

STX: Final = 2
ETX: Final = 3
CR: Final = 13
SLASH: Final = 0x2F
HOST: Final = b"0"  # the address of the controller in every answer
REPEAT: Final = 0x08  # bit of the sequence byte: sent again, perhaps heard already
NUMBER: Final = 0x07  # bits of the sequence byte: number of the frame
FRAME_MAX: Final = 300  # bytes of an unfinished frame; a longer one is dropped
OEM_MIN: Final = 2  # address and sequence byte


class Frame(NamedTuple):
    """One command: its address character, its text, and the sequence byte (-1 in DT)."""

    address: int
    text: str
    sequence: int


def dt_frame(status: int, data: str) -> bytes:
    """Return an answer in DT framing."""
    return b"/" + HOST + bytes((status,)) + data.encode("ascii") + b"\x03\r\n"


def oem_frame(status: int, data: str) -> bytes:
    """Return an answer in OEM framing; the check byte is the XOR of everything before it."""
    frame = b"\x02" + HOST + bytes((status,)) + data.encode("ascii") + b"\x03"
    return frame + bytes((reduce(xor, frame),))


class Frames:
    """Collects bytes and cuts them into frames.

    The first valid OEM frame, whoever it is meant for, makes the pump deaf for DT until
    power-off. A frame with a wrong check byte is dropped (guess): the controller sends again.
    """

    def __init__(self) -> None:
        self.oem = False
        self._buffer = b""  # begins with STX or a slash, or is empty
        self._checking: bool = False  # ETX has come, the check byte has not

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes; return the complete frames."""
        found = []
        for byte in data:
            frame = self._byte(byte)
            if frame is not None:
                found.append(frame)
        return found

    def _byte(self, byte: int) -> Frame | None:
        """Take one byte; return the frame that it completes."""
        buffer = self._buffer
        if self._checking:
            self._checking, self._buffer = False, b""
            return self._checked(buffer, byte)
        if byte == STX or (byte == SLASH and not self.oem):
            self._buffer = bytes((byte,))
        elif byte == CR and not self.oem:
            self._buffer = b""
            if len(buffer) > 1 and buffer[0] == SLASH:
                return Frame(buffer[1], buffer[2:].decode("latin-1"), -1)
        elif buffer:
            self._buffer = buffer + bytes((byte,)) if len(buffer) < FRAME_MAX else b""
            self._checking = bool(self._buffer) and byte == ETX and buffer[0] == STX
        return None

    def _checked(self, frame: bytes, check: int) -> Frame | None:
        if reduce(xor, frame) != check or len(frame) < OEM_MIN + 2:
            return None
        self.oem = True
        return Frame(frame[1], frame[3:-1].decode("latin-1"), frame[2])

    def plain(self) -> list[object]:
        """Return the unfinished frame and the protocol as JSON data."""
        return [self._buffer.decode("latin-1"), self._checking, self.oem]

    def take(self, plain: list[object]) -> None:
        """Take what `plain` gave."""
        text, checking, oem = plain
        self._buffer = str(text).encode("latin-1")
        self._checking, self.oem = bool(checking), bool(oem)
