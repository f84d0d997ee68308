"""The power of a simulated bench: cuts that are to come, noticed by whoever uses a wire.

A silent device in front of all others on every wire, so that a cut strikes at its own instant
before anything later is said or pumped. Knows no instrument: what a cut means is a callback.
"""

from collections.abc import Callable, Mapping

from sim.port import Reply

Cut = Callable[[int, int], None]


class Mains:
    """Cuts to come; `cut(at_ns, until_ns)` is called at each, with when the power is back."""

    def __init__(self, cut: Cut) -> None:
        self._cut = cut
        self._coming: list[tuple[int, int]] = []

    def add(self, at_ns: int, until_ns: int) -> None:
        """Let the power be off from one time to another; the same time twice: for an instant."""
        self._coming = sorted([*self._coming, (at_ns, until_ns)])

    def settle(self, now_ns: int) -> None:
        """Let the cuts happen that are due."""
        while self._coming and self._coming[0][0] <= now_ns:
            self._cut(*self._coming.pop(0))

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Answer nothing."""
        return []

    def poll(self, now_ns: int) -> list[Reply]:
        """Say nothing, and let a cut that is due happen."""
        self.settle(now_ns)
        return []

    def next_ns(self) -> int | None:
        """Return when the next cut is due, or None."""
        return self._coming[0][0] if self._coming else None

    def power_cycle(self, now_ns: int) -> None:
        """Do nothing: it is the power."""

    def fail(self, now_ns: int, argument: float) -> bool:
        """Return False: it does nothing that can fail."""
        return False

    def snapshot(self) -> dict[str, object]:
        """Return the cuts to come as plain JSON data."""
        return {"coming": [[*one] for one in self._coming]}

    def restore(self, state: Mapping[str, object]) -> None:
        """Take a state that `snapshot` gave."""
        coming = state["coming"]
        assert isinstance(coming, list)
        self._coming = [(int(at_ns), int(until_ns)) for at_ns, until_ns in coming]
