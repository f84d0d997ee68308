"""The substrate's stops, bath by bath, without times: what the acts become on this bench.

Pure. Must never lengthen a dwell or place anything in time; that is the timetable's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from lbl.errors import Problem
from lbl.marked import Route
from lbl.plan.assign import FIRST_SIDE, Assignment, side_of
from lbl.plan.equipment import Bath, Equipment, Side
from lbl.plan.exchange import primed, priming
from lbl.plan.feeding import dose_s
from lbl.plan.recipe import (
    PARKED_S,
    Expose,
    Measure,
    Options,
    Park,
    Prime,
    Prompt,
    Recipe,
    Refill,
    Rinse,
    Stir,
    Temperature,
    Wait,
)
from lbl.plan.schedule import Ask
from lbl.plan.transfer import whole_ms
from lbl.plan.unroll import Act

PHOTOMETRY: Final = ("photometer", "light")  # roles that a measurement needs
StopKind = Literal[
    "expose", "rinse", "wait", "temperature", "stir", "refill", "prime", "prompt", "park"
]
STAYING: Final = frozenset(  # where the substrate is already
    {"wait", "temperature", "stir", "refill", "prime", "prompt"}
)
ASKED_S: Final = 1.0  # that a question takes in the plan; a person takes what it takes
SPUN_S: Final = 15.0  # a bar comes to rest or to its speed, and says so
LOOKS: Final[tuple[Literal["zero", "measure"], ...]] = ("zero", "measure")


@dataclass(slots=True)
class Look:
    """A glance of the photometer inside a stop: a reference without substrate, or a reading."""

    kind: Literal["zero", "measure"]
    duration_ns: int
    wavelength: float
    bilayer: int
    deposition: int
    on_resume: str
    ask: Ask | None = None


@dataclass(slots=True)
class Stop:
    """One stay in a bath (None: up in air, before the first).

    `target` is the bath that a refill or prime acts on, while the substrate is in `bath`; `dose`
    is what a pump shall put into the bath it feeds meanwhile (mL).
    """

    kind: StopKind
    bath: Bath | None
    solution: str
    dwell_ns: int
    earliest_ns: int
    latest_ns: int
    route: Route
    on_resume: str
    bilayer: int = 0
    deposition: int = 0
    completes: int = 0
    exchange: tuple[int, int] = (0, 0)
    detail: dict[str, object] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    target: Bath | None = None
    dose: float = 0.0
    ask: Ask | None = None
    round_of: int = 0
    after: tuple[int, ...] = ()


class Itinerary:
    """Turns acts into stops. `extra` are exchanges beyond at_least, per side."""

    def __init__(
        self,
        recipe: Recipe,
        equipment: Equipment,
        assignment: Assignment,
        extra: Mapping[Side, int],
    ) -> None:
        """Begin with no stop, on the side where a film is safest."""
        self.stops: list[Stop] = []
        self.problems: list[Problem] = []
        self._recipe = recipe
        self._equipment = equipment
        self._assignment = assignment
        self._extra = extra
        self._side: Side = FIRST_SIDE
        self._deposition = 0
        self._rinsed: Stop | None = None  # the last rinse since the last counted expose
        self._phases: Mapping[type[Options], Callable[[Act, Any], None]] = {
            Expose: self._expose,
            Rinse: self._rinse,
            Measure: self._measure,
            Wait: self._wait,
            Temperature: self._temperature,
            Stir: self._stir,
            Refill: self._refill,
            Prime: self._prime,
            Prompt: self._prompt,
            Park: self._park,
        }
        self._act: Act | None = None  # whose stops were made last

    def follow(self, acts: Sequence[Act]) -> None:
        """Add the stops of all acts."""
        for act in acts:
            self._phases[type(act.options)](act, act.options)
        self._close()

    def _expose(self, act: Act, options: Expose) -> None:
        self._close()
        self._deposition = act.deposition
        self._side = side_of(self._recipe.solutions[options.to].charge)
        stop = self._stop(act, "expose", self._assignment.film[options.to], options.to)
        self._timed(stop, options.dwell, options.window)

    def _rinse(self, act: Act, options: Rinse) -> None:
        baths = self._assignment.rinses[self._side, options.solution]
        wanted = min(options.at_least + self._extra[self._side], options.at_most, len(baths))
        # The last ones, so that every rinse ends in the cleanest bath, where the film is looked
        # at and may be parked.
        chosen = baths[len(baths) - wanted :]
        for number, bath in enumerate(chosen, 1):
            stop = self._stop(act, "rinse", bath, options.solution)
            stop.exchange = (number, wanted)
            self._timed(stop, options.dwell, options.window)
            self._rinsed = stop

    def _measure(self, act: Act, options: Measure) -> None:
        readout, stops = self._equipment.readout, self.stops
        if self._equipment.cell is not None:  # the reference looks beside the film
            self._stay().looks += [self._look(kind, act, options) for kind in LOOKS]
            return
        here = stops[-1].bath
        if here is None or here.name != readout:
            at = here.name if here is not None else "air"
            sentence = f"the photometer looks through {readout}, and the film is in {at}"
            remedy = "measure after the rinse of the other side, or turn the light path"
            self._refuse("plan-readout", sentence, act, remedy)
            return
        inside = self._stay()
        before = (s for s in reversed(stops) if s.bath is not None and s.bath.name != readout)
        elsewhere = next(before, None)
        if elsewhere is None:
            sentence = f"no reference can be read: the film has only been in {readout}"
            self._refuse("plan-readout", sentence, act, "let it be in another bath before")
            return
        if not any(look.kind == "zero" for look in elsewhere.looks):
            elsewhere.looks.append(self._look("zero", act, options))
        inside.looks.append(self._look("measure", act, options))

    def _stay(self) -> Stop:
        """The stop that brought the film to where it is."""
        return next(stop for stop in reversed(self.stops) if stop.kind not in STAYING)

    def _look(self, kind: Literal["zero", "measure"], act: Act, options: Measure) -> Look:
        equipment = self._equipment
        lasts = equipment.zero if kind == "zero" else equipment.measure
        return Look(
            ask=act.ask if kind == "measure" else None,  # a reference harms nothing
            kind=kind,
            duration_ns=whole_ms(lasts),
            wavelength=options.absorbance,
            bilayer=act.bilayer,
            deposition=self._deposition,
            on_resume=options.on_resume,
        )

    def _wait(self, act: Act, options: Wait) -> None:
        self._timed(self._staying(act, "wait"), options.dwell, options.window)

    def _temperature(self, act: Act, options: Temperature) -> None:
        stop = self._staying(act, "temperature")
        stop.detail["to_degC"] = options.to
        self._timed(stop, options.over, (options.over, options.over + PARKED_S))

    def _prompt(self, act: Act, options: Prompt) -> None:
        stop = self._staying(act, "prompt")
        stop.detail["say"] = options.say
        self._timed(stop, ASKED_S, (0.0, PARKED_S))

    def _stir(self, act: Act, options: Stir) -> None:
        stop = self._staying(act, "stir")
        stop.detail["rpm"] = options.at
        self._timed(stop, SPUN_S, (0.0, PARKED_S))

    def _refill(self, act: Act, options: Refill) -> None:
        """By the pump that feeds this very bath, else by a person, who is asked for it."""
        bath, pump = self._assignment.film[options.of], self._equipment.dosing
        if pump is not None and pump.vessel == bath.name:
            stop = self._staying(act, "wait")
            stop.dose = options.volume
            lasts = dose_s(pump, options.volume)
            self._timed(stop, lasts, (lasts, lasts + PARKED_S))
            return
        stop = self._staying(act, "refill")
        stop.target = bath
        say = f"add {options.volume:g} mL of {options.of} to {bath.name}"
        stop.detail.update(volume=options.volume, say=say)
        self._timed(stop, ASKED_S, (0.0, PARKED_S))

    def _prime(self, act: Act, options: Prime) -> None:
        """Through the line of a flow bench; a bath has none, and that takes no time."""
        cell, bath = self._equipment.cell, self._assignment.film[options.solution]
        stop = self._staying(act, "prime")
        stop.target = bath
        stop.detail["volume"] = primed(cell) if cell is not None else 0.0
        lasts = priming(cell, bath).duration_ns / 1e9 if cell is not None else 0.0
        self._timed(stop, lasts, (lasts, lasts + PARKED_S))

    def _staying(self, act: Act, kind: StopKind) -> Stop:
        """A stop where the substrate is already."""
        here = self.stops[-1] if self.stops else None
        bath, solution = (here.bath, here.solution) if here is not None else (None, "")
        return self._stop(act, kind, bath, solution)

    def _park(self, act: Act, options: Park) -> None:
        self._close()
        self._deposition = 0
        bath = self._assignment.rinses[self._side, options.solution][-1]
        stop = self._stop(act, "park", bath, options.solution)
        stop.latest_ns = whole_ms(PARKED_S)

    def _stop(
        self,
        act: Act,
        kind: StopKind,
        bath: Bath | None,
        solution: str,
    ) -> Stop:
        stop = Stop(kind, bath, solution, 0, 0, 0, act.route, act.options.on_resume)
        stop.bilayer, stop.deposition = act.bilayer, self._deposition
        if act is not self._act:  # a rinse is several stops, and the first of them is asked
            stop.ask, stop.round_of, stop.after = act.ask, act.round_of, act.after
        self._act = act
        self.stops.append(stop)
        return stop

    def _timed(self, stop: Stop, dwell: float, window: tuple[float, float]) -> None:
        stop.dwell_ns = whole_ms(dwell)
        stop.earliest_ns = min(whole_ms(window[0]), stop.dwell_ns)
        stop.latest_ns = max(whole_ms(window[1]), stop.dwell_ns)
        if stop.kind in STAYING and stop.bath is not None:  # what was asked for is not too long
            self._stay().latest_ns += stop.latest_ns

    def _close(self) -> None:
        """The deposition under way, if any, is done with its last rinse."""
        if self._rinsed is not None:
            self._rinsed.completes = self._deposition
        self._rinsed = None

    def _refuse(self, code: str, sentence: str, act: Act, remedy: str) -> None:
        problem = Problem(code, sentence, self._recipe.place(act.route), remedy)
        if problem not in self.problems:
            self.problems.append(problem)
