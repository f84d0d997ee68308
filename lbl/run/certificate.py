"""The timing certificate of a run: how late its commands left, by kind of step, and the ten worst.

Pure: rows of the core's ring and the plan's kinds of step in, plain JSON data out. It must never
keep more rows than it will show, so that its memory is the same after 10 and 20,000 bilayers.
"""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lbl.run.clock import REASONS

if TYPE_CHECKING:  # a run in virtual time ends before numpy would be loaded
    import numpy as np
    from numpy.typing import NDArray

WORST: Final = 10
UNPLANNED: Final = "unplanned"  # transfers of a hold, a rescue, the way back
SAFE: Final = "safe"  # steps of the safe programme
LEASE: Final = "lease"  # ends of leases: the dead-man
FRACTION: Final = 6  # bits of a lateness that are kept: 1/64, 1.6 %
MISSED: Final = frozenset(REASONS) - {"fired", "safe", "lease"}
_FIELDS: Final = ["entry", "tag", "deadline_ns", "actual_ns", "reason"]

Row = dict[str, Any]


@dataclass(slots=True)
class Lateness:
    """Counts in bins 1/64 of their value wide: quantiles at most 1.6 % high, maximum exact."""

    bins: Counter[int] = field(default_factory=Counter)
    max_ns: int = 0
    missed: int = 0

    def add(self, late_ns: int, missed: bool = False) -> None:
        """Count one command that left so late, or did not leave."""
        if missed:
            self.missed += 1
            return
        late_ns = max(0, late_ns)
        shift = max(0, late_ns.bit_length() - FRACTION - 1)
        self.bins[(shift << FRACTION) + (late_ns >> shift)] += 1
        self.max_ns = max(self.max_ns, late_ns)

    def quantile_ns(self, share: float) -> int:
        """The lateness that `share` of all do not exceed (nearest rank); 0 when none left."""
        left = max(1, -int(-share * self.bins.total() // 1))
        for number in sorted(self.bins):
            left -= self.bins[number]
            if left <= 0:
                return min(_upper(number), self.max_ns)
        return 0

    def as_us(self) -> dict[str, float]:
        """p50, p99 and max in us."""
        values = {"p50": self.quantile_ns(0.5), "p99": self.quantile_ns(0.99), "max": self.max_ns}
        return {name: round(value / 1000.0, 1) for name, value in values.items()}

    def as_row(self) -> Row:
        """The same, with how many left and how many did not."""
        return {**self.as_us(), "count": self.bins.total(), "missed": self.missed}


class Certificate:
    """Gathers what the core recorded; `kinds` are those of the plan's steps, by index.

    It speaks of one process's part of a run: a resumed run has one for each.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        self._kinds = kinds
        self._per_kind: dict[str, Lateness] = {}
        self._all = Lateness()
        self._worst: list[Row] = []

    def take(self, records: "NDArray[np.void]") -> None:
        """Add rows of `Core.records()`, in any portions."""
        if not len(records):
            return
        rows = [self._row(*values) for values in records[_FIELDS].tolist()]
        # Those that never left come first, then the latest; among equals the earliest stays.
        self._worst = heapq.nlargest(
            WORST, [*self._worst, *rows], key=lambda row: (row["reason"] in MISSED, row["late_us"])
        )

    def _row(self, entry: int, tag: int, deadline_ns: int, actual_ns: int, reason: int) -> Row:
        name = REASONS[reason]
        late_ns = actual_ns - deadline_ns
        step = tag if entry and 0 <= tag < len(self._kinds) else -1
        kind = self._kind(entry, step, name)
        for sums in (self._per_kind.setdefault(kind, Lateness()), self._all)[: 2 if entry else 1]:
            sums.add(late_ns, name in MISSED)
        return {
            "step": step,
            "kind": kind,
            "planned_ns": deadline_ns,
            "actual_ns": actual_ns,
            "late_us": round(late_ns / 1000.0, 1),
            "reason": name,
        }

    def _kind(self, entry: int, step: int, reason: str) -> str:
        if not entry:
            return LEASE if reason == LEASE else SAFE
        return self._kinds[step] if step >= 0 else UNPLANNED

    def lateness_us(self) -> dict[str, float]:
        """p50, p99 and max over all commands that left, in us; zeros when none did."""
        return self._all.as_us()

    def as_json(
        self, *, realtime: Mapping[str, Any], host_clock: Mapping[str, Any], lost: int = 0
    ) -> Row:
        """The certificate. Lateness in us, instants in ns of the run's clock.

        `per_kind` and `all`: p50, p99, max, count, missed; `worst`: ten rows, with the reason for
        those that never left; `lost`: records that nobody drained in time (0, or it is incomplete);
        `realtime`: what the system granted; `host_clock`: which clock it was measured with.
        """
        return {
            "unit": "us",
            "all": self._all.as_row(),
            "per_kind": {kind: sums.as_row() for kind, sums in sorted(self._per_kind.items())},
            "worst": self._worst,
            "lost": lost,
            "realtime": dict(realtime),
            "host_clock": dict(host_clock),
        }


def certify(
    records: "NDArray[np.void]",
    kinds: Sequence[str],
    *,
    realtime: Mapping[str, Any],
    host_clock: Mapping[str, Any],
    lost: int = 0,
) -> Row:
    """The certificate of rows that are all there already; see `Certificate.as_json`."""
    made = Certificate(kinds)
    made.take(records)
    return made.as_json(realtime=realtime, host_clock=host_clock, lost=lost)


def _upper(number: int) -> int:
    """The largest lateness in a bin."""
    shift = max(0, (number >> FRACTION) - 1)
    return ((number - (shift << FRACTION) + 1) << shift) - 1
