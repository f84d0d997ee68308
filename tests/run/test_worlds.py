"""Films in worlds at the ends of what is plausible: odd films, and never a bug."""

from collections.abc import Callable
from typing import Any

import pytest

from lbl.errors import BadInput
from sim.parameters import PARAMETERS

Grow = Callable[..., Any]
ENDS = [(name, end) for name, one in PARAMETERS.items() for end in (one.low, one.high)]
SEVENTH = 7  # of all ends on each bench; the parameters are many


@pytest.mark.parametrize("bench", ["dip", "flow"])
def test_a_parameter_at_its_end_is_physics(grow: Grow, bench: str) -> None:
    first = 0 if bench == "dip" else SEVENTH // 2
    for name, end in ENDS[first::SEVENTH]:
        film = grow(world={name: repr(end)}, speed=0.0, bench=bench, place=f"{name}-{end}")
        assert film.states[-1] in ("Complete", "Held", "Aborted"), name
        assert not [row for row in film.ledger if row["kind"] == "collision"], name


def test_a_world_of_several_ends_at_once(grow: Grow) -> None:
    worst = {"gravity": "0", "f_A": "5", "f_o": "0.6", "c_BR": "0.1", "E_evap": "0.3", "T": "35"}
    for bench in ("dip", "flow"):
        film = grow(world=worst, speed=0.0, bench=bench, place=bench)
        assert film.states[-1] in ("Complete", "Held", "Aborted"), film.result.reason
        assert film.result.film["thickness_nm"] >= 0.0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"gravity": "3"}, "gravity"),
        ({"gravity": "1 mg/mL"}, "gravity"),
        ({"c_BR": "1 s"}, "c_BR"),
        ({"c_BR": "nan"}, "c_BR"),
        ({"gravty": "1"}, "did you mean 'gravity'"),
    ],
)
def test_what_is_no_world_is_refused_by_name(grow: Grow, given: dict[str, str], told: str) -> None:

    with pytest.raises(BadInput, match=told):
        grow(world=given, speed=0.0, bench="flow")
