"""What campaigns have found, kept as the strikes that it takes: each of these films was not whole.

Named after what was wrong, with the seed that found it on `demo` with three bilayers. Instants are
those of a film to which nothing else happens.
"""

import pytest

from lbl.campaign.strike import NS, Strike
from tests.campaign import films


def at(kind: str, second: float, count: int = 1, away_s: float = 1.0, **more: object) -> Strike:
    return Strike(kind, int(second * NS), count, outage_s=away_s, **more)  # type: ignore[arg-type]


def instrument(second: float, what: str, how: str, argument: float, count: int = 1) -> Strike:
    return at("instrument", second, count, what=what, how=how, argument=argument)


LIFTED_S = 737.0  # on the way from P3 to the polyanion
FOUND: dict[str, list[Strike]] = {
    "50029: the time in air began anew with each process": [
        at("kill", LIFTED_S, away_s=3.4),
        at("kill", LIFTED_S, 80, away_s=10.0),
    ],
    "100291: and with each boot": [
        at("kill", LIFTED_S, away_s=12.0),
        at("dark", LIFTED_S, 80, away_s=0.3),
    ],
    "a torn tail in air": [at("torn", 725.0, 2, away_s=25.1)],
    "100038: a first bath that nobody wrote down": [at("torn", 15.8, away_s=1.2)],
    "100279: baths too hot to go on gave a second dwell": [
        at("world", 1740.4, what="heater-stuck", argument=56.8, away_s=525.0),
        at("power", 1740.4, 93, away_s=20.8),
    ],
    "200178: a homing that was never finished hid two hours in air": [
        at("torn", 0.0, 80, away_s=600.0),
        at("power", 650.0, away_s=60.0),
        instrument(640.0, "lift", "stall", 0.2277, 5),
    ],
    "200206: a lift without its zero was lowered through the bottom": [
        instrument(1172.83, "lift", "vanish", 0.8313)
    ],
    "in air: the same on the way": [instrument(1180.4, "lift", "vanish", 0.8313)],
    "300705: a carousel without its zero led into the other side's bath": [
        instrument(630.24, "carousel", "vanish", 0.8872)
    ],
    "in air: the same as it turns": [instrument(634.0, "carousel", "vanish", 0.8872)],
    "300246: a journal whose first record is torn": [at("torn", 0.0, 21, away_s=66.8)],
    "300882: a carousel homed with the lift down": [
        at("torn", 0.0, 79, away_s=246.6),
        instrument(1812.98, "carousel", "vanish", 0.5285),
    ],
    "400297: an axis that has stalled could not be taken up": [
        instrument(1587.24, "carousel", "stall", 0.073, 6)
    ],
    "400654: a second park lowered after the power had come back": [
        at("broken", 592.3, 11, away_s=33.6),
        at("world", 592.3, what="power", away_s=18.85),
    ],
}


@pytest.mark.parametrize("what", FOUND)
def test_what_was_found_stays_mended(what: str) -> None:
    film = films.of("demo", "dip", 3)
    strikes = FOUND[what]
    evidence = films.grown(film, strikes)
    assert films.judge(evidence) == [], evidence.endings
    assert evidence.ended == "Complete"
