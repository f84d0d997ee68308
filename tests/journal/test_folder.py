"""The run folder: made once, locked by one, its files whole, its runs found by what people type."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lbl.errors import BadInput, Fault, LblError, Refused
from lbl.journal.folder import RunFolder
from lbl.journal.journal import Journal
from lbl.journal.lock import RunLock, holder
from lbl.journal.runs import find_run, list_runs, look

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from lbl.journal.lock import RunLock
lock = RunLock.take(Path(sys.argv[2]), "run demo", "boot-1")
print("held", flush=True)
time.sleep(60)
"""


def code(error: pytest.ExceptionInfo[LblError]) -> str:
    return error.value.problems[0].code


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    made = RunFolder.create(tmp_path / "runs", "r1", durable=False)
    yield made
    made.close()


def test_create_and_open(kit: Any, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "deep" / "runs", "r1")
    journal = Journal.create(
        folder.storage, folder.id, durable=True, clock=kit.Clock(), **kit.FACTS
    )
    journal.append("note", text="hello")
    folder.close()
    assert {"commands", "journal.jsonl", "head.a", "head.b"} == set(os.listdir(folder.path))
    again = RunFolder.open(folder.path)
    assert again.id == "r1"
    again.close()
    copied = tmp_path / "copy"
    folder.path.rename(copied)
    again = RunFolder.open(copied)
    assert again.id == "r1"
    assert look(copied).state["seq"] == 2
    again.close()


@pytest.mark.parametrize("name", ["", "last", "../x", "a/b", ".hidden", "-x", "x" * 65, "a b"])
def test_ids_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput) as refusal:
        RunFolder.create(tmp_path, name)
    assert code(refusal) == "run-id"
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_created_or_opened(folder: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        RunFolder.create(folder.path.parent, "r1")
    assert code(refusal) == "run-exists"
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput) as refusal:
        RunFolder.create(tmp_path / "file" / "runs", "r1")
    assert code(refusal) == "run-unwritable"
    for path in (tmp_path / "none", tmp_path / "file", tmp_path):
        with pytest.raises(BadInput) as refusal:
            RunFolder.open(path)
        assert code(refusal) == "run-unknown"


def test_frozen_files_are_written_once(folder: RunFolder) -> None:
    for durable, name in ((False, "recipe.yaml"), (True, "plan.json")):
        folder.freeze(name, "a: 1\n", durable=durable)
        folder.freeze(name, b"a: 1\n", durable=durable)
        with pytest.raises(Refused) as refusal:
            folder.freeze(name, "a: 2\n", durable=durable)
        assert code(refusal) == "run-frozen"
        assert folder.read(name) == b"a: 1\n"
    assert folder.read("bench.yaml") is None
    with pytest.raises(ValueError, match="none of"):
        folder.freeze("journal.jsonl", "x")


def test_world_record_report_and_ledger(folder: RunFolder) -> None:
    assert folder.read_world() == (None, None)
    assert folder.read_record() is None
    folder.save_world({"t": 1.5, "name": "\u00b5"})
    folder.save_world(b'{"t":2}')
    assert folder.read_world() == ({"t": 2}, None)
    folder.write_record({"run": "r1"}, durable=False)
    assert folder.read_record() == {"run": "r1"}
    folder.write_report("<p>")
    assert folder.read("report.html") == b"<p>"
    rows = [{"kind": "exposure", "start_s": n} for n in range(5)]
    folder.append_ledger([])
    assert folder.read_ledger() == []
    folder.keep_ledger(3)
    folder.append_ledger(rows[:2])
    folder.append_ledger(rows[2:])
    assert folder.read_ledger() == rows
    folder.storage.append("ledger.jsonl", b'{"half')
    assert folder.read_ledger() == rows
    folder.keep_ledger(3)
    folder.append_ledger(rows[3:4])
    assert folder.read_ledger() == rows[:4]
    folder.storage.write("world.json", b"[1]")
    with pytest.raises(Fault) as fault:
        folder.read_world()
    assert code(fault) == "run-damaged"


def test_a_folder_that_cannot_be_written(folder: RunFolder) -> None:
    (folder.path / "world.json.draft").mkdir()
    with pytest.raises(Fault) as fault:
        folder.save_world({})
    assert code(fault) == "run-unwritable"
    assert fault.value.exit_code == 4
    (folder.path / "plan.json").mkdir()
    with pytest.raises(LblError) as refusal:
        folder.read("plan.json")
    assert code(refusal) == "run-unreadable"


