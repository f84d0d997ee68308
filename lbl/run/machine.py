"""The run's state machine: the seventeen PackML states and the verbs that move them.

The whole machine is the table below (ISA-TR88.00.02 as published in OPC 30050, the optional
Hold transitions included); the manual's diagram is drawn from it. This file must never act on
a bench, and it never carries an abort: that is a latch in the mailbox, read before any verb,
because `transitions` forgets queued events when one of them fails.
"""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Final

from transitions import Machine, MachineError

from lbl.errors import Problem, Refused


class State(Enum):
    """PackML state names, as users, journal and JSON spell them."""

    CLEARING = "Clearing"
    STOPPED = "Stopped"
    STARTING = "Starting"
    IDLE = "Idle"
    SUSPENDED = "Suspended"
    EXECUTE = "Execute"
    STOPPING = "Stopping"
    ABORTING = "Aborting"
    ABORTED = "Aborted"
    HOLDING = "Holding"
    HELD = "Held"
    UNHOLDING = "Unholding"
    SUSPENDING = "Suspending"
    UNSUSPENDING = "Unsuspending"
    RESETTING = "Resetting"
    COMPLETING = "Completing"
    COMPLETE = "Complete"


S = State
RUNNING: Final = (
    S.IDLE, S.STARTING, S.EXECUTE, S.HOLDING, S.HELD, S.UNHOLDING, S.SUSPENDING, S.SUSPENDED,
    S.UNSUSPENDING, S.COMPLETING, S.COMPLETE, S.RESETTING,
)  # fmt: skip
CLEARED: Final = (S.CLEARING, S.STOPPED, S.STOPPING, *RUNNING)
ACTING: Final = frozenset(state for state in S if state.value.endswith("ing")) | {S.EXECUTE}

# (verb, from, to). "done" is the standard's SC: an acting state completing by itself.
TABLE: Final[tuple[tuple[str, State, State], ...]] = (
    ("start", S.IDLE, S.STARTING),
    ("done", S.STARTING, S.EXECUTE),
    ("done", S.EXECUTE, S.COMPLETING),
    ("done", S.HOLDING, S.HELD),
    ("unhold", S.HELD, S.UNHOLDING),
    ("done", S.UNHOLDING, S.EXECUTE),
    ("suspend", S.EXECUTE, S.SUSPENDING),
    ("done", S.SUSPENDING, S.SUSPENDED),
    ("unsuspend", S.SUSPENDED, S.UNSUSPENDING),
    ("done", S.UNSUSPENDING, S.EXECUTE),
    ("done", S.COMPLETING, S.COMPLETE),
    ("reset", S.COMPLETE, S.RESETTING),
    ("done", S.RESETTING, S.IDLE),
    ("done", S.STOPPING, S.STOPPED),
    ("reset", S.STOPPED, S.RESETTING),
    ("done", S.ABORTING, S.ABORTED),
    ("clear", S.ABORTED, S.CLEARING),
    ("done", S.CLEARING, S.STOPPED),
    *(
        ("hold", state, S.HOLDING)
        for state in (
            S.EXECUTE, S.STARTING, S.SUSPENDING, S.SUSPENDED, S.UNSUSPENDING, S.UNHOLDING,
        )
    ),
    *(("stop", state, S.STOPPING) for state in RUNNING),
    *(("abort", state, S.ABORTING) for state in CLEARED),
)  # fmt: skip
VERBS: Final = tuple(dict.fromkeys(verb for verb, _, _ in TABLE))


class RunMachine:
    """One run's state. `moved` is called after each transition with (from, verb, to)."""

    state: State
    trigger: Callable[[str], bool]  # put there by transitions

    def __init__(self, moved: Callable[[State, str, State], None], initial: State = S.ABORTED):
        self._moved = moved
        Machine(
            model=self,
            states=S,
            transitions=[
                {"trigger": verb, "source": before, "dest": after} for verb, before, after in TABLE
            ],
            initial=initial,
            auto_transitions=False,
            queued=False,
        )

    def can(self, verb: str) -> bool:
        """Whether the table has a row for this verb here."""
        return (verb, self.state) in _ROWS

    def do(self, verb: str) -> State:
        """Move; raises Refused with the verbs that are open here."""
        before = self.state
        try:
            self.trigger(verb)
        except (MachineError, AttributeError) as error:
            raise Refused(
                Problem(
                    "state-refused",
                    f"the run is {before.value}, which does not take '{verb}'",
                    remedy=f"what it takes now: {', '.join(verbs_from(before)) or 'nothing'}",
                )
            ) from error
        self._moved(before, verb, self.state)
        return self.state


_ROWS: Final = frozenset((verb, before) for verb, before, _ in TABLE)


def answering(response: str, state: State) -> str:
    """The verb that carries out an answer of the ladder to a failed act in this state.

    An act that cannot be carried out is never passed over: the least is a hold. Where the state
    does not take the verb it is abort.
    """
    verb = response if response in ("stop", "abort") else "hold"
    return verb if (verb, state) in _ROWS else "abort"


def verbs_from(state: State) -> tuple[str, ...]:
    """The verbs a person may use in this state ("done" is the machine's own)."""
    return tuple(verb for verb in VERBS if verb != "done" and (verb, state) in _ROWS)


def diagram(table: Iterable[tuple[str, State, State]] = TABLE) -> str:
    """The table as a Mermaid state diagram, for the manual."""
    rows = [f"    {before.value} --> {after.value}: {verb}" for verb, before, after in table]
    return "\n".join(["stateDiagram-v2", "    [*] --> Aborted", *rows])
