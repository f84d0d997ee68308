"""What must not happen and what is answered: the table of responses, as data.

A code says what went wrong; its rung says the first answer, how often it may be tried and what
comes then. Responses rank note < retry < hold < stop < abort. Pure. This file must never weaken an
answer that the caller did not override by name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

RESPONSES: Final = ("note", "retry", "hold", "stop", "abort")
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
# Codes whose hold is a question: only a person can answer it.
_QUESTIONS: Final = frozenset(
    {"prompt", "on-resume", "position-unknown", "journal-damaged", "journal-doubt"}
)


@dataclass(frozen=True, slots=True)
class Rung:
    """The answer to one code: `first`, up to `times` in a row, and `then`."""

    first: str
    sentence: str
    times: int = 1
    then: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judgement: the response, the code of the ladder, a sentence with the value."""

    response: str
    code: str
    reason: str
    value: float | None = None


LADDER: Final[Mapping[str, Rung]] = MappingProxyType(
    {
        "air-soft": Rung("note", "The substrate was in air longer than the soft limit."),
        "air-hard": Rung("hold", "The substrate was in air long enough to dry."),
        "air-unseen": Rung("note", "Nobody saw how long the substrate was in air."),
        "temperature-band": Rung("hold", "The temperature stayed outside the recipe's limits."),
        "temperature-damage": Rung(
            "abort", "The temperature stayed where it harms the protein; heat goes off at once."
        ),
        "band": Rung("hold", "A sensor stayed outside its band."),
        "sensor-stale": Rung("hold", "A sensor gave no new value for too long."),
        "position-unknown": Rung("hold", "An axis does not know where it is before a dip."),
        "position-wrong": Rung("hold", "An axis is not where it was sent."),
        "dose-mismatch": Rung("hold", "The volume that moved is not the volume asked for."),
        "dwell-short": Rung("note", "A dwell ended before its minimum."),
        "dwell-long": Rung("note", "A dwell went on beyond its maximum."),
        "held-long": Rung("note", "A hold lasted longer than the film may stay where it is."),
        "prompt": Rung("hold", "The recipe asks a person to do something."),
        "condition": Rung("hold", "A condition of the recipe cannot be judged."),
        "on-resume": Rung("hold", "The rules of resuming ask for a person."),
        "late": Rung("hold", "A command was not sent within its window."),
        "instrument-silent": Rung("retry", "An instrument did not answer in time.", 3, "hold"),
        "instrument-refused": Rung("hold", "An instrument refused a command."),
        "reading-suspect": Rung("retry", "A reading cannot be right.", 3, "note"),
        "bubble": Rung("retry", "A bubble is in the cell.", 3, "hold"),
        "flow": Rung("hold", "What flows in the line is not what the pump gives."),
        "pressure": Rung("abort", "The pressure is above what the tubing stands."),
        "growth-shift": Rung("hold", "The film grows otherwise than its target."),
        "growth-step": Rung("hold", "One bilayer grew or lost far more than a bilayer can."),
        "solution-old": Rung("note", "A solution is older than it should be."),
        "clock-step": Rung("note", "The calendar was set while the run went on."),
        "disk-low": Rung("note", "Little room is left for the journal."),
        "journal-damaged": Rung("hold", "A record of the journal is not what was written."),
        "journal-doubt": Rung("hold", "Nothing shows that the journal is whole."),
        "journal-lost": Rung("abort", "The journal cannot be written."),
        "power-low": Rung("hold", "The supply runs on its reserve."),
    }
)


def answer(code: str, failures: int = 1, overrides: Mapping[str, str] = _NONE) -> str:
    """The response to the `failures`-th failure in a row (1 = the first) of this code.

    `overrides` maps codes to responses, as a recipe's `quality.growth.on_alarm` does. Raises
    ValueError for a code or response that the tables do not have.
    """
    rung = LADDER.get(code)
    if rung is None:
        raise ValueError(f"{code!r} is not on the ladder")
    response = overrides.get(code, rung.first)
    if response not in RESPONSES:
        raise ValueError(f"{response!r} is not one of {', '.join(RESPONSES)}")
    if code not in overrides and rung.then and failures > rung.times:
        return rung.then
    return response


def asks_for_a_person(code: str) -> bool:
    """Whether nothing but a person may undo the answer to this code: a question, or an abort."""
    rung = LADDER[code]
    return code in _QUESTIONS or "abort" in (rung.first, rung.then)


def strongest(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The verdict that outranks the others, the earliest of equals; None when there is none."""
    worst: Verdict | None = None
    for verdict in verdicts:
        if worst is None or RESPONSES.index(verdict.response) > RESPONSES.index(worst.response):
            worst = verdict
    return worst


def rows() -> list[tuple[str, str, str]]:
    """The manual's table: code, answer, meaning."""
    return [(code, _words(rung), rung.sentence) for code, rung in LADDER.items()]


def _words(rung: Rung) -> str:
    return f"{rung.first} up to {rung.times} times, then {rung.then}" if rung.then else rung.first
