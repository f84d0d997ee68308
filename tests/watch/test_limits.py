"""Verdicts on samples, and the ladder of answers."""

import math

import pytest

from lbl.watch.ladder import LADDER, RESPONSES, Verdict, answer, rows, strongest
from lbl.watch.limits import (
    Band,
    Judge,
    Limits,
    judge_air,
    judge_dose,
    judge_dwell,
    judge_position,
    temperature,
)

SECOND = 1_000_000_000
LIMITS = Limits(bands={"bath": temperature(15.0, 30.0)})


def codes(verdicts: list[Verdict]) -> list[tuple[str, str]]:
    return [(verdict.code, verdict.response) for verdict in verdicts]


def test_air() -> None:
    assert judge_air(LIMITS, 20.0) == []
    assert codes(judge_air(LIMITS, 20.1)) == [("air-soft", "note")]
    assert codes(judge_air(LIMITS, 45.1)) == [("air-hard", "hold")]
    assert "45.1 s" in judge_air(LIMITS, 45.1)[0].reason
    strict = Limits(overrides={"air-soft": "hold"})
    assert codes(judge_air(strict, 21.0)) == [("air-soft", "hold")]


def test_dwell() -> None:
    assert judge_dwell(LIMITS, 60.0 * (1 - 1e-10), 60.0, 120.0) == []
    assert judge_dwell(LIMITS, 120.0 * (1 + 1e-10), 60.0, 120.0) == []
    assert codes(judge_dwell(LIMITS, 59.9, 60.0, 120.0)) == [("dwell-short", "note")]
    assert codes(judge_dwell(LIMITS, 121.0, 60.0, 120.0)) == [("dwell-long", "note")]
    assert judge_dwell(LIMITS, 1e9, 60.0, math.inf) == []


def test_position_before_a_dip() -> None:
    def judged(referenced: bool, position: float) -> list[tuple[str, str]]:
        return codes(
            judge_position(
                LIMITS, "x", referenced=referenced, position=position, target=36.0, within=0.2
            )
        )

    assert judged(True, 36.1) == []
    assert judged(False, 36.0) == [("position-unknown", "hold")]
    assert judged(True, math.nan) == [("position-unknown", "hold")]
    assert judged(True, 36.3) == [("position-wrong", "hold")]


def test_doses() -> None:
    assert judge_dose(LIMITS, "BR", 2.0, 2.09) == []
    assert judge_dose(LIMITS, "BR", 0.0, 0.04) == []
    assert codes(judge_dose(LIMITS, "BR", 2.0, 1.8)) == [("dose-mismatch", "hold")]
    assert codes(judge_dose(LIMITS, "BR", 2.0, math.nan)) == [("dose-mismatch", "hold")]


def test_a_value_must_stay_outside_to_count() -> None:
    judge = Judge(LIMITS, 0)
    values = [31.0, 31.0, 22.0, 31.0, 31.0, 31.0, 31.0, 31.0, 31.0, 22.0]
    got = [codes(judge.sample("bath", value, n)) for n, value in enumerate(values)]
    band = [("temperature-band", "hold")]
    assert got == [[], [], [], [], [], band, [], [], band, []]


@pytest.mark.fault("A13")
def test_harm_outranks_the_band() -> None:
    judge = Judge(LIMITS, 0)
    got = [codes(judge.sample("bath", 46.0, n)) for n in range(3)]
    assert got == [[], [], [("temperature-damage", "abort")]]
    judge = Judge(LIMITS, 0)
    got = [codes(judge.sample("bath", value, 0)) for value in (31.0, 31.0, 46.0)]
    assert got == [[], [], [("temperature-band", "hold")]]


def test_what_is_not_watched_or_no_number_passes() -> None:
    judge = Judge(LIMITS, 0)
    assert judge.sample("room", 99.0, 0) == []
    for _ in range(9):
        assert judge.sample("bath", math.nan, 10**12) == []
    assert codes(judge.stale(10**12)) == [("sensor-stale", "hold")]


@pytest.mark.fault("A8")
def test_silence_is_judged_once() -> None:
    judge = Judge(LIMITS, 0)
    assert judge.stale(120 * SECOND) == []
    assert judge.next_stale_ns() == 120 * SECOND + 1
    assert codes(judge.stale(judge.next_stale_ns() or 0)) == [("sensor-stale", "hold")]
    assert judge.next_stale_ns() is None
    assert judge.stale(300 * SECOND) == []
    judge.sample("bath", 22.0, 310 * SECOND)
    assert judge.stale(400 * SECOND) == []
    assert codes(judge.stale(431 * SECOND)) == [("sensor-stale", "hold")]
    assert Judge(Limits(), 0).next_stale_ns() is None


def test_bands_of_other_sensors() -> None:
    judge = Judge(Limits(bands={"pH": Band(8.7, 9.3, persistence=1)}), 0)
    assert codes(judge.sample("pH", 8.0, 0)) == [("band", "hold")]


def test_the_ladder() -> None:
    assert answer("instrument-silent") == "retry"
    assert [answer("instrument-silent", n) for n in (3, 4)] == ["retry", "hold"]
    assert answer("reading-suspect", 4) == "note"
    assert answer("growth-shift", 1, {"growth-shift": "note"}) == "note"
    for code, overrides in (("nonsense", {}), ("late", {"late": "panic"})):
        with pytest.raises(ValueError, match="not on the ladder|not one of"):
            answer(code, 1, overrides)


def test_the_strongest_verdict_wins() -> None:
    verdicts = [Verdict(response, str(n), "") for n, response in enumerate(RESPONSES[:3])]
    assert strongest([]) is None
    best = strongest([*verdicts, Verdict("hold", "later", "")])
    assert best is not None
    assert (best.response, best.code) == ("hold", "2")
    assert strongest(reversed(verdicts)) == best


def test_the_table_is_whole() -> None:
    for code, rung in LADDER.items():
        assert rung.first in RESPONSES
        assert rung.then in ("", *RESPONSES)
        assert bool(rung.then) == (rung.first == "retry")
        assert rung.sentence.endswith(".")
        assert code == code.lower()
    assert len(rows()) == len(LADDER)
    assert ("bubble", "retry up to 3 times, then hold", "A bubble is in the cell.") in rows()
