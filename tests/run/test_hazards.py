"""What no instrument is to blame for: flipped bits, no memory left, a park that fails."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbl import app as door
from lbl.errors import LblError
from lbl.journal.journal import Journal
from lbl.run import launch as launching
from lbl.run.procedure import Procedure
from sim.faults import Fault
from tests.run.test_resume import SETS, resume

Grow = Callable[..., Any]
SECOND = 1_000_000_000
FOR_EVER = 1_000_000
WITHIN_S = 60.0


def spoilt(procedure: Procedure, what: str) -> None:
    """One variable of a running procedure holds another value than was put into it."""
    if what == "done up":
        procedure.done += 1
    elif what == "done down":
        procedure.done = 0
    elif what == "a rinse ahead":
        procedure.position += 1
    elif what == "a bilayer ahead":
        procedure.position += 8
    elif what == "back":
        procedure.position -= 1


@pytest.mark.fault("A5")
@pytest.mark.parametrize("after", [3, 6, 9])
@pytest.mark.parametrize(
    "what", ["done up", "done down", "a rinse ahead", "a bilayer ahead", "back"]
)
def test_a_flipped_bit_ends_the_process_and_not_the_film(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    judge: Callable[..., None],
    what: str,
    after: int,
) -> None:
    plain, seen = Procedure._arrived, []

    def arrived(self: Procedure, *given: Any, **more: Any) -> None:
        plain(self, *given, **more)
        seen.append(1)
        if len(seen) == after:
            spoilt(self, what)

    prepared = door.prepare(door.Order("demo", "dip", SETS, runs=tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(Procedure, "_arrived", arrived)
        try:
            launching.launch(prepared.launch, lambda news: None, run="film")
        except LblError as error:
            assert error.problems[0].code in ("run-inconsistent", "journal-count")
        else:  # nothing was counted yet, or it was put right before it could do harm
            assert what == "done down" and after < 9
            return
    again = resume(tmp_path / "film")
    assert again.state == "Complete"
    judge(again, 4, 60.0)


@pytest.mark.fault("A16")
@pytest.mark.parametrize("record", [25, 44, 61, 83])
def test_no_memory_left_parks_and_is_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judge: Callable[..., None], record: int
) -> None:
    plain = Journal.append

    def append(self: Journal, kind: str, **payload: Any) -> Any:
        if self.state["seq"] >= record:
            raise MemoryError
        return plain(self, kind, **payload)

    prepared = door.prepare(door.Order("demo", "dip", SETS, runs=tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", append)
        with pytest.raises(MemoryError):
            launching.launch(prepared.launch, lambda news: None, run="film")
    again = resume(tmp_path / "film")
    assert again.state == "Complete"
    judge(again, 4, 60.0)


@pytest.mark.fault("A16")
def test_no_file_stays_open(grow: Grow) -> None:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("this system does not tell which files are open")
    grow(place="first", speed=0.0)
    before = len(os.listdir(folder))
    for number in range(3):
        grow(place=f"film-{number}", speed=0.0)
    assert len(os.listdir(folder)) <= before


@pytest.mark.fault("A18")
@pytest.mark.parametrize("after", [2.0, 6.0, 9.0, 13.0])
def test_a_park_that_fails_is_bounded_and_says_where_the_film_is(grow: Grow, after: float) -> None:
    """Both axes stall in mid-transfer: nobody can lower the film, and nobody pretends to have."""
    plain = grow(speed=0.0, place="plain")
    air = next(row for row in plain.ledger if row["kind"] == "air" and row["start_s"] > 60.0)
    at = air["start_s"] + after
    stuck = Fault("stall", at_ns=int(at * SECOND), count=FOR_EVER)
    film = grow(faults={"lift": stuck, "carousel": stuck}, at=[(at + 1.0, "abort")], place="stuck")
    assert film.states[-1] == "Aborted"
    aborting = next(e for e in film.kinds("state") if e.payload["to"] == "Aborting")
    assert film.events[-1].mono_ns / 1e9 - aborting.mono_ns / 1e9 < WITHIN_S
    (said,) = [e.payload["text"] for e in film.kinds("note") if "after the abort" in
               e.payload["text"]] or [""]  # fmt: skip
    open_air = [row for row in film.ledger if row["kind"] == "exposure"][-1]["end_s"] < at
    assert not open_air or "air" in said or "unknown" in said or not said
    assert film.kinds("safe-outcome"), "outputs are off all the same"
