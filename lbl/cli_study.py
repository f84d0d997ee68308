"""The commands for many films: words in, words out. They decide nothing; `lbl.studies` does.

Heavy imports wait until a command needs them, so that `lbl --help` answers at once.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from lbl.studies import Outcome, Question, Study

BENCH: Final = "dip"
TWIN: Final = Path("twin.csv")
SWEEP: Final = Path("sweep.csv")
NOTES: Final = 5  # shown; a sweep may have one a level
Recipe = Annotated[str, typer.Argument(help="A recipe file, or the name of a shipped one.")]
Bench = Annotated[
    str, typer.Option("--bench", envvar="LBL_BENCH", help="A bench file, or a shipped one's name.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a parameter of the recipe in every film: NAME=VALUE."),
]
World = Annotated[
    list[str] | None,
    typer.Option("--world", help="Change a parameter of the world in every film: NAME=VALUE."),
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the first film's world.")]
Seeds = Annotated[
    int, typer.Option("--seeds", min=1, help="Films of each kind; their seeds count up.")
]
Jobs = Annotated[int, typer.Option("--jobs", min=0, help="Processes; 0 is one a core.")]
Cluster = Annotated[
    str, typer.Option("--cluster", help="Grow on this Dask cluster: tcp://HOST:PORT.")
]
Keep = Annotated[
    Path | None, typer.Option("--keep", help="Keep the films' run folders in this new folder.")
]
Output = Annotated[Path, typer.Option("-o", "--output", help="The table: a .csv or .parquet file.")]
Picture = Annotated[
    Path | None, typer.Option("--picture", help="The picture; else beside the table, as .png.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")]


def twin(
    recipe: Recipe,
    against: Annotated[
        list[str] | None,
        typer.Option("--against", help="What side B has else, of recipe or world: NAME=VALUE."),
    ] = None,
    recipe_b: Annotated[str, typer.Option("--recipe-b", help="Another recipe for side B.")] = "",
    bench_b: Annotated[str, typer.Option("--bench-b", help="Another bench for side B.")] = "",
    bench: Bench = BENCH,
    sets: Sets = None,
    world: World = None,
    seed: Seed = 0,
    seeds: Seeds = 1,
    jobs: Jobs = 0,
    cluster: Cluster = "",
    keep: Keep = None,
    output: Output = TWIN,
    picture: Picture = None,
    json: Json = False,
) -> None:
    """Grow two films side by side that differ in one thing, and show the difference."""
    from lbl import picture_study, screen, screen_study, studies

    asked = _question(
        recipe, bench, sets, world, seed=seed, seeds=seeds, jobs=jobs, cluster=cluster, keep=keep,
        table=output,
    )  # fmt: skip
    both = studies.twin(asked, against or (), recipe_b, bench_b)
    outcome = _grown(both.study, json)
    rows = both.contrasts(outcome)
    screen_study.contrasted(both.labels, rows, outcome, quiet=json)
    where = picture or output.with_suffix(".png")
    drawn = picture_study.twin(both.labels, both.curves(outcome), rows, where)
    if json:
        figures = {row.name: row.as_json() for row in rows}
        sides = dict(zip(("a", "b"), both.labels, strict=True))
        screen.as_json({**_facts(outcome, output, drawn), **sides, "figures": figures})
    _end(outcome, drawn)


def sweep(
    recipe: Recipe,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary", help="NAME=V1,V2 or NAME=LOW..HIGH:COUNT, with :log; of recipe or world."
        ),
    ] = None,
    bench: Bench = BENCH,
    sets: Sets = None,
    world: World = None,
    seed: Seed = 0,
    seeds: Seeds = 1,
    jobs: Jobs = 0,
    cluster: Cluster = "",
    keep: Keep = None,
    output: Output = SWEEP,
    picture: Picture = None,
    show: Annotated[
        list[str] | None, typer.Option("--show", help="A column of results to show and to draw.")
    ] = None,
    json: Json = False,
) -> None:
    """Grow a film for every combination of some values, and make one table of them."""
    from lbl import picture_study, screen, screen_study, studies

    asked = _question(
        recipe, bench, sets, world, seed=seed, seeds=seeds, jobs=jobs, cluster=cluster, keep=keep,
        table=output,
    )  # fmt: skip
    grid = studies.sweep(asked, vary or ())
    outcome = _grown(grid.study, json)
    rows, shown = grid.conditions(outcome), grid.shown(outcome, show or ())
    screen_study.swept(grid.factors, rows, shown, outcome, quiet=json)
    where = picture or output.with_suffix(".png")
    drawn = picture_study.sweep(grid.factors, rows, shown, where)
    if json:
        varied = {one.name: list(one.levels) for one in grid.factors}
        screen.as_json({**_facts(outcome, output, drawn), "varied": varied})
    _end(outcome, drawn)


def _question(
    recipe: str,
    bench: str,
    sets: list[str] | None,
    world: list[str] | None,
    *,
    seed: int,
    seeds: int,
    jobs: int,
    cluster: str,
    keep: Path | None,
    table: Path,
) -> "Question":
    from lbl import app, studies

    return studies.Question(
        recipe=recipe,
        bench=bench,
        sets=app.pairs(sets, "--set"),
        world=app.pairs(world, "--world"),
        seed=seed,
        seeds=seeds,
        jobs=jobs,
        cluster=cluster,
        keep=keep,
        table=table,
    )


def _grown(study: "Study", json: bool) -> "Outcome":
    from lbl import screen_study

    for note in study.notes[:NOTES]:
        print(f"note: {note}", file=sys.stderr)
    if len(study.notes) > NOTES:
        print(f"note: and {len(study.notes) - NOTES} more like these", file=sys.stderr)
    stream = sys.stderr if json else sys.stdout
    with screen_study.Progress(len(study.cases), stream) as progress:
        outcome = study.run(progress.show)
    for reason, count in outcome.failures.items():
        print(f"{count} of {outcome.asked} films: {reason}", file=sys.stderr)
    return outcome


def _facts(outcome: "Outcome", table: Path, drawn: "Path | str") -> dict[str, Any]:
    return {
        "films": len(outcome.films),
        "asked": outcome.asked,
        "states": outcome.states,
        "table": str(table) if outcome.films else None,
        "picture": str(drawn) if isinstance(drawn, Path) else None,
        "grown_s": round(outcome.seconds, 3),
    }


def _end(outcome: "Outcome", drawn: "Path | str") -> None:
    told = f"picture: {drawn}" if isinstance(drawn, Path) else f"no picture: {drawn}"
    print(told, file=sys.stderr)
    if outcome.interrupted:
        print(
            f"interrupted: {len(outcome.films)} of {outcome.asked} films are grown [interrupted]",
            file=sys.stderr,
        )
    raise typer.Exit(outcome.exit_code)
