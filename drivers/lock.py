"""One process a port: a lock file per resource, and beside it who holds it and for what.

The kernel drops the lock when its holder dies, so a stale lock cannot exist; the note beside it
may be stale and is only words. This file must never wait for a lock and never delete one.
"""

import hashlib
import json
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from drivers.errors import InstrumentError

_OWNER_ONLY: Final = 0o700
_NOTE_MAX: Final = 4096
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.-]+")
_SERIAL_PATH: Final = re.compile(r"ASRL(/[^:]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a port: process id and what it says it is doing."""

    pid: int
    purpose: str


class PortLock:
    """An exclusive hold on one resource, from `PortLock(...)` to `release()`.

    Raises InstrumentError (kind "locked") that names the holder's pid and purpose.
    """

    def __init__(self, resource: str, purpose: str) -> None:
        """Take the lock, or say who has it."""
        path = lock_path(resource)
        self._lock = FileLock(path, timeout=0, mode=0o600)
        try:
            self._lock.acquire()
        except Timeout:
            raise _refusal(resource, holder(resource)) from None
        except OSError as error:
            raise InstrumentError(
                f"cannot lock {path}: {error.strerror}", kind="locked", resource=resource
            ) from error
        note = {"pid": os.getpid(), "purpose": purpose, "resource": resource}
        _write(path.with_suffix(".json"), json.dumps(note))

    def release(self) -> None:
        """Let the next process in; doing it twice does no harm."""
        self._lock.release()


def holder(resource: str) -> Holder | None:
    """Who last took this resource, as far as the note says; None when it says nothing."""
    try:
        with open(lock_path(resource).with_suffix(".json"), encoding="utf-8") as note:
            data = json.loads(note.read(_NOTE_MAX))
        return Holder(int(data["pid"]), str(data["purpose"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def lock_path(resource: str) -> Path:
    """The lock file of a resource; two names of one serial device share one file."""
    name = canonical(resource)
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return _folder() / f"{_UNSAFE.sub('-', name)[:60]}-{digest}.lock"


def canonical(resource: str) -> str:
    """The same text for the same port: links of a serial path followed, the rest upper-cased."""
    serial = _SERIAL_PATH.match(resource)
    if serial:
        return "ASRL" + os.path.realpath(serial.group(1))
    return resource.upper()


def _folder() -> Path:
    """The folder of this user's locks; refused when it belongs to somebody else."""
    folder = Path(tempfile.gettempdir()) / f"lbl-locks-{os.getuid()}"
    folder.mkdir(mode=_OWNER_ONLY, exist_ok=True)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        raise InstrumentError(
            f"{folder} is not a folder of ours",
            kind="locked",
            cure=f"have its owner remove {folder}",
        )
    if stat.S_IMODE(about.st_mode) != _OWNER_ONLY:
        folder.chmod(_OWNER_ONLY)
    return folder


def _refusal(resource: str, who: Holder | None) -> InstrumentError:
    cause = "the port is in use by another process"
    cure = "close the other program"
    if who is not None:
        cause = f"the port is in use by process {who.pid} ({who.purpose or 'no purpose given'})"
        cure = "wait for it; a film is held with lbl hold and ended with lbl abort"
    return InstrumentError(cause, kind="locked", cure=cure, resource=resource)


def _write(path: Path, text: str) -> None:
    """Replace the note as a whole, so that a reader never sees half of one."""
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
