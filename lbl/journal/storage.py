"""One folder of run data, through ten small operations that may each fail or be the last.

Everything the journal package writes goes through a Storage, so that a test can lose what was not
synced, tear a write or fail any operation. This file must never retry a sync: after a failed fsync
the kernel may have dropped the pages and reports the next one as good (Rebello et al., "Can
Applications Recover from fsync Failures?", USENIX ATC 2020).
"""

import contextlib
import errno
import os
from pathlib import Path
from typing import Final, Protocol

DRAFT: Final = ".draft"  # a file being written: perhaps half of it, never to be read
NEXT: Final = ".next"  # whole content waiting for the name to be free
FILE_MODE: Final = 0o644
MISSING: Final = -1


class Storage(Protocol):
    """A flat folder of named files. Every operation raises OSError when it fails."""

    def append(self, name: str, data: bytes) -> None:
        """Add `data` at the end of the file, whole or raising; the file is made when missing."""

    def sync(self, name: str) -> None:
        """Return once the file's content is on the disk."""

    def write(self, name: str, data: bytes) -> None:
        """Make the file anew with this content."""

    def rename(self, old: str, new: str) -> None:
        """Give `old` the name `new`, replacing a file of that name."""

    def remove(self, name: str) -> None:
        """Remove the file; a missing one is no error."""

    def truncate(self, name: str, size: int) -> None:
        """Cut the file to `size` bytes; it is cut on the disk when this returns."""

    def sync_folder(self) -> None:
        """Return once the folder's names are on the disk."""

    def read(self, name: str, start: int, length: int) -> bytes:
        """At most `length` bytes from `start`; fewer only at the end of the file."""

    def size(self, name: str) -> int:
        """The file's size in bytes, or -1 when there is none."""

    def close(self) -> None:
        """Let go of open files."""


class DiskStorage:
    """Storage in a real folder. Keeps one descriptor a file that is appended to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._fds: dict[str, int] = {}

    def append(self, name: str, data: bytes) -> None:
        """See Storage. A short write (disk full) raises and leaves a torn tail behind."""
        fd = self._fds.get(name, -1)
        if fd < 0:
            fd = self._fds[name] = self._open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        written = os.write(fd, data)
        if written != len(data):
            raise OSError(errno.ENOSPC, f"only {written} of {len(data)} bytes were written", name)

    def sync(self, name: str) -> None:
        """See Storage; fdatasync, since appending needs no more."""
        fd = self._fds.get(name, -1)
        if fd >= 0:
            os.fdatasync(fd)
            return
        fd = self._open(name, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def write(self, name: str, data: bytes) -> None:
        """See Storage."""
        fd = self._open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            view = memoryview(data)
            while view:  # ends: every round writes at least one byte or raises
                written = os.write(fd, view)
                if written == 0:
                    raise OSError(errno.ENOSPC, "nothing was written", name)
                view = view[written:]
        finally:
            os.close(fd)

    def rename(self, old: str, new: str) -> None:
        """See Storage."""
        self._forget(new)
        os.rename(old, new, src_dir_fd=self._folder, dst_dir_fd=self._folder)

    def remove(self, name: str) -> None:
        """See Storage."""
        self._forget(name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._folder)

    def truncate(self, name: str, size: int) -> None:
        """See Storage."""
        fd = self._open(name, os.O_WRONLY)
        try:
            os.ftruncate(fd, size)
            os.fsync(fd)
        finally:
            os.close(fd)

    def sync_folder(self) -> None:
        """See Storage."""
        os.fsync(self._folder)

    def read(self, name: str, start: int, length: int) -> bytes:
        """See Storage."""
        fd = self._open(name, os.O_RDONLY)
        try:
            return os.pread(fd, length, start)
        finally:
            os.close(fd)

    def size(self, name: str) -> int:
        """See Storage."""
        try:
            return os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_size
        except FileNotFoundError:
            return MISSING

    def close(self) -> None:
        """See Storage; the object is of no use afterwards."""
        for fd in (*self._fds.values(), self._folder):
            os.close(fd)
        self._fds.clear()
        self._folder = -1

    def _open(self, name: str, flags: int) -> int:
        # O_NOFOLLOW: a run folder comes from anywhere, and a link in it may point anywhere.
        return os.open(name, flags | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE, dir_fd=self._folder)

    def _forget(self, name: str) -> None:
        fd = self._fds.pop(name, -1)
        if fd >= 0:
            os.close(fd)


def replace(storage: Storage, name: str, data: bytes, *, durable: bool) -> None:
    """Replace a file as a whole: at every instant the old content or the new can be read.

    Durable: also after a power cut. Otherwise only when the process dies: the name is freed before
    it is taken again, because renaming over a file makes ext4 write it out at once (its
    auto_da_alloc), several times the cost; `latest` knows where to look in between.
    """
    draft = name + DRAFT
    if durable:
        storage.write(draft, data)
        storage.sync(draft)
        storage.rename(draft, name)
        storage.sync_folder()
        return
    storage.write(draft, data)
    if storage.size(name) == MISSING:
        storage.rename(draft, name)
        return
    storage.rename(draft, name + NEXT)
    storage.remove(name)
    storage.rename(name + NEXT, name)


def settle(storage: Storage, name: str) -> None:
    """Finish a replacement that a crash left between two names, for those who look by name."""
    if storage.size(name) == MISSING and storage.size(name + NEXT) != MISSING:
        storage.rename(name + NEXT, name)


def latest(storage: Storage, name: str, limit: int) -> bytes | None:
    """The content of a replaced file, at most `limit` bytes; None when there is none."""
    for one in (name, name + NEXT, name):  # again: the writer may have finished in between
        try:
            return storage.read(one, 0, limit)
        except FileNotFoundError:
            continue
    return None
