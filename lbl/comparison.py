"""The door to comparing: two recipes as planned, or two runs as they were, in consequences.

Must never print, and never import a face; must never leave out a figure that one side has.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from lbl import app
from lbl.errors import BadInput, Problem, short
from lbl.figure import Figure
from lbl.journal.account import account
from lbl.journal.folder import RunFolder
from lbl.journal.opening import events
from lbl.journal.record import make_record
from lbl.journal.runs import find_run, look
from lbl.marked import load
from lbl.plan.consequences import consequences, on_bench
from lbl.shipped import find

Kind = Literal["recipes", "runs"]
EQUAL: Final = 1e-9  # relative; figures nearer than this are the same
# of the figures of a run's plan, those that the run itself cannot tell
PLANNED: Final = (
    "duration", "carry-over, worst", "waste", "growth expected, a bilayer and side",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: what it is called, its figures, and what was written to get them."""

    kind: Kind
    label: str
    facts: Mapping[str, str]
    figures: Mapping[str, Figure]
    written: Mapping[str, object]
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What it is and, of a recipe, what its plan warns of; a frozen plan keeps no warnings."""
        told = {"warnings": list(self.warnings)} if self.kind == "recipes" else {}
        return {"label": self.label, **self.facts, **told}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of both sides."""

    name: str
    a: Figure
    b: Figure

    @property
    def difference(self) -> float | None:
        """B less A; None when a side has no number."""
        if self.a.value is None or self.b.value is None:
            return None
        return self.b.value - self.a.value

    @property
    def same(self) -> bool:
        """Whether both sides say the same, be it a number or a reason."""
        a, b = self.a.value, self.b.value
        if a is None or b is None:
            return self.a == self.b
        return abs(b - a) <= EQUAL * max(abs(a), abs(b))

    def as_json(self) -> dict[str, object]:
        """Numbers, their difference, and a reason for each number that is missing."""
        a, b = self.a.value, self.b.value
        made: dict[str, object] = {
            "unit": self.a.unit or self.b.unit,
            "a": a,
            "b": b,
            "difference": self.difference,
            "ratio": b / a if a and b is not None else None,
            "same": self.same,
        }
        for key, side in (("why_a", self.a), ("why_b", self.b)):
            if side.why:
                made[key] = side.why
        return made


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides, every figure of either, and what was written differently: (where, A, B)."""

    a: Side
    b: Side
    rows: tuple[Row, ...]
    changes: tuple[tuple[str, str, str], ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.changes and all(row.same for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """The object that `lbl diff --json` prints."""
        return {
            "kind": self.a.kind,
            "same": self.same,
            "a": self.a.as_json(),
            "b": self.b.as_json(),
            "changes": [{"at": at, "a": a, "b": b} for at, a, b in self.changes],
            "figures": {row.name: row.as_json() for row in self.rows},
        }


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be compared. `bench_b` "" is the bench of A; `against` changes B alone."""

    a: str
    b: str
    bench: str = "dip"
    bench_b: str = ""
    sets: Mapping[str, str] | None = None
    against: Mapping[str, str] | None = None
    runs: Path = Path("runs")


def compare(asked: Question) -> Comparison:
    """Compare two recipes, or two runs; raises BadInput when either cannot be had."""
    kinds = (_kind(asked.a, asked.runs), _kind(asked.b, asked.runs))
    if kinds[0] != kinds[1]:
        given = zip((asked.a, asked.b), kinds, strict=True)
        said = [f"'{short(name)}' is a {kind.removesuffix('s')}" for name, kind in given]
        remedy = "compare two recipes, or two runs"
        raise BadInput(Problem("diff-kinds", " and ".join(said), remedy=remedy))
    sets, against = dict(asked.sets or {}), dict(asked.against or {})
    if kinds[0] == "runs":
        if sets or against or asked.bench_b:
            sentence = "runs are compared as they were: nothing can be set"
            remedy = "leave --set, --against and --bench-b to recipes"
            raise BadInput(Problem("diff-kinds", sentence, remedy=remedy))
        return _compared(_run(asked.a, asked.runs), _run(asked.b, asked.runs))
    first = _recipe(asked.a, asked.bench, sets)
    return _compared(first, _recipe(asked.b, asked.bench_b or asked.bench, {**sets, **against}))


