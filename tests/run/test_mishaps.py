"""Films that meet mishaps of the world: the instruments see them, or nobody does; never a bug."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbl.errors import BadInput
from lbl.shipped import find

Grow = Callable[..., Any]
LONG = {"bilayers": "45"}


@pytest.fixture
def ill(tmp_path: Path) -> Callable[..., str]:
    """Write a bench file on which such things go wrong."""

    def bench(fault: str, kind: str = "dip") -> str:
        text = Path(find(kind, "sim", "bench")).read_text(encoding="utf-8")
        path = tmp_path / "ill.yaml"
        told = f"simulated: {{faults: [{{{fault}}}]}}"
        path.write_text(text.replace("simulated: {}", told), encoding="utf-8")
        return str(path)

    return bench


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        (
            "world: leak, at: 12 h, where: polyanion, argument: 30 mL/h, lasts: 4 h",
            "Held",
            "film changed by",
        ),
        ("world: empty, at: 14 h, where: polyanion", "Held", "film changed by"),
        ("world: empty, at: 14 h, where: P1", "Held", "film changed by"),
        ("world: ageing, at: 10 h, where: polyanion, argument: 1000", "Held", "film changed by"),
        (
            "world: room-light, at: 14 h, argument: 0.1 mW/cm^2, lasts: 3 h",
            "Held",
            "film changed by",
        ),
        ("world: heater-stuck, at: 6 h, argument: 60 degC", "Held", "temperature"),
        ("world: heater-stuck, at: 6 h, argument: 130 degC", "Aborted", "does harm"),
        ("world: power, at: 6 h", "Aborted", "not referenced"),
        ("world: power, at: 6 h, lasts: 20 s", "Aborted", "no answer"),
        ("world: power, at: 388 min, lasts: 2 s", "Aborted", "not referenced"),
    ],
)
@pytest.mark.fault("A7")
def test_what_an_instrument_can_see_ends_the_film_in_order(
    grow: Grow, ill: Callable[..., str], fault: str, state: str, reason: str
) -> None:
    film = grow("bacteriorhodopsin-200", sets=LONG, speed=0.0, bench=ill(fault))
    assert film.states[-1] == state
    assert reason in film.result.reason
    assert [row["kind"] for row in film.ledger if row["kind"] not in ("exposure", "air")] == [
        "mishap"
    ]


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        ("world: blocked, at: 30 min", "Aborted", "pressure"),
        ("world: leak, where: line, at: 30 min, argument: 6 L/h", "Aborted", "into the cell"),
        ("world: empty, where: polyanion, at: 30 min", "Held", "bubble stays in the cell"),
        ("world: empty, where: rinse, at: 30 min", "Held", "bubble stays in the cell"),
        ("world: heater-stuck, at: 30 min", "Held", "temperature"),
        ("world: power, at: 30 min", "Aborted", "into the cell"),
    ],
)
@pytest.mark.fault("A7")
def test_what_befalls_a_flow_bench_is_seen_too(
    grow: Grow, ill: Callable[..., str], fault: str, state: str, reason: str
) -> None:
    film = grow("demo", sets={}, speed=0.0, bench=ill(fault, "flow"))
    assert film.states[-1] == state
    assert reason in film.result.reason
    assert "mishap" in {row["kind"] for row in film.ledger}


@pytest.mark.fault("A7")
def test_a_bubble_in_the_cell_is_a_deviation(grow: Grow, ill: Callable[..., str]) -> None:
    """It comes in a dwell of ten minutes, in which the cell is looked at every five."""
    sets = {"dwell": "10 min", "bilayers": "1"}
    film = grow("demo", sets=sets, speed=0.0, bench=ill("world: bubble, at: 24 min", "flow"))
    (told,) = film.kinds("deviation")
    assert told.payload["code"] == "bubble"
    assert film.states[-1] == "Complete"


def test_a_bottle_that_nobody_draws_from_is_missed_by_nobody(
    grow: Grow, ill: Callable[..., str]
) -> None:
    film = grow(speed=0.0, bench=ill("world: empty, at: 10 min, where: polyanion bottle"))
    assert film.states[-1] == "Complete"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("world: bubble", "the dip bench has none"),
        ("world: blocked", "the dip bench has none"),
        ("world: leek, where: P1", "did you mean 'leak'"),
        ("world: leak", "needs a place"),
        ("world: leak, where: sink", "no vessel 'sink'"),
        ("world: leak, where: P1, argument: 2 mL", "mL/h is due"),
        ("world: leak, where: P1, argument: -3", "outside"),
        ("world: leak, where: P1, instrument: bath", "are not for the world"),
        ("world: leak, where: P1, after: 3", "are not for the world"),
        ("world: empty, where: P1, lasts: 2 h", "happens at once"),
        ("world: power, where: P1", "has no place"),
        ("kind: drop", "a fault names an 'instrument'"),
        ("instrument: bath, kind: drop, lasts: 2 h", "are for the world's"),
    ],
)
def test_what_cannot_befall_is_refused_by_name(
    grow: Grow, ill: Callable[..., str], wrong: str, sentence: str
) -> None:
    with pytest.raises(BadInput) as refusal:
        grow(bench=ill(wrong))
    (problem,) = refusal.value.problems
    assert problem.code == "bench-fault"
    assert sentence in problem.sentence
