"""Changes the liquid in a cell: strokes fired on time, confirmed, looked at; bubbles driven out.

The first strokes are armed in the core ahead of their deadline; the rest follows once the pump has
said that it stands where it should. While the cell is empty the dead-man's programme fills it with
rinse. This file must never decide what the film is exposed to.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Final

from lbl.bench.bench import Bench
from lbl.bench.cell import CellRig
from lbl.plan.equipment import Bath, Cell, Equipment
from lbl.plan.exchange import Stroke, exchange, primed, priming, refuge
from lbl.plan.schedule import Legs, Plan, Pumping, Step
from lbl.run.acts import Recorder, Waits
from lbl.run.clock import RunClock
from lbl.run.handling import Arrival
from lbl.run.trigger import Trigger
from lbl.run.trouble import Trouble
from lbl.watch.ladder import Verdict

SECOND: Final = 1_000_000_000
SOON_NS: Final = 5_000_000
POLL_NS: Final = 100_000_000
SELECT_LOOKS: Final = 20  # polls of a selector that should have arrived
OVERTIME_NS: Final = 10 * SECOND  # strokes that last this much longer than planned are stuck
AIR_KPA: Final = 101.325  # the meter's zero of gauge pressure
LEAST_FLOW: Final = 0.5  # of the pump's rate, in the middle of a stroke into the cell
FLOW_LOOKS: Final = 3  # readings that must agree that nothing flows
PULSE: Final = 0.5  # of the cell's volume, out and in again


class Exchanger:
    """The pump around a cell, as the procedure uses it. `in_air`: the cell is not full."""

    def __init__(
        self,
        rig: CellRig,
        cell: Cell,
        bench: Bench,
        equipment: Equipment,
        plan: Plan,
        clock: RunClock,
        record: Recorder,
        judged: Callable[[list[Verdict], Step | None], None],
    ) -> None:
        self._rig = rig
        self._cell = cell
        self._bench = bench
        self._clock = clock
        self._trigger = Trigger(clock)
        self._record = record
        self._judged = judged
        self._used = [bath for bath in equipment.baths if bath.name in plan.assignments]
        self._baths = {bath.name: bath for bath in self._used}
        self._every_ns = int(rig.file.sensing.every * SECOND)
        self._limit = rig.file.cell.pressure
        self._next_ns = 0  # when to look into the cell
        self._good_ns = 0  # since when it is known to hold no gas
        self._rinses = max((step.exchange[1] for step in plan.steps), default=1)
        self._position = 0  # of the selector; 0: it has to be asked
        self._inside: Bath | None = None  # the reservoir that the liquid in the cell came from
        self.in_air = False

    def distrust(self) -> None:
        """Strokes went wrong: nobody knows what the pump would do next; leave it alone."""
        self._position = 0
        if self.in_air:
            self._rig.rescue(None, 0)

    def drop(self) -> Waits[None]:
        """Disarm everything; strokes that fired an instant before have emptied the cell."""
        self._position = 0
        fired = yield from self._trigger.drop()
        self.in_air = self.in_air or fired

    def ready(self) -> Waits[None]:
        """Fill the line of each reservoir with its liquid; the gas in it goes to waste."""
        if primed(self._cell) <= 0.0:
            return
        for bath in self._used:
            yield from self._primed(bath)
        self._bench.rest()

    def prime(self, vessel: str) -> Waits[None]:
        """Fill the line of one reservoir anew; a hold waits until the plunger is back."""
        if primed(self._cell) <= 0.0:
            return
        self.in_air = True
        yield from self._primed(self._baths[vessel])
        self.in_air = False
        self._bench.rest()

    def _primed(self, bath: Bath) -> Waits[None]:
        moves = f"{primed(self._cell):g} mL from {bath.name} to waste"
        yield from self._act(f"prime {bath.name}", moves, priming(self._cell, bath))

    def transfer(
        self, legs: Legs, start_ns: int, tag: int, lifted: Callable[[int], None]
    ) -> Waits[Arrival]:
        """Carry out strokes from `start_ns`; see Handling."""
        lifted_ns, planned_ns = 0, start_ns
        for number, leg in enumerate(legs):
            pumping = _pumping(leg)
            other = pumping.position != self._position
            yield from self._select(pumping.position)
            # Before it fires: from then on nobody may stop the plunger half way.
            self._guard(pumping, last=number == len(legs) - 1)
            if number == 0:
                lifted_ns = began_ns = yield from self._fire(pumping, start_ns, tag)
                lifted(lifted_ns)
            else:
                began_ns = self._clock.now_ns()
                self._rig.pump.start_strokes(pumping.strokes)
            yield from self._ended(pumping, began_ns, watched=other)
            planned_ns += pumping.duration_ns
            self._inside = self._at(pumping.position)
        self.in_air = False
        self._bench.rest()
        self._next_ns = self._good_ns = self._clock.now_ns()  # looked at as soon as it dwells
        return Arrival(lifted_ns, self._next_ns, planned_ns)

    def _select(self, position: int) -> Waits[None]:
        """Turn the selector, unless it was seen there and nothing has gone wrong since.

        One that sticks is told once more; raises Trouble when it still does.
        """
        if position == self._position:
            return
        self._position = 0
        reached = yield from self._turn(position)
        if reached != position:
            sentence = f"the selector stands at {reached} instead of {position}"
            self._judged([Verdict("retry", "position-wrong", sentence)], None)
            reached = yield from self._turn(position)
        if reached != position:
            raise Trouble("position-wrong", f"the selector stays at {reached}, not at {position}")
        self._position = position

    def _turn(self, position: int) -> Waits[int]:
        """Turn the selector and see where it stands in the end."""
        selector = self._rig.selector
        lasts_s = selector.turn(position)
        if not lasts_s:
            return position
        yield self._clock.now_ns() + int(lasts_s * SECOND)
        reached = selector.position()
        for _ in range(SELECT_LOOKS):
            if reached == position:
                break
            yield self._clock.now_ns() + POLL_NS
            reached = selector.position()
        return reached

    def _fire(self, pumping: Pumping, deadline: int, tag: int) -> Waits[int]:
        """Have strokes sent at their deadline, or at once when that has passed."""

        def arm(deadline_ns: int, latest_ns: int) -> int:
            return self._rig.pump.arm_strokes(pumping.strokes, deadline_ns, latest_ns, tag)

        deadline = max(deadline, self._clock.now_ns() + SOON_NS)
        fired = yield from self._trigger.fire(arm, deadline, "an exchange")
        self.in_air = True
        return fired

    def _guard(self, pumping: Pumping, *, last: bool) -> None:
        """What the dead-man does from now on: the last strokes fill the cell by themselves."""
        if last:
            self._rig.rescue(None, 0)
            return
        there = self._rinse()
        strokes = refuge(self._cell, there).legs[0]
        safe = (there.position, _pumping(strokes).strokes)
        self._rig.rescue(safe, pumping.duration_ns)

    def _ended(self, pumping: Pumping, began_ns: int, *, watched: bool) -> Waits[None]:
        """Poll until the pump stands; in the middle of a stroke into the cell look at the line.

        Looked at (`watched`) when another liquid comes, and when a bubble is driven out: a cell
        that did not fill shows as gas in it right after any stroke.
        """
        port, volume = pumping.strokes[-1]
        end_ns = began_ns + int(self._rig.pump.strokes_s(pumping.strokes) * SECOND)
        if watched and port == self._cell.inlet and volume < 0.0:
            stroke_ns = int(abs(volume) / pumping.rate * 60.0 * SECOND)
            yield from self._flowing(pumping.rate, end_ns - stroke_ns // 2, end_ns)
        latest = began_ns + pumping.duration_ns + OVERTIME_NS
        wait = end_ns
        yield wait
        while not self._rig.pump.stroked(pumping.strokes):
            wait += POLL_NS
            if wait > latest:
                raise Trouble("flow", "the pump did not end its strokes in time")
            yield wait

    def _flowing(self, rate: float, middle_ns: int, end_ns: int) -> Waits[None]:
        """See that what the pump gives goes into the cell, in the second half of the stroke.

        Raises Trouble when the line is blocked, leaks or bursts; a process that could not look
        several times has seen too little to say so.
        """
        meter, wait, seen = self._rig.meter, middle_ns, list[float]()
        while meter is not None and wait <= end_ns:
            yield wait
            reading = meter.reading()
            self._judge_pressure(reading.pressure - AIR_KPA)
            now = self._clock.now_ns()
            if reading.flow >= LEAST_FLOW * rate or now > end_ns:
                return
            seen.append(reading.flow)
            wait = max(wait, now) + POLL_NS
        if len(seen) >= FLOW_LOOKS:
            sentence = f"{max(seen):.2f} mL/min go into the cell, the pump gives {rate:g}"
            raise Trouble("flow", sentence)

    def _judge_pressure(self, gauge: float) -> None:
        if gauge > self._limit:
            sentence = f"the pressure is {gauge:.1f} kPa, the limit is {self._limit:g}"
            raise Trouble("pressure", sentence)

    # Bubbles.

    def watch(self, until_ns: int) -> Waits[int]:
        """Wait, and look into the cell every so often; ns during which a bubble was there."""
        while self._inside is not None and self._next_ns < until_ns:
            yield self._next_ns
            since_ns = self._good_ns
            if self._gas():
                yield from self._clear()
                return self._good_ns - since_ns
        yield until_ns
        return 0

    def _gas(self) -> bool:
        """Look into the cell: whether gas is in it; raises Trouble for too much pressure."""
        pressure, gas = self._rig.look()
        now = self._clock.now_ns()
        self._next_ns = now + self._every_ns
        if not gas:
            self._good_ns = now
        self._judge_pressure(pressure)
        return gas

    def _clear(self) -> Waits[None]:
        """Drive a bubble out: pulse, reverse, refill; raises Trouble when it stays."""
        here = self._inside
        if here is None:
            return
        part = self._cell.volume * (1.0 - self._cell.residual)
        pulse = _whole(PULSE * part)
        whole = _whole(part)
        inlet = self._cell.inlet
        ways: tuple[tuple[str, tuple[Stroke, ...]], ...] = (
            ("pulse", ((inlet, pulse), (inlet, -pulse))),
            ("reverse", ((inlet, whole), (inlet, -whole))),
            ("refill", _pumping(refuge(self._cell, here).legs[0]).strokes),
        )
        for name, strokes in ways:
            sentence = f"a bubble is in the cell: {name}"
            self._judged([Verdict("retry", "bubble", sentence)], None)
            moved = sum(abs(volume) for _, volume in strokes)
            lasts_ns = int((moved / self._cell.rate * 60.0 + len(strokes)) * SECOND) + SECOND
            pumping = Pumping(here.position, strokes, self._cell.rate, lasts_ns)
            self.in_air = True
            yield from self._act(f"cell: {name}", f"{moved:g} mL", pumping)
            self.in_air = False
            self._bench.rest()
            if not self._gas():
                return
        raise Trouble("bubble", f"a bubble stays in the cell after {len(ways)} tries")

    def _act(self, role: str, moves: str, pumping: Pumping) -> Waits[None]:
        """Strokes that are no transfer, with intent and outcome."""
        self._record("prepare-intent", None, role=role, moves=moves)
        yield from self._select(pumping.position)
        self._rig.rescue(None, 0)
        began_ns = self._clock.now_ns()
        self._rig.pump.start_strokes(pumping.strokes)
        yield from self._ended(pumping, began_ns, watched=True)
        self._record("prepare-outcome", None, role=role, result="done")

    # Where to, and where from.

    def legs(self, here: str, there: str) -> Legs:
        """The exchange from one reservoir's liquid to another's."""
        return exchange(self._cell, self._baths[here], self._baths[there]).legs

    def where(self, known: str) -> str:
        """What was journaled last, if the cell is full and the syringe empty; else "".

        Strokes that nobody saw the end of have left some liquid: then the film is in no vessel that
        is known, and yet not in air.
        """
        pressure, gas = self._rig.look()
        self.in_air = gas or self._rig.pump.position() > 0.0
        self._inside = None if self.in_air else self._baths.get(known)
        return known if self._inside is not None else ""

    def refuge(self, meant: str, expected: Collection[str]) -> tuple[str, Legs]:
        """Rinse: whatever is in the cell goes to waste, and rinse is safe for any film."""
        there = self._rinse()
        return there.name, refuge(self._cell, there).legs

    def way_out(self, vessel: str, step: Step) -> Sequence[str]:
        """As many rinses as the plan has on this side; what a rinse under way still lacks."""
        there = self._rinse()
        number, wanted = step.exchange if vessel == there.name else (0, 0)
        return [there.name] * ((wanted or self._rinses) - number)

    def _rinse(self) -> Bath:
        """The reservoir of the rinse that parks the film."""
        return next(bath for bath in self._used if bath.purpose == "rinse")

    def _at(self, position: int) -> Bath:
        return next(bath for bath in self._used if bath.position == position)


def _pumping(leg: object) -> Pumping:
    if not isinstance(leg, Pumping):
        raise TypeError(leg)
    return leg


def _whole(volume: float) -> float:
    """Whole microlitres."""
    return round(volume * 1000.0) / 1000.0
