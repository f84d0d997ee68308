"""Takes a run up again from what its folder says.

A damaged record, or a frozen file that is not the one of the run, is refused before an instrument
is opened; only the far part of a long journal is read later, beside the run (see `proof`). Must
never decide where the film goes on; that is `resume`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from itertools import islice
from typing import Any, Final

from lbl.bench.bench import Bench
from lbl.bench.file import BenchFile, read_bench
from lbl.bench.simulated import Simulation
from lbl.errors import BadInput, Fault, Problem
from lbl.journal.audit import Audit
from lbl.journal.bond import Bond
from lbl.journal.folder import RunFolder
from lbl.journal.journal import Journal
from lbl.journal.opening import Opening, events, since, survey
from lbl.journal.record import make_record
from lbl.plan.content import content_of
from lbl.plan.document import from_document
from lbl.plan.equipment import Equipment
from lbl.plan.schedule import Plan
from lbl.run.clock import boot_id
from lbl.run.launch import closed, guarded
from lbl.run.news import News
from lbl.run.proof import Proof
from lbl.run.result import Result
from lbl.run.resume import FINAL, resumable
from lbl.run.session import Session
from lbl.run.stage import STAGE, Stage
from lbl.signature import from_text

AT_ONCE: Final = 20_000  # records: a journal of so many is read whole at once, in half a second
SAME: Final = ("run", "recipe_hash", "plan_hash", "bench", "durable")  # first record, checkpoint
# Records that are written without a look at the world: by opening, by people, by other processes.
ALOOF: Final = frozenset(
    {"run-opened", "checkpoint", "torn-tail", "command", "command-effect", "deviation", "note",
     "signature"}
)  # fmt: skip
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
        opening = survey(folder.storage, folder.id)
        audit = _audited(folder, opening)
        past = opening.state
        if past["state"] in FINAL:
            _make_up_record(folder)
        resumable(past)
        plan, created = frozen_plan(folder)
        if any(created[key] != past[key] for key in SAME):
            raise damaged(folder.id, "line 1: it is that of another run")
        file = read_bench(folder.path / "bench.yaml")
        speed = None if created["speed"] == "real" else float(created["speed"])
        outage_ns = int(idle * 1e9 * pace(created, file))
        clock = stage.clock(speed, int(past["mono_ns"]) + outage_ns, file.rate)
        simulation = restored(folder, plan, file, created, opening) if file.in_process else None
        if simulation is not None:
            stage.models(simulation)
        bench = Bench(file, clock.core, simulation, f"run {folder.id}")
        opened.callback(bench.close)
        journal = Journal.open(folder.storage, folder.id, clock=clock)
        facts: dict[str, Any] = {"findings": opening.findings} if opening.findings else {}
        journal.append(
            "run-opened",
            actor=by or "engine",
            purpose=f"resume: {reason}",
            outage_s=outage_ns / 1e9,
            **facts,
        )
        _refuse_old_commands(folder, journal)
        past = {**past, "left_ns": journal.state["aloft_ns"], "found_ns": clock.now_ns()}
        proof = Proof(clock, audit, opening.doubt)
        session = Session(
            folder, journal, plan, equip(plan, file), bench, clock, simulation, mailbox, tell, past,
            proof,
        )  # fmt: skip
        with guarded(clock, lock.fd) as guardian:
            outcome = session.run(guardian)
        return closed(folder, outcome, bool(past["durable"]))


def _audited(folder: RunFolder, opening: Opening) -> Audit:
    """A short journal read whole; of a long one nothing yet: a film in air cannot wait for it.

    Raises Fault `journal-damaged` for a short one with damage.
    """
    audit = Audit(folder.storage, folder.id)
    if opening.state["seq"] <= AT_ONCE:
        audit.advance(AT_ONCE + 1)
        if not audit.report().ok:
            raise damaged(folder.id, audit.report().named())
    return audit


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
    beginning = list(islice(events(folder.storage, folder.id), 2))  # the second names the first
    if not beginning:
        sentence = "the journal has no whole record: the run was never begun"
        raise BadInput(Problem("run-empty", sentence, folder.id, "remove the folder"))
    created = beginning[0].payload
    files = {"recipe.yaml": created["recipe_hash"], "bench.yaml": created.get("bench_hash")}
    for name, digest in {**files, **created.get("files", {})}.items():
        data = folder.read(name)
        if data is None or hashlib.sha256(data).hexdigest() != digest:
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
    folder: RunFolder, plan: Plan, file: BenchFile, created: Mapping[str, Any], opening: Opening
) -> Simulation:
    """The simulated bench as its process left it; one that the journal does not know is refused."""
    simulation = Simulation(
        file,
        created["world"],
        seed=created["seed"],
        area=plan.substrate.area,
        sides=plan.substrate.sides,
    )
    simulation.fill(plan.assignments, plan.solutions)
    state = saved_world(folder, opening)
    try:
        if state.keys() != simulation.snapshot().keys():
            raise KeyError("world.json")
        simulation.restore(state)
        folder.keep_ledger(int(state["world"]["ledger"]))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise _another_world(folder, "not the simulated world of this run") from None
    return simulation


def saved_world(folder: RunFolder, opening: Opening) -> Mapping[str, Any]:
    """The world that was saved last. Raises Fault for one that is missing, changed or another."""
    state, bond = folder.read_world()
    if state is None:
        raise _another_world(folder, "missing")
    if bond is None:
        raise _another_world(folder, "tied to no journal")
    _fits(folder, opening, bond)
    return state


def _fits(folder: RunFolder, opening: Opening, bond: Bond) -> None:
    """Raise Fault unless the world was saved in this run, just before the newest thing was done."""
    whole = opening.tail.whole
    if bond.run != folder.id:
        raise _another_world(folder, f"of the run {bond.run}")
    if bond.size > whole:  # the world has seen more than the journal has kept
        text = f"the journal ends at byte {whole}, and world.json was saved after record {bond.seq}"
        raise Fault(Problem("journal-short", f"{text}: records are lost", folder.id, KEEP))
    try:
        after = list(since(folder.storage, folder.id, opening, bond))
    except Fault:  # the records have been checked already
        raise _another_world(folder, "of another run of that name") from None
    done = [one for one in after if not (one.kind.endswith("-intent") or one.kind in ALOOF)]
    if any(one.mono_ns > bond.at_ns for one in done[1:]):
        raise _another_world(
            folder, f"older than the journal: it was saved after record {bond.seq}"
        )


def _another_world(folder: RunFolder, what: str) -> Fault:
    return Fault(Problem("run-damaged", f"world.json is {what}", folder.id, KEEP))


def _refuse_old_commands(folder: RunFolder, journal: Journal) -> None:
    """Commands that were meant for a process that is gone."""
    for one in folder.take_commands():
        journal.append("command", actor=one.by or "?", id=one.id, verb=one.verb, reason=one.reason)
        effect = "refused: the process it was meant for had gone"
        journal.append("command-effect", id=one.id, verb=one.verb, effect=effect)
        folder.remove_command(one.id)
