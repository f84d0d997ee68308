"""The third door: many simulated films, side by side or over a grid, and one table of them.

A study is described and looked at first, then grown. Must never print, and never import a face.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from lbl import app
from lbl.bench.card import embedded
from lbl.bench.file import BenchFile, read_bench
from lbl.bench.simulated import world_parameters
from lbl.errors import BadInput, Problem, short
from lbl.marked import suggest
from lbl.plan.loader import read_recipe
from lbl.run.clock import patience_s
from lbl.shipped import find
from lbl.study.case import Case, Cell, Film
from lbl.study.contrast import Condition, Contrast, apart, conditions, contrasts, curve, figures
from lbl.study.factors import Factor, cells, factor, is_world, product
from lbl.study.pool import grown
from lbl.study.table import Table

FILMS_MAX: Final = 10_000
REFUSED: Final = 2
INTERRUPTED: Final = 5
USUAL: Final = ("thickness_nm", "slope_mOD", "lateral_cv", "nm_per_h")
SIDES: Final = ("a", "b")


@dataclass(frozen=True, slots=True)
class Question:
    """What both kinds of study are asked: the film, its changes, seeds, and where things go.

    `jobs` 0 is one process a core; `cluster` the address of a Dask scheduler, "" for none; `keep`
    the folder for run folders, None deletes them.
    """

    recipe: str
    bench: str = "dip"
    sets: Mapping[str, str] = field(default_factory=dict)
    world: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    seeds: int = 1
    jobs: int = 0
    cluster: str = ""
    keep: Path | None = None
    table: Path = Path("study.csv")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The films of a study in the order of its cases; some are missing after Ctrl-C."""

    films: tuple[Film, ...]
    asked: int
    inputs: tuple[str, ...]
    seconds: float

    @property
    def interrupted(self) -> bool:
        """Whether films are missing."""
        return len(self.films) < self.asked

    @property
    def states(self) -> dict[str, int]:
        """How many films ended in which state."""
        names = [str(film.row["state"]) for film in self.films]
        return {name: names.count(name) for name in dict.fromkeys(names)}

    @property
    def failures(self) -> dict[str, int]:
        """Why films did not come to their end, and how many for that reason."""
        told = [
            f"{one.row['state']}: {one.row['reason']}" for one in self.films if not one.complete
        ]
        return {reason: told.count(reason) for reason in dict.fromkeys(told)}

    @property
    def figures(self) -> list[str]:
        """The columns that are results."""
        return figures(self.films, self.inputs)

    @property
    def exit_code(self) -> int:
        """0 when there is anything to look at; else why there is nothing."""
        if self.interrupted:
            return INTERRUPTED
        if any(film.complete for film in self.films):
            return 0
        return self.films[0].exit_code


@dataclass(frozen=True, slots=True)
class Study:
    """A study that may be grown: everything that can be refused early has been looked at."""

    question: Question
    cases: tuple[Case, ...]
    notes: tuple[str, ...] = ()

    def run(self, tell: Callable[[Film], None]) -> Outcome:
        """Grow every film and write the table; Ctrl-C keeps what is grown.

        `tell` hears of each film as it is grown. Raises BadInput for a table, a folder, a package
        or a cluster that is not there, Fault for a worker that dies and for a disk that does not
        take the table.
        """
        asked, began = self.question, patience_s()
        films: list[Film] = []
        with Table(asked.table) as table:
            keep = str(_folder(asked.keep)) if asked.keep else ""
            coming = grown(self.cases, jobs=asked.jobs, cluster=asked.cluster, keep=keep)
            try:
                with closing(coming):
                    for film in coming:
                        table.add(film)
                        films.append(film)
                        tell(film)
            except KeyboardInterrupt:
                pass  # the outcome says that films are missing
            finally:
                if films:  # what is grown is worth a table, whatever stopped the rest
                    table.write(films)
        inputs = tuple(dict.fromkeys(name for case in self.cases for name in case.inputs))
        films.sort(key=lambda film: film.number)
        return Outcome(tuple(films), len(self.cases), inputs, patience_s() - began)


