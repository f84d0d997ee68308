"""Takes a run up again from what its folder says, after looking at all of it.

A journal with one damaged record, or a frozen file that is not the one of the run, is refused
before an instrument is opened. Must never decide where the film goes on; that is `resume`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Final

from lbl.bench.bench import Bench
from lbl.bench.file import BenchFile, read_bench
from lbl.bench.simulated import Simulation
from lbl.errors import BadInput, Fault, Problem
from lbl.journal.audit import verify
from lbl.journal.folder import RunFolder
from lbl.journal.journal import Journal
from lbl.journal.opening import events
from lbl.journal.record import make_record
from lbl.plan.content import content_of
from lbl.plan.document import from_document
from lbl.plan.equipment import Equipment
from lbl.plan.schedule import Plan
from lbl.run.clock import boot_id
from lbl.run.launch import closed, guarded
from lbl.run.news import News
from lbl.run.result import Result
from lbl.run.resume import resumable
from lbl.run.session import Session
from lbl.run.stage import STAGE, Stage
from lbl.signature import from_text

KEEP: Final = "keep the run folder as it is and look at what changed it"


def relaunch(
    folder: RunFolder,
    equip: Callable[[Plan, BenchFile], Equipment],
    tell: Callable[[News], None],
    by: str,
    reason: str,
    stage: Stage = STAGE,
) -> Result:
    """Clear, Reset and Start in one: the rest of a run that no process drives.

    Raises Refused for a run that is over or that another process holds, BadInput for a bench that
    does not answer, Fault for a damaged journal or a frozen file of another run.
    """
    with ExitStack() as opened:
        mailbox = opened.enter_context(stage.mailbox())
        idle = stage.idle(folder.path / "journal.jsonl")
        lock = folder.lock(f"run {folder.id}", boot_id())
        report = verify(folder.storage, folder.id)
        if not report.ok:
            raise damaged(
                folder.id, "; ".join(f"line {line}: {why}" for line, why in report.damage)
            )
        past = report.state
        _make_up_record(folder)
        resumable(past)
        plan, created = frozen_plan(folder)
        file = read_bench(folder.path / "bench.yaml")
        speed = None if created["speed"] == "real" else float(created["speed"])
        outage_ns = int(idle * 1e9 * pace(created, file))
        clock = stage.clock(speed, int(past["mono_ns"]) + outage_ns, file.rate)
        simulation = restored(folder, plan, file, created) if file.in_process else None
        if simulation is not None:
            stage.models(simulation)
        bench = Bench(file, clock.core, simulation, f"run {folder.id}")
        opened.callback(bench.close)
        journal = Journal.open(folder.storage, folder.id, clock=clock)
        journal.append(
            "run-opened",
            actor=by or "engine",
            purpose=f"resume: {reason}",
            outage_s=outage_ns / 1e9,
        )
        _refuse_old_commands(folder, journal)
        past = {**past, "left_ns": journal.state["aloft_ns"], "found_ns": clock.now_ns()}
        session = Session(
            folder, journal, plan, equip(plan, file), bench, clock, simulation, mailbox, tell, past
        )
        with guarded(clock, lock.fd) as guardian:
            outcome = session.run(guardian)
        return closed(folder, outcome, bool(past["durable"]))


def pace(created: Mapping[str, Any], file: BenchFile) -> float:
    """How fast a run's clock goes beside the calendar; in virtual time it is taken for even."""
    speed = created["speed"]
    return file.rate if speed == "real" else max(1.0, float(speed))


def damaged(run: str, what: str) -> Fault:
    """The error for a run folder that cannot be trusted."""
    return Fault(Problem("journal-damaged", f"the journal is damaged: {what}", run, KEEP))


def frozen_plan(folder: RunFolder) -> tuple[Plan, Mapping[str, Any]]:
    """The plan and the first record of a run, whose hashes the frozen files must have.

    Raises Fault `run-damaged` that names the file which is missing, broken or another.
    """
    first = next(iter(events(folder.storage, folder.id)), None)
    if first is None:
        sentence = "the journal has no whole record: the run was never begun"
        raise BadInput(Problem("run-empty", sentence, folder.id, "remove the folder"))
    created = first.payload
    for name, key in (("recipe.yaml", "recipe_hash"), ("bench.yaml", "bench_hash")):
        data = folder.read(name)
        if data is None or hashlib.sha256(data).hexdigest() != created.get(key):
            raise _another(folder, name)
    try:
        plan = from_document(json.loads(folder.read("plan.json") or b""))
    except (ValueError, BadInput):
        raise _another(folder, "plan.json") from None
    if plan.hash != created["plan_hash"]:
        raise _another(folder, "plan.json")
    if "signed" in created and not _still_signed(folder, created):
        raise _another(folder, "recipe.sig")
    return plan, created


def _still_signed(folder: RunFolder, created: Mapping[str, Any]) -> bool:
    """Whether the frozen signature is of the frozen recipe, by the key that was trusted then."""
    text = folder.read("recipe.yaml") or b""
    try:
        signature = from_text(folder.read("recipe.sig") or b"", "recipe.sig")
        content = content_of(text.decode("utf-8"))
    except (BadInput, UnicodeDecodeError):
        return False
    signed = signature.claim.content == content == created["content_hash"]
    return signed and signature.made_with(created["signed"]["public"])


def _another(folder: RunFolder, name: str) -> Fault:
    sentence = f"{name} is missing, or is not what the run was started with"
    return Fault(Problem("run-damaged", sentence, folder.id, KEEP))


def _make_up_record(folder: RunFolder) -> None:
    """Write the record that a process which died at the very end still owed."""
    if folder.read("record.json") is None:
        folder.write_record(make_record(events(folder.storage, folder.id)))


def restored(
    folder: RunFolder, plan: Plan, file: BenchFile, created: Mapping[str, Any]
) -> Simulation:
    """The simulated bench as its process left it."""
    simulation = Simulation(
        file,
        created["world"],
        seed=created["seed"],
        area=plan.substrate.area,
        sides=plan.substrate.sides,
    )
    simulation.fill(plan.assignments, plan.solutions)
    state = folder.read_world()
    try:
        if state is None:
            raise KeyError("world.json")
        simulation.restore(state)
        folder.keep_ledger(int(state["world"]["ledger"]))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        sentence = "world.json does not hold the simulated world of this run"
        raise Fault(Problem("run-damaged", sentence, folder.id, KEEP)) from None
    return simulation


def _refuse_old_commands(folder: RunFolder, journal: Journal) -> None:
    """Commands that were meant for a process that is gone."""
    for one in folder.take_commands():
        journal.append("command", actor=one.by or "?", id=one.id, verb=one.verb, reason=one.reason)
        effect = "refused: the process it was meant for had gone"
        journal.append("command-effect", id=one.id, verb=one.verb, effect=effect)
        folder.remove_command(one.id)
