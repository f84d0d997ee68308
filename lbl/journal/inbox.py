"""Commands from other processes to the one that operates the run: one small file each.

A command is posted whole (draft, then rename), read without being removed, and removed only after
the journal has it. Anything else in the folder is moved aside and said so: the folder is open to
every program of the user. This file must never block on what it finds there.
"""

import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lbl.errors import BadInput, Problem
from lbl.journal.lock import unwritable

COMMANDS: Final = "commands"
REJECTED: Final = "rejected"
FILE_BYTES_MAX: Final = 4096
TAKEN_MAX: Final = 16  # commands of one look
WAITING_MAX: Final = 256  # files in the folder; a poster beyond is refused
REJECTED_MAX: Final = 64  # files kept for people; later ones are deleted
TEXT_MAX: Final = 500  # characters of who and why
_VERB: Final = re.compile(r"[a-z][a-z-]{0,31}")
_NAME: Final = re.compile(r"[0-9]{6}-[0-9a-f]{12}\.json")


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody wants of the run, and who and why."""

    verb: str
    by: str
    reason: str
    id: str


class Inbox:
    """The folder `commands/` of a run, for those who post and the one who takes."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._path = run / COMMANDS
        self._given: set[str] = set()
        self._notes: list[str] = []

    def post(self, verb: str, by: str, reason: str) -> str:
        """Put a command in; returns its id.

        Raises BadInput `command-wrong` for a verb that cannot be one, `inbox-full`,
        `run-unwritable`.
        """
        if not _VERB.fullmatch(verb):
            raise BadInput(
                Problem("command-wrong", f"{verb!r} cannot be a command", self._run.name)
            )
        body = {"verb": verb, "by": by[:TEXT_MAX], "reason": reason[:TEXT_MAX]}
        try:
            self._path.mkdir(exist_ok=True)
            names = [name for name in os.listdir(self._path) if _NAME.fullmatch(name)]
            if len(names) >= WAITING_MAX:
                raise self._full()
            number = max((int(name[:6]) for name in names), default=0) + 1
            name = f"{number % 10**6:06d}-{os.urandom(6).hex()}"
            draft = self._path / f".{name}.draft"
            draft.write_bytes(json.dumps(body).encode())
            draft.rename(self._path / f"{name}.json")
        except OSError as error:
            raise unwritable(self._run.name, error) from error
        return name

    def take(self) -> list[Command]:
        """New commands in the order of posting, at most TAKEN_MAX; each is given once.

        They stay in the folder until `remove`. What cannot be read is moved to `rejected/`.
        """
        try:
            names = os.listdir(self._path)
        except (FileNotFoundError, NotADirectoryError):
            return []
        if not names:
            return []
        commands: list[Command] = []
        for name in sorted(names)[: 2 * WAITING_MAX]:
            if len(commands) == TAKEN_MAX:
                break
            if name.startswith(".") or name == REJECTED or name[:-5] in self._given:
                continue
            command = self._read(name)
            if command is not None:
                self._given.add(command.id)
                commands.append(command)
        return commands

    def remove(self, command: str) -> None:
        """Forget a command that the journal now has. A missing file is no error."""
        (self._path / f"{command}.json").unlink(missing_ok=True)
        self._given.discard(command)

    def notes(self) -> list[str]:
        """Sentences about what was moved aside since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def _read(self, name: str) -> Command | None:
        try:
            if not _NAME.fullmatch(name):
                raise ValueError("its name is not that of a command")
            return _command(name[:-5], _content(self._path / name))
        except FileNotFoundError:
            return None  # somebody removed it meanwhile
        except (OSError, ValueError, RecursionError) as error:
            self._reject(name, str(error))
            return None

    def _reject(self, name: str, why: str) -> None:
        aside = self._path / REJECTED
        try:
            aside.mkdir(exist_ok=True)
            if len(os.listdir(aside)) < REJECTED_MAX:
                (self._path / name).rename(aside / name)
                done = f"moved to {COMMANDS}/{REJECTED}"
            else:
                (self._path / name).unlink()
                done = "deleted"
        except OSError as error:
            done = f"left in place: {error.strerror or error}"
            self._given.add(name[:-5])  # said once, then passed over
        if len(self._notes) < REJECTED_MAX:
            self._notes.append(f"{name[:80]!r} in {COMMANDS}/ is no command ({why}); {done}")

    def _full(self) -> BadInput:
        text = f"{WAITING_MAX} commands wait already"
        return BadInput(
            Problem("inbox-full", text, self._run.name, "is the run alive? see `lbl status`")
        )


def _content(path: Path) -> Any:
    """The JSON in a small regular file; never opens what could block, never follows a link."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a plain file")
        if status.st_size > FILE_BYTES_MAX:
            raise ValueError(f"it is larger than {FILE_BYTES_MAX} bytes")
        return json.loads(os.read(fd, FILE_BYTES_MAX))
    finally:
        os.close(fd)


def _command(name: str, body: Any) -> Command:
    if not isinstance(body, dict) or body.keys() != {"verb", "by", "reason"}:
        raise ValueError("it does not hold exactly verb, by and reason")
    if not all(isinstance(value, str) and len(value) <= TEXT_MAX for value in body.values()):
        raise ValueError("verb, by or reason is not a short text")
    if not _VERB.fullmatch(body["verb"]):
        raise ValueError("its verb cannot be a command")
    for value in body.values():
        value.encode("utf-8")  # a lone surrogate could not be journaled; this raises ValueError
    return Command(body["verb"], body["by"], body["reason"], name)
