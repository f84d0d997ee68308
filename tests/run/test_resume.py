"""A run taken up again: after a kill at every record, after a power cut, and what is decided."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lbl import app as door
from lbl import runs as past
from lbl.errors import LblError
from lbl.journal.folder import RunFolder
from lbl.journal.journal import Journal
from lbl.journal.runs import look
from lbl.run import launch as launching
from lbl.run import relaunch as relaunching
from lbl.run.session import Session
from lbl.run.stage import STAGE, Stage

SETS = {"bilayers": "2", "dwell": "60 s"}
DEPOSITIONS = 4


class Cut(BaseException):
    """The process is gone: nothing after it may be carried out."""


@dataclass(frozen=True)
class Resumed:
    """What a resumed run left behind."""

    state: str
    ledger: list[dict[str, Any]]
    notes: list[str]
    reason: str

    @property
    def exposures(self) -> list[dict[str, Any]]:
        return [row for row in self.ledger if row["kind"] == "exposure"]


def cut_when(monkeypatch: pytest.MonkeyPatch, tells: Callable[[Any], bool]) -> None:
    """Let the process vanish just after a record is in the journal; it parks nothing."""
    plain = Journal.append

    def append(self: Journal, kind: str, **payload: Any) -> Any:
        event = plain(self, kind, **payload)
        if tells(event):
            raise Cut
        return event

    monkeypatch.setattr(Journal, "append", append)
    monkeypatch.setattr(Session, "_park", lambda self: None)


def cut_at(monkeypatch: pytest.MonkeyPatch, record: int) -> None:
    cut_when(monkeypatch, lambda event: event.seq >= record)


def in_br(event: Any) -> bool:
    return event.kind == "transfer-outcome" and event.payload["solution"] == "BR"


def begin(
    runs: Path, sets: Mapping[str, str] = SETS, recipe: str = "demo", bench: str = "dip"
) -> Path:
    prepared = door.prepare(door.Order(recipe, bench, sets, runs=runs))
    with pytest.raises(Cut):
        launching.launch(prepared.launch, lambda news: None, run="film")
    return runs / "film"


def resume(path: Path, stage: Stage = STAGE) -> Resumed:
    result = door.resume(str(path), path.parent, by="", reason="").run(lambda news: None, stage)
    folder = RunFolder.open(path)
    try:
        record = past.show(str(path), path.parent)[0]
        notes = [row["text"] for row in record["notes"] if "text" in row]
        return Resumed(result.state, folder.read_ledger(), notes, result.reason)
    finally:
        folder.close()


RECORDS = range(20, 118)  # of a film of two bilayers; before 20 nothing has been exposed


@pytest.mark.parametrize("record", [*RECORDS][::3])
@pytest.mark.fault("A1")
def test_killed_at_a_record_nothing_is_lost_or_doubled(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    judge: Callable[..., None],
    record: int,
) -> None:
    with monkeypatch.context() as patch:
        cut_at(patch, record)
        path = begin(tmp_path)
    again = resume(path)
    assert again.state == "Complete", again.reason
    judge(again, DEPOSITIONS, 60.0)
    assert any(note.startswith("resumed: ") for note in again.notes)


@pytest.mark.parametrize("record", [43, 47, 50, 54, 58, 63, 67, 68, 69, 76, 83])
@pytest.mark.fault("A1")
def test_a_power_cut_goes_back_to_the_bath_it_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: int
) -> None:
    """Axes lose their zero: the arm homes, and what is under it then says nothing."""
    plain = relaunching.restored

    def powered_up(*given: Any) -> Any:
        simulation = plain(*given)
        now_ns = simulation.world.now_ns
        simulation.assembly.power_cycle(now_ns)
        return simulation

    with monkeypatch.context() as patch:
        cut_at(patch, record)
        path = begin(tmp_path)
    monkeypatch.setattr(relaunching, "restored", powered_up)
    again = resume(path)
    film = [row["solution"] for row in again.exposures if row["solution"] in ("PDAC", "BR")]
    once = [name for number, name in enumerate(film) if number == 0 or film[number - 1] != name]
    primers = [row for row in again.exposures if row["vessel"] == "primer"]
    assert once == ["PDAC", "BR"] * (len(once) // 2) or once == ["PDAC", "BR", "PDAC"]
    assert len(primers) <= 1
    assert not [row for row in again.ledger if row["kind"] == "collision"]
    assert again.state in ("Complete", "Held")


def test_a_finished_run_is_refused(tmp_path: Path) -> None:
    prepared = door.prepare(door.Order("rinse-and-park", runs=tmp_path))
    launching.launch(prepared.launch, lambda news: None, run="film")
    with pytest.raises(LblError, match="nothing left to resume"):
        resume(tmp_path / "film")


def test_a_command_for_a_process_that_is_gone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        cut_at(patch, 60)
        path = begin(tmp_path)
    folder = RunFolder.open(path)
    folder.post_command("abort", "eve", "too late")
    folder.close()
    again = resume(path)
    assert again.state == "Complete"
    record = past.show(str(path), tmp_path)[0]
    assert [(row["by"], row["effect"][:7]) for row in record["commands"]] == [("eve", "refused")]


def test_an_interrupted_dose_is_not_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        cut_when(patch, lambda event: event.kind == "dose-intent")
        path = begin(tmp_path, {"bilayers": "70"}, "bacteriorhodopsin-200")
    again = resume(path)
    assert again.state == "Held"
    assert "did its liquid move" in again.reason
    with monkeypatch.context() as patch:
        cut_when(patch, lambda event: event.kind == "step-outcome")
        with pytest.raises(Cut):
            resume(path)
    doses = [one for one in look(path).state["intents"] if one["of"] == "dose"]
    assert doses == [], "who took it up has looked, and is not asked again"
    assert resume(path).state == "Complete"


@pytest.mark.parametrize("rule", ["auto", "continue", "redo", "rinse-and-redo", "hold"])
@pytest.mark.fault("A1")
def test_the_recipe_rules_what_follows_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    source = Path(door.find("demo", "recipes", "recipe")).read_text(encoding="utf-8")
    text = source.replace("to: BR, for: $dwell", f"to: BR, on_resume: {rule}, for: $dwell")
    assert text != source
    recipe = tmp_path / "demo.yaml"
    recipe.write_text(text, encoding="utf-8")
    with monkeypatch.context() as patch:
        cut_when(patch, in_br)
        path = begin(tmp_path / "runs", SETS, str(recipe))
    again = resume(path)
    first = [row["vessel"] for row in again.exposures]
    dips = first[first.index("polyanion") : first.index("polyanion") + 5]
    assert again.state == ("Held" if rule == "hold" else "Complete")
    assert rule != "hold" or resume(path).state == "Complete"
    twice = ["polyanion", "N1", "N2", "N3", "polyanion"]
    assert (dips == twice) == (rule == "rinse-and-redo")


@pytest.mark.parametrize("name", ["plan.json", "bench.yaml", "recipe.yaml", "world.json"])
@pytest.mark.parametrize("content", [b"", b"{}", None])
@pytest.mark.fault("A4")
def test_a_frozen_file_that_is_another_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | None
) -> None:
    with monkeypatch.context() as patch:
        cut_at(patch, 60)
        path = begin(tmp_path)
    if content is None:
        (path / name).unlink()
    else:
        (path / name).write_bytes(content)
    before = (path / "journal.jsonl").read_bytes()
    with pytest.raises(LblError, match=name):
        resume(path)
    assert (path / "journal.jsonl").read_bytes() == before


@pytest.mark.fault("A4")
def test_one_flipped_bit_anywhere_stops_a_resume_before_anything_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        cut_at(patch, 80)
        path = begin(tmp_path)
    journal = path / "journal.jsonl"
    whole = journal.read_bytes()
    for place in range(100, len(whole) - 1, len(whole) // 7):
        journal.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(LblError, match="damaged"):
            resume(path)
    journal.write_bytes(whole)
    assert resume(path).state == "Complete"


def test_a_stay_that_no_process_saw_stands_in_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in BR, resumed after longer than at_most: rinsed and done once more, and said so."""
    with monkeypatch.context() as patch:
        cut_when(patch, in_br)
        path = begin(tmp_path)
    again = resume(path, Stage(idle=lambda path: 3000.0))
    record = past.show(str(path), tmp_path)[0]
    row = next(row for row in record["depositions"] if row["solution"] == "BR")
    stays = [one for one in again.exposures if one["solution"] == "BR"]
    assert sum(one["end_s"] - one["start_s"] for one in stays[:2]) > 3000
    assert row["actual_s"] > 3000
    assert any("at most" in one["sentence"] for one in record["deviations"])


@pytest.mark.parametrize("bench", ["dip", "flow"])
def test_two_minutes_in_air_show_in_the_film_and_hold_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: str
) -> None:
    """Killed as the film comes out of the polycation, taken up two minutes later."""

    def out_of_it(event: Any) -> bool:
        done = event.kind == "step-outcome" and event.payload["act"] == "expose"
        return bool(done and event.step > 0)

    with monkeypatch.context() as patch:
        cut_when(patch, out_of_it)
        path = begin(tmp_path, bench=bench)
    again = resume(path, Stage(idle=lambda path: 120.0))
    (air,) = [r for r in again.ledger if r["kind"] == "air" and r["end_s"] - r["start_s"] > 100.0]
    assert again.state == "Held" and "in air for" in again.reason, again.reason
    if bench == "dip":
        assert air["dried"], "a film of 1.5 um is dry after 54 s"
    else:
        assert not air["dried"], "the air of a closed cell is moist"