def _kind(given: str, runs: Path) -> Kind:
    """A recipe that can be found is one; everything else must be a run."""
    try:
        find(given, "recipes", "recipe")
        return "recipes"
    except BadInput as error:
        remedy = error.problems[0].remedy
    try:
        find_run(runs, given)
        return "runs"
    except BadInput as error:
        if error.problems[0].code == "run-ambiguous":
            raise
        sentence = f"'{short(given)}' is neither a recipe nor a run in '{short(runs)}'"
        raise BadInput(Problem("diff-unknown", sentence, remedy=remedy)) from None


def _recipe(given: str, bench: str, sets: Mapping[str, str]) -> Side:
    foreseen = app.foresee(given, bench, sets)
    plan = foreseen.plan
    written = _written(find(given, "recipes", "recipe"), plan.parameters)
    facts = {"bench": plan.bench, "plan_hash": plan.hash}
    label = " ".join((plan.recipe, plan.version, *(f"{key}={sets[key]}" for key in sets)))
    written["bench"] = plan.bench
    warnings = tuple(map(str, plan.warnings))
    figures = {**consequences(plan), **on_bench(foreseen.account)}
    return Side("recipes", label, facts, figures, written, warnings)


def _run(given: str, runs: Path) -> Side:
    from lbl.run.relaunch import frozen_plan

    path = find_run(runs, given)
    look(path)
    folder = RunFolder.open(path)
    try:
        record = make_record(events(folder.storage, folder.id))
        plan, created = frozen_plan(folder)
    finally:
        folder.close()
    planned = consequences(plan)
    figures = account(record)
    figures.update({f"{name}, planned": planned[name] for name in PLANNED})
    facts = {"state": record["state"], "bench": plan.bench, "plan_hash": plan.hash}
    told = {key: created.get(key) for key in ("bench_hash", "seed", "world", "software")}
    written = {**_written(path / "recipe.yaml", plan.parameters), "bench": plan.bench, **told}
    written["state"] = record["state"]
    return Side("runs", record["run"], facts, figures, written)


def _written(path: Path, parameters: Mapping[str, object]) -> dict[str, object]:
    """The recipe as written, but with the parameters that were in force."""
    data = load(path).data
    return {**(data if isinstance(data, dict) else {}), "parameters": dict(parameters)}


def _compared(a: Side, b: Side) -> Comparison:
    names = [*a.figures, *(name for name in b.figures if name not in a.figures)]
    rows = tuple(Row(name, _figure(a, b, name), _figure(b, a, name)) for name in names)
    old, new = dict(_leaves(a.written)), dict(_leaves(b.written))
    changes = tuple(
        (at, old.get(at, "-"), new.get(at, "-"))
        for at in [*old, *(at for at in new if at not in old)]
        if old.get(at) != new.get(at)
    )
    return Comparison(a, b, rows, changes)


def _figure(side: Side, other: Side, name: str) -> Figure:
    if name in side.figures:
        return side.figures[name]
    thing = "plan" if side.kind == "recipes" else "run"
    return Figure(None, other.figures[name].unit, f"there is none in this {thing}")


def _leaves(value: object, at: str = "") -> Iterator[tuple[str, str]]:
    """Every single value below, by where it stands: procedure[2].repeat."""
    if isinstance(value, dict) and value:
        for key, below in value.items():
            yield from _leaves(below, f"{at}.{key}" if at else str(key))
    elif isinstance(value, list) and value:
        for number, below in enumerate(value):
            yield from _leaves(below, f"{at}[{number}]")
    else:
        yield at, str(value)
