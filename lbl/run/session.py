"""One run, opened: clock, bench, journal, mailbox and engine put together, and taken apart again.

The only place where a run's parts meet. Must never decide what the engine decides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lbl.bench.bench import Bench
from lbl.bench.simulated import Simulation
from lbl.journal.folder import RunFolder
from lbl.journal.inbox import Command
from lbl.journal.journal import Journal
from lbl.plan.equipment import Equipment
from lbl.plan.schedule import Plan, Step
from lbl.run.acts import Photometry
from lbl.run.carrier import Carrier
from lbl.run.certificate import Certificate
from lbl.run.clock import Guardian, RunClock
from lbl.run.engine import Ending, Engine
from lbl.run.exchanger import Exchanger
from lbl.run.handling import Handling
from lbl.run.host import Host
from lbl.run.machine import State
from lbl.run.mailbox import Mailbox
from lbl.run.news import News
from lbl.run.procedure import Procedure
from lbl.run.proof import Proof
from lbl.run.tending import TEMPERATURE, Tending
from lbl.watch.growth import Chart, Growth
from lbl.watch.ladder import Verdict
from lbl.watch.limits import Limits, temperature

MOD: Final = 1000.0
WATCH: Final = "watch"
MAX_EVERY: Final = 64  # wakes between looks into the inbox where a second is a day
PARKED_NS: Final = 30_000_000_000  # a safe programme is over by then
DOSE_FLOOR: Final = 0.01  # mL; less is neither pumped nor weighed well enough to judge
DOSE_TOLERANCE: Final = 0.05  # of a bench that doses nothing; never judged


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended and what it made; lateness in us. `film` is empty on a real bench."""

    ending: Ending
    state: Mapping[str, Any]
    film: Mapping[str, float | None]
    solutions: Mapping[str, Mapping[str, float]]
    lateness: Mapping[str, float]


