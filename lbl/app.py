"""The one door to what is to be run: check, plan, start, resume. `lbl.runs` is the other one.

Resolves names to files, refuses what cannot be, and hands on. Must never print, and never import a
face.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lbl.bench.card import embedded
from lbl.bench.file import BenchFile, read_bench
from lbl.errors import BadInput, Problem, short
from lbl.journal.folder import RunFolder
from lbl.journal.runs import find_run, list_runs
from lbl.plan.account import Account, account
from lbl.plan.equipment import Equipment
from lbl.plan.loader import read_recipe
from lbl.plan.planner import plan as make_plan
from lbl.plan.schedule import Plan
from lbl.run.clock import stamp_now
from lbl.run.equip import equipment
from lbl.shipped import find

if TYPE_CHECKING:
    from lbl.run.launch import Launch
    from lbl.run.news import News
    from lbl.run.result import Result
    from lbl.run.stage import Stage
    from lbl.run.timing import Qualification
    from lbl.signing import Endorsed

T = TypeVar("T")

SPEEDS: Final = "max, real, or a number such as 60"
SPEED_MAX: Final = 1e6
LOW_GRAVITY: Final = 0.1  # g; below it nothing holds a liquid in an open bath
NO_WORLD: Final[Mapping[str, float]] = {}
POLL_S: Final = 0.2
DETACH_POLLS: Final = 100


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants to be run; `speed` as the command line writes it, "" is the default.

    `heed` is whether the process's signals, Ctrl-C among them, are for this run. `signed` demands a
    signature of the recipe by a key in the folder `trust` (None: the account's own).
    """

    recipe: str
    bench: str = "dip"
    sets: Mapping[str, str] = field(default_factory=dict)
    world: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    speed: str = ""
    lots: Mapping[str, str] = field(default_factory=dict)
    runs: Path = Path("runs")
    by: str = ""
    reason: str = ""
    capture: bool = False
    fifo: int = 0
    lock_memory: bool = False
    cpu: int = -1
    heed: bool = True
    signed: bool = False
    trust: Path | None = None


def pairs(items: Sequence[str] | None, option: str) -> dict[str, str]:
    """NAME=VALUE words as a mapping; raises BadInput for a word of another form."""
    made: dict[str, str] = {}
    for item in items or ():
        name, _, value = item.partition("=")
        if not name.strip() or not value.strip():
            raise BadInput(
                Problem("option-form", f"'{item}' is not NAME=VALUE", option, "write it like a=1")
            )
        made[name.strip()] = value.strip()
    return made


def plan(recipe: str, bench: str, sets: Mapping[str, str]) -> Plan:
    """The plan of a recipe on a bench; raises BadInput with every problem."""
    return _bind(recipe, bench, sets).plan


def look(recipe: str, bench: str, sets: Mapping[str, str]) -> tuple[Plan, tuple[str, ...]]:
    """The plan, and what somebody should know of the bench; raises BadInput for either."""
    bound = _bind(recipe, bench, sets)
    return bound.plan, _notes(bound.plan, warnings(bound.file))


def _notes(plan: Plan, told: tuple[str, ...]) -> tuple[str, ...]:
    """What to know before a film is begun: warnings of the chemistry, of the bench."""
    return (*map(str, plan.warnings), *told)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A plan, all that it takes, what somebody should know of the bench, and when it begins."""

    plan: Plan
    account: Account
    notes: tuple[str, ...]
    start: datetime

    def at(self, seconds: float) -> datetime:
        """The time on the wall so long after the first step's time, to the second."""
        return _later(self.start, self.account.span.opening + seconds)

    def as_json(self) -> dict[str, object]:
        """What `lbl plan --json` prints."""
        span = self.account.span
        finish = {
            name: _later(self.start, seconds).isoformat()
            for name, seconds in (("finish_p50", span.p50), ("finish_p95", span.p95))
        }
        made = {**self.plan.as_json(), **self.account.as_json()}
        return {**made, "start": self.start.isoformat(), **finish}


def _later(start: datetime, seconds: float) -> datetime:
    """So many seconds later; the calendar ends with the year 9999."""
    try:
        return start + timedelta(seconds=round(seconds))
    except OverflowError:
        return datetime.max.replace(tzinfo=start.tzinfo, microsecond=0)


def foresee(recipe: str, bench: str, sets: Mapping[str, str], start: str = "") -> Foreseen:
    """All that a film will take, if it begins at `start` ("" is now).

    Raises BadInput with every problem.
    """
    begins = begin(start)
    bound = _bind(recipe, bench, sets)
    return Foreseen(
        bound.plan,
        account(bound.plan, bound.equipment),
        _notes(bound.plan, warnings(bound.file)),
        begins,
    )


