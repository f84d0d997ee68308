"""A clock, a disk that forgets and breaks, and random but lawful runs, for the journal's tests."""

import errno
import random
from collections.abc import Callable
from typing import Any

import pytest

from lbl.journal import journal as journal_module
from lbl.journal.events import Event
from lbl.journal.journal import Journal

FACTS: dict[str, Any] = {
    "recipe": "demo",
    "recipe_hash": "aa",
    "plan_hash": "bb",
    "bench": "dip",
    "bilayers": 50,
    "depositions": 100,
}


class Clock:
    """Every look moves the time on by one millisecond."""

    def __init__(self, start_ns: int = 0, boot: str = "virtual") -> None:
        self.boot = boot
        self._now = start_ns

    def utc(self) -> str:
        return "2026-01-01T00:00:00.000Z"

    def now_ns(self) -> int:
        self._now += 1_000_000
        return self._now


class Crash(Exception):
    """The computer stops in the middle of an operation."""


class Inode:
    def __init__(self) -> None:
        self.data = b""
        self.safe = b""


class Disk:
    """A Storage that can stop or fail at any operation, and lose what was not synced.

    `stop_at` or `fail_at` name the operation by its number from 1. A stopped append or write has
    written a part. `power_cut` keeps of every file what was synced and a random part of the rest,
    perhaps as NULs, and of the names changed since the last folder sync the first few.
    """

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.names: dict[str, Inode] = {}
        self.safe_names: dict[str, Inode] = {}
        self.log: list[Callable[[dict[str, Inode]], None]] = []
        self.calls: list[str] = []
        self.stop_at = 0
        self.fail_at = 0
        self.error = errno.EIO

    def _op(self, what: str) -> bool:
        """Count an operation; True when it must stop half way."""
        self.calls.append(what)
        if len(self.calls) == self.fail_at:
            raise OSError(self.error, "injected")
        return len(self.calls) == self.stop_at

    def _rename(self, change: Callable[[dict[str, Inode]], None]) -> None:
        change(self.names)
        self.log.append(change)

    def _inode(self, name: str) -> Inode:
        if name not in self.names:
            fresh = Inode()
            self._rename(lambda names: names.__setitem__(name, fresh))
        return self.names[name]

    def append(self, name: str, data: bytes) -> None:
        half = self._op("append")
        inode = self._inode(name)
        inode.data += data[: self.random.randint(0, len(data))] if half else data
        if half:
            raise Crash

    def write(self, name: str, data: bytes) -> None:
        half = self._op("write")
        inode = self._inode(name)
        inode.data = data[: self.random.randint(0, len(data))] if half else data
        if half:
            raise Crash

    def sync(self, name: str) -> None:
        if self._op("sync"):
            raise Crash
        self.names[name].safe = self.names[name].data

    def sync_folder(self) -> None:
        if self._op("sync_folder"):
            raise Crash
        self.safe_names = dict(self.names)
        self.log.clear()

    def rename(self, old: str, new: str) -> None:
        if self._op("rename"):
            raise Crash
        if old not in self.names:
            raise FileNotFoundError(errno.ENOENT, "no such file", old)
        self._rename(lambda names: names.__setitem__(new, names.pop(old)))

    def remove(self, name: str) -> None:
        if self._op("remove"):
            raise Crash
        self._rename(lambda names: names.pop(name, None))

    def truncate(self, name: str, size: int) -> None:
        if self._op("truncate"):
            raise Crash
        inode = self.names[name]
        inode.data = inode.safe = inode.data[:size]

    def read(self, name: str, start: int, length: int) -> bytes:
        if name not in self.names:
            raise FileNotFoundError(errno.ENOENT, "no such file", name)
        return self.names[name].data[start : start + length]

    def size(self, name: str) -> int:
        return len(self.names[name].data) if name in self.names else -1

    def close(self) -> None:
        pass

    # What happens to it.

    def restart(self) -> None:
        """The process is gone, the disk is as it was."""
        self.stop_at = self.fail_at = 0
        self.calls.clear()

    def power_cut(self) -> None:
        """What was not synced is lost, or half of it, or in part NULs."""
        names = dict(self.safe_names)
        for change in self.log[: self.random.randint(0, len(self.log))]:
            try:
                change(names)
            except KeyError:
                continue
        for inode in {id(one): one for one in names.values()}.values():
            inode.data = inode.safe = self._survivor(inode)
        self.names, self.safe_names = names, dict(names)
        self.log.clear()
        self.restart()

    def _survivor(self, inode: Inode) -> bytes:
        if not inode.data.startswith(inode.safe):
            return self.random.choice([inode.safe, inode.data, b""])
        size = self.random.randint(len(inode.safe), len(inode.data))
        kept = self.random.randint(len(inode.safe), size)
        return inode.data[:kept] + b"\0" * self.random.choice([0, size - kept])

    def copy(self) -> "Disk":
        """Another disk with the same content."""
        other = Disk()
        for name, inode in self.names.items():
            twin = other.names[name] = other.safe_names[name] = Inode()
            twin.data = twin.safe = inode.data
        return other


