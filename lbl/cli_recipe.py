"""The commands for recipe texts: words in, words out. `lbl.writing` and `lbl.comparison` decide.

Heavy imports wait until a command needs them, so that `lbl --help` answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

BENCH: Final = "dip"
RUNS: Final = Path("runs")
STDIN: Final = "-"
Bench = Annotated[
    str, typer.Option("--bench", envvar="LBL_BENCH", help="A bench file, or a shipped one's name.")
]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="The file; else as said above.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")]

# what a new recipe is made from
Positive = Annotated[str | None, typer.Option("--positive", help="Name of the positive solution.")]
Negative = Annotated[str | None, typer.Option("--negative", help="Name of the negative solution.")]
Primer = Annotated[str | None, typer.Option("--primer", help="Name of the primer, or none.")]
Rinse = Annotated[
    str | None, typer.Option("--rinse", help="Name of the rinse solution; buffer unless told.")
]
Bilayers = Annotated[str | None, typer.Option("--bilayers", help="Number of bilayers.")]
Dwell = Annotated[str | None, typer.Option("--dwell", help="Time in each of the two solutions.")]
RinseTime = Annotated[
    str | None, typer.Option("--rinse-time", help="Time in each exchange; 1 min unless told.")
]
Concentration = Annotated[
    str | None,
    typer.Option("--concentration", help="Of all film solutions; 1 mg/mL unless told."),
]
Ph = Annotated[str | None, typer.Option("--ph", help="pH of all solutions.")]
Area = Annotated[str | None, typer.Option("--area", help="Coated area of all sides together.")]
Absorbance = Annotated[
    str | None,
    typer.Option("--absorbance", help="Wavelength to measure after each bilayer, or none."),
]
Growth = Annotated[
    str | None, typer.Option("--growth", help="Growth aimed at, per bilayer and side, or none.")
]


def schema(output: Output = None) -> None:
    """Print the JSON Schema of the recipe language, for editors; -o writes it into a file."""
    from lbl import writing

    if output is None:
        sys.stdout.write(writing.schema_text())
        return
    writing.write_schema(output)
    print(f"{output}: name it in a recipe's first line: # yaml-language-server: $schema={output}")


def fmt(
    recipe: Annotated[str, typer.Argument(help="A recipe file, or - for standard input.")],
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; 2 if the file would be changed.")
    ] = False,
) -> None:
    """Lay a recipe out in canonical form, in place; comments and the plan stay."""
    from lbl import writing

    piped = recipe == STDIN
    laid = writing.lay_out_stream(sys.stdin.buffer) if piped else writing.lay_out(recipe)
    if check:
        laid.demand_canonical(writing.PIPED if piped else recipe)
    elif piped:
        sys.stdout.write(laid.after)
    else:
        writing.write_layout(laid)
        print(f"{recipe}: {'laid out anew' if laid.changed else 'was in canonical form'}")


def new(
    name: Annotated[str, typer.Argument(help="The recipe's name.")],
    positive: Positive = None,
    negative: Negative = None,
    primer: Primer = None,
    rinse: Rinse = None,
    bilayers: Bilayers = None,
    dwell: Dwell = None,
    rinse_time: RinseTime = None,
    concentration: Concentration = None,
    ph: Ph = None,
    area: Area = None,
    absorbance: Absorbance = None,
    growth: Growth = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; the defaults will do.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file; NAME.yaml unless told.")
    ] = None,
    bench: Bench = BENCH,
) -> None:
    """Write a new recipe: asks what no option says, checks it, never overwrites a file."""
    from lbl import writing
    from lbl.plan.draft import Answers, drafted

    given = {
        "positive": positive, "negative": negative, "primer": primer, "rinse": rinse,
        "bilayers": bilayers, "dwell": dwell, "rinse_time": rinse_time,
        "concentration": concentration, "ph": ph, "area": area, "absorbance": absorbance,
        "growth": growth,
    }  # fmt: skip
    said = {key: answer for key, answer in given.items() if answer is not None}
    path = output or Path(f"{name}.yaml")
    drafted(Answers(name, **said))  # what an option says is refused before anything is asked
    writing.refuse_existing(path)
    if not yes and sys.stdin.isatty():
        said |= _asked(name, said)
    told, notes = writing.new_recipe(drafted(Answers(name, **said)), path, bench)
    print(f"{path}: {told}; lbl plan {path} says what it takes")
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def diff(
    a: Annotated[str, typer.Argument(help="A recipe, or a run.")],
    b: Annotated[str, typer.Argument(help="Another recipe, or another run.")],
    bench: Bench = BENCH,
    bench_b: Annotated[str, typer.Option("--bench-b", help="Another bench for recipe B.")] = "",
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a parameter of both recipes: NAME=VALUE."),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option("--against", help="Change a parameter of recipe B alone: NAME=VALUE."),
    ] = None,
    runs: Annotated[
        Path, typer.Option("--runs", envvar="LBL_RUNS", help="The folder that holds the runs.")
    ] = RUNS,
    json: Json = False,
) -> None:
    """Compare two recipes or two runs in consequences: time, volumes, exposures, growth."""
    from lbl import app, comparison, screen, screen_compare

    asked = comparison.Question(
        a, b, bench, bench_b, app.pairs(sets, "--set"), app.pairs(against, "--against"), runs
    )
    made = comparison.compare(asked)
    screen_compare.compared(made)
    if json:
        screen.as_json(made.as_json())


def _asked(name: str, said: dict[str, str]) -> dict[str, str]:
    """Ask on the terminal for what no option said; Enter takes what is in brackets."""
    from lbl.plan.draft import QUESTIONS, Answers, wrong

    usual, answers = Answers(name), dict[str, str]()
    for key, question in QUESTIONS.items():
        while key not in said and key not in answers:
            answer = typer.prompt(question, default=str(getattr(usual, key)))
            found = wrong(key, answer)
            if found:
                print(found)
            else:
                answers[key] = answer
    return answers
