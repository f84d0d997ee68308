"""A long journal taken up again: believed from its checkpoint, read before anything is exposed."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbl import app as door
from lbl import runs as past
from lbl.errors import Fault
from lbl.journal import journal as journals
from lbl.journal.folder import RunFolder
from lbl.journal.storage import DiskStorage
from lbl.run import launch as launching
from lbl.run import proof as proving
from lbl.run import relaunch as relaunching
from lbl.run.result import Result
from lbl.run.session import Session
from lbl.run.stage import STAGE, Stage
from tests.run.test_resume import Cut, cut_when

SETS = {"bilayers": "2", "dwell": "60 s"}
FILM = ("PDAC", "BR")
SAFE = ("N1", "N2", "N3", "P1", "P2", "P3")
FAR = 24  # a line before the newest checkpoint


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes a journal long: more records than are read at once, and checkpoints."""
    monkeypatch.setattr(relaunching, "AT_ONCE", 10)
    monkeypatch.setattr(journals, "CHECKPOINT_EVERY", 20)
    pieces = proving.Audit.advance
    monkeypatch.setattr(proving.Audit, "advance", lambda self, records=7: pieces(self, records))


def begin(runs: Path, monkeypatch: pytest.MonkeyPatch, tells: Callable[[Any], bool]) -> Path:
    """A film whose process vanished just after a record."""
    with monkeypatch.context() as patch:
        cut_when(patch, tells)
        prepared = door.prepare(door.Order("demo", "dip", SETS, runs=runs))
        with pytest.raises(Cut):
            launching.launch(prepared.launch, lambda news: None, run="film")
    return runs / "film"


def late(kind: str, solution: str = "") -> Callable[[Any], bool]:
    """A record far enough from the beginning that a checkpoint lies between."""
    return lambda event: (
        event.seq > 75 and event.kind == kind and event.payload.get("solution", "") == solution
    )


OUT_OF_IT = late("step-outcome")
IN_BR = late("transfer-outcome", "BR")
IN_BUFFER = late("transfer-outcome", "buffer")


def resume(path: Path, stage: Stage = STAGE) -> Result:
    return door.resume(str(path), path.parent, by="", reason="").run(lambda news: None, stage)


def spoil(path: Path, line: int) -> None:
    """Flip a bit in the middle of a line of the journal."""
    rows = (path / "journal.jsonl").read_bytes().splitlines(keepends=True)
    row = bytearray(rows[line - 1])
    row[len(row) // 2] ^= 1
    rows[line - 1] = bytes(row)
    (path / "journal.jsonl").write_bytes(b"".join(rows))


def ledger(path: Path) -> list[dict[str, Any]]:
    folder = RunFolder.open(path)
    try:
        return folder.read_ledger()
    finally:
        folder.close()


def dips(path: Path) -> list[str]:
    """What the film has been taken out of, runs of one solution as one."""
    names = [row["solution"] for row in ledger(path) if row["kind"] == "exposure"]
    names = [name for name in names if name in FILM]
    return [name for n, name in enumerate(names) if n == 0 or names[n - 1] != name]


@pytest.mark.parametrize("where", [OUT_OF_IT, IN_BR, IN_BUFFER], ids=["air", "BR", "buffer"])
@pytest.mark.fault("A4")
def test_damage_far_back_holds_the_film_in_its_safe_liquid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: None, where: Callable[[Any], bool]
) -> None:
    path = begin(tmp_path, monkeypatch, where)
    count = past.look(path).state["depositions"]
    before = dips(path)
    spoil(path, FAR)
    for _ in range(2):  # damage does not go away by being asked again
        result = resume(path)
        assert (result.state, result.exit_code) == ("Held", 3), result.reason
        assert f"line {FAR}: " in result.reason and "damaged" in result.reason
        assert result.depositions - count in (0, 1)  # the one whose last rinse was over
        state = past.look(path).state
        assert state["vessel"] in SAFE
        assert dips(path)[: len(before)] == before and len(dips(path)) <= len(before) + 1
        assert not [row for row in ledger(path) if row["kind"] == "collision"]
    with pytest.raises(Fault, match="journal-damaged"):
        past.verified(str(path), tmp_path)


@pytest.mark.fault("A4")
def test_a_part_that_the_disk_cannot_read_holds_the_film_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: None
) -> None:
    path = begin(tmp_path, monkeypatch, IN_BR)
    begun: list[int] = []

    class Worn(DiskStorage):
        def read(self, name: str, start: int, length: int) -> bytes:
            if begun and name == "journal.jsonl" and start == 0 and length > 4096:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(name, start, length)

    def prepared(*given: Any, **named: Any) -> Any:
        begun.append(1)  # from here on: what was read to open the run was still good
        return Session(*given, **named)

    monkeypatch.setattr(relaunching, "Session", prepared)
    result = resume(path, Stage(disk=Worn))
    assert result.state == "Held", result.reason
    assert "cannot be read" in result.reason
    assert past.look(path).state["vessel"] in SAFE
    monkeypatch.undo()
    assert resume(path).state == "Complete"


@pytest.mark.parametrize("where", [OUT_OF_IT, IN_BR, IN_BUFFER], ids=["air", "BR", "buffer"])
def test_a_good_long_journal_goes_on_to_the_end(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    judge: Callable[..., None],
    long: None,
    where: Callable[[Any], bool],
) -> None:
    path = begin(tmp_path, monkeypatch, where)
    result = resume(path)
    assert result.state == "Complete", result.reason
    assert result.depositions == 4
    assert dips(path) == ["PDAC", "BR"] * 2
    assert "every hash checks" in past.verified(str(path), tmp_path)


def test_without_heads_a_person_must_look_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: None
) -> None:
    path = begin(tmp_path, monkeypatch, IN_BR)
    for name in ("head.a", "head.b"):
        (path / name).unlink()
    result = resume(path)
    assert result.state == "Held", result.reason
    assert "no head is left" in result.reason
    assert past.look(path).state["vessel"] in SAFE
    assert resume(path).state == "Complete"


def test_a_first_record_of_another_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: None
) -> None:
    """Its hash is its own, and the record after it does not follow."""
    path = begin(tmp_path / "a", monkeypatch, IN_BR)
    with monkeypatch.context() as patch:
        patch.setitem(SETS, "dwell", "61 s")
        other = begin(tmp_path / "b", monkeypatch, IN_BR)
    lines = (path / "journal.jsonl").read_bytes().splitlines(keepends=True)
    theirs = (other / "journal.jsonl").read_bytes().splitlines(keepends=True)
    lines[0] = theirs[0] + b""
    size = sum(map(len, lines))
    assert len(theirs[0]) == len((path / "journal.jsonl").read_bytes()) - size + len(lines[0])
    (path / "journal.jsonl").write_bytes(b"".join(lines))
    before = (path / "journal.jsonl").read_bytes()
    with pytest.raises(Fault, match="line 2.*does not follow"):
        resume(path)
    assert (path / "journal.jsonl").read_bytes() == before


def test_a_short_journal_with_damage_is_refused_before_anything_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = begin(tmp_path, monkeypatch, IN_BR)
    spoil(path, FAR)
    before = (path / "journal.jsonl").read_bytes()
    with pytest.raises(Fault, match=f"line {FAR}: ") as told:
        resume(path)
    assert told.value.exit_code == 4
    assert (path / "journal.jsonl").read_bytes() == before
