"""Autonomous mode in one process: what it does for each kind of failure, judged by the world."""

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbl import trust
from lbl.auto import memory as remembering
from lbl.auto import program as programming
from lbl.errors import BadInput, Refused
from lbl.errors import Fault as LostDisk
from lbl.journal import storage as storing
from lbl.journal.storage import DiskStorage
from lbl.run import launch as launching
from lbl.run import relaunch as relaunching
from lbl.run.session import Session
from lbl.signing import new_key, sign
from sim.faults import Fault
from tests.auto.conftest import Box

Whole = Callable[[Box, int], None]


class Cut(BaseException):
    """The process is gone."""


def cut_at(monkeypatch: pytest.MonkeyPatch, record: int) -> None:
    """Let the process vanish just after a record; it parks nothing and says nothing."""
    from lbl.journal.journal import Journal

    plain = Journal.append

    def append(self: Journal, kind: str, **payload: Any) -> Any:
        event = plain(self, kind, **payload)
        if event.seq == record:
            raise Cut
        return event

    monkeypatch.setattr(Journal, "append", append)
    monkeypatch.setattr(Session, "_park", lambda self: None)


def test_a_film_from_nothing_to_its_end(box: Box, whole: Whole) -> None:
    assert box.auto() == 0
    whole(box, 2)
    assert box.said[0].startswith("safe: outputs are off; sent ")
    assert (box.beacon["mode"], box.beacon["state"]) == ("done", "Complete")
    assert box.beacon["depositions"] == [4, 4]
    assert box.auto() == 0, "it is done, and stays so"
    assert len([*box.runs.iterdir()]) == 2
    box.clear()
    assert box.auto() == 0, "a person wants another one"
    assert len([*box.runs.iterdir()]) == 3


