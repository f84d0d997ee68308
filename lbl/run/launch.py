"""Starts a run: makes its folder, freezes what it was started with, opens the journal.

Everything that can be refused is refused before the folder exists. Must never drive the run.
"""

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lbl import __version__
from lbl.bench.bench import Bench
from lbl.bench.file import BenchFile
from lbl.bench.simulated import Simulation
from lbl.errors import BadInput, Fault, Refused
from lbl.journal.folder import RunFolder
from lbl.journal.journal import Journal
from lbl.journal.opening import events
from lbl.journal.record import make_record
from lbl.plan.document import document
from lbl.plan.equipment import Equipment
from lbl.plan.schedule import Plan
from lbl.run.clock import Guardian, RunClock, stamp_now, wall_s
from lbl.run.machine import State
from lbl.run.mailbox import Mailbox
from lbl.run.news import News
from lbl.run.result import Result
from lbl.run.session import Outcome, Session
from lbl.run.stage import STAGE, Stage
from lbl.run.tape import Tape

# Exit codes of the command line by the state a run was left in.
EXIT: Final[Mapping[State, int]] = {
    State.COMPLETE: 0, State.HELD: 3, State.STOPPED: 3, State.ABORTED: 4,
}  # fmt: skip
INTERRUPTED: Final = 5
ID_MAX: Final = 60
TRIES: Final = 100  # runs of one recipe begun in one second


@dataclass(frozen=True, slots=True)
class Launch:
    """All that a run is started with; texts are frozen into its folder.

    `heed` is whether the process's signals are for this run; only a main thread can say so.
    `content` is the hash of what the recipe says, `signed` who signed it, if that was demanded, and
    `signature` the content of the signature file.
    """

    plan: Plan
    equipment: Equipment
    file: BenchFile
    recipe_text: str
    bench_text: str
    speed: float | None
    seed: int
    world: Mapping[str, float]
    sets: Mapping[str, str]
    lots: Mapping[str, str]
    runs: Path
    by: str
    reason: str
    capture: bool = False
    fifo: int = 0
    lock_memory: bool = False
    cpu: int = -1
    heed: bool = True
    content: str = ""
    signed: Mapping[str, Any] = field(default_factory=dict)
    signature: str = ""


def launch(
    what: Launch, tell: Callable[[News], None], run: str = "", stage: Stage = STAGE
) -> Result:
    """Carry a run out, from the empty folder to the record; `run` is its id if it must be given.

    Raises BadInput for a bench that does not answer or a folder that cannot be written; then
    nothing has moved and no folder is left.
    """
    with ExitStack() as opened:
        mailbox = opened.enter_context(stage.mailbox() if what.heed else nullcontext(Mailbox()))
        clock = stage.clock(what.speed, 0, what.file.rate)
        durable = what.speed != 0.0 or stage.durable
        clock.ask(fifo=what.fifo, lock_memory=what.lock_memory, cpu=what.cpu)
        simulation = simulate(what) if what.file.in_process else None
        if simulation is not None:
            stage.models(simulation)
        tape = Tape() if what.capture else None
        names = [run] if run else _names(what)
        bench = Bench(what.file, clock.core, simulation, f"run {names[0]}", tape)
        opened.callback(bench.close)
        folder = _folder(what, names, durable, stage)
        opened.callback(folder.close)
        lock = folder.lock(f"run {folder.id}", clock.boot)
        try:
            journal = _begin(folder, what, clock, durable)
        except Fault as error:  # nothing has moved: a folder that holds no run is none
            folder.discard()
            raise BadInput(*error.problems) from None
        if tape is not None:
            tape.into(folder.append_capture)
            opened.callback(tape.flush)
        session = Session(
            folder, journal, what.plan, what.equipment, bench, clock, simulation, mailbox, tell
        )
        with guarded(clock, lock.fd) as guardian:
            outcome = session.run(guardian)
        return closed(folder, outcome, durable)


@contextmanager
def guarded(clock: RunClock, lock_fd: int) -> Iterator[Guardian | None]:
    """On the real clock a second process parks the bench if this one dies or is stopped.

    It holds the run's lock until then, so that nobody resumes a bench that is being parked.
    """
    if clock.virtual:
        yield None
        return
    guardian = Guardian(clock.core)
    guardian.start(lock_fd=lock_fd)
    try:
        yield guardian
    finally:
        with suppress(OSError):  # it has died: how the run ended matters more
            guardian.release()


