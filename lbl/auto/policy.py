"""What to do next, from what is known: drive the film, wait, or be done. Pure.

Every way through this file ends in one of the three, and every wait is bounded or needs a person:
then nothing moves, outputs are off, and it says so. Must never act.
"""

from dataclasses import dataclass
from typing import Final

from lbl.auto.budget import backoff, left, spent
from lbl.auto.cause import Cause
from lbl.auto.config import Config
from lbl.auto.logbook import Logbook

DONE: Final = {"Complete": 0, "Stopped": 3}  # state of a film that is over -> exit code
LOOK_S: Final = 10.0  # between looks at a run that somebody else may be changing
PARKING_S: Final = 0.5  # a guardian is done in seconds


@dataclass(frozen=True, slots=True)
class Situation:
    """What was found; times in s, sizes in bytes.

    `run` "" means that there is none yet. `seq` is the number of its last record; `problem` why
    its journal cannot be believed; `pid` the process that holds it, which may be `gone` and its
    guardian at work. `held_s` is how long this process has known of `cause`.
    """

    run: str = ""
    state: str = ""
    seq: int = 0
    problem: str = ""
    pid: int = 0
    gone: bool = False
    cause: Cause = Cause()
    held_s: float = 0.0
    signed: bool = False
    free: int | None = None
    bilayers: tuple[int, int] = (0, 0)
    depositions: tuple[int, int] = (0, 0)
    deviations: int = 0


@dataclass(frozen=True, slots=True)
class Act:
    """`mode` is drive, wait, kernel (wait for a person, with outputs off) or done.

    `seconds` bounds a wait before the next look; `code` is the exit code when done.
    """

    mode: str
    reason: str
    seconds: float = LOOK_S
    code: int = 0
    unhold: bool = False


def decide(config: Config, book: Logbook, found: Situation, now: float) -> Act:
    """The next act; `now` is the hour meter."""
    if found.state in DONE:
        return Act("done", f"the film is {found.state}", code=DONE[found.state])
    if found.pid:
        guardian = f"the guardian of process {found.pid}"
        who = guardian if found.gone else f"process {found.pid}"
        return Act("wait", f"{who} has the run", PARKING_S if found.gone else LOOK_S)
    if found.problem:
        return Act("kernel", found.problem)
    if book.latched:
        why = f": {book.why}" if book.why else ""
        return Act("kernel", f"all {config.restarts.times} restarts are used up{why}")
    if found.run and book.refused == found.seq:
        return Act("kernel", book.why)
    if config.signed and found.run and not found.signed:
        return Act("kernel", "signed recipes only, and this run's was not demanded to be")
    pause = _pause(config, book, now)
    if pause is not None:
        return pause
    if found.free is not None and found.free < config.disk.least:
        least = config.disk.least / 1e6
        reason = f"the disk has {found.free / 1e6:.1f} MB left, and needs {least:g}"
        return Act("wait", reason, config.disk.look)
    return onward(config, book, found, now)


def _pause(config: Config, book: Logbook, now: float) -> Act | None:
    """A wait for a supply that flaps, or between two tries."""
    first, longest = config.backoff.first, config.backoff.longest
    flaps = spent(book.boots, now, config.boots.within)
    tries = spent(book.restarts, now, config.restarts.within)
    waits = (
        (left(backoff(flaps - config.boots.times + 1, first, longest), book.boots, now),
         f"{flaps} boots in a short time: the supply has to be steady first"),
        (left(backoff(tries - 1, first, longest), book.restarts, now),
         f"try {tries + 1} of {config.restarts.times} comes later"),
    )  # fmt: skip
    rest, reason = max(waits)
    return Act("wait", reason, rest) if rest > 0.0 else None


def onward(config: Config, book: Logbook, found: Situation, now: float) -> Act:
    """Nothing stands in the way but perhaps the reason why the film rests.

    `unhold` marks an act that uses up one of the holds that may be undone without a person.
    """
    if not found.run:
        return Act("drive", "start")
    cause = found.cause
    if book.cleared == found.seq or cause.kind in ("cut", "left"):
        return Act("drive", f"resume: {cause.text or 'the process had ended'}")
    if cause.kind == "person":
        return Act("kernel", f"asked by a person: {cause.text}")
    if cause.code not in config.holds.codes:
        return Act("kernel", f"a person is asked: {cause.text}")
    if spent(book.unholds, now, config.holds.within) >= config.holds.times:
        times = config.holds.times
        return Act("kernel", f"undone {times} times already: {cause.text}")
    rest = config.holds.after - found.held_s
    if rest > 0.0:
        return Act("wait", f"to be undone later: {cause.text}", rest)
    return Act("drive", f"undone without a person: {cause.text}", unhold=True)
