"""A real file system loses its power in mid-write: what was acknowledged is there afterwards.

A handful here, a thousand in `make torture`. Skipped, and said so, where nobody may mount.
"""

from pathlib import Path

import pytest

from tests.torture import power_cuts

CUTS = 6


@pytest.fixture(scope="module", autouse=True)
def _privilege(tmp_path_factory: pytest.TempPathFactory) -> None:
    why = power_cuts.refused(tmp_path_factory.mktemp("probe"))
    if why:
        pytest.skip(f"NOT TESTED: no file system can be mounted and shut down here: {why}")


def test_no_acknowledged_record_is_lost(tmp_path: Path) -> None:
    count = power_cuts.campaign(tmp_path, CUTS, 1)
    assert count.cuts == CUTS
    assert count.acknowledged > 0
    assert (count.lost, count.wrong) == (0, 0)


def test_records_that_are_promised_too_early_are_missed(tmp_path: Path) -> None:
    """The control: without syncs the same cuts find something."""
    count = power_cuts.campaign(tmp_path, CUTS, 1, durable=False)
    assert count.wrong > 0
