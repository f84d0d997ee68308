"""Grows one film through everything that strikes it, process after process, to its end.

Somebody takes it up each time, as a person or a supervisor would: later, with the fault behind
them. What comes out is evidence, and no verdict. Must never look away from what went wrong.
"""

import shutil
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lbl import app
from lbl.bench.file import BenchFile, FaultFile
from lbl.campaign.chance import Chance
from lbl.campaign.life import Cut, Life
from lbl.campaign.strike import INSTRUMENT, NS, Nominal, Strike
from lbl.errors import LblError
from lbl.journal.audit import verify
from lbl.journal.bond import Bond
from lbl.journal.folder import RunFolder
from lbl.journal.opening import events, survey
from lbl.plan.schedule import Plan
from lbl.run.result import Result

RUN: Final = "film"
OVER: Final = ("Complete", "Stopped")
FINISHED: Final = "[run-finished]"  # its last process died after the end
PATIENCE: Final = 12  # processes that may end in order before somebody gives up
AWAY_S: Final = 60.0  # before a person comes; twice as long each time in vain
AWAY_MAX_S: Final = 6 * 3600.0
REPAIR: Final = 3  # every so many processes in vain, instruments are switched off and on
FAULT_TRACE: Final = 3  # frames of our own bug that are told


@dataclass(slots=True)
class Evidence:
    """What is left of a film: the world's ledger, the journal, and how each process ended.

    `gone` are the spans (s) in which no process was alive; `standing` the stay that is not over.
    """

    plan: Plan
    rows: list[dict[str, Any]] = field(default_factory=list)
    standing: Mapping[str, Any] | None = None
    events: list[Any] = field(default_factory=list)
    damage: str = ""
    state: Mapping[str, Any] = field(default_factory=dict)
    gone: list[tuple[float, float]] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)
    bug: str = ""
    struck: int = 0
    turns: int = 0
    writes: int = 0
    end_ns: int = 0

    @property
    def ended(self) -> str:
        """The state of the run at the end."""
        return str(self.state.get("state", "")) if self.state else ""


def grow(
    prepared: app.Prepared, seed: int, strikes: Sequence[Strike], runs: Path, durable: bool
) -> Evidence:
    """The film of a seed under these strikes, in the folder `runs`."""
    return _Film(prepared, seed, strikes, runs, durable).grow()


def nominal(whole: Evidence, file: BenchFile) -> Nominal:
    """What a film took for which nothing went wrong."""
    return Nominal(whole.end_ns, whole.turns, whole.writes, file.kind, tuple(file.instruments))


