"""What is done next: every situation ends in driving, in a bounded wait, or in leaving."""

import itertools
from dataclasses import replace

import pytest

from lbl.auto.cause import Cause, cause_of
from lbl.auto.config import Config
from lbl.auto.logbook import Logbook
from lbl.auto.policy import Act, Situation, decide
from lbl.journal.events import Event, fold, initial
from lbl.run.machine import State
from lbl.watch.ladder import LADDER

CONFIG = Config(lbl=1, recipe="demo")
HOUR = 3600.0


def act(found: Situation, book: Logbook | None = None, now: float = 0.0) -> Act:
    return decide(CONFIG, book or Logbook(), found, now)


def held(code: str, seconds: float = 0.0, state: str = "Held") -> Situation:
    cause = Cause("code", code, "because", 7)
    return Situation("film", state, 9, cause=cause, held_s=seconds, free=10**9)


@pytest.mark.parametrize(
    ("found", "mode", "code"),
    [
        (Situation(), "drive", 0),
        (Situation("film", "Complete"), "done", 0),
        (Situation("film", "Stopped"), "done", 3),
        (Situation("film", "Execute"), "drive", 0),
        (Situation("film", "Execute", pid=1), "wait", 0),
        (Situation("film", "Execute", pid=1, gone=True), "wait", 0),
        (Situation("film", problem="the journal is damaged"), "kernel", 0),
        (Situation("film", "Execute", free=19_999_999), "wait", 0),
        (Situation("film", "Held", cause=Cause("left")), "drive", 0),
        (Situation("film", "Held", cause=Cause("person")), "kernel", 0),
        (Situation("film", "Aborted", cause=Cause("person")), "kernel", 0),
        (held("prompt", HOUR), "kernel", 0),
        (held("pressure", HOUR, "Aborted"), "kernel", 0),
        (held("instrument-silent"), "wait", 0),
        (held("instrument-silent", 600.0), "drive", 0),
    ],
)
def test_what_is_found_decides(found: Situation, mode: str, code: int) -> None:
    made = act(found)
    assert (made.mode, made.code) == (mode, code), made.reason
    assert made.reason


@pytest.mark.fault("A14")
def test_a_poisoned_run_is_tried_a_few_times_and_then_left_alone() -> None:
    book, now, drives = Logbook(), 0.0, 0
    for _ in range(1000):
        made = act(Situation("film", "Execute", 9), book, now)
        if made.mode == "kernel":
            break
        if made.mode == "wait":
            assert 0.0 < made.seconds <= CONFIG.backoff.longest
            now += made.seconds
        else:
            drives += 1
            book = replace(book, meter=now).failed(-1, "it died", CONFIG)
    assert drives == CONFIG.restarts.times
    assert made.mode == "kernel"
    assert "it died" in made.reason
    cleared = replace(book, meter=now).clear(9, "film")
    assert act(Situation("film", "Execute", 9), cleared, now).mode == "drive"


@pytest.mark.fault("A2")
def test_a_supply_that_flaps_is_waited_for_longer_and_longer() -> None:
    book, waits = Logbook(), []
    for number in range(12):  # each boot lives one second
        book = replace(book, meter=float(number)).started(str(number), CONFIG)
        made = act(Situation("film", "Execute", 9), book, float(number))
        waits.append(made.seconds if made.mode == "wait" else 0.0)
    assert waits[:2] == [0.0, 0.0]
    assert waits[2:5] == [30.0, 60.0, 120.0]
    assert waits == sorted(waits)
    assert waits[-1] == CONFIG.backoff.longest
    assert act(Situation("film", "Execute", 9), book, 11.0 + waits[-1]).mode == "drive"


@pytest.mark.parametrize("code", LADDER)
@pytest.mark.parametrize("state", [State.HELD.value, State.ABORTED.value])
def test_no_code_is_undone_for_ever(code: str, state: str) -> None:
    """From every code a bounded number of tries leads to a wait for a person, outputs off."""
    book, drives = Logbook(), 0
    for now in range(0, 10 * 3600, 60):
        book = replace(book, meter=float(now))
        made = act(held(code, HOUR, state), book, float(now))
        if made.mode == "drive":
            assert made.unhold
            drives += 1
            book = book.unheld()
    assert made.mode == "kernel"
    assert drives == (CONFIG.holds.times if code in CONFIG.holds.codes else 0)
    assert not drives or code in CONFIG.holds.codes


def test_a_day_later_a_hold_may_be_undone_again() -> None:
    book = Logbook(unholds=(0.0, 1.0, 2.0))
    assert act(held("late", HOUR), book, HOUR).mode == "kernel"
    assert act(held("late", HOUR), book, 25 * HOUR).mode == "drive"


def test_a_person_who_clears_lets_the_film_go_on_once() -> None:
    found = held("growth-step")
    assert act(found).mode == "kernel"
    assert act(found, Logbook().clear(found.seq, "film")).mode == "drive"
    assert act(replace(found, seq=20), Logbook().clear(found.seq, "film")).mode == "kernel"


def test_an_unsigned_run_is_not_taken_up_where_signed_ones_are_asked_for() -> None:
    config = CONFIG.model_copy(update={"signed": True})
    found = Situation("film", "Execute", 9)
    assert decide(config, Logbook(), found, 0.0).mode == "kernel"
    assert decide(config, Logbook(), replace(found, signed=True), 0.0).mode == "drive"
    assert decide(config, Logbook(), Situation(), 0.0).mode == "drive"


def test_every_state_in_every_situation_has_an_answer() -> None:
    states, kinds = [one.value for one in State], ("cut", "left", "code", "person")
    for state, kind, pid, problem, free in itertools.product(
        states, kinds, (0, 7), ("", "damaged"), (None, 0, 10**12)
    ):
        found = Situation("film", state, 3, problem, pid, cause=Cause(kind), free=free)
        made = act(found)
        assert made.mode in ("drive", "wait", "kernel", "done")
        assert made.seconds > 0.0
        if made.mode == "drive":
            assert not pid
            assert not problem
            assert free != 0


VERDICT = {"code": "late", "reason": "it was late"}


@pytest.mark.parametrize(
    ("events", "cause"),
    [
        ([], Cause()),
        ([("state", {"to": "Execute"})], Cause()),
        (
            [("verdict", VERDICT), ("state", {"to": "Holding", "cause": "hold: it was late",
                                              "by": "engine"})],
            Cause("code", "late", "it was late", 2),
        ),
        (
            [("state", {"to": "Holding", "cause": "hold: SIGTERM", "by": "terminal"})],
            Cause("left", "", "SIGTERM", 1),
        ),
        (
            [("verdict", VERDICT), ("state", {"to": "Aborting", "cause": "abort: fire",
                                              "by": "ada"})],
            Cause("person", "", "fire (ada)", 2),
        ),
        (
            [("state", {"to": "Holding", "cause": "hold: x", "by": "ada"}),
             ("state", {"to": "Execute", "cause": "done", "by": "engine"})],
            Cause(),
        ),
    ],
)  # fmt: skip
def test_the_journal_says_why_it_rests(
    events: list[tuple[str, dict[str, str]]], cause: Cause
) -> None:
    state = initial()
    for number, (kind, payload) in enumerate(events, 1):
        row = Event(number, "", 0, "", 1, kind, "engine", 1, -1, 0, dict(payload), "", "")
        state = fold(state, row)
    assert cause_of(state["rest"]) == cause
