"""Storage in a real folder: whole replacements, honest short writes, no links followed."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lbl.journal.opening import events
from lbl.journal.storage import DRAFT, NEXT, DiskStorage, latest, replace, settle

ROOT = Path(__file__).parents[2]
CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from lbl.journal.journal import Journal
from lbl.journal.storage import DiskStorage
class Clock:
    boot = "b"
    def utc(self): return "2026-01-01T00:00:00Z"
    def now_ns(self): return 1
storage = DiskStorage(Path(sys.argv[2]))
if storage.size("journal.jsonl") < 0:
    facts = dict(recipe="x", recipe_hash="", plan_hash="", bench="dip", bilayers=0, depositions=0)
    journal = Journal.create(storage, "r1", durable=False, clock=Clock(), **facts)
else:
    journal = Journal.open(storage, "r1", clock=Clock())
while True:
    event = journal.append("note", text="x" * 300)
    if event.seq % 7 == 0:
        journal.renew_heads()
    print(event.seq, flush=True)
"""


def test_append_read_size_truncate(tmp_path: Path) -> None:
    disk = DiskStorage(tmp_path)
    assert disk.size("a") == -1
    disk.append("a", b"one\n")
    disk.append("a", b"two\n")
    disk.sync("a")
    assert disk.size("a") == 8
    assert disk.read("a", 4, 100) == b"two\n"
    disk.truncate("a", 4)
    disk.append("a", b"new\n")
    assert (tmp_path / "a").read_bytes() == b"one\nnew\n"
    disk.sync_folder()
    disk.remove("a")
    disk.remove("a")
    disk.append("a", b"fresh")
    assert disk.read("a", 0, 100) == b"fresh"
    with pytest.raises(FileNotFoundError):
        disk.read("b", 0, 1)
    disk.close()


@pytest.mark.parametrize("durable", [True, False])
def test_replace_is_whole_at_every_instant(kit: Any, durable: bool) -> None:
    for stop in range(1, 20):
        disk = kit.Disk(stop)
        replace(disk, "w", b"first", durable=True)
        replace(disk, "w", b"second", durable=durable)
        disk.calls.clear()
        disk.stop_at = stop
        try:
            replace(disk, "w", b"third", durable=durable)
        except kit.Crash:
            if durable:
                disk.power_cut()
            assert latest(disk, "w", 100) in (b"second", b"third")
            disk.restart()
            settle(disk, "w")
            assert latest(disk, "w", 100) in (b"second", b"third")
            replace(disk, "w", b"fourth", durable=durable)
            assert latest(disk, "w", 100) == b"fourth"
            continue
        assert stop > 3
        break
    else:
        pytest.fail("the sweep did not reach the end")


def test_a_first_replacement_is_whole_or_absent(kit: Any) -> None:
    for stop in (1, 2):
        disk = kit.Disk(stop)
        disk.stop_at = stop
        with pytest.raises(kit.Crash):
            replace(disk, "w", b"first", durable=False)
        disk.restart()
        settle(disk, "w")
        assert latest(disk, "w", 100) in (None, b"first")


def test_replacing_on_a_real_disk_leaves_one_file(tmp_path: Path) -> None:
    disk = DiskStorage(tmp_path)
    for content in (b"1", b"22", b"3"):
        replace(disk, "w", content, durable=False)
        replace(disk, "d", content, durable=True)
    assert sorted(os.listdir(tmp_path)) == ["d", "w"]
    assert latest(disk, "w", 10) == latest(disk, "d", 10) == b"3"
    (tmp_path / "w").rename(tmp_path / ("w" + NEXT))
    (tmp_path / ("w" + DRAFT)).write_bytes(b"half")
    assert latest(disk, "w", 10) == b"3"
    settle(disk, "w")
    assert (tmp_path / "w").read_bytes() == b"3"
    disk.close()


def test_links_are_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "journal.jsonl").symlink_to(victim)
    disk = DiskStorage(folder)
    for act in (
        lambda: disk.append("journal.jsonl", b"x"),
        lambda: disk.write("journal.jsonl", b"x"),
        lambda: disk.read("journal.jsonl", 0, 1),
    ):
        with pytest.raises(OSError) as refusal:
            act()
        assert refusal.value.errno == errno.ELOOP
    assert victim.read_text() == "precious"
    disk.close()


@pytest.mark.fault("A11")
def test_a_full_disk_is_an_error_and_not_a_short_record(tmp_path: Path) -> None:
    import resource

    disk = DiskStorage(tmp_path)
    disk.append("a", b"12345678")
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (12, old[1]))
    try:
        with pytest.raises(OSError, match="only 4 of 8 bytes"):
            disk.append("a", b"12345678")
        with pytest.raises(OSError):
            disk.write("b", b"x" * 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, before)
        disk.close()


def test_killed_for_real_and_taken_up_again(kit: Any, tmp_path: Path) -> None:
    promised = 0
    for wanted in (5, 60, 200):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(ROOT), str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        for line in child.stdout:
            promised = int(line)
            if promised >= wanted:
                break
        child.kill()
        rest = child.stdout.read().split()
        child.stdout.close()
        child.wait()
        promised = int(rest[-1]) if rest else promised
        disk = DiskStorage(tmp_path)
        journal = kit.reopen(disk)
        assert journal.state["seq"] >= promised
        assert [event.seq for event in events(disk, "r1")] == list(
            range(1, journal.state["seq"] + 1)
        )
        disk.close()