def begin(text: str) -> datetime:
    """A time as people write it, "2026-01-31 09:00", in this computer's zone; "" is now.

    Raises BadInput for what is no time.
    """
    if not text:
        return datetime.fromisoformat(stamp_now()).astimezone().replace(microsecond=0)
    try:
        return datetime.fromisoformat(text.strip()).replace(microsecond=0)
    except ValueError:
        remedy = "write it like '2026-01-31 09:00'"
        raise BadInput(
            Problem("start-time", f"'{short(text)}' is no time", "--start", remedy)
        ) from None


def warnings(file: BenchFile, world: Mapping[str, float] = NO_WORLD) -> tuple[str, ...]:
    """What somebody should know of a simulated bench before a film is grown on it.

    Raises BadInput for parameters and faults of its world that cannot be.
    """
    from lbl.bench.simulated import Simulation, idle, world_parameters

    stated = world_parameters(file.simulated.world if file.simulated else {}, file.name)
    values = {**stated, **world}
    if file.in_process and file.simulated is not None and file.simulated.faults:
        Simulation(file, world, seed=0, area=1.0, sides=1)
    told = [f"{name} is for the record: nothing in the world looks at it" for name in idle(values)]
    if file.kind == "dip" and values.get("gravity", 1.0) < LOW_GRAVITY:
        told.append(
            f"at {values['gravity']:g} g an open bath keeps no liquid in: drag-out is capped at "
            "what clamp and mesh hold, and a real dip bench would be refused"
        )
    return tuple(told)


@dataclass(frozen=True, slots=True)
class _Bound:
    """A recipe bound to a bench, and the texts it came from."""

    plan: Plan
    equipment: Equipment
    file: BenchFile
    recipe_text: str
    bench_text: str
    recipe_path: Path
    content: str


def _bind(recipe: str, bench: str, sets: Mapping[str, str]) -> _Bound:
    """Both files read; a mistake in one does not hide those in the other."""
    problems: list[Problem] = []
    recipe_path = _tried(problems, lambda: find(recipe, "recipes", "recipe"))
    bench_path = _tried(problems, lambda: find(bench, "sim", "bench"))
    made = _tried(problems, lambda: recipe_path and read_recipe(recipe_path, sets))
    file = _tried(problems, lambda: bench_path and read_bench(bench_path))
    if not (made and file and recipe_path and bench_path):
        raise BadInput(*problems)
    fitted = equipment(file, made.substrate.area)
    bench_text = embedded(bench_path.read_text("utf-8"), bench_path.parent)
    return _Bound(
        make_plan(made, fitted), fitted, file, made.text, bench_text, recipe_path, made.content
    )


def _tried(problems: list[Problem], act: Callable[[], T]) -> T | None:
    try:
        return act()
    except BadInput as error:
        problems += error.problems
        return None