class _Film:
    def __init__(
        self,
        prepared: app.Prepared,
        seed: int,
        strikes: Sequence[Strike],
        runs: Path,
        durable: bool,
    ) -> None:
        self._prepared = prepared
        self._path = runs / RUN
        self._durable = durable
        self._chance = Chance(~seed)
        self._ending = [one for one in strikes if one.ends]
        self._coming = [one for one in strikes if one.kind in ("wish", "clock")]
        self._faults = [one for one in strikes if one.kind in ("instrument", "world")]
        self._forgetful = any(one.kind in ("dark", "power") for one in strikes) and durable
        self._well_ns = max(
            (one.at_ns + int(one.outage_s * NS) for one in strikes if one.kind == "world"),
            default=0,
        )
        self._evidence = Evidence(prepared.plan)
        self._boots = 0
        self._vain = 0

    def grow(self) -> Evidence:
        start_ns = written_ns = 0
        for _ in range(len(self._ending) + PATIENCE):
            life = self._life(start_ns, written_ns)
            self._live(life)
            if self._over(life):
                break
            start_ns = life.end_ns + int(self._away(life) * NS)
            written_ns = life.written_ns
            self._evidence.gone.append((life.end_ns / NS, start_ns / NS))
        self._look()
        return self._evidence

    def _life(self, start_ns: int, written_ns: int) -> Life:
        return Life(
            strike=self._ending[0] if self._ending else None,
            coming=self._coming,
            start_ns=start_ns,
            boot=f"virtual-{self._boots}" if self._boots else "virtual",
            durable=self._durable,
            forgetful=self._forgetful,
            written_ns=written_ns,
            chance=self._chance,
            faults=[] if self._begun() else self._befall(start_ns),
        )

    def _befall(self, start_ns: int) -> list[FaultFile]:
        """What a new world is in for; one that comes later has been spared what was before."""
        return [_fault(one) for one in self._faults if not start_ns or one.at_ns >= start_ns]

    def _live(self, life: Life) -> None:
        """One process, from its start to however it ends."""
        evidence, stage = self._evidence, life.stage()
        try:
            ended = self._ended(self._run(stage))
        except Cut:
            ended = f"struck: {self._ending.pop(0).text()}"
        except LblError as error:
            ended = "; ".join(f"{one.sentence} [{one.code}]" for one in error.problems)
            if any(one.code == "run-empty" for one in error.problems):
                shutil.rmtree(self._path)  # as its remedy says
        except Exception as error:  # our own bug: the film's worst verdict
            frames = traceback.format_tb(error.__traceback__)[-FAULT_TRACE:]
            ended = evidence.bug = f"{type(error).__name__}: {error}\n{''.join(frames)}"
        life.over(repaired=self._vain % REPAIR == REPAIR - 1)
        evidence.endings.append(ended)
        evidence.struck += life.struck
        evidence.turns += life.turns
        evidence.writes += life.writes
        evidence.end_ns = life.end_ns
        self._left(life)

    def _run(self, stage: Any) -> Result:
        if self._begun():
            return app.Resumed(self._path, "", "").run(_silent, stage)
        if self._path.exists():  # nothing was begun
            shutil.rmtree(self._path)
        return self._prepared.run(_silent, RUN, stage)

    def _begun(self) -> bool:
        """Whether there is a run to take up: its world carries what befalls it."""
        return (self._path / "journal.jsonl").exists()

    def _ended(self, result: Result) -> str:
        return f"{result.state}: {result.reason}"

    def _left(self, life: Life) -> None:
        """What the world is now lies ready for the next process."""
        evidence = self._evidence
        strike = life.strike
        if strike is not None and life.struck_down:
            if strike.kind in ("full", "broken"):
                self._ending.pop(0)  # the disk is well again
            self._boots += strike.kind in ("dark", "power")
        if life.snapshot is None or not self._path.exists():
            return
        from pydantic_core import to_json

        evidence.rows += life.rows
        evidence.standing = life.standing
        if self._begun():
            self._save(to_json(life.snapshot))

    def _save(self, world: bytes) -> None:
        """As a session saves it: tied to what the journal has kept."""
        folder = RunFolder.open(self._path)
        try:
            opening = survey(folder.storage, folder.id)
            state, whole = opening.state, opening.tail.whole
            place = Bond(RUN, state["seq"], state["hash"], whole, state["mono_ns"])
            folder.save_world(world, place)
        except LblError:  # nothing that can be believed: who takes it up is told
            return
        finally:
            folder.close()

    def _over(self, life: Life) -> bool:
        last = self._evidence.endings[-1]
        return last.startswith(OVER) or last.endswith(FINISHED) or bool(self._evidence.bug)

    def _away(self, life: Life) -> float:
        """How long nobody takes the run up, in s."""
        last = self._evidence.endings[-1]
        if last.startswith("struck") and life.strike is not None:
            return life.strike.outage_s
        self._vain += 1
        away_s = min(AWAY_S * 2**self._vain, AWAY_MAX_S)
        return float(max(away_s, (self._well_ns - life.end_ns) / NS))

    def _look(self) -> None:
        """Read the journal as anybody would."""
        evidence = self._evidence
        if not (self._path / "journal.jsonl").exists():
            return
        folder = RunFolder.open(self._path)
        try:
            report = verify(folder.storage, folder.id)
            evidence.state = report.state
            if not report.ok or any("head" in one for one in report.findings):
                evidence.damage = report.text()
            else:
                evidence.events = list(events(folder.storage, folder.id))
        except LblError as error:
            evidence.damage = str(error)
        finally:
            folder.close()


def _silent(news: object) -> None:
    """Nobody watches."""


def _fault(one: Strike) -> FaultFile:
    """A strike as a bench file would ask for it."""
    at = f"{one.at_ns / NS:.9f} s"
    facts: dict[str, Any]
    if one.kind == "world":
        argument = one.argument or None
        lasts = None if one.what == "bubble" else f"{one.outage_s:.3f} s"
        facts = {"world": one.what, "argument": argument, "lasts": lasts}
        return FaultFile.model_validate({**facts, "at": at})
    argument = one.argument if INSTRUMENT[one.how][1] else None
    facts = {"instrument": one.what, "kind": one.how, "count": one.count}
    return FaultFile.model_validate({**facts, "at": at, "argument": argument})
