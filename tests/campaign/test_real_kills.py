"""Controllers killed against instruments in another process: the served world tells of the film.

Some kills here, two thousand in `make torture`.
"""

import random
from pathlib import Path

import pytest

from tests.torture import real_kills

KILLS = 4  # of each film


@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", ["dip-tcp", "flow-pty"])
@pytest.mark.fault("A1")
def test_killed_at_random_and_resumed(tmp_path: Path, kind: str) -> None:
    count = real_kills.Count()
    assert not real_kills.film(kind, tmp_path, random.Random(kind), count, KILLS)
    assert count.kills > 0
    assert count.depositions == 2
