"""What a flow bench's liquids hold, stroke by stroke: cell, line, syringe, reservoirs.

The planner's reckoning: ideal mixing in cell, syringe and reservoirs, plug flow in the line. Pure.
Must never judge what it finds.
"""

from collections.abc import Mapping, Sequence

from lbl.plan.equipment import Bath, Cell
from lbl.plan.schedule import Pumping

Mix = list[float]  # mL of each solution at its own strength, in the order of the plan's solutions


class Circuit:
    """Every mixture is kept as mL of each solution at its own full strength.

    `inside` is the cell's, `stocks` and `volumes` (mL) are the reservoirs', `waste` mL given away.
    """

    def __init__(
        self, cell: Cell, reservoirs: Sequence[Bath], held: Mapping[str, str], names: Sequence[str]
    ) -> None:
        """Begin dry: cell and line hold nothing."""
        self._cell = cell
        self._names = list(names)
        self._by_position = {bath.position: bath.name for bath in reservoirs if bath.name in held}
        self.stocks: dict[str, Mix] = {}
        self.volumes: dict[str, float] = {}
        for bath in reservoirs:
            if bath.name in held:
                self.stocks[bath.name] = self._pure(held[bath.name], bath.volume)
                self.volumes[bath.name] = bath.volume
        self.inside = self._nothing()
        self._filled = 0.0
        self._line = self._nothing()
        self._in_line = 0.0
        self._syringe = self._nothing()
        self._in_syringe = cell.dead  # of nothing that counts; it always stays behind
        self.waste = 0.0

    def pump(self, pumping: Pumping) -> None:
        """Carry out strokes; what a reservoir does not have makes its volume negative."""
        source = self._by_position[pumping.position]
        for port, volume in pumping.strokes:
            if volume > 0.0:
                self._draw(source, port, volume)
            else:
                self._give(source, port, -volume)

    def pour(self, reservoir: str, solution: str, volume: float) -> None:
        """Add fresh solution (mL) to a reservoir."""
        self.volumes[reservoir] += volume
        _mix(self.stocks[reservoir], self._pure(solution, volume))

    def strength(self, solution: str) -> float:
        """Return c/c0 of a solution in the cell as it is now."""
        number = self._names.index(solution)
        return self.inside[number] / self._filled if self._filled > 0.0 else 0.0

    def share(self, numbers: Sequence[int]) -> float:
        """Return the share of these solutions in the cell, relative to their own strength."""
        return sum([self.inside[n] for n in numbers]) / self._filled if self._filled > 0.0 else 0.0

    def left(self, reservoir: str, solution: str) -> float:
        """Return c/c0 of a solution in a reservoir."""
        volume = self.volumes[reservoir]
        number = self._names.index(solution)
        return self.stocks[reservoir][number] / volume if volume > 0.0 else 0.0

    def _draw(self, source: str, port: int, volume: float) -> None:
        if port == self._cell.inlet:
            part = _taken(self.inside, volume, self._filled)
            self._filled = max(self._filled - volume, 0.0)
        else:
            part = self._through(source, volume)
        _mix(self._syringe, part)
        self._in_syringe += volume

    def _through(self, source: str, volume: float) -> Mix:
        """Draw through the line: what was in it comes first."""
        first = min(volume, self._in_line)
        part = _taken(self._line, first, self._in_line)
        self._in_line -= first
        rest = volume - first + (self._cell.line - self._in_line)
        fresh = _taken(self.stocks[source], rest, self.volumes[source])
        self.volumes[source] -= rest
        kept = self._cell.line - self._in_line  # the line is full again with what follows
        held = _taken(fresh, kept, rest)
        _mix(self._line, held)
        self._in_line = self._cell.line
        _mix(part, fresh)
        return part

    def _give(self, source: str, port: int, volume: float) -> None:
        """Give from the syringe; `dead` stays behind and is mixed with what is drawn next."""
        whole = self._in_syringe
        part = _taken(self._syringe, volume, whole)
        self._in_syringe = whole - volume
        if port == self._cell.inlet:
            _mix(self.inside, part)
            self._filled += volume
        elif port == self._cell.waste:
            self.waste += volume
        else:
            first = min(volume, self._in_line)
            ahead = _taken(self._line, first, self._in_line)
            held = _taken(part, first, volume)  # the tail of what is given stays in the line
            _mix(self._line, held)
            _mix(self.stocks[source], ahead)
            _mix(self.stocks[source], part)
            self.volumes[source] += volume

    def _pure(self, solution: str, volume: float) -> Mix:
        return [volume * (name == solution) for name in self._names]

    def _nothing(self) -> Mix:
        return [0.0] * len(self._names)


def _taken(mix: Mix, volume: float, whole: float) -> Mix:
    """Take so many mL out of a mixture of `whole` mL; the mixture keeps the rest."""
    share = min(volume / whole, 1.0) if whole > 0.0 else 0.0
    part = [amount * share for amount in mix]
    for number, amount in enumerate(part):
        mix[number] -= amount
    return part


def _mix(mix: Mix, part: Mix) -> None:
    for number, amount in enumerate(part):
        mix[number] += amount
