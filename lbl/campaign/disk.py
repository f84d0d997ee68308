"""A disk that stops half way, is full, breaks, and forgets what was not synced.

The real folder under the ordinary storage; nothing is really synced, and what a power cut would
lose is worked out when one comes. The world's own files are none of its business. Must never fail
without being told to.
"""

import contextlib
import errno
import os
from pathlib import Path
from typing import Final, Protocol

from lbl.campaign.chance import Chance
from lbl.journal.storage import MISSING, DiskStorage

OF_THE_WORLD: Final = ("world.json", "ledger.jsonl")
JOURNAL: Final = "journal.jsonl"


class Fate(Protocol):
    """Who knows when a write fails, and how, and what time it is."""

    def now_ns(self) -> int:
        """The instant of what is written now."""

    def write(self, size: int) -> int | None:
        """A write of `size` bytes is due: None lets it be, a number is how much of it is written.

        Raises OSError when nothing is written; what comes after a part is for `after_part`.
        """

    def after_part(self) -> None:
        """Part of a write is on the disk: raises what happens then."""


class Disk(DiskStorage):
    """Storage in a real folder whose every change asks `fate` first."""

    def __init__(self, path: Path, fate: Fate, written_ns: int, *, forgetful: bool) -> None:
        """`forgetful`: `forget` will be asked for, so keep what it needs to know.

        `written_ns` is when the journal was last appended to, as the file's time tells.
        """
        super().__init__(path)
        self._fate = fate
        self.written_ns = self._safe_ns = written_ns
        self._forgetful = forgetful
        self._synced: dict[str, int] = {}  # bytes of a file that are safe
        # Names changed since the folder was last synced, and what stood under them.
        self._before: list[list[tuple[str, bytes | None]]] = []

    def append(self, name: str, data: bytes) -> None:
        """See Storage."""
        if name in OF_THE_WORLD:
            return
        if self._forgetful and name not in self._synced:
            size = self.size(name)
            self._synced[name] = max(0, size)
            if size == MISSING:
                self._before.append([(name, None)])
        part = self._fate.write(len(data))
        super().append(name, data if part is None else data[:part])
        if name == JOURNAL:
            self.written_ns = self._fate.now_ns()
        if part is not None:
            self._fate.after_part()

    def write(self, name: str, data: bytes) -> None:
        """See Storage."""
        if name.startswith(OF_THE_WORLD):
            return
        self._keep(name)
        part = self._fate.write(len(data))
        super().write(name, data if part is None else data[:part])
        self._synced[name] = 0
        if part is not None:
            self._fate.after_part()

    def sync(self, name: str) -> None:
        """See Storage."""
        self._whole()
        if self._forgetful:
            self._synced[name] = self.size(name)
        if name == JOURNAL:
            self._safe_ns = self.written_ns

    def sync_folder(self) -> None:
        """See Storage."""
        self._whole()
        self._before.clear()

    def rename(self, old: str, new: str) -> None:
        """See Storage."""
        if old.startswith(OF_THE_WORLD):
            return
        self._whole()
        self._keep(new, old)
        super().rename(old, new)
        self._synced[new] = self._synced.pop(old, 0)

    def remove(self, name: str) -> None:
        """See Storage."""
        if name.startswith(OF_THE_WORLD):
            return
        self._whole()
        self._keep(name)
        super().remove(name)

    def truncate(self, name: str, size: int) -> None:
        """See Storage; cut on the disk when it returns."""
        if name in OF_THE_WORLD:
            return
        self._whole()
        os.truncate(self.path / name, size)
        self._synced[name] = size

    def forget(self, chance: Chance) -> None:
        """Power fails: of what was not synced a part is left, perhaps as NULs."""
        for name, safe in self._synced.items():
            size = self.size(name)
            if size > safe:
                kept = safe + chance.below(size - safe + 1)
                os.truncate(self.path / name, kept)
                if name == JOURNAL and kept == safe:
                    self.written_ns = self._safe_ns
                if chance.happens(0.3):
                    os.truncate(self.path / name, kept + chance.below(size - kept + 1))
        for _ in range(chance.below(len(self._before) + 1)):
            for name, content in self._before.pop():
                self._put(name, content)

    def _whole(self) -> None:
        """An operation that happens wholly or not at all."""
        part = self._fate.write(0)
        if part is not None:
            self._fate.after_part()

    def _keep(self, *names: str) -> None:
        """Remember what stands under these names."""
        if self._forgetful:
            self._before.append([(name, self._content(name)) for name in names])

    def _content(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def _put(self, name: str, content: bytes | None) -> None:
        if content is not None:
            (self.path / name).write_bytes(content)
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path / name)


def full(kind: str) -> OSError:
    """The error of a disk that is full, or broken."""
    number = errno.ENOSPC if kind == "full" else errno.EIO
    return OSError(number, os.strerror(number))
