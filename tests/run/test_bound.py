"""Every file that a resume relies on is the one of the run, of this run, and not an older one."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbl import app as door
from lbl import runs as past
from lbl.errors import Fault
from lbl.journal.bond import bond_of
from lbl.journal.journal import Journal
from lbl.run import launch as launching
from lbl.run.session import Session

SETS = {"bilayers": "2", "dwell": "60 s"}
AT = 80  # the record after which the process vanished
WORLD, JOURNAL = "world.json", "journal.jsonl"


class Cut(BaseException):
    """The process is gone."""


Begin = Callable[..., Path]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """A film cut short; the world at each record lies beside the folder."""

    def begun(place: str = "a", bench: str = "dip", seed: int = 0, run: str = "film") -> Path:
        plain, path = Journal.append, tmp_path / place / run
        kept = tmp_path / place / "worlds"
        kept.mkdir(parents=True)

        def append(self: Journal, kind: str, **payload: Any) -> Any:
            event = plain(self, kind, **payload)
            if (path / WORLD).exists():
                shutil.copy(path / WORLD, kept / f"{event.seq}")
            if event.seq == AT:
                raise Cut
            return event

        with monkeypatch.context() as patch:
            patch.setattr(Journal, "append", append)
            patch.setattr(Session, "_park", lambda self: None)
            order = door.Order("demo", bench, SETS, seed=seed, runs=tmp_path / place)
            prepared = door.prepare(order)
            with pytest.raises(Cut):
                launching.launch(prepared.launch, lambda news: None, run=run)
        return path

    return begun


def resume(path: Path) -> Any:
    return door.resume(str(path), path.parent, by="", reason="").run(lambda news: None)


def refused(path: Path, code: str, words: str) -> None:
    """Nothing is written and nothing moves."""
    before = (path / JOURNAL).read_bytes()
    with pytest.raises(Fault, match=words) as told:
        resume(path)
    assert [one.code for one in told.value.problems] == [code]
    assert (path / JOURNAL).read_bytes() == before


@pytest.mark.fault("A4")
def test_a_world_with_one_bit_flipped_is_refused(begin: Begin) -> None:
    path = begin()
    whole = (path / WORLD).read_bytes()
    for place in (*range(0, 300, 31), *range(300, len(whole), 997)):
        flipped = bytes([whole[place] ^ 1 << place % 8])
        (path / WORLD).write_bytes(whole[:place] + flipped + whole[place + 1 :])
        refused(path, "run-damaged", WORLD)
    (path / WORLD).write_bytes(whole)
    assert resume(path).state == "Complete"


@pytest.mark.parametrize("bench", ["dip", "flow"])
@pytest.mark.fault("A4")
def test_an_older_world_is_refused(begin: Begin, bench: str) -> None:
    path = begin(bench=bench)
    whole = (path / WORLD).read_bytes()
    kept = {one.read_bytes(): int(one.name) for one in (path.parent / "worlds").iterdir()}
    older = [data for data, _ in sorted(kept.items(), key=lambda row: row[1])]
    assert older.pop() == whole
    assert len(older) > 20
    for data in older[-1::-3]:
        (path / WORLD).write_bytes(data)
        refused(path, "run-damaged", "world.json is older than the journal")
    (path / WORLD).write_bytes(whole)
    assert resume(path).state == "Complete"


@pytest.mark.fault("A4")
def test_the_world_of_another_run_is_refused(begin: Begin) -> None:
    path, other, twin = begin(), begin("b", run="other"), begin("c", seed=1)
    for theirs, words in ((other, "of the run other"), (twin, "of another run of that name")):
        shutil.copy(theirs / WORLD, path / WORLD)
        refused(path, "run-damaged", words)


@pytest.mark.fault("A4")
def test_a_journal_that_lost_whole_records_is_told_by_the_world(begin: Begin) -> None:
    """No head names them yet, and without the world it would be a crash a moment earlier."""
    path = begin()
    bond = bond_of((path / WORLD).read_bytes())
    assert bond is not None
    rows = (path / JOURNAL).read_bytes().splitlines(keepends=True)
    (path / JOURNAL).write_bytes(b"".join(rows[: bond.seq - 1]))
    refused(path, "journal-short", "world.json was saved after record")


@pytest.mark.parametrize("name", ["plan.json", "recipe.yaml", "bench.yaml"])
@pytest.mark.fault("A4")
def test_a_frozen_file_is_bound_byte_for_byte(begin: Begin, name: str) -> None:
    """Even what says the same in other bytes: nobody but us writes these files."""
    path = begin()
    text = (path / name).read_text()
    (path / name).write_text(text.rstrip("\n") + "\n\n")
    refused(path, "run-damaged", name)
    with pytest.raises(Fault, match=name):
        past.verified(str(path), path.parent)
    (path / name).write_text(text)
    assert resume(path).state == "Complete"