def test_one_process_holds_a_run_and_a_dead_one_none(folder: RunFolder) -> None:
    assert holder(folder.path) is None
    command = [sys.executable, "-c", HOLD, str(ROOT), str(folder.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(Refused) as refusal:
            folder.lock("resume", "boot-1")
        assert code(refusal) == "run-locked"
        assert f"process {child.pid} holds the run (run demo)" in str(refusal.value)
        now = holder(folder.path)
        assert now is not None
        assert (now.pid, now.purpose, now.boot, now.alive()) == (
            child.pid,
            "run demo",
            "boot-1",
            True,
        )
        child.kill()
    assert holder(folder.path) is None
    lock = folder.lock("resume", "boot-2")
    said = json.loads((folder.path / "lock").read_text())
    assert said == {"pid": os.getpid(), "purpose": "resume", "boot": "boot-2"}
    with pytest.raises(Refused):
        RunLock.take(folder.path, "second", "boot-2")
    lock.release()
    lock.release()
    folder.lock("again", "boot-2")


def test_the_guardian_keeps_the_run_of_a_dead_process(folder: RunFolder) -> None:
    lock = RunLock.take(folder.path, "run", "b")
    kept = os.dup(lock.fd)  # as the guardian has it
    lock.release()
    words = json.dumps({"pid": 2**22 - 1, "purpose": "run", "boot": "b"})
    (folder.path / "lock").write_text(words)
    with pytest.raises(Refused, match="guardian still parks"):
        folder.lock("resume", "b")
    (folder.path / "lock").write_text("garbage")
    now = holder(folder.path)
    assert now is not None
    assert now.pid == 0
    os.close(kept)
    folder.lock("resume", "b")


def test_looking_does_not_get_in_the_way(folder: RunFolder) -> None:
    from lbl.journal import lock as module

    looker = os.open(folder.path / "lock", os.O_RDWR | os.O_CREAT)
    assert module._flock(looker, module.fcntl.LOCK_SH)
    with pytest.raises(Refused, match="at the same moment"):
        RunLock.take(folder.path, "run", "b")
    os.close(looker)
    RunLock.take(folder.path, "run", "b").release()


def test_locking_finishes_what_a_crash_left(folder: RunFolder) -> None:
    (folder.path / "world.json.next").write_text('{"t":3}')
    assert folder.read_world() == ({"t": 3}, None)
    folder.lock("resume", "b")
    assert (folder.path / "world.json").exists()
    assert folder.read_world() == ({"t": 3}, None)


@pytest.fixture
def runs(kit: Any, tmp_path: Path) -> Path:
    root = tmp_path / "runs"
    for place, name in enumerate(("film-a1", "film-a2", "film-b1", "zz")):
        folder = RunFolder.create(root, name, durable=False)
        clock = kit.Clock()
        journal = Journal.create(folder.storage, name, durable=False, clock=clock, **kit.FACTS)
        journal.append("state", to="Complete")
        journal.close("complete")
        folder.close()
        os.utime(folder.path / "journal.jsonl", ns=(place * 10**9, place * 10**9))
    (root / "stray").mkdir()
    (root / "note.txt").write_text("")
    return root


def test_finding_runs(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_run(runs, "film-a1").name == "film-a1"
    assert find_run(runs, "film-b").name == "film-b1"
    assert find_run(runs, "last").name == "zz"
    os.utime(runs / "film-a2" / "journal.jsonl", ns=(time.time_ns(), 10**18))
    assert find_run(runs, "last").name == "film-a2"
    assert find_run(Path("nowhere"), str(runs / "zz")) == runs / "zz"
    monkeypatch.chdir(runs)
    assert find_run(Path("nowhere"), "zz") == Path("zz")
    for text, wanted in (("film", "run-ambiguous"), ("x", "run-unknown"), ("", "run-unknown")):
        with pytest.raises(BadInput) as refusal:
            find_run(runs, text)
        assert code(refusal) == wanted
    with pytest.raises(BadInput, match="no runs in"):
        find_run(Path("nowhere"), "last")


def test_listing_runs(runs: Path) -> None:
    damaged = runs / "film-a2" / "journal.jsonl"
    data = damaged.read_bytes()
    damaged.write_bytes(data[:-100])
    os.utime(damaged, ns=(10**9, 10**9))
    rows = list_runs(runs)
    assert [row.id for row in rows] == ["film-a1", "film-a2", "film-b1", "zz"]
    assert [bool(row.problem) for row in rows] == [False, True, False, False]
    assert "records are lost" in rows[1].problem
    row = rows[0]
    assert (row.state, row.recipe, row.planned, row.pid) == ("Complete", "demo", 100, 0)
    lock = RunLock.take(row.path, "x", "b")
    assert list_runs(runs)[0].pid == os.getpid()
    lock.release()
    assert list_runs(runs / "none") == []


def test_looking_at_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refusal:
        look(tmp_path / "none")
    assert code(refusal) == "run-unreadable"
    RunFolder.create(tmp_path, "r1", durable=False).close()
    with pytest.raises(BadInput) as refusal:
        look(tmp_path / "r1")
    assert code(refusal) == "run-empty"
