"""The judge of a campaign: every rule that a film must keep can be broken, and is then named.

A whole film is grown once; what the world or the journal says of it is changed, a line at a time.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lbl.campaign.film import Evidence
from lbl.campaign.judge import judge
from tests.campaign import films

Change = Callable[[Evidence], Evidence]
LONG_S = 200.0


@pytest.fixture(scope="module")
def whole() -> Evidence:
    return films.grown(films.of("demo", "dip", 2), ())


def rows(change: Callable[[list[dict[str, Any]]], None]) -> Change:
    """Another ledger."""

    def changed(film: Evidence) -> Evidence:
        copy = [dict(row) for row in film.rows]
        change(copy)
        return replace(film, rows=copy)

    return changed


def at(ledger: list[dict[str, Any]], vessel: str, which: int = 0) -> int:
    """The place of a stay in a vessel."""
    found = [n for n, row in enumerate(ledger) if row.get("vessel") == vessel]
    return found[which]


def doubled(ledger: list[dict[str, Any]]) -> None:
    """The first deposition is exposed once more after its last rinse."""
    rinse, stay = ledger[at(ledger, "P3", 1)], dict(ledger[at(ledger, "polycation")])
    dwell = stay["end_s"] - stay["start_s"]
    stay |= {"start_s": rinse["end_s"] + 1.0, "end_s": rinse["end_s"] + 1.0 + dwell}
    again = [{**row} for row in ledger[at(ledger, "P1", 1) : at(ledger, "P3", 1) + 1]]
    ledger[at(ledger, "P3", 1) + 1 : at(ledger, "P3", 1) + 1] = [stay, *again]


def longer(name: str, seconds: float) -> Change:
    def change(ledger: list[dict[str, Any]]) -> None:
        ledger[at(ledger, name)]["end_s"] += seconds

    return rows(change)


def lost(*vessels: str, which: int = 0) -> Change:
    def change(ledger: list[dict[str, Any]]) -> None:
        for vessel in vessels:
            del ledger[at(ledger, vessel, which)]

    return rows(change)


def carried_over(ledger: list[dict[str, Any]]) -> None:
    ledger[at(ledger, "P2", 1)]["vessel"] = "N2"


def collided(ledger: list[dict[str, Any]]) -> None:
    ledger.append({"kind": "collision", "cause": "bottom"})


def dried(ledger: list[dict[str, Any]]) -> None:
    next(row for row in ledger if row["kind"] == "air")["end_s"] += LONG_S


def state(**keys: Any) -> Change:
    return lambda film: replace(film, state={**film.state, **keys})


def done(change: Callable[[list[Any]], list[Any]]) -> Change:
    """Other records of depositions that are done."""

    def changed(film: Evidence) -> Evidence:
        counted = change([event for event in film.events if event.kind == "deposition-done"])
        others = [event for event in film.events if event.kind != "deposition-done"]
        return replace(film, events=sorted([*others, *counted], key=lambda event: event.seq))

    return changed


def early(counted: list[Any]) -> list[Any]:
    """The first one stands where its exposure ended."""
    return [replace(counted[0], mono_ns=counted[0].mono_ns - 120 * 10**9), *counted[1:]]


BROKEN: dict[str, tuple[Change, str]] = {
    "exposed twice": (rows(doubled), "was exposed again"),
    "two whole dwells": (longer("polycation", 120.0), "under control where 120 s were due"),
    "a short dwell": (longer("polyanion", -80.0), "and nobody said so"),
    "one left out": (lost("polyanion"), "exposures never happened"),
    "the last one left out": (
        lost("polyanion", "N1", "N2", which=1),
        "exposures never happened",
    ),
    "a rinse left out": (lost("P2", which=1), "rinse 2 of 3 after PDAC 1 is missing"),
    "the last rinse left out": (
        lambda film: replace(film, standing={**(film.standing or {}), "vessel": "N2"}),
        "rinse 3 of 3 after BR 4 is missing",
    ),
    "a short rinse": (longer("P3", -20.0), "of rinse in P3"),
    "the other side's bath": (rows(carried_over), "was carried into N2"),
    "too long in air": (rows(dried), "in air at"),
    "a collision": (rows(collided), "something collided"),
    "one more counted": (state(depositions=5), "the world has seen 4"),
    "one less counted": (state(depositions=2), "the journal counts 2"),
    "complete too early": (state(depositions=3), "is Complete with 3 of 4"),
    "counted twice": (done(lambda counted: [counted[0], *counted]), "the journal counts [1, 1,"),
    "not counted": (done(lambda counted: counted[1:]), "the journal counts [2,"),
    "counted too early": (done(early), "before its last rinse"),
    "left in air": (lambda film: replace(film, standing=None), "the film is in air"),
    "no end": (state(state="Held"), "it came to no end"),
    "a broken chain": (lambda film: replace(film, damage="line 7"), "the journal is not whole"),
    "a bug": (lambda film: replace(film, bug="KeyError"), "our own bug"),
}


def test_a_whole_film_is_whole(whole: Evidence) -> None:
    assert judge(whole) == []
    assert whole.ended == "Complete"


@pytest.mark.parametrize("what", BROKEN)
def test_every_rule_can_be_broken(whole: Evidence, what: str) -> None:
    change, words = BROKEN[what]
    told = judge(change(whole))
    assert any(words in one for one in told), told
