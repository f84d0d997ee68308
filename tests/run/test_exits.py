"""No trouble without a way out: every state, every rung, by the published tables."""

import pytest

from lbl.run.exits import SAFE, traps, way_out
from lbl.run.machine import TABLE, State
from lbl.watch.ladder import LADDER, RESPONSES, Rung, answer


def test_no_state_and_no_rung_is_a_trap() -> None:
    assert traps() == []


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("response", RESPONSES)
def test_each_way_is_short_and_made_of_published_transitions(state: State, response: str) -> None:
    way = way_out(state, response)
    assert way[0] is state
    assert way[-1] in SAFE
    assert len(way) <= 3
    rows = {(before, after) for _, before, after in TABLE}
    assert all(pair in rows for pair in zip(way, way[1:], strict=False))


@pytest.mark.parametrize("code", LADDER)
def test_tries_are_counted_and_end(code: str) -> None:
    answers = [answer(code, failures) for failures in range(1, LADDER[code].times + 3)]
    assert answers[-1] != "retry"
    assert answers[-1] == answers[-2]
    ranks = [RESPONSES.index(one) for one in answers]
    assert ranks == sorted(ranks) or answers[-1] == "note"


@pytest.mark.parametrize(
    ("rung", "said"),
    [
        (Rung("retry", "", 3), "again and again"),
        (Rung("retry", "", 3, "retry"), "again and again"),
        (Rung("retry", "", 1000, "hold"), "1000 tries"),
        (Rung("pray", ""), "'pray' is no answer"),
    ],
)
def test_a_trap_is_named(rung: Rung, said: str) -> None:
    assert any(said in sentence for sentence in traps({"x": rung}))
