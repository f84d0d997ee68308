"""The run folder: everything a run leaves behind, and nothing else holds run state.

Gives out the storage for the journal, the lock, the inbox, the samples, and writes the other files
whole. This file must never decide anything about the run; it must never follow a link out of the
folder.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from lbl.errors import BadInput, Fault, Problem, Refused
from lbl.journal.bond import BOUND, Bond, NotBound, bond_of
from lbl.journal.heads import HEADS
from lbl.journal.inbox import COMMANDS, Command, Inbox
from lbl.journal.lock import RunLock, unwritable
from lbl.journal.opening import run_of
from lbl.journal.samples import Samples
from lbl.journal.storage import DiskStorage, Storage, latest, replace, settle

FROZEN: Final = ("recipe.yaml", "bench.yaml", "plan.json", "recipe.sig")
WORLD: Final = "world.json"
LEDGER: Final = "ledger.jsonl"
CAPTURE: Final = "capture.jsonl"
RECORD: Final = "record.json"
REPORT: Final = "report.html"
FILE_BYTES_MAX: Final = 64 << 20
ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
RESERVED: Final = frozenset({"last"})  # words that name a run in another way


class RunFolder:
    """One run's folder. `id` is the run's, which a copied folder keeps under any name."""

    def __init__(self, path: Path, run: str, disk: Callable[[Path], Storage] = DiskStorage) -> None:
        self.path = path
        self.storage = disk(path)
        self.id = run or run_of(self.storage) or path.name
        self.inbox = Inbox(path)
        self.samples = Samples(path)
        self._lock: RunLock | None = None

    @classmethod
    def create(
        cls,
        runs: Path,
        run: str,
        *,
        durable: bool = True,
        disk: Callable[[Path], Storage] = DiskStorage,
    ) -> "RunFolder":
        """Make the folder `runs/<run>` with an empty inbox.

        Raises BadInput `run-id`, `run-unwritable`; Refused `run-exists`.
        """
        if not ID.fullmatch(run) or run in RESERVED:
            text = f"{run!r} cannot be the id of a run: letters, digits, dot, dash and underscore"
            raise BadInput(Problem("run-id", text))
        path = runs / run
        if runs.exists() and not runs.is_dir():
            text = "the runs cannot be kept here: this is not a folder"
            raise BadInput(Problem("run-unwritable", text, str(runs), "name a folder"))
        try:
            runs.mkdir(parents=True, exist_ok=True)
            path.mkdir()
            (path / COMMANDS).mkdir()
            if durable:
                _sync_folder(runs)
            return cls(path, run, disk)
        except FileExistsError as error:
            text = "a run folder of that name exists"
            raise Refused(Problem("run-exists", text, str(path), "use another id")) from error
        except OSError as error:
            raise unwritable(str(path), error) from error

    @classmethod
    def open(cls, path: Path, *, disk: Callable[[Path], Storage] = DiskStorage) -> "RunFolder":
        """Take up an existing folder. Raises BadInput `run-unknown`."""
        if not any((path / name).exists() for name in ("journal.jsonl", *HEADS, FROZEN[0])):
            text = f"{str(path)!r} is not a run folder"
            raise BadInput(Problem("run-unknown", text, remedy="see `lbl runs`"))
        try:
            return cls(path, "", disk)
        except OSError as error:
            text = f"the run folder cannot be read: {error.strerror or error}"
            raise BadInput(Problem("run-unreadable", text, str(path))) from error

    def lock(self, purpose: str, boot: str) -> RunLock:
        """Hold the run for this process and finish what a crash left between two names.

        Raises Refused `run-locked` naming the holder, BadInput `run-unwritable`.
        """
        lock = self._lock = RunLock.take(self.path, purpose, boot)
        with self._writing():
            for name in (*HEADS, WORLD, RECORD):
                settle(self.storage, name)
        return lock

    def post_command(self, verb: str, by: str, reason: str) -> str:
        """Ask the process that holds the run for something; returns the command's id."""
        return self.inbox.post(verb, by, reason)

    def take_commands(self) -> list[Command]:
        """New commands, each once; `remove_command` when the journal has them."""
        return self.inbox.take()

    def remove_command(self, command: str) -> None:
        """Forget a journaled command."""
        self.inbox.remove(command)

    def freeze(self, name: str, data: str | bytes, *, durable: bool = True) -> None:
        """Keep a copy of what the run was started with. It is written once.

        Raises Refused `run-frozen` for other content under the name.
        """
        if name not in FROZEN:
            raise ValueError(f"{name!r} is none of {', '.join(FROZEN)}")
        content = data.encode() if isinstance(data, str) else data
        with self._writing():
            before = latest(self.storage, name, FILE_BYTES_MAX)
            if before is None:
                replace(self.storage, name, content, durable=durable)
            elif before != content:
                text = f"{name} is frozen for this run and differs from what is to be written"
                raise Refused(Problem("run-frozen", text, self.id, "start another run"))

    def read(self, name: str) -> bytes | None:
        """The content of a file of the folder, None when it is not there."""
        try:
            return latest(self.storage, name, FILE_BYTES_MAX)
        except OSError as error:
            text = f"{name} cannot be read: {error.strerror or error}"
            raise Fault(Problem("run-unreadable", text, self.id)) from error

    def save_world(
        self, state: Mapping[str, Any] | bytes, bond: Bond | None = None, *, durable: bool = False
    ) -> None:
        """Replace `world.json` as a whole: plain data, or its JSON text; tied to the journal."""
        data = state if isinstance(state, bytes) else _json(state)
        if bond is not None:
            data = bond.around(data)
        with self._writing():
            replace(self.storage, WORLD, data, durable=durable)

    def read_world(self) -> tuple[dict[str, Any] | None, Bond | None]:
        """The simulated world's state and what ties it to the journal; None for a real bench.

        Raises Fault `run-damaged`.
        """
        data = self.read(WORLD)
        if data is None:
            return None, None
        try:
            bond = bond_of(data)
        except NotBound:
            text = f"{WORLD} is not what was written"
            raise Fault(Problem("run-damaged", text, self.id)) from None
        state = self._row(data, WORLD)
        if bond is not None:
            del state[BOUND]
        return state, bond

    def write_record(self, record: Mapping[str, Any], *, durable: bool = True) -> None:
        """Replace `record.json`, indented for people."""
        text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        with self._writing():
            replace(self.storage, RECORD, text.encode(), durable=durable)

    def read_record(self) -> dict[str, Any] | None:
        """The run record, None when it was not made. Raises Fault `run-damaged`."""
        return self._object(RECORD)

    def write_report(self, html: str) -> None:
        """Replace `report.html`."""
        with self._writing():
            replace(self.storage, REPORT, html.encode(), durable=False)

    def append_ledger(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows of the simulated world's ledger to `ledger.jsonl`, in one write."""
        data = b"".join([_json(row) + b"\n" for row in rows])
        if data:
            with self._writing():
                self.storage.append(LEDGER, data)

    def append_capture(self, lines: Iterable[str]) -> None:
        """Add lines of what crossed the wires to `capture.jsonl`, in one write."""
        data = "".join([line + "\n" for line in lines]).encode()
        if data:
            with self._writing():
                self.storage.append(CAPTURE, data)

    def read_ledger(self) -> list[dict[str, Any]]:
        """The rows of `ledger.jsonl`; an unfinished last line is no row."""
        text = self.read(LEDGER) or b""
        return [self._row(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]

    def keep_ledger(self, count: int) -> None:
        """Cut the ledger to its first rows: a restored world may be older than the file."""
        text = self.read(LEDGER)
        if text is None:
            return
        kept = b"".join(text.splitlines(keepends=True)[:count])
        if len(kept) < len(text):
            with self._writing():
                self.storage.truncate(LEDGER, len(kept))

    def sample(self, name: str, t_ns: int, value: float, unit: str = "") -> None:
        """Keep one sensor value for curves and reports; it may be lost without harm."""
        self.samples.add(name, t_ns, value, unit)

    def discard(self) -> None:
        """Remove a folder in which no run has begun; what cannot be removed stays."""
        if self.storage.size("journal.jsonl") < 0:
            shutil.rmtree(self.path, ignore_errors=True)

    def close(self) -> None:
        """Write the last samples, let go of files and lock."""
        self.samples.close()
        self.storage.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _object(self, name: str) -> dict[str, Any] | None:
        data = self.read(name)
        return None if data is None else self._row(data, name)

    def _row(self, data: bytes, name: str = LEDGER) -> dict[str, Any]:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise Fault(Problem("run-damaged", f"{name} does not hold a JSON object", self.id))
        return value

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Fault(*unwritable(self.id, error).problems) from error


def _json(value: Mapping[str, Any]) -> bytes:
    """Compact JSON. pydantic's encoder is five times as fast as json's where floats abound."""
    from pydantic_core import to_json  # here, since looking at runs needs none of it

    return to_json(value)


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
