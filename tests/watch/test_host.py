"""What a computer does to a film: a calendar that jumps, a disk that fills."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbl.watch.host import LEAST_DAY, LEAST_S, TOLD_MAX, Calendar, Room

NOW = LEAST_S + 3e7


def test_the_least_day_is_the_least_second() -> None:
    day = datetime.datetime.fromisoformat(LEAST_DAY).replace(tzinfo=datetime.UTC)
    assert day.timestamp() == LEAST_S


def test_a_calendar_that_runs_along_is_good() -> None:
    calendar = Calendar()
    for second in range(0, 10_000, 10):  # slewed by 500 ppm, as fast as any clock daemon does
        assert calendar.look(NOW + second * 1.0005, float(second)) == []
    assert calendar.quality == "good"


def test_a_jump_is_noted_with_its_size() -> None:
    calendar = Calendar()
    calendar.look(NOW, 0.0)
    (told,) = calendar.look(NOW + 3610.0, 10.0)
    assert (told.code, told.response, told.value) == ("clock-step", "note", 3600.0)
    assert "+3600.0 s" in told.reason
    assert calendar.quality == "stepped"
    (told,) = calendar.look(NOW - 3590.0, 20.0)
    assert told.value == -7210.0


@pytest.mark.fault("A3")
def test_a_calendar_that_nobody_set_is_noted_once_and_when_it_is_set() -> None:
    calendar = Calendar()
    (told,) = calendar.look(100.0, 5.0)
    assert "not set" in told.reason
    assert calendar.look(110.0, 15.0) == []
    assert calendar.quality == "unset"
    assert len(calendar.look(NOW, 25.0)) == 1
    assert calendar.quality == "stepped"
    assert len(calendar.look(0.0, 35.0)) == 1
    assert calendar.quality == "unset"


@given(st.lists(st.floats(-1e12, 1e12), max_size=100))
def test_a_wild_calendar_fills_no_journal(readings: list[float]) -> None:
    calendar = Calendar()
    told = [one for n, value in enumerate(readings) for one in calendar.look(value, float(n))]
    assert len(told) < TOLD_MAX + 1


def test_little_room_is_noted_once_until_there_was_much() -> None:
    room = Room(low=100)
    assert room.look(100) == []
    (told,) = room.look(99)
    assert (told.code, told.response, told.value) == ("disk-low", "note", 99.0)
    assert [room.look(free) for free in (50, 150, 99)] == [[], [], []]
    assert room.look(200) == []
    assert len(room.look(99)) == 1
