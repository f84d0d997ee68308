"""Where a message begins and ends in a stream of bytes; pure functions of the bytes so far.

A framing is a frozen value that many ports may share: `take` looks at the bytes received and not
yet used, and gives the first whole message and what is left. Feeding byte by byte gives the same
messages as feeding everything at once. Nothing here reads, writes, waits or knows a clock, and
nothing here lets a buffer grow without bound.
"""

from binascii import crc_hqx
from dataclasses import dataclass
from typing import Final, Protocol

from drivers.errors import InstrumentError

STX: Final = 0x02
ETX: Final = 0x03
CR: Final = 0x0D
LF: Final = 0x0A
ANY_BYTE: Final = -1  # end of a framing whose last byte is a checksum: it may have any value
LINE_MAX: Final = 512  # the longest line any of our instruments sends is an *IDN? of under 100
_STX: Final = bytes([STX])
_DIGITS: Final = range(0x30, 0x3A)
_SAFE_MIN: Final = 7  # length byte of the shortest answer: itself, "00S", CRC, ETX
_SAFE_MAX: Final = 0x2F  # 0x30 and up would be the first digit of a basic-mode address
_FRAME: Final = 4  # length byte, two of CRC, ETX


class Framing(Protocol):
    """What a port needs to know of a protocol's envelope."""

    @property
    def end(self) -> int:
        """Last byte of a message, what a VISA read may stop at; ANY_BYTE when it has none."""
        ...

    def take(self, data: bytes) -> tuple[bytes | None, bytes]:
        """First whole message in `data` without its envelope (None: not yet), and the rest.

        Raises InstrumentError (kind "garbled") when what came can never become a message.
        """
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """Lines that end with one byte; CR, LF and NUL around them and empty lines mean nothing.

    Args:
        end: the last byte of a line.
        skip: first characters of lines nobody asked for (alerts, info), which are passed over.
        drop: bytes that are no part of any line wherever they stand (XON, XOFF).
        limit: longest line in bytes; more than that without an end is garbage.
    """

    end: int = LF
    skip: bytes = b""
    drop: bytes = b""
    limit: int = LINE_MAX

    def take(self, data: bytes) -> tuple[bytes | None, bytes]:
        """First line that is neither empty nor to be skipped, and the rest; see Framing."""
        while True:  # each turn uses up at least one byte of `data`
            at = data.find(self.end)
            if (at if at >= 0 else len(data)) > self.limit:
                raise InstrumentError(
                    f"no end of line within {self.limit} bytes",
                    kind="garbled",
                    cure="check baud rate, parity and terminator",
                )
            if at < 0:
                return None, data
            line = data[:at].translate(None, self.drop).strip(b"\r\n\x00")
            data = data[at + 1 :]
            if line and line[0] not in self.skip:
                return line, data


@dataclass(frozen=True, slots=True)
class Bracket:
    """Packets between STX and ETX, in the two forms a New Era pump uses.

    Basic: STX text ETX, the text beginning with a digit. Safe: STX length data CRC-high CRC-low
    ETX, where length counts itself to ETX and the CRC is CCITT (polynomial 0x1021, start 0) over
    the data; its bytes may look like STX or ETX, so it is cut by length alone. Bytes outside a
    packet are noise and are passed over. Source: New Era NE-1000 manual (publication 1200-01),
    "RS-232 protocol: basic and safe mode".
    """

    end: int = ETX
    limit: int = 64

    def take(self, data: bytes) -> tuple[bytes | None, bytes]:
        """First whole packet's text and the rest; a damaged packet is passed over."""
        while True:  # each turn drops at least one byte, returns, or both
            start = data.find(_STX)
            if start < 0:
                return None, b""
            data = data[start:]
            if len(data) < 2:
                return None, data
            done, message, data = self._basic(data) if data[1] in _DIGITS else _safe(data)
            if done:
                return message, data

    def _basic(self, data: bytes) -> tuple[bool, bytes | None, bytes]:
        """Whether to stop, the message if there is one, and what is left."""
        etx, again = data.find(ETX), data.find(_STX, 1)
        if again >= 0 and (etx < 0 or again < etx):
            return False, None, data[again:]
        if (etx if etx >= 0 else len(data)) > self.limit:
            return False, None, data[1:]
        if etx < 0:
            return True, None, data
        return True, data[1:etx], data[etx + 1 :]


def _safe(data: bytes) -> tuple[bool, bytes | None, bytes]:
    """The same for a packet whose second byte is its length."""
    length = data[1]
    if not _SAFE_MIN <= length <= _SAFE_MAX:
        return False, None, data[1:]
    if len(data) <= length:
        return True, None, data
    text, crc = data[2 : length - 2], data[length - 2 : length]
    if data[length] != ETX or crc_hqx(text, 0).to_bytes(2, "big") != crc:
        return False, None, data[1:]
    return True, text, data[length + 1 :]


def safe_packet(data: bytes) -> bytes:
    """`data` in New Era safe-mode packaging; the manual's own example is SAF0 -> 02 08 .. 03."""
    crc = crc_hqx(data, 0).to_bytes(2, "big")
    return bytes([STX, len(data) + _FRAME]) + data + crc + bytes([ETX])