def simulate(what: Launch) -> Simulation:
    """The simulated bench, its baths filled as a technician would."""
    substrate = what.plan.substrate
    simulation = Simulation(
        what.file, what.world, seed=what.seed, area=substrate.area, sides=substrate.sides
    )
    simulation.fill(what.plan.assignments, what.plan.solutions)
    return simulation


def _begin(folder: RunFolder, what: Launch, clock: RunClock, durable: bool) -> Journal:
    """Freeze what the run is started with and write the first records."""
    frozen = {
        "recipe.yaml": what.recipe_text,
        "bench.yaml": what.bench_text,
        "plan.json": json.dumps(document(what.plan)),
    }
    if what.signature:
        frozen["recipe.sig"] = what.signature
    for name, text in frozen.items():
        folder.freeze(name, text, durable=durable)
    files = {name: _hash(text) for name, text in frozen.items()}
    journal = Journal.create(
        folder.storage, folder.id, durable=durable, clock=clock, files=files, **_created(what)
    )
    _declare(journal, what, clock)
    return journal


def _names(what: Launch) -> list[str]:
    """Ids for a new run: date, time and recipe, with a number for those that start at once."""
    digits = "".join(letter for letter in stamp_now()[:19] if letter.isdigit())
    stem = f"{digits[:8]}-{digits[8:]}-{what.plan.recipe}"[:ID_MAX]
    return [stem, *(f"{stem}-{number}" for number in range(2, TRIES))]


def _folder(what: Launch, names: list[str], durable: bool, stage: Stage) -> RunFolder:
    """A folder under the first name that nobody has taken, not even at this moment."""
    for name in names[:-1]:
        try:
            return RunFolder.create(what.runs, name, durable=durable, disk=stage.disk)
        except Refused as error:
            if error.problems[0].code != "run-exists":
                raise
    return RunFolder.create(what.runs, names[-1], durable=durable, disk=stage.disk)


def _created(what: Launch) -> dict[str, Any]:
    plan = what.plan
    return {
        "recipe": plan.recipe,
        "version": plan.version,
        "recipe_hash": _hash(what.recipe_text),
        "content_hash": what.content,
        "plan_hash": plan.hash,
        "bench": plan.bench,
        "bench_hash": _hash(what.bench_text),
        "bilayers": plan.bilayers,
        "depositions": plan.depositions,
        "duration_s": plan.duration_ns / 1e9,
        "simulated": what.file.simulated is not None,
        "seed": what.seed,
        "world": dict(what.world),
        "speed": "real" if what.speed is None else what.speed,
        "software": f"lbl {__version__}",
        "sets": dict(what.sets),
        **({"signed": dict(what.signed)} if what.signed else {}),
    }


def _declare(journal: Journal, what: Launch, clock: RunClock) -> None:
    """Who and what: the reason, the computer, the lots."""
    if what.by or what.reason:
        journal.append("note", actor=what.by or "?", text=f"started: {what.reason}")
    facts: dict[str, Any] = {"python": platform.python_version(), "machine": platform.machine()}
    if what.speed != 0.0:  # in virtual time a seed and an id give the same bytes, anywhere
        facts |= {"host": platform.node(), "system": platform.platform(), "pid": str(os.getpid())}
    if not clock.virtual:
        facts |= {"realtime": clock.realtime, "clock": clock.described()}
    journal.append("environment", facts=facts)
    for sentence in what.plan.overridden:
        journal.append("deviation", actor=what.by or "recipe", code="override", sentence=sentence)
    for vessel, solution in sorted(what.plan.assignments.items()):
        lot = what.lots.get(solution, "")
        journal.append("material", solution=solution, lot=lot, vessel=vessel)


def closed(folder: RunFolder, outcome: Outcome, durable: bool) -> Result:
    """Write the record and say how it went."""
    state, ending = outcome.state, outcome.ending
    try:
        record = make_record(events(folder.storage, folder.id))
    except Fault:  # damage that holds a run must not hide that it is held, and where
        if ending.state is State.COMPLETE:
            raise
        duration = float(state["wet_s"] + state["air_s"])
    else:
        folder.write_record(record, durable=durable)
        duration = record["totals"]["duration_s"]
    code = EXIT.get(ending.state, INTERRUPTED)
    return Result(
        run=folder.id,
        state=ending.state.value,
        reason=ending.reason,
        folder=folder.path,
        bilayers=state["bilayers"],
        depositions=state["depositions"],
        duration=duration,
        wall=wall_s(),
        deviations=state["deviations"],
        film=outcome.film,
        solutions=outcome.solutions,
        lateness=outcome.lateness,
        exit_code=INTERRUPTED if ending.left else code,
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