def speed_of(text: str, file: BenchFile) -> float | None:
    """0 for virtual time, n for n times real time, None for real time.

    Raises BadInput for another word, and for anything but real on a bench that is not simulated.
    """
    if not text:
        text = "max" if file.in_process else "real"
    if text == "real" and not file.in_process:
        return None
    speed = _number({"max": "0", "real": "1"}.get(text, text))
    if speed is None or not 0.0 <= speed <= SPEED_MAX or (speed == 0.0 and text != "max"):
        raise BadInput(
            Problem("speed", f"'{short(text)}' is no speed", "--speed", f"give {SPEEDS}")
        )
    if file.in_process:
        return speed
    if file.simulated is not None and speed == file.rate:
        return None
    sentence = f"the instruments of bench {file.name} live at {file.rate:g} times real time"
    raise BadInput(
        Problem("speed-real-bench", sentence, "--speed", "leave --speed away, or say real")
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that may start: everything that can be refused has been looked at."""

    launch: "Launch"
    notes: tuple[str, ...] = ()

    @property
    def plan(self) -> Plan:
        """What will be done."""
        return self.launch.plan

    def within(self, runs: Path) -> "Prepared":
        """The same, with its run folder in another place."""
        return Prepared(replace(self.launch, runs=runs), self.notes)

    @property
    def simulated(self) -> bool:
        """Whether nothing real will move."""
        return self.launch.file.simulated is not None

    def run(
        self, tell: "Callable[[News], None]", run: str = "", stage: "Stage | None" = None
    ) -> "Result":
        """Do it; `run` is the run's id if it must be given, `stage` what it stands on."""
        from lbl.run.launch import launch
        from lbl.run.stage import STAGE

        return launch(self.launch, tell, run, stage or STAGE)


def prepare(order: Order) -> Prepared:
    """Look at everything that can be refused; raises BadInput with what is wrong."""
    from lbl.bench.simulated import world_parameters
    from lbl.run.launch import Launch

    bound = _bind(order.recipe, order.bench, order.sets)
    unknown = [name for name in order.lots if name not in bound.plan.solutions]
    if unknown:
        known = ", ".join(bound.plan.solutions)
        raise BadInput(
            Problem(
                "lot-unknown", f"no solution is called '{unknown[0]}'", "--lot", f"known: {known}"
            )
        )
    if order.world and not bound.file.in_process:
        sentence = f"bench {bound.file.name} has no world of its own to change"
        raise BadInput(Problem("world-parameter", sentence, "--world", "use a simulated bench"))
    world = world_parameters(order.world, "--world")
    endorsed = _endorsed(order, bound) if order.signed else None
    speed = speed_of(order.speed, bound.file)
    if speed is not None and (order.fifo or order.lock_memory or order.cpu >= 0):
        sentence = "this run's time is virtual: no thread has to keep it"
        remedy = "leave --fifo, --lock-memory and --cpu to benches in real time"
        raise BadInput(Problem("realtime-virtual", sentence, remedy=remedy))
    return Prepared(
        Launch(
            plan=bound.plan,
            equipment=bound.equipment,
            file=bound.file,
            recipe_text=bound.recipe_text,
            bench_text=bound.bench_text,
            speed=speed,
            seed=order.seed,
            world=world,
            sets=order.sets,
            lots=order.lots,
            runs=order.runs,
            by=order.by,
            reason=order.reason,
            capture=order.capture,
            fifo=order.fifo,
            lock_memory=order.lock_memory,
            cpu=order.cpu,
            heed=order.heed,
            content=bound.content,
            signed=endorsed.facts() if endorsed else {},
            signature=endorsed.signature.text() if endorsed else "",
        ),
        (
            *_notes(bound.plan, warnings(bound.file, world) if bound.file.in_process else ()),
            *([str(endorsed)] if endorsed else ()),
        ),
    )


def _endorsed(order: Order, bound: _Bound) -> "Endorsed":
    """Who signed the recipe; raises BadInput when nobody did whom somebody here trusts."""
    from lbl.signing import demand

    data = bound.recipe_path.read_bytes()
    return demand(bound.recipe_path, bound.content, data, order.sets, order.trust)


def resume(run: str, runs: Path, *, by: str, reason: str) -> "Resumed":
    """A run that may be taken up again; raises BadInput for one that cannot be found."""
    return Resumed(find_run(runs, run), by, reason)


@dataclass(frozen=True, slots=True)
class Resumed:
    """A run to be taken up again, as its folder says."""

    path: Path
    by: str
    reason: str

    @property
    def plan(self) -> Plan:
        """What is being done; raises Fault when the folder does not say it."""
        from lbl.run.relaunch import frozen_plan

        folder = RunFolder.open(self.path)
        try:
            return frozen_plan(folder)[0]
        finally:
            folder.close()

    def run(self, tell: "Callable[[News], None]", stage: "Stage | None" = None) -> "Result":
        """Do the rest of it; `stage` is what the run stands on."""
        from lbl.run.relaunch import relaunch
        from lbl.run.stage import STAGE

        stage = stage or STAGE
        folder = RunFolder.open(self.path, disk=stage.disk)
        try:
            return relaunch(folder, _equip, tell, self.by, self.reason, stage)
        finally:
            folder.close()


def _equip(plan: Plan, file: BenchFile) -> Equipment:
    return equipment(file, plan.substrate.area)


def detach(words: Sequence[str], order: Order) -> dict[str, Any]:
    """Start the same command in the background; returns the run's id and pid."""
    prepare(order)  # what can be refused is refused here, where somebody reads it
    before = {row.id for row in list_runs(order.runs)}
    rest = [word for word in words if word != "--detach"]
    child = subprocess.Popen(
        # -P: this folder may hold files that are named like modules.
        [sys.executable, "-P", "-m", "lbl.cli", *rest, "--yes"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    from lbl.run.clock import pause

    for _ in range(DETACH_POLLS):
        fresh = [row for row in list_runs(order.runs) if row.id not in before]
        if fresh:
            return {"run": fresh[-1].id, "pid": child.pid}
        if child.poll() is not None:
            break
        pause(POLL_S)
    raise BadInput(
        Problem(
            "detach", "the run did not start in the background", remedy="run it without --detach"
        )
    )


def timing(tell: Callable[[str], None], *, fifo: int, cpu: int) -> "Qualification":
    """Qualify this computer beside a plain C loop, in under half a minute; `tell` hears progress.

    Raises BadInput when the policy or the CPU is refused, Fault when the computer is too busy.
    """
    from lbl.run.timing import qualify

    return qualify(fifo=fifo, cpu=cpu, tell=tell)
