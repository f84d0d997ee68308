"""Power cuts on a real file system: ext4 in a file, shut down in mid-write, mounted again.

A writer appends to a real durable journal and tells each acknowledged record over a pipe; the file
system is cut off below it without a flush (FS_IOC_SHUTDOWN, NOLOGFLUSH); after the next mount every
record that was acknowledged is there, the chain holds, and the run goes on. What is lost is the
page cache: torn sectors and lying disks are for the disk that only pretends. Needs the right to
mount. Each mount and loop device is taken down again, whatever happens.

    python -m tests.torture.power_cuts CUTS [SEED]
"""

import contextlib
import fcntl
import os
import random
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lbl.errors import BadInput, Fault
from lbl.journal.audit import verify
from lbl.journal.journal import Journal
from lbl.journal.opening import events
from lbl.journal.storage import DiskStorage

SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = struct.pack("I", 2)
SIZE_MB = 16
WAIT_S = 0.1  # a cut comes within so long after the writer's first word
BOUND_S = 20.0  # for anything that must happen
RECORDS_MAX = 400  # of one journal, then a new one is begun
FACTS = {
    "recipe": "demo", "version": "1", "recipe_hash": "0" * 64, "content_hash": "0" * 64,
    "plan_hash": "0" * 64, "bench": "dip", "bench_hash": "0" * 64, "bilayers": 100_000,
    "depositions": 200_000, "duration_s": 1.0, "simulated": True, "seed": 1, "world": {},
    "speed": 0, "software": "lbl", "sets": {},
}  # fmt: skip


@dataclass
class Count:
    """What a campaign has done."""

    cuts: int = 0
    acknowledged: int = 0
    lost: int = 0
    torn: int = 0
    wrong: int = 0


class Clock:
    """The stamps of a writer."""

    boot = "writer"

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def utc(self) -> str:
        return "2030-01-01T00:00:00.000Z"


