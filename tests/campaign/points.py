"""Every point at which a process can end: each wait or exchange, each operation on its disk.

A write is torn somewhere, any other operation happens wholly or not at all; a journal record is a
write and, on a durable run, a sync. Shared by the tests, which take samples, and by `make torture`,
which takes all.
"""

from collections.abc import Iterator

from lbl.campaign.strike import AT_A_WRITE, Strike
from lbl.torture import Campaign

RECOVERY = {"torn": 60, "kill": 250}  # operations from a resume to the film's going on, and some
AWAY_S = 5.0


def once(what: Campaign, kind: str, step: int = 1, first: int = 1) -> Iterator[list[Strike]]:
    """Strikes that end the process at every so manieth point."""
    points = what.nominal.writes if kind in AT_A_WRITE else what.nominal.turns
    for count in range(first, points + 1, step):
        yield [Strike(kind, 0, count, outage_s=AWAY_S)]


def twice(
    what: Campaign, kind: str, step: int, again: int, first: int = 1
) -> Iterator[list[Strike]]:
    """The same, and every so manieth point of taking the run up."""
    for number, (strike,) in enumerate(once(what, kind, step, first)):
        for count in range(1 + number % again, RECOVERY[kind] + 1, again):
            yield [strike, Strike(kind, 0, count, outage_s=AWAY_S)]
