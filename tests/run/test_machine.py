"""The state machine against the published table, every state times every verb."""

from itertools import product

import pytest

from lbl.errors import Refused
from lbl.run.machine import ACTING, TABLE, VERBS, RunMachine, State, diagram, verbs_from

# ISA-TR88.00.02 as drawn in OPC 30050, written out a second time and by hand: from -> verb -> to.
PUBLISHED = {
    "Idle": {"start": "Starting", "stop": "Stopping", "abort": "Aborting"},
    "Starting": {"done": "Execute", "hold": "Holding", "stop": "Stopping", "abort": "Aborting"},
    "Execute": {
        "done": "Completing", "hold": "Holding", "suspend": "Suspending", "stop": "Stopping",
        "abort": "Aborting",
    },
    "Holding": {"done": "Held", "stop": "Stopping", "abort": "Aborting"},
    "Held": {"unhold": "Unholding", "stop": "Stopping", "abort": "Aborting"},
    "Unholding": {"done": "Execute", "hold": "Holding", "stop": "Stopping", "abort": "Aborting"},
    "Suspending": {"done": "Suspended", "hold": "Holding", "stop": "Stopping", "abort": "Aborting"},
    "Suspended": {
        "unsuspend": "Unsuspending", "hold": "Holding", "stop": "Stopping", "abort": "Aborting",
    },
    "Unsuspending": {"done": "Execute", "hold": "Holding", "stop": "Stopping", "abort": "Aborting"},
    "Completing": {"done": "Complete", "stop": "Stopping", "abort": "Aborting"},
    "Complete": {"reset": "Resetting", "stop": "Stopping", "abort": "Aborting"},
    "Resetting": {"done": "Idle", "stop": "Stopping", "abort": "Aborting"},
    "Stopping": {"done": "Stopped", "abort": "Aborting"},
    "Stopped": {"reset": "Resetting", "abort": "Aborting"},
    "Aborting": {"done": "Aborted"},
    "Aborted": {"clear": "Clearing"},
    "Clearing": {"done": "Stopped", "abort": "Aborting"},
}  # fmt: skip


def test_there_are_seventeen_states() -> None:
    assert len(State) == 17
    assert {state.value for state in State} == set(PUBLISHED)


@pytest.mark.parametrize(("state", "verb"), list(product(State, VERBS)))
def test_every_state_takes_exactly_the_published_verbs(state: State, verb: str) -> None:
    moves: list[tuple[State, str, State]] = []
    machine = RunMachine(lambda *move: moves.append(move), initial=state)
    wanted = PUBLISHED[state.value].get(verb)
    assert machine.can(verb) == (wanted is not None)
    if wanted is None:
        with pytest.raises(Refused, match=f"{state.value}.*{verb}"):
            machine.do(verb)
        assert machine.state is state
        assert moves == []
    else:
        assert machine.do(verb) is State(wanted)
        assert moves == [(state, verb, State(wanted))]


def test_an_unknown_verb_is_refused() -> None:
    with pytest.raises(Refused, match="fly"):
        RunMachine(lambda *move: None).do("fly")


def test_power_on_is_aborted() -> None:
    assert RunMachine(lambda *move: None).state is State.ABORTED


def test_abort_is_possible_everywhere_but_where_it_is_done() -> None:
    assert {before for verb, before, _ in TABLE if verb == "abort"} == set(State) - {
        State.ABORTING,
        State.ABORTED,
    }


def test_every_acting_state_completes_and_no_waiting_state_does() -> None:
    assert {before for verb, before, _ in TABLE if verb == "done"} == ACTING


def test_people_are_offered_verbs_not_the_machines_own() -> None:
    assert verbs_from(State.HELD) == ("unhold", "stop", "abort")


def test_the_diagram_has_every_row() -> None:
    assert diagram().count("-->") == len(TABLE) + 1
