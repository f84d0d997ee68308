"""The growth chart: line and R2, few false alarms, quick to see a fault, resumable."""

import json
import random
from collections.abc import Iterator

import numpy
import pytest

from lbl.watch.growth import SKIP, Chart, Growth, learned

TARGET = 1.07


def film(
    seed: int, *, noise: float = 0.2, fault: float = 0.0, at: int = 100, bilayers: int = 200
) -> Iterator[tuple[int, float]]:
    """Absorbance readings (mOD a side): 3 % scatter of the bilayers, noise of the photometer."""
    dice = random.Random(seed)
    grown = 0.0
    for bilayer in range(1, bilayers + 1):
        share = 1.0 + (fault if bilayer > at else 0.0)
        grown += TARGET * share * (1.0 + 0.03 * dice.gauss(0.0, 1.0))
        yield bilayer, grown + noise * dice.gauss(0.0, 1.0)


def alarms(chart: Chart, readings: Iterator[tuple[int, float]]) -> list[tuple[int, str]]:
    growth = Growth(chart)
    return [(n, verdict.code) for n, value in readings for verdict in growth.add(n, value)]


def test_slope_and_r2_are_those_of_least_squares() -> None:
    readings = list(film(1))
    growth = Growth(Chart(TARGET))
    assert growth.slope is None
    assert growth.r2 is None
    for bilayer, value in readings:
        growth.add(bilayer, value)
    x, y = numpy.array([row for row in readings if row[0] > SKIP]).T
    slope, _ = numpy.polyfit(x, y, 1)
    assert growth.slope == pytest.approx(slope, rel=1e-9)
    assert growth.r2 == pytest.approx(numpy.corrcoef(x, y)[0, 1] ** 2, rel=1e-9)


def test_the_line_of_a_long_film_stays_exact() -> None:
    growth = Growth(Chart(1.0, sigma=0.1))
    for bilayer in range(1, 20_001):
        growth.add(bilayer, 1000.0 + float(bilayer))
    assert growth.slope == pytest.approx(1.0, rel=1e-12)
    assert growth.r2 == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(
    "chart",
    [Chart(TARGET), Chart(), Chart(TARGET, sigma=0.285, readout=0.2), Chart(TARGET, sigma=0.285)],
)
def test_good_films_do_not_alarm(chart: Chart) -> None:
    good = sum(not alarms(chart, film(seed)) for seed in range(60))
    assert good >= 57


def test_a_small_steady_offset_is_tolerated() -> None:
    chart = Chart(TARGET * 1.03)
    assert sum(not alarms(chart, film(seed)) for seed in range(40)) >= 37


@pytest.mark.parametrize(("fault", "within"), [(-0.2, 25), (0.2, 25), (-0.5, 10)])
def test_faults_are_seen(fault: float, within: int) -> None:
    for seed in range(20):
        seen = alarms(Chart(TARGET), film(seed, fault=fault))
        assert seen
        assert 100 < seen[0][0] <= 100 + within


def test_a_slow_film_is_called_slower() -> None:
    growth = Growth(Chart(TARGET, sigma=0.1, on_alarm="note"))
    verdicts = [
        verdict
        for bilayer, value in film(3, noise=0.0, fault=-0.3, at=50)
        for verdict in growth.add(bilayer, value)
    ]
    assert verdicts[0].response == "note"
    assert verdicts[0].code == "growth-shift"
    assert "slower than 1.07 mOD" in verdicts[0].reason
    assert growth.sums.alarms == len(verdicts) > 1
    assert len(verdicts) < 40


def test_bilayers_that_come_off_are_a_step() -> None:
    growth = Growth(Chart(TARGET))
    for bilayer, value in film(4, bilayers=120):
        lost = 10 * TARGET if bilayer > 110 else 0.0
        verdicts = growth.add(bilayer, value - lost)
        if bilayer == 111:
            assert [verdict.code for verdict in verdicts] == ["growth-step"]
            assert verdicts[0].response == "hold"
        else:
            assert not verdicts


def test_nothing_is_judged_while_learning() -> None:
    growth = Growth(Chart())
    for bilayer in range(1, 26):
        assert growth.target is None
        assert not growth.add(bilayer, bilayer * 2.0 + (bilayer % 3))
    assert growth.target == pytest.approx(2.0, abs=0.1)


def test_measuring_every_fifth_bilayer() -> None:
    readings = [row for row in film(5, bilayers=400) if row[0] % 5 == 0]
    assert not alarms(Chart(TARGET), iter(readings))
    broken = [row for row in film(5, fault=-0.3, at=200, bilayers=400) if row[0] % 5 == 0]
    assert alarms(Chart(TARGET), iter(broken))


def test_a_chart_goes_on_from_its_snapshot() -> None:
    for cut in (0, 3, 12, 60):
        whole, parts = Growth(Chart(TARGET)), Growth(Chart(TARGET))
        for bilayer, value in film(6, fault=-0.3, at=90):
            if bilayer == cut:
                parts = Growth.restore(Chart(TARGET), json.loads(json.dumps(parts.snapshot())))
            assert whole.add(bilayer, value) == parts.add(bilayer, value)
        assert whole.snapshot() == parts.snapshot()
    assert len(json.dumps(whole.snapshot())) < 500
    with pytest.raises(ValueError, match="not the snapshot"):
        Growth.restore(Chart(), {"bilayer": 1})


@pytest.mark.parametrize(("bilayer", "value"), [(3, 1.0), (2, 1.0), (4, float("nan"))])
def test_what_cannot_follow_is_refused(bilayer: int, value: float) -> None:
    growth = Growth(Chart())
    growth.add(3, 3.0)
    with pytest.raises(ValueError, match="cannot follow"):
        growth.add(bilayer, value)


def test_learning_the_model_of_the_scatter() -> None:
    assert learned([1.0] * 20) == (pytest.approx(1e-6), 0.0)
    scatter, memory = learned([1.0, -1.0] * 10)
    assert 0.5 < memory <= 0.85
    assert scatter < 1.0
    _, memory = learned([float(n) for n in range(20)])
    assert memory == 0.0
