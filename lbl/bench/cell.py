"""The cell of a flow bench: pump, selector and sensors, and what the dead-man does with them.

Must never decide what the film is exposed to.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from lbl.bench import roles
from lbl.bench.file import FlowFile
from lbl.bench.roles import Stroke

_SECOND: Final = 1_000_000_000
# A sensor of 0.5..4.5 V for 0..100 kPa; a bubble in the light path or none: 5 V or 0 V.
_ZERO_V: Final = 0.5
_KPA_PER_V: Final = 25.0
_GAS_V: Final = 2.5
SELECT_NS: Final = 3 * _SECOND  # until any selector stands
SLACK_NS: Final = 2 * _SECOND  # beyond the planned end of strokes under way

Timed = tuple[int, str, bytes]


class CellRig:
    """Pump, selector, meter and sensors around one cell.

    `still` gives the dead-man what makes everything but the named instruments harmless, plus more.
    """

    def __init__(
        self,
        file: FlowFile,
        made: Mapping[str, Any],
        still: Callable[[Sequence[Timed], frozenset[str]], None],
    ) -> None:
        cell, sensing = file.cell, file.sensing
        self.file = file
        self.pump: roles.StrokePump = made[cell.pump]
        self.selector: roles.Valve = made[cell.selector]
        self.meter: roles.FlowMeter | None = made[cell.meter] if cell.meter else None
        self._daq: roles.Daq = made[sensing.daq]
        self._channels = (sensing.pressure, sensing.bubble)
        self._crystal: roles.Crystal | None = (
            made[file.microbalance.qcm] if file.microbalance else None
        )
        self._still = still

    @property
    def movers(self) -> frozenset[str]:
        """None: what moves here is a liquid, and its pump is stopped like any other output."""
        return frozenset()

    @property
    def handlers(self) -> frozenset[str]:
        """What brings liquid into the cell and sees it there."""
        cell = self.file.cell
        names = {cell.pump, cell.selector, cell.meter, self.file.sensing.daq}
        return frozenset(names - {""})

    def look(self) -> tuple[float, bool]:
        """Gauge pressure in the cell (kPa), and whether gas is in it."""
        pressure, bubble = self._channels
        volts = self._daq.volts(self._channels)
        return (volts[pressure] - _ZERO_V) * _KPA_PER_V, volts[bubble] > _GAS_V

    def preparations(self) -> Iterator[tuple[str, str, Callable[[], None]]]:
        """(name, what it may move, act), sensors first."""
        cell, sensing = self.file.cell, self.file.sensing
        yield sensing.daq, "nothing", self._daq.prepare
        if self.meter is not None:
            yield cell.meter, "nothing", self.meter.prepare
        if self._crystal is not None and self.file.microbalance is not None:
            yield self.file.microbalance.qcm, "nothing", self._crystal.prepare
        yield cell.selector, "nothing", self.selector.prepare
        yield (
            cell.pump,
            "may find its zero; what is in the syringe goes to waste",
            self.pump.prepare,
        )

    def rescue(self, refuge: tuple[int, Sequence[Stroke]] | None, duration_ns: int) -> None:
        """The dead-man's programme while strokes that last so long are under way.

        With a `refuge` (selector position, strokes) the cell is then filled: an empty one would
        dry the film. Without one the strokes under way fill it themselves: let them end.
        """
        cell = self.file.cell
        alone = frozenset({cell.pump, cell.selector})
        if refuge is None:
            self._still((), alone)
            return
        position, strokes = refuge
        after_ns = duration_ns + SLACK_NS
        # The first of the safe bytes spoils a command that was cut in the middle.
        self._still(
            [
                (after_ns, cell.selector, self.selector.safe_bytes()[0]),
                (after_ns, cell.selector, self.selector.go_bytes(position)),
                (after_ns + SELECT_NS, cell.pump, self.pump.safe_bytes()[0]),
                (after_ns + SELECT_NS, cell.pump, self.pump.strokes_bytes(strokes)),
            ],
            alone,
        )
