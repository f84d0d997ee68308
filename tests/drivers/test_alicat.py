"""Alicat: frames of as many values as the bench file names, over range never a value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.alicat import Alicat, Reading, frame
from drivers.errors import InstrumentError

FRAME = b"A +101.32 +022.41 +0012.5 +0003.2"
VERSION = (b"AVE\r", b"A   6v21.0-R22 Nov 30 2016,10:54:57\r")


def poll(line: bytes) -> tuple[bytes, bytes]:
    return b"A\r", line + b"\r"


def meter(port: Any, **options: Any) -> Alicat:
    return Alicat(port, "line", **options)


def test_a_frame_with_a_setpoint(script: Any) -> None:
    assert meter(script.port([poll(FRAME)])).reading() == Reading(101.32, 22.41, 12.5, None)


def test_a_frame_with_a_total(script: Any) -> None:
    line = meter(script.port([poll(FRAME)]), columns="pressure temperature flow total")
    pressure, temperature, flow, total = line.reading()
    assert (pressure, temperature, flow, total) == (101.32, 22.41, 12.5, 3.2)


def test_harmless_words_and_faults() -> None:
    assert frame(FRAME + b" LCK HLD", "A")[1] == ("LCK", "HLD")
    assert frame(FRAME + b" MOV", "A")[1] == ("MOV",)


@pytest.mark.parametrize(
    ("word", "words"), [(b"MOV", "flow over"), (b"POV", "pressure over"), (b"TOV", "temperature")]
)
def test_over_range_is_a_fault(script: Any, word: bytes, words: str) -> None:
    port = script.port([poll(FRAME + b" " + word), poll(FRAME + b" " + word)])
    with pytest.raises(InstrumentError, match=words) as caught:
        meter(port).reading()
    assert caught.value.kind == "fault"
    meter(port).safe()  # it answers: that is all safe wants


@pytest.mark.parametrize(
    "line",
    [
        b"A +101.32 +022.41 +0012.5",
        FRAME + b" +1.0",
        b"B +101.32 +022.41 +0012.5 +0003.2",
        b"A +101.32 +722.41 +0012.5 +0003.2",
        b"A +101.32 +022.41 +00x2.5 +0003.2",
        FRAME + b" XYZ",
    ],
)
def test_other_frames_are_asked_again_and_refused(script: Any, line: bytes) -> None:
    port = script.port([poll(line), VERSION, poll(line)])
    with pytest.raises(InstrumentError) as caught:
        meter(port).reading()
    assert caught.value.kind == "garbled"


def test_unknown_command(script: Any) -> None:
    with pytest.raises(InstrumentError, match="unknown command") as caught:
        meter(script.port([poll(b"?")])).reading()
    assert caught.value.kind == "refused"


def test_identify(script: Any) -> None:
    identity = meter(script.port([VERSION])).identify()
    assert identity.maker == "Alicat"
    assert identity.firmware == "6v21.0-R22 Nov 30 2016,10:54:57"


def test_a_late_frame_is_not_the_next_answer(script: Any) -> None:
    late = FRAME.replace(b"12.5", b"99.9") + b"\r"
    port = script.port([(b"A\r", b""), (b"AVE\r", late + VERSION[1]), poll(FRAME)])
    assert meter(port).reading().flow == 12.5


def test_connect_and_prepare_set_nothing(script: Any) -> None:
    line = meter(script.port([poll(FRAME), poll(FRAME), poll(FRAME)]))
    line.connect()
    line.prepare()
    line.sense()
    assert line.safe_bytes() == ()


@pytest.mark.parametrize(
    ("unit", "columns"),
    [
        ("a", "pressure temperature flow"),
        ("AB", "pressure temperature flow"),
        ("A", "pressure flow"),
        ("A", "pressure temperature flow gas"),
        ("A", "pressure temperature flow flow"),
    ],
)
def test_a_meter_that_cannot_be(script: Any, unit: str, columns: str) -> None:
    with pytest.raises(InstrumentError, match="makes no meter"):
        Alicat(script.port(), "line", unit, columns=columns)


@given(st.binary(max_size=60))
def test_garbage_is_never_a_frame(line: bytes) -> None:
    try:
        numbers, _ = frame(line, "A")
    except InstrumentError as error:
        assert error.kind in ("garbled", "refused")
    else:
        assert line.split()[0] == b"A" and numbers


@given(st.lists(st.floats(-9999, 9999), min_size=3, max_size=6))
def test_frames_as_meters_write_them(values: list[float]) -> None:
    line = "A " + " ".join(f"{value:+08.2f}" for value in values)
    numbers, words = frame(line.encode(), "A")
    assert numbers == pytest.approx(values, abs=0.006) and words == ()
