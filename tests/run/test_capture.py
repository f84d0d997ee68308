"""`lbl run --capture`: every byte of a film is kept, and the film can be grown again from it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.replay import Differs, Replay
from lbl import app as door
from lbl.bench import bench as benches
from lbl.journal.folder import CAPTURE
from lbl.run.tape import WAIT_MAX, WRITE_AT, Tape

SETS = {"bilayers": "1", "dwell": "60 s"}


def grown(runs: Path, *, capture: bool, sets: dict[str, str] = SETS) -> Any:
    order = door.Order(recipe="demo", sets=sets, runs=runs, capture=capture)
    return door.prepare(order).run(lambda news: None)


def lines_of(result: Any) -> list[str]:
    return (result.folder / CAPTURE).read_text("utf-8").splitlines()


def test_a_run_keeps_every_byte_when_asked(tmp_path: Path) -> None:
    result = grown(tmp_path, capture=True)
    rows = [json.loads(line) for line in lines_of(result)]
    assert len({row["resource"] for row in rows}) == 7  # eight instruments, two on one wire
    assert {row["dir"] for row in rows} == {"out", "in"}
    moves = [row for row in rows if b"move abs" in bytes.fromhex(row["hex"])]
    assert len(moves) > 10
    assert not (grown(tmp_path, capture=False).folder / CAPTURE).exists()


def test_a_film_grows_again_from_its_capture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole controller against recorded instruments: the same bytes at the same instants."""
    first = grown(tmp_path, capture=True)
    lines, made = lines_of(first), list[Replay]()

    def replayed(pacer: Any, library: Any, capture: Callable[[str], object] | None) -> Replay:
        made.append(Replay(lines, pacer))
        return made[-1]

    monkeypatch.setattr(benches, "Bus", replayed)
    again = grown(tmp_path, capture=False)
    assert (again.state, again.bilayers) == (first.state, first.bilayers) == ("Complete", 1)
    assert again.duration == pytest.approx(first.duration, abs=0.01)
    assert made[0].left == []
    with pytest.raises(Differs, match=r"capture\.jsonl"):
        grown(tmp_path, capture=False, sets={**SETS, "dwell": "61 s", "bilayers": "2"})


def test_a_tape_waits_for_its_folder_and_then_writes_many_lines_at_once() -> None:
    tape, written = Tape(), list[list[str]]()
    tape("a")
    tape.flush()
    tape.into(lambda lines: written.append(list(lines)))
    assert written == [["a"]]
    for number in range(WRITE_AT):
        assert len(written) == 1
        tape(str(number))
    assert [len(lines) for lines in written] == [1, WRITE_AT]
    tape("z")
    tape.flush()
    tape.flush()
    assert written[2:] == [["z"]]


def test_a_tape_that_nobody_takes_is_bounded() -> None:
    tape = Tape()
    for _ in range(WAIT_MAX + 3):
        tape("x")
    assert tape.dropped == 3
