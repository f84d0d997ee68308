"""The computer under a run: what is noted of it, and which parts of the program answer."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from lbl import app as door
from lbl.journal.folder import RunFolder
from lbl.journal.runs import look
from lbl.run import host as hosting
from lbl.run import launch as launching
from lbl.run.clock import Core, RunClock
from lbl.run.host import Host
from lbl.run.launch import guarded
from lbl.run.relaunch import frozen_plan
from lbl.run.resume import decide

STEP_S = 86_400.0 * 365


def test_the_timing_thread_answers_when_it_is_asked() -> None:
    core = Core(virtual=False)
    core.lease(core.now_ns() + 3600 * 10**9)
    assert all(core.answers(10**10) for _ in range(100))
    assert Core(virtual=True).answers(0)


def test_a_timing_thread_that_is_late_does_not_answer() -> None:
    core = Core(virtual=False)
    assert not core.answers(-(10**9))


def test_a_guardian_that_is_gone_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosting, "EVERY_S", 0.0)
    monkeypatch.setattr(hosting, "ANSWER_NS", 10**10)
    clock = RunClock(None)
    host = Host(clock, tmp_path)
    with guarded(clock, -1) as guardian:
        assert guardian is not None
        host.guardian = guardian
        host.look()
        assert host.unwell == ()
        os.kill(guardian.pid, signal.SIGKILL)
        end = time.monotonic() + 20.0
        while not host.unwell and time.monotonic() < end:
            host.look()
        assert host.unwell == ("guardian",)


def test_virtual_time_is_not_looked_after(tmp_path: Path) -> None:
    host = Host(RunClock(0.0), tmp_path)
    assert host.look() == []
    assert host.unwell == ()


@pytest.mark.fault("A3")
def test_a_jump_of_the_calendar_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calendar = [hosting.calendar_s()]

    def stepped() -> float:
        calendar[0] += STEP_S
        return calendar[0]

    monkeypatch.setattr(hosting, "calendar_s", stepped)
    monkeypatch.setattr(hosting, "EVERY_S", 0.0)
    monkeypatch.setattr(hosting, "free_bytes", lambda path: 1000)
    clock = RunClock(None)
    host = Host(clock, tmp_path)
    first, second = host.look(), host.look()
    assert [one.code for one in first] == ["disk-low"]
    assert [one.code for one in second] == ["clock-step"]


@pytest.mark.fault("A3")
def test_after_an_outage_that_nobody_timed_an_exposure_is_done_once_more(tmp_path: Path) -> None:
    """The longest possible: the calendar is not asked, another boot's clock says nothing."""
    sets = {"bilayers": "1", "dwell": "60 s"}
    prepared = door.prepare(door.Order("demo", "dip", sets, runs=tmp_path))
    launching.launch(prepared.launch, lambda news: None, run="film")
    cut_in_exposure(tmp_path / "film")
    folder = RunFolder.open(tmp_path / "film")
    plan = frozen_plan(folder)[0]
    folder.close()
    state = look(tmp_path / "film").state
    begin_ns, vessel = state["immersion"]["begin_ns"], state["immersion"]["vessel"]
    now_ns = begin_ns + 20 * 10**9
    known = decide(plan, state, vessel, now_ns, state["boot"])
    assert (known.rinse, known.had_ns, known.untold) == (False, 20 * 10**9, False)
    for now in (0, now_ns, 10**18):
        unknown = decide(plan, state, vessel, now, "another boot")
        assert (unknown.rinse, unknown.had_ns, unknown.stay_ns) == (True, 0, 0)
        assert unknown.untold
        assert "nobody knows" in unknown.reason
        assert unknown.step == known.step
    elsewhere = decide(plan, state, "P1", now_ns, "another boot")
    assert not elsewhere.untold


def cut_in_exposure(path: Path) -> None:
    """Leave of the journal what there was when the substrate had just arrived in PDAC."""
    journal, kept = path / "journal.jsonl", []
    for line in journal.read_text().splitlines(keepends=True):
        kept.append(line)
        event = json.loads(line)
        if event["kind"] == "transfer-outcome" and event["payload"]["solution"] == "PDAC":
            break
    journal.write_text("".join(kept))
    for head in path.glob("head.*"):
        head.unlink()