class Player:
    """Plays a run of chosen acts, always lawful: the choices decide which acts, in which order."""

    ACTS = 11

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.events: list[Event] = []  # acknowledged ones

    def act(self, choice: int, value: Any = 0) -> None:
        """One act; `value` is any JSON data, kept in a note."""
        state = self.journal.state
        step = state["step"] + 1
        number = state["depositions"] + 1
        solution = "PDAC" if number % 2 else "BR"
        acts: list[Callable[[], None]] = [
            lambda: self.put("step-intent", step=step, act="expose", vessel="polycation"),
            lambda: self.put("step-outcome", step=step - 1, act="expose", result="done"),
            lambda: self.dip(number, solution),
            lambda: self.finish(number, solution),
            lambda: self.dose(step, solution),
            lambda: self.put("command", id=f"{step:06d}-x", verb="hold", reason=str(value)),
            lambda: self.put("deviation", code="air-soft", sentence=str(value)),
            lambda: self.put("note", text="", value=value),
            lambda: self.put("state", to="Execute", actor="tester"),
            self.journal.renew_heads,
            lambda: self.done(self.journal.checkpoint()),
        ]
        acts[choice % self.ACTS]()

    def put(self, kind: str, **keys: Any) -> None:
        self.done(self.journal.append(kind, **keys))

    def done(self, event: Event) -> None:
        self.events.append(event)

    def dip(self, number: int, solution: str) -> None:
        if number <= FACTS["depositions"]:
            self.put(
                "transfer-outcome",
                vessel="bath",
                solution=solution,
                immersed=True,
                air_s=14.25,
                deposition=number,
            )

    def finish(self, number: int, solution: str) -> None:
        if self.journal.state["exposure"] is not None:
            bilayer = (number + 1) // 2
            self.put("deposition-done", deposition=number, solution=solution, bilayer=bilayer)
            self.journal.renew_heads()

    def dose(self, step: int, solution: str) -> None:
        self.put("dose-intent", step=step, solution=solution, vessel="bath", volume_ml=2.5)
        self.put("dose-outcome", step=step, solution=solution, volume_ml=2.375, source="counter")


def begin(disk: Any, *, durable: bool = True, clock: Clock | None = None, **more: Any) -> Journal:
    return Journal.create(disk, "r1", durable=durable, clock=clock or Clock(), **FACTS, **more)


def reopen(disk: Any, **more: Any) -> Journal:
    return Journal.open(disk, "r1", clock=Clock(10**12), **more)


class Kit:
    """What the tests of this folder share."""

    Clock = Clock
    Crash = Crash
    Disk = Disk
    Player = Player
    FACTS = FACTS
    begin = staticmethod(begin)
    reopen = staticmethod(reopen)


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    return Kit


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints every 7 records, so that short runs have several."""
    monkeypatch.setattr(journal_module, "CHECKPOINT_EVERY", 7)