class Session:
    """Joins what was opened for a run and drives it; whoever opened it closes it."""

    def __init__(
        self,
        folder: RunFolder,
        journal: Journal,
        plan: Plan,
        equipment: Equipment,
        bench: Bench,
        clock: RunClock,
        simulation: Simulation | None,
        mailbox: Mailbox,
        tell: Callable[[News], None],
        past: Mapping[str, Any] | None = None,
        proof: Proof | None = None,
    ) -> None:
        """`past` is the journal's state that a resumed run goes on from, None for a new run.

        `proof` is what must still be known of that journal.
        """
        self._folder = folder
        self._journal = journal
        self._plan = plan
        self._clock = clock
        self._simulation = simulation
        self._tell = tell
        self._state = State.ABORTED
        quality = plan.quality
        chart = Chart(target=quality.target * MOD, on_alarm=quality.on_alarm)
        grown = past["growth"] if past else None
        self._growth = Growth.restore(chart, grown) if grown else Growth(chart)
        self._absorbance: float | None = None
        self._rows = 0
        self._saved_ns = -1
        self._began_ns = clock.now_ns()
        self._certificate = Certificate([step.kind for step in plan.steps])
        self._host = Host(clock, folder.path)
        limits = limits_of(plan, bench)
        self._bench = bench
        every = MAX_EVERY if clock.speed == 0.0 else 1
        self._mailbox = mailbox
        mailbox.attend(folder.take_commands, clock.core.park, clock.core.wake, every)
        optics = self._bench.optics
        photometry = Photometry(optics, clock, self._record) if optics else None
        self._tending = Tending(self._bench, clock, limits, folder.sample)
        self._procedure = Procedure(
            plan, self._handling(equipment), bench, clock, self._record, photometry, limits, self,
            proof or Proof(clock),
        )  # fmt: skip
        if past is not None:  # where it was, until the bench has been asked
            self._procedure.position = max(past["step"], past["done_step"] + 1)
            self._procedure.epoch_ns = past["origin_ns"]
            read = past["readings"].get("absorbance")
            self._absorbance = read / plan.substrate.sides if read is not None else None
        self._engine = Engine(
            plan, self._bench, clock, self._mailbox, self._procedure, photometry, self._tending,
            self._record, self, past,
        )  # fmt: skip

    def _handling(self, equipment: Equipment) -> Handling:
        """How substrate and liquids are brought together on this bench."""
        bench, plan, clock = self._bench, self._plan, self._clock
        if bench.arm is not None and equipment.arm is not None:
            return Carrier(bench.arm, equipment.arm, bench, equipment, plan, clock)
        if bench.cell is None or equipment.cell is None:
            raise TypeError(f"bench {bench.file.name} has neither arm nor cell")
        return Exchanger(
            bench.cell, equipment.cell, bench, equipment, plan, clock, self._record, self.verdicts
        )

    def run(self, guardian: Guardian | None = None) -> Outcome:
        """Drive the run to its end; raises only for our own bugs and a dead disk.

        Whatever is raised, the bench is parked first: by the core, which needs neither.
        """
        self._host.guardian = guardian
        try:
            return self._outcome(self._engine.run())
        except BaseException:
            self._park()
            raise

    def _park(self) -> None:
        """Send the safe programme and let it end; bounded."""
        core = self._clock.core
        core.park()
        end_ns = core.now_ns() + PARKED_NS
        while core.parking and core.now_ns() < end_ns:
            core.wait_until_ns(min(end_ns, core.now_ns() + PARKED_NS // 300))

    # What the engine and the procedure tell.

    def moved(self, state: State) -> None:
        """The run's state changed."""
        self._state = state
        self.news()

    def journaled(self, command: Command) -> None:
        """A command is in the journal: its file may go."""
        if command.id:
            self._folder.remove_command(command.id)

    def deposition(self, step: Step) -> None:
        """A deposition counts."""
        self._certificate.take(self._clock.core.records())
        self._journal.renew_heads()
        self.news()

    def absorbance(self, step: Step, value: float) -> None:
        """The film was read: mOD through all its coated sides."""
        self._absorbance = value / self._plan.substrate.sides
        verdicts = (
            self._growth.add(step.bilayer, self._absorbance)
            if step.bilayer > self._growth.sums.bilayer
            else []
        )
        self._record(
            "measurement",
            step,
            quantity="absorbance",
            value=value,
            unit="mOD",
            bilayer=step.bilayer,
            deposition=step.deposition,
            growth=self._growth.snapshot(),
        )
        if self._plan.quality.chart != "none":
            self.verdicts(verdicts, step)

    def poured(self, step: Step) -> None:
        """A person has added what a refill asks for; on a simulated bench it is done here."""
        if self._simulation is not None:
            volume = float(str(step.detail["volume"]))
            self._simulation.pour(step.vessel, volume, self._clock.now_ns())
            self._saved_ns = -1  # the world has changed at this very instant

    def readings(self) -> dict[str, float | int]:
        """What the recipe's conditions may ask for, as far as it is known."""
        known: dict[str, float | int] = {"deviations": self._journal.state["deviations"]}
        if self._absorbance is not None:
            known["absorbance_mOD"] = self._absorbance
        if self._tending.temperature is not None:
            known["temperature_degC"] = self._tending.temperature
        return known

    def verdicts(self, verdicts: list[Verdict], step: Step | None) -> None:
        """Notes become deviations; what asks for a verb becomes a wish of the watch."""
        for one in verdicts:
            if one.response in ("note", "retry"):
                self._record("deviation", step, code=one.code, sentence=one.reason, value=one.value)
                continue
            self._record(
                "verdict",
                step,
                response=one.response,
                code=one.code,
                reason=one.reason,
                value=one.value,
            )
            self._mailbox.wish(one.response, WATCH, one.reason)

    def news(self) -> None:
        """Look after the computer, then tell whoever watches."""
        self.verdicts(self._host.look(), None)
        state, plan, clock = self._journal.state, self._plan, self._clock
        procedure = self._procedure
        step = procedure.wet.step if procedure.wet else procedure.step
        gone = (clock.now_ns() - procedure.epoch_ns) / 1e9 if procedure.epoch_ns else 0.0
        left = max(0.0, plan.duration_ns / 1e9 - gone)
        self._tell(
            News(
                run=self._folder.id,
                state=self._state.value,
                phase=phrase(step),
                vessel=procedure.vessel,
                bilayer=(step.bilayer if step else 0) or state["bilayers"],
                bilayers=plan.bilayers,
                deposition=state["depositions"],
                depositions=plan.depositions,
                now=(clock.now_ns() - self._began_ns) / 1e9,
                utc=clock.utc(),
                finish=clock.utc_after(left),
                measured=self._growth.sums.bilayer,
                absorbance=self._absorbance,
                temperature=self._tending.temperature,
                deviations=state["deviations"],
                pending=self._mailbox.pending,
                unwell=self._host.unwell,
            )
        )

    def _record(
        self, kind: str, step: Step | None = None, *, attempt: int = 0, **payload: Any
    ) -> None:
        """One journal record; before what is done is said, the simulated world is saved.

        So the world is never behind the journal: a killed process may have to do an act again,
        but never believes one that the world has forgotten.
        """
        if not kind.endswith("-intent"):
            self._save_world()
        actor = payload.pop("actor", "engine")
        index = -1 if step is None else step.index
        self._journal.append(kind, actor=actor, step=index, attempt=attempt, **payload)

    def _save_world(self) -> None:
        simulation, now_ns = self._simulation, self._clock.now_ns()
        if simulation is None or now_ns == self._saved_ns:
            return
        self._saved_ns = now_ns
        ledger = simulation.world.ledger
        if len(ledger) > self._rows:
            self._folder.append_ledger(ledger[self._rows :])
            self._rows = len(ledger)
        self._folder.save_world(simulation.snapshot(), self._journal.bond(now_ns))

    # The end.

    def _outcome(self, ending: Ending) -> Outcome:
        film: dict[str, float | None] = {}
        solutions: dict[str, Any] = {}
        if self._simulation is not None:
            self._simulation.settle(self._clock.now_ns())
            truth = self._simulation.world.truth()
            film = {**truth["film"], "slope_mOD": self._growth.slope, "r2": self._growth.r2}
            solutions = truth["solutions"]
        for late in self._mailbox.drain():
            self._record(
                "command", actor=late.by or "?", id=late.id, verb=late.verb, reason=late.reason
            )
            effect = "refused: the run had ended"
            self._record("command-effect", id=late.id, verb=late.verb, effect=effect)
            self.journaled(late)
        timing = self._timing()
        self._record(
            "run-closed", reason=ending.reason, film=film, solutions=solutions, timing=timing
        )
        self._journal.checkpoint()
        return Outcome(
            ending=ending,
            state=self._journal.state,
            film=film,
            solutions=solutions,
            lateness=self._certificate.lateness_us(),
        )

    def _timing(self) -> dict[str, Any]:
        clock, core = self._clock, self._clock.core
        self._certificate.take(core.records())
        return self._certificate.as_json(
            realtime=clock.realtime, host_clock=clock.described(), lost=core.records_lost
        )


def limits_of(plan: Plan, bench: Bench) -> Limits:
    """What the recipe and the bench say must not happen."""
    limits, dosing = plan.limits, bench.dosing
    return Limits(
        air_soft=limits.air_soft,
        air_hard=limits.air_hard,
        bands={TEMPERATURE: temperature(limits.temperature_low, limits.temperature_high)},
        dose_tolerance=dosing.tolerance if dosing else DOSE_TOLERANCE,
        dose_floor=DOSE_FLOOR,
    )


def phrase(step: Step | None) -> str:
    """A step in words: "expose BR", "rinse 2 of 3"."""
    if step is None:
        return "-"
    if step.kind == "rinse":
        return f"rinse {step.exchange[0]} of {step.exchange[1]}"
    return f"{step.kind} {step.solution}".strip()
