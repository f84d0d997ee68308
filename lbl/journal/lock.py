"""One process at a time operates a run: an flock on the file `lock`, which names its holder.

The kernel drops the lock with the last descriptor of it, so a dead holder never blocks a run. The
descriptor can be handed to the guardian, which then holds the run until the bench is parked. The
standard library does this rather than `filelock`: that hides the descriptor, and before its version
4 a refused contender emptied the file. This file must never break a lock that is held.
"""

import errno
import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lbl.errors import BadInput, LblError, Problem, Refused

LOCK: Final = "lock"
LOCK_BYTES: Final = 512  # always so many, so that one write replaces the holder's name whole
PURPOSE_MAX: Final = 100  # characters
TRIES: Final = 100  # against processes that only look; each looks for microseconds


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a run, or held it last."""

    pid: int
    purpose: str
    boot: str

    def alive(self) -> bool:
        """True when a process of that number exists (it may be another one after a reboot)."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


class RunLock:
    """An exclusive lock on a run folder. Made by `take`; `release` it, or die."""

    def __init__(self, fd: int, holder: Holder) -> None:
        self.fd = fd
        self.holder = holder

    @classmethod
    def take(cls, folder: Path, purpose: str, boot: str) -> "RunLock":
        """Lock the folder for this process.

        Raises Refused `run-locked`, which names the holder; BadInput `run-unwritable`.
        """
        try:
            fd = os.open(
                folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644
            )
        except OSError as error:
            raise unwritable(folder.name, error) from error
        try:
            if not _exclusive(fd):
                raise _held(folder)
            holder = Holder(os.getpid(), purpose[:PURPOSE_MAX], boot[:PURPOSE_MAX])
            os.pwrite(fd, _words(holder), 0)
        except BaseException as error:
            os.close(fd)
            if isinstance(error, OSError):
                raise unwritable(folder.name, error) from error
            raise
        return cls(fd, holder)

    def release(self) -> None:
        """Let go; a guardian that holds the same descriptor keeps the run until it is done."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def holder(folder: Path) -> Holder | None:
    """Who holds the run now, or None when nobody does."""
    try:
        fd = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return None if _flock(fd, fcntl.LOCK_SH) else _read(fd)
    except OSError:
        return None  # a file system without locks: nobody can hold one
    finally:
        os.close(fd)


def _exclusive(fd: int) -> bool:
    """Take the lock; False when somebody holds it. Those who only look share it for an instant."""
    for _ in range(TRIES):
        if _flock(fd, fcntl.LOCK_EX):
            return True
        if not _flock(fd, fcntl.LOCK_SH):
            return False
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.sched_yield()
    return False


def _flock(fd: int, how: int) -> bool:
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def unwritable(run: str, error: OSError) -> BadInput:
    """The error for a run folder that cannot be written to."""
    text = f"the run folder cannot be written: {error.strerror or error}"
    return BadInput(Problem("run-unwritable", text, run, "check the disk, its space and rights"))


def _held(folder: Path) -> LblError:
    now = holder(folder)
    if now is None:
        text = "another process took the run at the same moment"
    elif now.alive():
        text = f"process {now.pid} holds the run ({now.purpose})"
    else:
        text = f"process {now.pid} ({now.purpose}) is gone, and its guardian still parks the bench"
    return Refused(
        Problem("run-locked", text, folder.name, "wait, or send it a command: lbl hold, lbl abort")
    )


def _words(holder: Holder) -> bytes:
    said = {"pid": holder.pid, "purpose": holder.purpose, "boot": holder.boot}
    return (
        json.dumps(said, ensure_ascii=False).encode("utf-8", "replace").ljust(LOCK_BYTES - 1)
        + b"\n"
    )


def _read(fd: int) -> Holder:
    """The holder's own words; a holder that has not written them yet is process 0."""
    try:
        said = json.loads(os.pread(fd, LOCK_BYTES, 0))
        return Holder(int(said["pid"]), str(said["purpose"]), str(said["boot"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return Holder(0, "unknown", "")
