"""Thousands of depositions through everything that strikes them: none lost, none doubled.

The run's own code in virtual time; what strikes is drawn from a film's seed, at any wait, exchange
or write; the world's ledger judges. Each slice is some films, so that the cores share them. A film
that fails is made simpler, and told with the command that grows it again.
"""

import os

import pytest

from tests.campaign import films

DEPOSITIONS = int(os.environ.get("LBL_DEPOSITIONS", "10000"))
FIRST = int(os.environ.get("LBL_SEED", "1"))
# (recipe, bench, bilayers of a film): short films are struck often, long ones have checkpoints.
FILMS = (
    ("demo", "dip", 10),
    ("demo", "flow", 10),
    ("bacteriorhodopsin-200", "dip", 25),
    ("demo", "dip", 25),
    ("bacteriorhodopsin-200", "flow", 25),
)
SLICE = 250  # depositions of a test
SLICES = -(-DEPOSITIONS // SLICE)
APART = 1_000_000  # between the seeds of two slices


@pytest.mark.parametrize("part", range(SLICES))
def test_every_deposition_once_whatever_happens(part: int) -> None:
    film = films.of(*FILMS[part % len(FILMS)])
    seed, grown = FIRST + part * APART, 0
    while grown < SLICE:
        verdict = films.verdict(film, seed)
        assert not verdict.wrong, films.told(film, verdict)
        assert verdict.ended == "Complete"
        grown += verdict.depositions
        seed += 1
