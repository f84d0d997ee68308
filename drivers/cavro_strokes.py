"""Strokes of a Cavro pump as one command string, which it carries out by itself; pure functions.

Source: Cavro XCalibur operating manual (733085-B), chapter 3: `I`/`O` turn a distribution valve
clockwise and back, `A` states where the plunger shall be, `R` runs the string. This file must never
touch a port.
"""

from collections.abc import Sequence
from typing import Final

PORT_S: Final = 0.25  # of the valve, from one port to the next
RAMP_S: Final = 0.05  # of the plunger: start, stop, backlash
TEXT_MAX: Final = 250  # the pump's buffer holds 255 characters

Stroke = tuple[int, float]
"""Port of the valve, and mL drawn there; negative: given."""


def places(strokes: Sequence[Stroke], syringe: float, steps: int) -> list[int]:
    """Return where the plunger stands after each stroke, from an empty syringe, in increments.

    Raises ValueError for a stroke below one increment, one that the syringe does not hold, or
    strokes that do not end with the syringe empty.
    """
    found, here, volume = [], 0, 0.0
    for _, drawn in strokes:
        volume += drawn
        place = round(volume / syringe * steps)
        if place == here:
            raise ValueError(f"{drawn:g} mL are less than one step of {syringe / steps:.2g} mL")
        if not 0 <= place <= steps:
            raise ValueError(f"{volume:g} mL do not fit in a syringe of {syringe:g} mL")
        found.append(place)
        here = place
    if here:
        raise ValueError(f"{volume:g} mL are left in the syringe")
    return found


def program(strokes: Sequence[Stroke], syringe: float, steps: int, ports: int) -> str:
    """Return the command string of strokes from an empty syringe; the valve goes the shorter way.

    Raises ValueError like `places`, and for a port that there is not or too long a string.
    """
    words, valve = [], 0
    for (port, _), place in zip(strokes, places(strokes, syringe, steps), strict=True):
        if not 1 <= port <= ports:
            raise ValueError(f"port {port} is not one of 1..{ports}")
        back = valve > 0 and 2 * ((port - valve) % ports) > ports
        words.append(f"{'O' if back else 'I'}{port}A{place}")
        valve = port
    text = "".join(words) + "R"
    if len(text) > TEXT_MAX:
        raise ValueError(f"{len(strokes)} strokes make a string of {len(text)} characters")
    return text


def seconds(
    strokes: Sequence[Stroke], syringe: float, steps: int, ports: int, speed: float
) -> float:
    """Return about how long strokes take at a top `speed` in half increments a second."""
    way, turns, here, valve = 0, 0, 0, 0
    for (port, _), place in zip(strokes, places(strokes, syringe, steps), strict=True):
        way += abs(place - here)
        apart = abs(port - valve) if valve else 0
        turns += min(apart, ports - apart)
        here, valve = place, port
    return 2.0 * way / speed + turns * PORT_S + len(strokes) * RAMP_S