class Image:
    """An ext4 file system in a file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "disk.img"
        self.place = folder / "mounted"
        self.place.mkdir()
        with self.file.open("wb") as file:
            file.truncate(SIZE_MB << 20)
        words = ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", str(self.file)]
        subprocess.run(words, check=True, capture_output=True, timeout=60)

    @contextmanager
    def mounted(self) -> Iterator[Path]:
        """Mounted by a loop device that goes with the mount."""
        words = ["mount", "-o", "loop", str(self.file), str(self.place)]
        subprocess.run(words, check=True, capture_output=True, timeout=60)
        try:
            yield self.place
        finally:
            self._unmount()

    def _unmount(self) -> None:
        end = time.monotonic() + BOUND_S
        while subprocess.run(
            ["umount", str(self.place)], capture_output=True, check=False
        ).returncode:
            if time.monotonic() > end:
                subprocess.run(["umount", "-l", str(self.place)], check=True)
                return
            time.sleep(0.01)


def cut(place: Path) -> None:
    """The power fails: nothing more reaches the disk, nothing is flushed."""
    fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(fd, SHUTDOWN, NO_LOG_FLUSH)
    finally:
        os.close(fd)


def write(place: Path, pipe: int, seed: int, durable: bool) -> None:
    """The writer: a run's records, heads and checkpoints, each told once it is acknowledged.

    Not `durable`: the control, whose records are promised before they are on the disk.
    """
    folder = place / "run"
    folder.mkdir(exist_ok=True)
    chance, storage = random.Random(seed), DiskStorage(folder)
    if storage.size("journal.jsonl") > 0:
        journal = Journal.open(storage, "r1", clock=Clock())
    else:
        fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(fd)  # as a run folder is made
        os.close(fd)
        journal = Journal.create(storage, "r1", durable=durable, clock=Clock(), **FACTS)

    def tell(event: Any) -> None:
        os.write(pipe, f"{event.seq} {event.hash}\n".encode())

    while True:
        number = journal.state["depositions"] + 1
        tell(
            journal.append(
                "transfer-outcome", vessel="bath", solution="BR", immersed=True, air_s=14.0,
                deposition=number,
            )
        )  # fmt: skip
        tell(journal.append("note", text="x" * chance.randrange(2000)))
        bilayer = (number + 1) // 2
        tell(journal.append("deposition-done", deposition=number, solution="BR", bilayer=bilayer))
        journal.renew_heads()
        if not chance.randrange(20):
            tell(journal.checkpoint())


def writer(place: Path, seed: int, durable: bool) -> tuple[int, int]:
    """A process that writes until it is killed: its pid and the pipe it tells by."""
    near, far = os.pipe()
    pid = os.fork()
    if pid:
        os.close(far)
        return pid, near
    try:
        os.close(near)
        with contextlib.suppress(OSError, Fault):  # its disk has gone
            write(place, far, seed, durable)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def heard(place: Path, chance: random.Random, durable: bool) -> dict[int, str]:
    """Let a writer write, cut the power, and hear what had been promised until then.

    What it tells later is no promise: its own processor would have had no power either, and the
    kernel lets a sync that is under way return as the file system goes.
    """
    told = b""
    pid, pipe = writer(place, chance.randrange(1 << 30), durable)
    try:
        select.select([pipe], [], [], BOUND_S)
        time.sleep(chance.random() * WAIT_S)
        os.set_blocking(pipe, False)
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(pipe, 1 << 16):
                told += piece
        cut(place)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(pipe)
    lines = told.split(b"\n")[:-1]
    pairs = (line.decode().split() for line in lines)
    return {int(seq): text for seq, text in pairs}


def judge(place: Path, promised: dict[int, str], count: Count) -> str:
    """Open what is left: "" or what is wrong with it."""
    storage = DiskStorage(place / "run")
    try:
        journal = Journal.open(storage, "r1", clock=Clock())
        kept = {event.seq: event.hash for event in events(storage, "r1")}
        gone = [seq for seq, text in promised.items() if kept.get(seq) != text]
        count.lost += len(gone)
        count.torn += journal.opening.tail.torn_bytes > 0
        if gone:
            return f"{len(gone)} acknowledged records are gone, the first is {gone[0]}"
        report = verify(storage, "r1")
        return "" if report.ok else report.text()
    except BadInput as error:
        return str(error) if promised else ""
    finally:
        storage.close()


def campaign(folder: Path, cuts: int, seed: int, *, durable: bool = True) -> Count:
    """So many cuts on one image; journals that have grown long make way for new ones."""
    count, chance, image = Count(), random.Random(seed), Image(folder)
    promised: dict[int, str] = {}
    while count.cuts < cuts:
        with image.mounted() as place:
            promised |= heard(place, chance, durable)
            count.cuts += 1
        with image.mounted() as place:
            wrong = judge(place, promised, count)
            if wrong:
                count.wrong += 1
                print(f"seed {seed} cut {count.cuts}: {wrong}", flush=True)
            if wrong or len(promised) > RECORDS_MAX:
                subprocess.run(["rm", "-rf", str(place / "run")], check=True)
                count.acknowledged += len(promised)
                promised = {}
    count.acknowledged += len(promised)
    return count


def refused(folder: Path) -> str:
    """Why no power can be cut here; "" if it can."""
    try:
        image = Image(folder)
        with image.mounted() as place:
            cut(place)
    except (OSError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {error}"
    image.file.unlink()
    image.place.rmdir()
    return ""


def main() -> int:
    cuts = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    signal.signal(signal.SIGTERM, lambda *given: sys.exit(1))  # mounts are taken down
    with tempfile.TemporaryDirectory(prefix="lbl-cuts-") as name:
        why = refused(Path(name))
        if why:
            print(f"power cuts: NOT RUN, no file system can be shut down here: {why}")
            return 0
        began = time.monotonic()
        count = campaign(Path(name), cuts, seed)
    print(
        f"power cuts on ext4: {count.cuts}, {count.acknowledged} acknowledged records,"
        f" {count.lost} lost, {count.torn} torn tails, {count.wrong} cuts found something,"
        f" {time.monotonic() - began:.0f} s (seed {seed})"
    )
    return 1 if count.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