@dataclass(frozen=True, slots=True)
class Twin:
    """Two sides of the same seeds; `labels` say what each is, for people."""

    study: Study
    labels: tuple[str, str]

    def sides(self, outcome: Outcome) -> tuple[list[Film], list[Film]]:
        """The films of A and of B, seed beside seed."""
        by_seed: dict[Cell, dict[Cell, Film]] = {}
        for film in outcome.films:
            by_seed.setdefault(film.row["seed"], {})[film.row["side"]] = film
        pairs = [pair for pair in by_seed.values() if len(pair) == len(SIDES)]
        return [pair["a"] for pair in pairs], [pair["b"] for pair in pairs]

    def contrasts(self, outcome: Outcome) -> list[Contrast]:
        """Every figure, side against side."""
        return contrasts(*self.sides(outcome), outcome.figures)

    def curves(self, outcome: Outcome) -> dict[str, list[tuple[int, float, float]]]:
        """Growth of A, of B and of the difference: (bilayer, mOD of one side, deviation)."""
        a, b = self.sides(outcome)
        return {"a": curve(a), "b": curve(b), "difference": apart(a, b)}


@dataclass(frozen=True, slots=True)
class Sweep:
    """A grid over some factors."""

    study: Study
    factors: tuple[Factor, ...]

    def conditions(self, outcome: Outcome) -> list[Condition]:
        """The films of each combination of levels together."""
        names = [name for name in outcome.figures if name not in self._columns]
        return conditions(outcome.films, self._columns, names)

    def shown(self, outcome: Outcome, wanted: Sequence[str] = ()) -> list[str]:
        """The figures to look at: those wanted, or the usual ones that there are.

        Raises BadInput `study-name` for a figure that no complete film has.
        """
        there = outcome.figures
        if not there:
            return []
        for name in wanted:
            if name not in there:
                sentence = f"no complete film has a figure '{short(name)}'"
                remedy = suggest(name, there) or f"there are {', '.join(there) or 'none'}"
                raise BadInput(Problem("study-name", sentence, "--show", remedy))
        return [*wanted] or [name for name in USUAL if name in there]

    @property
    def _columns(self) -> list[str]:
        return [one.column for one in self.factors]


def twin(asked: Question, against: Sequence[str], recipe_b: str = "", bench_b: str = "") -> Twin:
    """Two sides: as asked, and with `against` (NAME=VALUE words), another recipe or bench.

    Raises BadInput when one side cannot be grown, or when they do not differ.
    """
    a = _Side.of(asked.recipe, asked.bench, asked.sets, asked.world)
    b = _Side.of(recipe_b or asked.recipe, bench_b or asked.bench, asked.sets, asked.world)
    changes = app.pairs(against, "--against")
    b = b.changed(changes, "--against")
    if a == b:
        sentence = "both sides are the same"
        remedy = "say what differs: --against gravity=0"
        raise BadInput(Problem("study-values", sentence, "--against", remedy))
    notes: dict[str, None] = {}
    for recipe, bench, side in (
        (asked.recipe, asked.bench, a),
        (recipe_b or asked.recipe, bench_b or asked.bench, b),
    ):
        order = app.Order(recipe, bench, sets=side.sets, world=side.world, speed="max")
        notes |= dict.fromkeys(app.prepare(order).notes)
    cases = [
        side.case(f"{name}-{seed}", seed, {"side": name})
        for seed in _seeds(asked, 2)
        for name, side in zip(SIDES, (a, b), strict=True)
    ]
    told = [f"{name}={value}" for name, value in changes.items()]
    if recipe_b or bench_b:
        told.insert(0, f"{b.name} on {b.file.name}")
    labels = (f"{a.name} on {a.file.name}", ", ".join(told))
    return Twin(Study(asked, _even(cases), tuple(notes)), labels)


