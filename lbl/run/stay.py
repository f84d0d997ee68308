"""What is done while the substrate stays where it is: readings, doses, a temperature, a question.

Each act is a generator of instants to wait for, between the intent and the outcome that the
procedure records. Must never move the substrate, and never end later than the next lift allows.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeVar

from lbl.bench.bench import Bench, InstrumentError
from lbl.plan.schedule import Plan, Step
from lbl.run.acts import Photometry, Recorder, Waits, dose, temper
from lbl.run.clock import RunClock
from lbl.run.handling import LEAD_NS, Handling
from lbl.run.trouble import Trouble
from lbl.watch.ladder import Verdict, answer
from lbl.watch.limits import Limits, judge_dose

T = TypeVar("T")
LOOKS_MAX: Final = 5  # readings tried, whatever the ladder says
READY_NS: Final = 2 * LEAD_NS  # before a lift: it is armed ahead of its deadline


class Hears(Protocol):
    """Whoever wants to know what is found out meanwhile."""

    def absorbance(self, step: Step, value: float) -> None:
        """The film was read: mOD through all its coated sides."""

    def poured(self, step: Step) -> None:
        """A person has added what a refill asks for."""

    def verdicts(self, verdicts: list[Verdict], step: Step | None) -> None:
        """The watch judged what was measured."""

    def news(self) -> None:
        """Something that people want to see has changed."""


class Stay:
    """The acts of a stay, by the kind of their step."""

    def __init__(
        self,
        plan: Plan,
        handling: Handling,
        bench: Bench,
        clock: RunClock,
        record: Recorder,
        photometry: Photometry | None,
        limits: Limits,
        hears: Hears,
    ) -> None:
        self._plan = plan
        self._handling = handling
        self._bench = bench
        self._clock = clock
        self._record = record
        self._photometry = photometry
        self._limits = limits
        self._on_absorbance = hears.absorbance
        self._on_poured = hears.poured
        self._judged = hears.verdicts
        self._news = hears.news
        self._acts: Mapping[str, Callable[[Step, int], Waits[None]]] = {
            "zero": self._zero,
            "measure": self._measure,
            "dose": self._dose,
            "wait": self._pass,
            "temperature": self._temper,
            "stir": self._stir,
            "refill": self._refill,
            "prime": self._prime,
            "prompt": self._ask,
        }
        self._asked: Step | None = None  # the refill that a person is doing

    def perform(self, step: Step, epoch_ns: int) -> Waits[None]:
        """Carry out a step that is due; `epoch_ns` is the plan's zero.

        Raises Trouble for what went wrong, InstrumentError from drivers.
        """
        yield from self._acts[step.kind](step, epoch_ns)

    def _zero(self, step: Step, epoch_ns: int) -> Waits[None]:
        if self._photometry is not None:
            yield from self._look(step, epoch_ns, self._photometry.zero)

    def _measure(self, step: Step, epoch_ns: int) -> Waits[None]:
        if self._photometry is None:
            return
        absorbance = yield from self._look(step, epoch_ns, self._photometry.measure)
        if absorbance is not None:
            self._on_absorbance(step, absorbance)
            self._news()

    def _look(self, step: Step, epoch_ns: int, act: Callable[[Step], Waits[T]]) -> Waits[T | None]:
        """Read the photometer, again as often as the ladder says; a film grows without, noted."""
        end_ns = epoch_ns + step.end_ns
        for failures in range(1, LOOKS_MAX + 1):
            try:
                return (yield from act(step))
            except (Trouble, InstrumentError) as error:
                reason = str(error)
                response = answer("reading-suspect", failures)
                if response != "retry" or self._clock.now_ns() > end_ns:
                    break
        self._judged([Verdict(response, "reading-suspect", reason)], step)
        return None

    def _dose(self, step: Step, epoch_ns: int) -> Waits[None]:
        later = self._plan.steps[step.index + 1 :]
        end_ns = next((s.offset_ns for s in later if s.legs), step.end_ns + LEAD_NS)
        limit_ns = epoch_ns + end_ns - READY_NS
        asked, moved = yield from dose(step, self._bench, self._clock, self._record, limit_ns)
        self._judged(judge_dose(self._limits, step.solution, asked, moved), step)

    def _pass(self, step: Step, epoch_ns: int) -> Waits[None]:
        """Let time pass, until something is due within the wait or the next lift after it."""
        later = self._plan.steps[step.index + 1 : step.index + 2]
        end_ns = min([step.end_ns, *(one.offset_ns for one in later)])
        yield epoch_ns + end_ns - READY_NS

    def _temper(self, step: Step, epoch_ns: int) -> Waits[None]:
        """Bring the liquids to a temperature, evenly; Trouble when they have not followed."""
        thermostat = self._bench.thermostat
        if thermostat is None:
            raise Trouble("temperature-band", "the bench has no thermostat")
        goal = float(str(step.detail["to_degC"]))
        yield from temper(thermostat, goal, self._clock, epoch_ns + step.end_ns - READY_NS)

    def _stir(self, step: Step, epoch_ns: int) -> Waits[None]:
        """Bring the bars to their speed, or to rest; InstrumentError when they do not follow."""
        stirring = self._bench.stirring
        if stirring is None:
            raise Trouble("instrument-refused", "the bench has no stirrer")
        stirring.turn(float(str(step.detail["rpm"])))
        self._news()
        yield from ()

    def _prime(self, step: Step, epoch_ns: int) -> Waits[None]:
        yield from self._handling.prime(step.vessel)

    def _refill(self, step: Step, epoch_ns: int) -> Waits[None]:
        """Ask a person for liquid; whoever unholds the run says that it is in its vessel."""
        self._record(
            "dose-intent",
            step,
            solution=step.solution,
            vessel=step.vessel,
            volume_ml=float(str(step.detail["volume"])),
        )
        self.ask(step)
        yield from self._ask(step, epoch_ns)

    def ask(self, step: Step) -> None:
        """A person is asked about a dose or a refill, and is expected to let the run go on."""
        self._asked = step

    def settle(self) -> None:
        """Somebody lets the run go on: what a person was asked about, if anything, is settled.

        A refill is poured. What an interrupted dose has moved stays unknown, and is counted as
        nothing; the balance may tell.
        """
        step, self._asked = self._asked, None
        if step is None:
            return
        volume, source = 0.0, "unknown: interrupted, and a person let the run go on"
        if step.kind == "refill":
            self._on_poured(step)
            volume, source = float(str(step.detail["volume"])), "a person, who let the run go on"
        self._record(
            "dose-outcome",
            step,
            solution=step.solution,
            vessel=step.vessel,
            volume_ml=volume,
            source=source,
        )

    def _ask(self, step: Step, epoch_ns: int) -> Waits[None]:
        """Ask a person: the step is done, and the run holds until somebody unholds it."""
        self._judged([Verdict("hold", "prompt", str(step.detail["say"]))], step)
        yield from ()
