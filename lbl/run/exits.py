"""Whether trouble always has a way out: from each state, by each rung of the ladder, to safety.

Pure, a walk over two published tables: that of the machine and that of the ladder. Must never be
needed at run time: it is the proof that nothing has to be.
"""

from collections.abc import Mapping
from typing import Final

from lbl.run.machine import TABLE, State, answering
from lbl.watch.ladder import LADDER, RESPONSES, Rung

# Here outputs are off or the substrate rests wet, and nothing moves until somebody says so.
SAFE: Final = frozenset({State.HELD, State.STOPPED, State.ABORTED, State.COMPLETE})
RETRIES_MAX: Final = 10  # of one act; more is no answer but a way to pass the time
NEXT: Final[Mapping[tuple[str, State], State]] = {
    (verb, before): after for verb, before, after in TABLE
}


def way_out(state: State, response: str) -> tuple[State, ...]:
    """The states from a failed act to safety, both ends included; one that stops short is a trap.

    A state that aborts already does not take the answer: it is on its way.
    """
    way = [state]
    if state in SAFE:
        return (state,)
    following = NEXT.get((answering(response, state), state)) or NEXT.get(("done", state))
    while following is not None and following not in way:  # ends: there are 17 states
        way.append(following)
        if following in SAFE:
            break
        following = NEXT.get(("done", following))
    return tuple(way)


def traps(ladder: Mapping[str, Rung] = LADDER) -> list[str]:
    """Everything that has no bounded way to a safe state, in words; none is how it should be."""
    found = []
    for code, rung in ladder.items():
        if rung.first == "retry" and (not rung.then or rung.then == "retry"):
            found.append(f"{code}: it is tried again and again")
        if not 1 <= rung.times <= RETRIES_MAX:
            found.append(f"{code}: {rung.times} tries are not 1..{RETRIES_MAX}")
        found += [
            f"{code}: '{word}' is no answer"
            for word in (rung.first, rung.then or rung.first)
            if word not in RESPONSES
        ]
    for code, rung in ladder.items():
        for state in State:
            way = way_out(state, rung.then or rung.first)
            if way[-1] not in SAFE:
                names = " > ".join(one.value for one in way)
                found.append(f"{code} in {state.value} ends in {way[-1].value}: {names}")
    return found
