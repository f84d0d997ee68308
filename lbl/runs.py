"""The door to runs that exist: commands to them, where they are, what they did and why.

Reads journals that another process may be writing. Must never drive a run, print, or import a
face.
"""

import getpass
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from lbl.errors import Fault, Problem, Refused
from lbl.journal.audit import verify
from lbl.journal.folder import RunFolder
from lbl.journal.lock import holder
from lbl.journal.opening import events
from lbl.journal.record import make_record, text
from lbl.journal.runs import find_run, list_runs, look

SIGNALS: Final[Mapping[str, int]] = {
    "hold": signal.SIGUSR1, "unhold": signal.SIGUSR1, "stop": signal.SIGUSR1,
    "abort": signal.SIGUSR2,
}  # fmt: skip
WHY_ROWS: Final = 12
# States that a process left behind, and what takes the run up again from them.
RESUME: Final[Mapping[str, str]] = {
    state: "; lbl resume takes it up again"
    for state in ("Held", "Aborted", "Execute", "Holding", "Unholding", "Starting", "Aborting")
}
POLL_S: Final = 0.2


def command(verb: str, run: str, runs: Path, *, by: str, reason: str) -> str:
    """Post a command to a run's inbox and nudge its process; returns a sentence.

    Raises Refused when no process drives the run, BadInput when there is no such run.
    """
    path = find_run(runs, run)
    held = holder(path)
    if held is None:
        state = look(path).state["state"]
        remedy = "lbl resume takes it up again" if state in ("Held", "Aborted") else ""
        sentence = f"no process drives run {path.name}, it is {state}"
        raise Refused(Problem("run-idle", sentence, remedy=remedy))
    who = by or getpass.getuser()
    try:
        folder = RunFolder.open(path)
        try:
            folder.post_command(verb, who, reason)
        finally:
            folder.close()
    finally:  # the file says who and why; an abort's signal needs neither disk nor journal
        send(held.pid, SIGNALS[verb])
    return f"{verb} sent to {path.name}; lbl status {path.name} shows when it has taken effect"


def send(pid: int, number: int) -> None:
    """Signal the process that drives a run; raises Refused when it cannot be."""
    if pid <= 0:  # a lock that is just being written; 0 would be everybody here
        sentence = "the run is being taken up at this moment"
        raise Refused(Problem("run-idle", sentence, remedy="say it again"))
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError) as error:
        sentence = f"process {pid} cannot be signalled: {error.strerror}"
        raise Refused(Problem("run-idle", sentence, remedy="is it on this machine?")) from error


def status(run: str, runs: Path) -> dict[str, Any]:
    """Where a run is, from its journal, and what a hold, a stop or an abort would cost now."""
    path = find_run(runs, run)
    facts = _facts(path)
    return {**facts, "costs": _costs(path) if facts["pid"] else {}}


def _costs(path: Path) -> dict[str, str]:
    """What each verb would cost a run that a process drives; raises Fault for a damaged folder."""
    from lbl.bench.file import read_bench
    from lbl.run.clock import idle_s
    from lbl.run.cost import costs
    from lbl.run.relaunch import frozen_plan, pace

    state = look(path).state
    folder = RunFolder.open(path)
    try:
        plan, created = frozen_plan(folder)
    finally:
        folder.close()
    rate = pace(created, read_bench(path / "bench.yaml"))
    gone_ns = int(idle_s(path / "journal.jsonl") * rate * 1e9)
    return costs(plan, state, state["mono_ns"] + gone_ns)


def _facts(path: Path) -> dict[str, Any]:
    state, held = look(path).state, holder(path)
    return {
        "run": state["run"] or path.name,
        "state": state["state"],
        "recipe": state["recipe"],
        "bench": state["bench"],
        "bilayers": state["bilayers"],
        "planned_bilayers": state["planned"]["bilayers"],
        "depositions": state["depositions"],
        "vessel": state["vessel"] or "air",
        "deviations": state["deviations"],
        "pending": list(state["commands"]["pending"].values()),
        "pid": held.pid if held else 0,
        "utc": state["utc"],
    }


def follow(run: str, runs: Path) -> Iterator[dict[str, Any]]:
    """A run's facts each time they change, until no process drives it."""
    from lbl.run.clock import pause

    path, last = find_run(runs, run), None
    while True:
        facts = _facts(path)
        if facts != last:
            yield facts
        last = facts
        if not facts["pid"]:
            return
        pause(POLL_S)


def rows(runs: Path) -> list[dict[str, Any]]:
    """The runs of a folder, newest last."""
    return [
        {
            "run": row.id,
            "recipe": row.recipe,
            "bench": row.bench,
            "state": row.state or row.problem,
            "bilayers": row.bilayers,
            "depositions": row.depositions,
            "deviations": row.deviations,
            "utc": row.utc,
            "pid": row.pid,
        }
        for row in list_runs(runs)
    ]


def show(run: str, runs: Path) -> tuple[dict[str, Any], str]:
    """A run's record, made anew from its journal, as data and as text.

    Raises Fault for a journal that is shorter than its heads say, or damaged.
    """
    path = find_run(runs, run)
    look(path)
    folder = RunFolder.open(path)
    try:
        record = make_record(events(folder.storage, folder.id))
    finally:
        folder.close()
    return record, text(record)


def why(run: str, runs: Path) -> str:
    """Why a run is where it is: its last changes of state and verdicts, in their own words."""
    path = find_run(runs, run)
    facts, (record, _) = _facts(path), show(str(path), runs)
    told = [
        *((row["utc"], f"{row['state']}: {row['cause']}") for row in record["states"]),
        *(
            (row["utc"], f"verdict {row['response']}: {row['reason']}")
            for row in record["verdicts"]
        ),
        *((row["utc"], row["text"]) for row in record["notes"] if "text" in row),
    ]
    told.sort(key=lambda row: row[0])  # each list is in order already
    rows = [f"{utc}  {sentence}" for utc, sentence in told[-WHY_ROWS:]]
    pending = ", ".join(facts["pending"])
    where = f"in {facts['vessel']}" if facts["vessel"] != "air" else "in air"
    rows.append(f"now {facts['state']}, {where}" + (f"; {pending} pending" if pending else ""))
    if not facts["pid"]:
        rows.append("no process drives it" + RESUME.get(facts["state"], ""))
    return "\n".join(rows)


def record_of(folder: Path) -> dict[str, Any]:
    """The record of a run that has just ended."""
    return show(str(folder), folder.parent)[0]


def verified(run: str, runs: Path) -> str:
    """Verify every record and the frozen files of a run; raises Fault with what is damaged."""
    from lbl.run.relaunch import frozen_plan

    folder = RunFolder.open(find_run(runs, run))
    try:
        report = verify(folder.storage, folder.id)
        if not report.ok:
            keep = "keep the folder as it is"
            raise Fault(
                *(
                    Problem("journal-damaged", why, f"{folder.id}/journal.jsonl:{line}", keep)
                    for line, why in report.damage
                )
            )
        frozen_plan(folder)
    finally:
        folder.close()
    return report.text()