def test_a_run_that_was_cut_is_resumed(
    box: Box, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    for record in (30, 70):
        with monkeypatch.context() as patch, pytest.raises(Cut):
            cut_at(patch, record)
            box.auto()
    assert box.auto() == 0
    whole(box, 2)
    assert (box.beacon["start"], box.beacon["restarts_left"]) == (3, 3)


@pytest.mark.fault("A14")
def test_a_poisoned_record_ends_in_the_safe_kernel(
    box: Box, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process dies at its 20th record, for ever."""
    box.write("restarts: {times: 3, within: 1 h}")
    with monkeypatch.context() as patch:
        records: list[int] = []

        def append(self: Any, kind: str, **payload: Any) -> Any:
            records.append(1)
            if len(records) % 20 == 0:
                raise Cut
            return plain(self, kind, **payload)

        from lbl.journal.journal import Journal

        plain = Journal.append
        patch.setattr(Journal, "append", append)
        patch.setattr(Session, "_park", lambda self: None)
        deaths = 0
        for _ in range(4):
            with contextlib.suppress(Cut):
                code = box.auto(once=False) if deaths < 3 else box.auto()
                break
            deaths += 1
        assert (deaths, code) == (3, 4)
    assert (box.beacon["mode"], box.beacon["restarts_left"]) == ("kernel", 0)
    box.clear()
    assert box.auto() == 0
    whole(box, 2)


def test_a_second_program_for_the_same_runs_is_refused(box: Box) -> None:
    first = programming.Auto(programming_config(box), box.said.append, once=True)
    with pytest.raises(Refused, match="lbl auto"):
        box.auto()
    assert first.run() == 0


def programming_config(box: Box) -> Any:
    from lbl.auto.config import read_config

    return read_config(box.path)


def test_where_nothing_can_be_remembered_outputs_are_off_and_nothing_is_begun(box: Box) -> None:
    box.runs.write_text("a file where the folder should be")
    with pytest.raises(LostDisk, match="run-unwritable") as caught:
        box.auto()
    assert caught.value.exit_code == 4, "a service manager starts it again"
    assert box.said == ["outputs are off"]


def test_what_was_wrong_from_the_beginning_is_told_to_a_person(box: Box) -> None:
    box.write(recipe="demi")
    with pytest.raises(BadInput, match="recipe-unknown"):
        box.auto()


def test_a_damaged_journal_is_left_alone(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(Cut):
        cut_at(patch, 60)
        box.auto()
    path = box.run / "journal.jsonl"
    data = path.read_bytes()
    path.write_bytes(data[:4000].replace(b'"seq":5,', b'"seq":6,') + data[4000:])
    assert box.auto() == 4
    assert box.beacon["mode"] == "kernel"
    assert "damaged" in box.beacon["reason"]


def test_a_lost_memory_adopts_the_newest_film_and_is_careful(
    box: Box, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Cut):
        cut_at(patch, 60)
        box.auto()
    for copy in (box.runs / ".auto").glob("state.*"):
        copy.write_bytes(b"\0" * 100)
    assert box.auto(once=False) == 0
    whole(box, 2)
    assert any("most careful" in line for line in box.said)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thermostat of every new world falls silent for a while, in the middle of the film."""
    plain = launching.simulate

    def simulate(what: Any) -> Any:
        made = plain(what)
        made.assembly.inject("bath", Fault("drop", at_ns=600_000_000_000, count=12))
        return made

    monkeypatch.setattr(launching, "simulate", simulate)


@pytest.mark.usefixtures("silent")
def test_a_hold_on_the_list_is_undone_without_a_person(box: Box, whole: Whole) -> None:
    assert box.auto(once=False) == 0
    whole(box, 2)
    assert "Held" in [event["payload"].get("to") for event in box.events]


@pytest.mark.usefixtures("silent")
def test_a_hold_that_is_not_on_the_list_waits_for_a_person(box: Box, whole: Whole) -> None:
    box.write("holds: {codes: []}")
    assert box.auto() == 4
    assert (box.beacon["mode"], box.beacon["state"]) == ("kernel", "Held")
    box.clear()
    assert box.auto() == 0
    whole(box, 2)


class SmallDisk:
    """A disk with so much room for journals; the reserve takes some of it."""

    def __init__(self, box: Box, room: int) -> None:
        self.box, self.room = box, room

    @property
    def free(self) -> int:
        reserve = self.box.runs / ".auto" / "reserve"
        taken = sum(path.stat().st_size for path in self.box.runs.glob("*/journal.jsonl"))
        return self.room - taken - (reserve.stat().st_size if reserve.exists() else 0)

    def append(self, storage: DiskStorage, name: str, data: bytes) -> None:
        if len(data) > self.free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
        type(self).plain(storage, name, data)

    plain = staticmethod(DiskStorage.append)


def test_a_full_disk_ends_safe_says_so_and_goes_on_when_there_is_room(
    box: Box, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.write("disk: {reserve: 20 kB, least: 40 kB, look: 10 ms}")
    disk = SmallDisk(box, 65_000)
    monkeypatch.setattr(storing.DiskStorage, "append", lambda *given: disk.append(*given))
    for module in ("lbl.auto.finding", "lbl.auto.program"):
        monkeypatch.setattr(f"{module}.free_bytes", lambda path: disk.free)
    assert box.auto() == 5
    assert box.beacon["mode"] == "wait"
    assert "MB left" in box.beacon["reason"]
    assert box.beacon["restarts_left"] == 5, "a full disk is no fault of the program"
    notes = [event["payload"] for event in box.events if event["kind"] == "deviation"]
    assert notes[-1]["code"] == "journal-lost", "the reserve was given back to say so"
    assert box.auto() == 5, "it stays so while there is no room"
    disk.room = 10**9
    assert box.auto() == 0
    whole(box, 2)


def test_only_signed_recipes_if_so_configured(box: Box, tmp_path: Path) -> None:
    from lbl.shipped import find

    recipe = tmp_path / "film.yaml"
    recipe.write_bytes(find("demo", "recipes", "recipe").read_bytes())
    box.write("signed: true\ntrust: keys\nsets: {}", recipe="film.yaml")
    with pytest.raises(BadInput, match="signature-missing"):
        box.auto()
    new_key(tmp_path / "key")
    sign(str(recipe), tmp_path / "key", "ada")
    (tmp_path / "keys").mkdir(mode=0o700)
    trust.trust(tmp_path / "keys", tmp_path / "key.pub", "Ada")
    assert box.auto() == 0


def test_instruments_that_do_not_answer_are_tried_again_and_then_left(
    box: Box, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a resume the bench is dead twice; what is tried uses up restarts."""
    with monkeypatch.context() as patch, pytest.raises(Cut):
        cut_at(patch, 60)
        box.auto()
    dead = [1, 1]
    plain = relaunching.Bench

    def bench(*given: Any) -> Any:
        if dead:
            dead.pop()
            from lbl.errors import Problem

            raise BadInput(Problem("bench-no-answer", "no answer", "dip.bath"))
        return plain(*given)

    monkeypatch.setattr(relaunching, "Bench", bench)
    assert box.auto(once=False) == 0
    assert box.beacon["restarts_left"] == 2
    whole(box, 2)


@pytest.mark.usefixtures("silent")
def test_a_live_run_that_is_held_is_unheld_through_its_own_inbox(
    box: Box, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow enough that a held run keeps its process, as it does on a bench."""
    monkeypatch.setattr(programming, "LOOK_S", 0.05)
    box.write(speed="5000")
    assert box.auto() == 0
    whole(box, 2)
    commands = [event for event in box.events if event["kind"] == "command"]
    assert [(one["actor"], one["payload"]["verb"]) for one in commands][-1] == ("auto", "unhold")


@pytest.mark.usefixtures("silent")
def test_a_person_clears_a_live_run_that_waits_for_one(
    box: Box, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programming, "LOOK_S", 0.05)
    box.write("holds: {codes: []}", speed="5000")
    plain, asked = programming.onward, []

    def onward(*given: Any) -> Any:
        made = plain(*given)
        if made.mode == "kernel" and not asked:
            asked.append(made.reason)
            box.clear()
        return made

    monkeypatch.setattr(programming, "onward", onward)
    assert box.auto() == 0
    whole(box, 2)
    assert asked[0].startswith("a person is asked: temperature gave no value")


@pytest.mark.fault("A2")
def test_a_supply_that_flaps_is_waited_for(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every start is another boot; the third does nothing for a while but keep outputs off."""
    box.write("backoff: {first: 100 s, longest: 1 h}")
    for boot, record in (("one", 25), ("two", 60)):
        with monkeypatch.context() as patch, pytest.raises(Cut):
            patch.setattr(remembering, "boot_id", lambda boot=boot: boot)
            cut_at(patch, record)
            box.auto()
    monkeypatch.setattr(remembering, "boot_id", lambda: "three")
    assert box.auto() == 5
    assert (box.beacon["mode"], box.beacon["boots"]) == ("wait", 3)
    assert box.beacon["restarts_left"] == 5
    assert box.said[-2].startswith("safe: outputs are off")
