"""Cavro command strings taken apart: letters, their numbers, the limits of those numbers.

Source: Tecan Cavro XCalibur operating manual 733085-B, chapter 3. Pure; must never know what a
command does.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

STRING_MAX: Final = 255  # characters of the command buffer
LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "v": (50, 1000), "V": (5, 6000), "c": (50, 2700), "L": (1, 20), "K": (0, 31), "k": (0, 80),
    "N": (0, 1), "J": (0, 7), "U": (0, 255),
}  # fmt: skip
OPTIONAL: Final = frozenset("ZYWwIOBEgGHkKNJ")  # no number means 0
KNOWN: Final = frozenset("APDapdIOBEZYWwRXTSMHgG") | frozenset(LIMITS)
_TOKEN: Final = re.compile(r"([A-Za-z])(\d{0,5}(?:,\d{0,5}){0,2})")

Token = tuple[str, tuple[int, ...]]
"""A command letter and its numbers."""


class CommandError(Exception):
    """A command that cannot be done; the argument is the error number."""


@lru_cache(maxsize=1024)
def parse(text: str) -> tuple[Token, ...] | None:
    """Return the commands of a string, or None if one of them is unknown."""
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or found[1] not in KNOWN:
            return None
        numbers = tuple(int(part or 0) for part in found[2].split(",")) if found[2] else ()
        tokens.append((found[1], numbers))
        place = found.end()
    return tuple(tokens)


def one(name: str, numbers: tuple[int, ...]) -> int:
    """Return the only number of a command; some commands take 0 for none."""
    if len(numbers) > 1 or (not numbers and name not in OPTIONAL):
        raise CommandError(3)
    return numbers[0] if numbers else 0
