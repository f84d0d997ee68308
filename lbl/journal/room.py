"""Room on the disk: how much there is, and a reserve that can be given back when there is none.

Must never keep anything in the reserve: it is there to be removed.
"""

import os
from pathlib import Path
from typing import Final

RESERVE: Final = "reserve"


def free_bytes(path: Path) -> int | None:
    """Bytes that this user may still write where `path` lies; None when nobody can say."""
    try:
        about = os.statvfs(path)
    except OSError:
        return None
    return about.f_bavail * about.f_frsize


class Reserve:
    """A file of `size` bytes that takes room while nothing is wrong."""

    def __init__(self, folder: Path, size: int) -> None:
        self._path = folder / RESERVE
        self._size = size

    def keep(self) -> bool:
        """Take the room, really; False when the disk does not have it."""
        try:
            if self._path.exists() and self._path.stat().st_size == self._size:
                return True
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
            try:
                os.ftruncate(fd, 0)
                if self._size:
                    os.posix_fallocate(fd, 0, self._size)
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError:
            self.give_back()
            return False
        return True

    def give_back(self) -> None:
        """Let others have the room; doing it twice does no harm."""
        self._path.unlink(missing_ok=True)
