"""A process ends at any point of a film, and again while it is taken up: the film is whole.

Samples of all points of a short film, spread over the whole of it; all of them in `make torture`.
"""

import pytest

from tests.campaign import films, points

STEP = {"torn": 17, "kill": 83}  # primes: slices fall on other acts
BENCHES = ("dip", "flow")


@pytest.mark.parametrize("kind", STEP)
@pytest.mark.parametrize("bench", BENCHES)
@pytest.mark.fault("A1")
def test_the_process_ends_at_a_point(bench: str, kind: str) -> None:
    film = films.of("demo", bench, 1)
    for strikes in points.once(film, kind, STEP[kind]):
        assert films.wrong(film, strikes) == [], [one.text() for one in strikes]


@pytest.mark.parametrize("kind", STEP)
@pytest.mark.parametrize("bench", BENCHES)
@pytest.mark.fault("A1")
def test_it_ends_again_while_it_is_taken_up(bench: str, kind: str) -> None:
    film = films.of("demo", bench, 1)
    step, again = 6 * STEP[kind], points.RECOVERY[kind] // 3
    for strikes in points.twice(film, kind, step, again, first=29):
        assert films.wrong(film, strikes) == [], [one.text() for one in strikes]


@pytest.mark.parametrize("kind", ["power", "dark", "full", "broken", "parked"])
def test_other_ends(kind: str) -> None:
    """Power, a full disk, a broken one, a guardian that parks: at points all over a film."""
    film = films.of("demo", "dip", 1)
    points_ = [*points.once(film, kind)]
    for strikes in points_[7 :: len(points_) // 5]:
        assert films.wrong(film, strikes) == [], strikes[0].text()
