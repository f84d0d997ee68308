"""The account of a plan against the world's own, within 2 %, on both benches.

What a plan cannot know is set to nothing: errors of pumps, bubbles, ageing, aggregates that settle,
and the loose part of a film that the rinses take off again. What the film itself takes out of the
liquids stays in: it is less than a part in a hundred.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lbl import app as door
from lbl.plan import span as spans
from lbl.run import launch as launching

WITHIN = 0.02
NEUTRAL = dict.fromkeys(
    (
        "acc_pump", "rep_pump", "p_bub_degassed", "k_age_BR", "k_age_PDAC", "f_agg", "k_agg",
        "phi_loose", "pH_drift_buffered",
    ),
    "0",
)  # fmt: skip
FILMS: Mapping[str, Mapping[str, str]] = {
    "demo": {},
    "bacteriorhodopsin-200": {"bilayers": "40"},
}


@dataclass(frozen=True)
class Both:
    """What was foreseen, and what the world and the journal say of the run."""

    said: door.Foreseen
    duration: float
    truth: dict[str, Any]
    ledger: list[dict[str, Any]]
    records: int
    journal: int


@pytest.fixture(scope="module", params=[(b, f) for b in ("dip", "flow") for f in FILMS])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    bench, recipe = request.param
    made: list[Any] = []
    plain = launching.simulate

    def simulate(what: Any) -> Any:
        made.append(plain(what))
        return made[-1]

    runs: Path = tmp_path_factory.mktemp("runs")
    order = door.Order(recipe, bench, FILMS[recipe], NEUTRAL, 1, runs=runs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launching, "simulate", simulate)
        result = door.prepare(order).run(lambda news: None)
    assert result.state == "Complete"
    world = made[0].world
    journal = (result.folder / "journal.jsonl").read_bytes()
    said = door.foresee(recipe, bench, FILMS[recipe], "2026-01-31 09:00")
    truth = world.truth()
    return Both(said, result.duration, truth, world.ledger, journal.count(b"\n"), len(journal))


def test_the_time(both: Both) -> None:
    span = both.said.account.span
    assert both.duration == pytest.approx(span.p50, rel=WITHIN)
    assert both.duration <= span.p95 + 1.0  # no bubble in this world


def test_what_every_vessel_holds_in_the_end_and_how_old_it_is(both: Both) -> None:
    account = both.said.account
    for one in account.liquids.vessels:
        true = both.truth["vessels"][one.name]
        assert one.ends == pytest.approx(true["volume_ml"], rel=WITHIN)
        # what left, evaporation and drag-out, is a small difference of large numbers
        left = true["volume_ml"] - one.volume
        assert one.ends - one.volume == pytest.approx(left, rel=0.1, abs=0.006)
        assert account.age == pytest.approx(true["age_h"], rel=WITHIN)


def test_the_strength_of_what_builds_the_film(both: Both) -> None:
    for one in both.said.account.liquids.vessels:
        if both.said.plan.solutions[one.solution].charge:
            true = both.truth["solutions"][one.solution]["c_over_c0"]
            assert one.strength == pytest.approx(true, rel=WITHIN)


def test_what_got_into_the_rinse_baths(both: Both) -> None:
    """Of mg/mL over that of the label: all are 1 mg/mL."""
    for one in both.said.account.liquids.vessels:
        if not both.said.plan.solutions[one.solution].charge:
            true = sum(both.truth["vessels"][one.name]["mg_per_ml"].values())
            assert one.foreign[-1] == pytest.approx(true, rel=WITHIN, abs=1e-20)
            assert len(one.foreign) == both.said.plan.bilayers


def test_the_waste(both: Both) -> None:
    waste = both.said.account.liquids.waste
    assert [ml for _, ml in waste] == sorted(ml for _, ml in waste)
    if both.said.plan.bench == "flow":
        assert waste[-1][1] == pytest.approx(
            both.truth["vessels"]["waste"]["volume_ml"], rel=WITHIN
        )
    else:  # nothing leaves the baths until somebody empties them, but what the substrate carries
        assert waste[-1][1] == 0.0
        poured = sum(vessel["volume_ml"] for vessel in both.truth["vessels"].values())
        assert both.said.plan.budget.waste == pytest.approx(poured, rel=WITHIN)


def test_the_longest_time_in_air(both: Both) -> None:
    """Of the pump and valves of a flow bench the plan knows what their manuals bound."""
    air = max(row["end_s"] - row["start_s"] for row in both.ledger if row["kind"] == "air")
    if both.said.plan.bench == "flow":
        assert air <= both.said.account.air <= 1.15 * air
    else:
        assert both.said.account.air == pytest.approx(air, rel=WITHIN)


def test_the_records(both: Both) -> None:
    assert both.said.account.records == pytest.approx(both.records, rel=WITHIN)
    assert both.said.account.journal == pytest.approx(both.journal, rel=WITHIN)


def test_bubbles_take_the_time_that_was_foreseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In orbit, where none rises by itself, and many times as many as in degassed liquid."""
    sets = {"bilayers": "10"}
    often = 0.03
    world = {**NEUTRAL, "p_bub_degassed": str(often), "gravity": "0"}
    calm = door.foresee("demo", "flow", sets).account.span
    monkeypatch.setattr(spans, "BUBBLES_PER_FILL", often)
    windy = door.foresee("demo", "flow", sets).account.span
    whole = windy.p50 - calm.p50
    assert whole > 3.0
    lengths = []
    for seed in range(5):
        order = door.Order("demo", "flow", sets, world, seed, runs=tmp_path)
        result = door.prepare(order).run(lambda news: None)
        assert result.state == "Complete"
        lengths.append(result.duration)
    undisturbed = door.Order("demo", "flow", sets, NEUTRAL, 0, runs=tmp_path)
    shortest = door.prepare(undisturbed).run(lambda news: None).duration
    longer = [length - shortest for length in lengths]
    assert sum(longer) / len(longer) == pytest.approx(whole, rel=0.5)
    assert sum(one <= windy.p95 - calm.p50 for one in longer) >= len(longer) - 1
