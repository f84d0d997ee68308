"""The two framings of a New Era pump: basic lines and safe packets, in any mix.

Source: New Era NE-1000 manual, publication #1200-01, section 10.2 (pages 38-39). Pure: bytes in,
command texts out; must never act on a command.
"""

from binascii import crc_hqx
from typing import Final

STX: Final = 2
ETX: Final = 3
CR: Final = 13
LINE_MAX: Final = 64  # bytes of an unfinished basic command that are kept
GAP_NS: Final = 500_000_000  # a safe packet with a longer pause inside is dropped
_OVERHEAD: Final = 4  # the length counts itself, two check bytes and ETX


def safe_packet(data: bytes) -> bytes:
    """Return `data` in safe framing: STX, length, data, CRC-16 (0x1021, start 0), ETX."""
    crc = crc_hqx(data, 0)
    return bytes((STX, len(data) + _OVERHEAD)) + data + bytes((crc >> 8, crc & 0xFF, ETX))


def basic_packet(data: bytes) -> bytes:
    """Return `data` in basic framing: STX, data, ETX."""
    return b"\x02" + data + b"\x03"


class Packets:
    """Collects bytes and cuts them into commands.

    `feed` returns (command, was safe) pairs; a command of None is a damaged safe packet. Safe
    packets are cut by their length, never by ETX: the check bytes may be any value.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._last_ns = 0

    def feed(self, data: bytes, now_ns: int) -> list[tuple[str | None, bool]]:
        """Take bytes that arrived at `now_ns`."""
        if not data:
            return []
        if self._buffer[:1] == b"\x02" and now_ns - self._last_ns > GAP_NS:
            self._buffer = b""
        self._last_ns = now_ns
        buffer = self._buffer + data
        found: list[tuple[str | None, bool]] = []
        place = 0
        while place < len(buffer):
            end = _end(buffer, place)
            if end < 0:
                break
            if buffer[place] == STX or buffer[end - 1] == CR:
                found.append(_open(buffer[place:end]))
            place = end
        rest = buffer[place:]
        self._buffer = rest if rest[:1] == b"\x02" else rest[:LINE_MAX]
        return found

    def plain(self) -> list[object]:
        """Return the unfinished command as JSON data."""
        return [self._buffer.decode("latin-1"), self._last_ns]

    def take(self, plain: list[object]) -> None:
        """Take what `plain` gave."""
        text, last_ns = plain
        self._buffer = str(text).encode("latin-1")
        self._last_ns = int(str(last_ns))


def _end(buffer: bytes, place: int) -> int:
    """Return where the command that begins at `place` ends, or -1 if it is not complete.

    An STX ends an unfinished basic command, which is then dropped.
    """
    if buffer[place] != STX:
        start_safe = buffer.find(b"\x02", place)
        end = buffer.find(b"\r", place)
        if start_safe >= 0 and (end < 0 or start_safe < end):
            return start_safe
        return end + 1 if end >= 0 else -1
    if len(buffer) < place + 2:
        return -1
    end = place + 1 + max(buffer[place + 1], _OVERHEAD)
    return end if len(buffer) >= end else -1


def _open(packet: bytes) -> tuple[str | None, bool]:
    """Return the command text in one complete packet."""
    if packet[0] != STX:
        return packet[:-1][:LINE_MAX].decode("ascii", "replace"), False
    data = packet[2:-3]
    return (None if packet != safe_packet(data) else data.decode("ascii", "replace")), True
