"""Starts a run: makes its folder, freezes what it was started with, opens the journal.

Everything that can be refused is refused before the folder exists. Must never drive the run.
"""

import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lbl import __version__
from lbl.bench.file import BenchFile
from lbl.bench.simulated import Simulation
from lbl.journal.opening import events
from lbl.journal.folder import RunFolder
from lbl.journal.journal import Journal
from lbl.journal.record import make_record
from lbl.plan.document import document
from lbl.plan.equipment import Equipment
from lbl.plan.schedule import Plan
from lbl.run.clock import RunClock, stamp_now, wall_s
from lbl.run.machine import State
from lbl.run.news import News
from lbl.run.result import Result
from lbl.run.session import Outcome, Session

# Exit codes of the command line by the state a run was left in.
EXIT: Final[Mapping[State, int]] = {
    State.COMPLETE: 0, State.HELD: 3, State.STOPPED: 3, State.ABORTED: 4,
}  # fmt: skip
INTERRUPTED: Final = 5
TRIES: Final = 100  # runs of one recipe begun in one second


@dataclass(frozen=True, slots=True)
class Launch:
    """All that a run is started with; texts are frozen into its folder."""

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


def launch(what: Launch, tell: Callable[[News], None], run: str = "") -> Result:
    """Carry a run out, from the empty folder to the record; `run` is its id if it must be given."""
    clock = RunClock(what.speed)
    durable = what.speed != 0.0
    folder = _folder(what, run, durable)
    try:
        folder.lock(f"run {folder.id}", clock.boot)
        for name, text in (
            ("recipe.yaml", what.recipe_text),
            ("bench.yaml", what.bench_text),
            ("plan.json", json.dumps(document(what.plan))),
        ):
            folder.freeze(name, text, durable=durable)
        simulation = simulate(what) if what.file.in_process else None
        journal = Journal.create(
            folder.storage, folder.id, durable=durable, clock=clock, **_created(what)
        )
        _declare(journal, what)
        session = Session(
            folder, journal, what.plan, what.equipment, what.file, clock, simulation, tell
        )
        return _close(folder, session.run(), durable)
    finally:
        folder.close()


def simulate(what: Launch) -> Simulation:
    """The simulated bench, its baths filled as a technician would."""
    substrate = what.plan.substrate
    simulation = Simulation(
        what.file, what.world, seed=what.seed, area=substrate.area, sides=substrate.sides
    )
    simulation.fill(what.plan.assignments, what.plan.solutions)
    return simulation


def _folder(what: Launch, run: str, durable: bool) -> RunFolder:
    """A new run folder: date, time and recipe, and a number where that is taken."""
    if run:
        return RunFolder.create(what.runs, run, durable=durable)
    stem = f"{stamp_now()[:19].replace('-', '').replace(':', '').replace('T', '-')}-{what.plan.recipe}"
    taken = (name for name in (stem, *(f"{stem}-{n}" for n in range(2, TRIES))))
    free = next((name for name in taken if not (what.runs / name).exists()), stem)
    return RunFolder.create(what.runs, free[:64], durable=durable)


def _created(what: Launch) -> dict[str, Any]:
    plan = what.plan
    return {
        "recipe": plan.recipe,
        "version": plan.version,
        "recipe_hash": _hash(what.recipe_text),
        "plan_hash": plan.hash,
        "bench": plan.bench,
        "bench_hash": _hash(what.bench_text),
        "bilayers": plan.bilayers,
        "depositions": plan.depositions,
        "duration_s": plan.duration_ns / 1e9,
        "simulated": what.file.simulated is not None,
        "seed": what.seed,
        "speed": "real" if what.speed is None else what.speed,
        "software": f"lbl {__version__}",
        "sets": dict(what.sets),
    }


def _declare(journal: Journal, what: Launch) -> None:
    """Who and what: the reason, the computer, the lots."""
    if what.by or what.reason:
        journal.append("note", actor=what.by or "?", text=f"started: {what.reason}")
    facts = {"python": platform.python_version(), "machine": platform.machine()}
    if what.speed != 0.0:  # in virtual time the same seed gives the same bytes, anywhere
        facts |= {"host": platform.node(), "system": platform.platform(), "pid": str(os.getpid())}
    journal.append("environment", facts=facts)
    for vessel, solution in sorted(what.plan.assignments.items()):
        lot = what.lots.get(solution, "")
        journal.append("material", solution=solution, lot=lot, vessel=vessel)


def _close(folder: RunFolder, outcome: Outcome, durable: bool) -> Result:
    """Write the record and say how it went."""
    record = make_record(events(folder.storage, folder.id))
    folder.write_record(record, durable=durable)
    state, ending = outcome.state, outcome.ending
    code = EXIT.get(ending.state, INTERRUPTED)
    return Result(
        run=folder.id,
        state=ending.state.value,
        reason=ending.reason,
        folder=folder.path,
        bilayers=state["bilayers"],
        depositions=state["depositions"],
        duration=outcome.duration,
        wall=wall_s(),
        deviations=state["deviations"],
        film=outcome.film,
        solutions=outcome.solutions,
        lateness=outcome.lateness,
        exit_code=INTERRUPTED if ending.left else code,
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
