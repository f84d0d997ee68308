"""How often something may happen in how long a time, reckoned on an hour meter.

The meter counts the seconds that this program has been running, over all its starts: it needs no
calendar, and a time without power does not give anything back. Pure.
"""

from collections.abc import Sequence

DOUBLINGS_MAX = 40  # beyond it any first wait is longer than any longest one


def spent(times: Sequence[float], now: float, within: float) -> int:
    """How many of these readings of the meter lie within the last so many seconds of it."""
    return sum(1 for one in times if now - one < within)


def backoff(over: int, first: float, longest: float) -> float:
    """Seconds to wait: none, then `first`, doubled for each time more, at most `longest`."""
    if over <= 0:
        return 0.0
    return min(longest, first * 2.0 ** min(over - 1, DOUBLINGS_MAX))


def left(waits: float, times: Sequence[float], now: float) -> float:
    """What is left of a wait that began with the last of these."""
    return max(0.0, waits - (now - times[-1])) if times else 0.0