def sweep(asked: Question, vary: Sequence[str]) -> Sweep:
    """The full grid of `vary` (NAME=VALUES words), each combination with every seed.

    A combination that the planner refuses is a row of the table. Raises BadInput for names and
    world values that cannot be, for none and for more than FILMS_MAX films.
    """
    base = _Side.of(asked.recipe, asked.bench, asked.sets, asked.world)
    factors = [factor(text, base.parameters, "--vary") for text in vary]
    names = [one.name for one in factors]
    twice = [name for name in names if names.count(name) > 1 or name in {*base.sets, *base.world}]
    if twice:
        sentence = f"'{twice[0]}' is asked for twice"
        remedy = "name it once, in --vary, --set or --world"
        raise BadInput(Problem("study-name", sentence, "--vary", remedy))
    films = asked.seeds
    for one in factors:
        films *= len(one.levels)
    _bounded(films)
    notes: dict[str, None] = {}
    cases: list[Case] = []
    for levels in product(factors):
        side = base.changed(dict(zip(names, levels, strict=True)), "--vary")
        notes |= dict.fromkeys(app.warnings(side.file, world_parameters(side.world, "--world")))
        for seed in _seeds(asked):
            cases.append(side.case(f"film-{len(cases) + 1:05d}", seed, {}))
    return Sweep(Study(asked, _even(cases), tuple(notes)), tuple(factors))


@dataclass(frozen=True, slots=True)
class _Side:
    """A recipe on a bench with changes: what films are grown from."""

    name: str
    parameters: Mapping[str, object]
    recipe_text: str
    file: BenchFile
    bench_text: str
    sets: Mapping[str, str]
    world: Mapping[str, str]

    @classmethod
    def of(
        cls, recipe: str, bench: str, sets: Mapping[str, str], world: Mapping[str, str]
    ) -> "_Side":
        """Both files read; raises BadInput for one that is wrong, or a bench that is not ours."""
        recipe_path, bench_path = find(recipe, "recipes", "recipe"), find(bench, "sim", "bench")
        made, file = read_recipe(recipe_path, sets), read_bench(bench_path)
        if not file.in_process:
            sentence = f"bench {file.name} is not simulated in this process"
            remedy = "a study needs a bench whose file says simulated: and is not served"
            raise BadInput(Problem("study-bench", sentence, "--bench", remedy))
        world_parameters(world, "--world")
        text = embedded(bench_path.read_text("utf-8"), bench_path.parent)
        return cls(made.name, made.parameters, made.text, file, text, sets, world)

    def changed(self, changes: Mapping[str, str], option: str) -> "_Side":
        """The same with other parameters; the name says whether recipe's or world's."""
        sets, world = dict(self.sets), dict(self.world)
        for name, value in changes.items():
            (world if is_world(name, self.parameters, option) else sets)[name] = value
        return replace(self, sets=sets, world=world)

    def case(self, run: str, seed: int, first: Mapping[str, Cell]) -> Case:
        """One film of it."""
        inputs: dict[str, Cell] = {
            **first,
            "recipe": self.name,
            "bench": self.file.name,
            "seed": seed,
            **cells({**self.parameters, **self.sets}),
        }
        for name, value in world_parameters(self.world, "--world").items():
            inputs[f"world_{name}" if name in inputs else name] = value
        return Case(
            run, self.recipe_text, self.bench_text, dict(self.sets), dict(self.world), seed, inputs
        )


def _even(cases: Sequence[Case]) -> tuple[Case, ...]:
    """Every case says every input; None is what nobody gave: recipe, bench or default have it."""
    names = dict.fromkeys(name for case in cases for name in case.inputs)
    return tuple(
        replace(case, inputs={name: case.inputs.get(name) for name in names}) for case in cases
    )


def _seeds(asked: Question, sides: int = 1) -> range:
    _bounded(asked.seeds * sides)
    return range(asked.seed, asked.seed + asked.seeds)


def _bounded(films: int) -> None:
    if not 1 <= films <= FILMS_MAX:
        sentence = f"this study has {films:,} films; 1 to {FILMS_MAX:,} are possible"
        raise BadInput(Problem("study-size", sentence, remedy="vary less, or fewer seeds"))


def _folder(path: Path) -> Path:
    """A new or empty folder for the run folders of a study."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise FileExistsError(0, "the folder is not empty")
    except OSError as error:
        sentence = f"the run folders cannot be kept here: {error.strerror}"
        raise BadInput(Problem("study-output", sentence, str(path), "name a new folder")) from None
    return path.resolve()
