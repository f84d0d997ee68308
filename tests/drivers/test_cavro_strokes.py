"""Strokes of a Cavro as one string: from empty to empty, by the shorter way, never beyond."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cavro_strokes import places, program, seconds
from drivers.errors import InstrumentError
from tests.drivers.test_cavro import BUSY, FIRMWARE, READY, asks, plunger, prepared, syringe

EXCHANGE = ((2, 0.285), (9, -0.285), (1, 0.285), (2, -0.285))
TEXT = b"I2A855O9A0I1A855I2A0R"


def test_an_exchange_is_one_string() -> None:
    assert program(EXCHANGE, 1.0, 3000, 9).encode() == TEXT
    assert seconds(EXCHANGE, 1.0, 3000, 9, 1200.0) == pytest.approx(4 * (1.425 + 0.25 + 0.05))


@pytest.mark.parametrize(
    "strokes",
    [
        ((2, 0.5),),  # left in the syringe
        ((2, 1.2), (9, -1.2)),  # more than it holds
        ((2, -0.2), (9, 0.2)),  # gives what it has not
        ((2, 0.00001), (9, -0.00001)),  # less than a step
    ],
)
def test_strokes_that_cannot_be_are_refused(strokes: Any) -> None:
    with pytest.raises(ValueError):
        places(strokes, 1.0, 3000)
    with pytest.raises(ValueError):
        program(strokes, 1.0, 3000, 9)


def test_a_port_that_there_is_not_and_an_endless_string_are_refused() -> None:
    with pytest.raises(ValueError, match="port 10"):
        program(((10, 0.5), (9, -0.5)), 1.0, 3000, 9)
    with pytest.raises(ValueError, match="characters"):
        program(((1, 0.5), (9, -0.5)) * 40, 1.0, 3000, 9)


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6), st.sampled_from([0.5, 1.0, 5.0]))
def test_rounding_never_adds_up(volumes: list[float], syringe: float) -> None:
    strokes = [stroke for ml in volumes for stroke in ((1, ml * syringe), (2, -ml * syringe))]
    found = places(strokes, syringe, 3000)
    assert found[1::2] == [0] * len(volumes)
    for place, ml in zip(found[::2], volumes, strict=True):
        assert abs(place - ml * 3000) <= 0.5


def test_strokes_are_begun_polled_and_read_back(script: Any) -> None:
    pump = prepared(script)
    script.then(asks(TEXT, b"@"), BUSY, READY, plunger(0))
    pump.start_strokes(EXCHANGE)
    assert not pump.stroked(EXCHANGE)
    assert pump.stroked(EXCHANGE)


def test_a_pump_that_stands_elsewhere_is_a_fault(script: Any) -> None:
    pump = prepared(script)
    script.then(READY, plunger(12))
    with pytest.raises(InstrumentError, match="stands at 12") as caught:
        pump.stroked(EXCHANGE)
    assert caught.value.kind == "fault"
    with pytest.raises(InstrumentError, match="not initialised"):
        pump.start_strokes(EXCHANGE)


def test_an_uninitialised_pump_strokes_nothing(script: Any) -> None:
    pump = syringe(script.port([FIRMWARE]))
    pump.connect()
    with pytest.raises(InstrumentError, match="not initialised"):
        pump.start_strokes(EXCHANGE)
