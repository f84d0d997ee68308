"""Keeps what crosses the wires until somebody writes it down; many lines a write.

The bench opens before the run has a folder: the first lines wait for it. Must never open a file,
and never keep more than a bound.
"""

from collections.abc import Callable, Sequence
from typing import Final

WRITE_AT: Final = 512  # lines
WAIT_MAX: Final = 65_536  # lines that may wait for a folder; later ones are counted and dropped


class Tape:
    """A capture's listener: call it with each line."""

    def __init__(self) -> None:
        self.dropped = 0
        self._lines: list[str] = []
        self._write: Callable[[Sequence[str]], None] | None = None

    def __call__(self, line: str) -> None:
        """One line of a capture."""
        if len(self._lines) >= WAIT_MAX:
            self.dropped += 1
            return
        self._lines.append(line)
        if self._write is not None and len(self._lines) >= WRITE_AT:
            self.flush()

    def into(self, write: Callable[[Sequence[str]], None]) -> None:
        """From now on lines are handed to `write`."""
        self._write = write
        self.flush()

    def flush(self) -> None:
        """Hand on what is there; nothing happens while nobody takes it."""
        if self._write is not None and self._lines:
            lines, self._lines = self._lines, []
            self._write(lines)
