"""What tubes and a syringe hold: liquid that remembers where it came from, and gas.

Moves volumes and conserves every mg; knows no film, no time and no pressure. A tube lets its
content pass in order, a syringe mixes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

# Less than this (mL) is rounding, not liquid.
SPECK = 1e-12
# Pieces that a tube keeps apart; the shortest neighbours mix beyond that.
PIECES_MAX = 16


class Parcel:
    """`ml` of liquid with mg of each species, the mL by reservoir it came from, and mL of gas.

    `batch` numbers the stroke that made it: two pieces of one batch are alike.
    """

    __slots__ = ("amounts", "batch", "gas", "ml", "sources")

    def __init__(
        self,
        ml: float = 0.0,
        amounts: Mapping[str, float] = {},
        sources: Mapping[str, float] = {},
        gas: float = 0.0,
        batch: int = 0,
    ) -> None:
        """Make a parcel of its own."""
        self.ml = ml
        self.amounts = dict(amounts)
        self.sources = dict(sources)
        self.gas = gas
        self.batch = batch

    @property
    def volume(self) -> float:
        """Liquid and gas in mL."""
        return self.ml + self.gas

    def add(self, other: "Parcel") -> None:
        """Mix another parcel in."""
        self.ml += other.ml
        self.gas += other.gas
        blend(self.amounts, other.amounts)
        blend(self.sources, other.sources)

    def liquid(self, ml: float) -> "Parcel":
        """Take mL of the liquid away, at most all."""
        if ml >= self.ml - SPECK:
            taken = Parcel(self.ml, self.amounts, self.sources)
            self.ml, self.amounts, self.sources = 0.0, {}, {}
            return taken
        share = ml / self.ml
        self.ml -= ml
        return Parcel(ml, split(self.amounts, share), split(self.sources, share))

    def plain(self) -> list[Any]:
        """Return the parcel as JSON data."""
        return [self.ml, dict(self.amounts), dict(self.sources), self.gas, self.batch]


def blend(into: dict[str, float], other: Mapping[str, float]) -> None:
    """Add amounts to amounts."""
    for name, amount in other.items():
        into[name] = into.get(name, 0.0) + amount


def split(of: dict[str, float], share: float) -> dict[str, float]:
    """Take a share of every amount away and return it."""
    gone = {name: amount * share for name, amount in of.items()}
    for name, amount in gone.items():
        of[name] -= amount
    return gone


class Tube:
    """`volume` mL of tubing through which liquid and gas go in order (plug flow).

    Real tubing blurs the fronts; a dead volume in the syringe stands for that.
    """

    __slots__ = ("pieces", "volume")

    def __init__(self, volume: float) -> None:
        """Start full of gas."""
        self.volume = volume
        self.pieces = [Parcel(gas=volume)] if volume > 0.0 else []

    def shift(self, parcels: Sequence[Parcel], forward: bool) -> list[Parcel]:
        """Push parcels in at one end; return what comes out of the other, first things first."""
        if self.volume <= 0.0:
            return list(parcels)
        for parcel in parcels:
            self._feed(parcel, forward)
        out: list[Parcel] = []
        spare = sum(piece.volume for piece in self.pieces) - self.volume
        while spare > SPECK and self.pieces:
            place = 0 if forward else -1
            head = self.pieces[place]
            if head.volume <= spare + SPECK:
                out.append(self.pieces.pop(place))
            elif head.gas > 0.0:
                head.gas -= spare
                out.append(Parcel(gas=spare))
            else:
                part = head.liquid(spare)
                part.batch = head.batch
                out.append(part)
            spare -= out[-1].volume
        return out

    @property
    def gas(self) -> float:
        """The mL of gas in it."""
        return sum(piece.gas for piece in self.pieces)

    def _feed(self, parcel: Parcel, forward: bool) -> None:
        """Put a parcel at the end where things go in; like goes to like."""
        if parcel.volume <= 0.0:
            return
        place = -1 if forward else 0
        last = self.pieces[place] if self.pieces else None
        alike = last is not None and (last.gas > 0.0) == (parcel.gas > 0.0)
        if last is not None and alike and (parcel.gas > 0.0 or last.batch == parcel.batch):
            last.add(parcel)
            return
        self.pieces.insert(len(self.pieces) if forward else 0, parcel)
        if len(self.pieces) > PIECES_MAX:
            self._merge()

    def _merge(self) -> None:
        """Mix the two neighbours that are shortest together, gas with gas or liquid with liquid."""
        pairs = [
            (one.volume + other.volume, place)
            for place, (one, other) in enumerate(zip(self.pieces, self.pieces[1:], strict=False))
            if (one.gas > 0.0) == (other.gas > 0.0)
        ]
        if pairs:
            _, place = min(pairs)
            self.pieces[place].add(self.pieces.pop(place + 1))

    def plain(self) -> list[Any]:
        """Return the content as JSON data."""
        return [piece.plain() for piece in self.pieces]

    def load(self, plain: Sequence[Any]) -> None:
        """Take back what `plain` wrote."""
        self.pieces = [Parcel(*piece) for piece in plain]


class Barrel:
    """The inside of a syringe, its valve included: `dead` mL stay when the plunger is up.

    All liquid in it mixes. Gas gathers at the valve, above the liquid, and leaves first; that
    it does so without gravity too is a guess.
    """

    __slots__ = ("content",)

    def __init__(self, dead: float) -> None:
        """Start dry, the plunger up."""
        self.content = Parcel(gas=dead)

    def draw(self, parcels: Sequence[Parcel]) -> None:
        """Take parcels in."""
        for parcel in parcels:
            self.content.add(parcel)

    def push(self, ml: float, batch: int) -> list[Parcel]:
        """Give mL out: gas first, then liquid; what is missing is gas."""
        content = self.content
        gas = min(ml, content.gas)
        content.gas -= gas
        liquid = content.liquid(ml - gas) if ml - gas > SPECK else Parcel()
        missing = ml - gas - liquid.ml
        out = []
        if gas + missing > SPECK:
            out.append(Parcel(gas=gas + missing))
        if liquid.ml > 0.0:
            liquid.batch = batch
            out.append(liquid)
        return out
