"""The command line: words in, words out. It decides nothing; `lbl.app` does.

Heavy imports wait until a command needs them, so that `lbl --help` answers at once. A user's
mistake is one line a problem on standard error and an exit code, never a traceback.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from lbl import cli_auto, cli_recipe, cli_sign, cli_study, cli_torture
from lbl.cli_bench import bench_app, driver_app
from lbl.cli_sign import Signed, Trust

OUR_BUG: Final = 1
BAD_INPUT: Final = 2
INTERRUPTED: Final = 5

app = typer.Typer(
    help="Grows thin films one layer at a time and never loses count.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
sim_app = typer.Typer(help="Simulated instruments.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(sim_app, name="sim")
app.add_typer(bench_app, name="bench")
app.add_typer(driver_app, name="driver")
app.add_typer(cli_sign.trust_app, name="trust")

Recipe = Annotated[str, typer.Argument(help="A recipe file, or the name of a shipped one.")]
Run = Annotated[str, typer.Argument(help="A run: id, unique prefix, folder or 'last'.")]
BenchOption = Annotated[
    str, typer.Option("--bench", envvar="LBL_BENCH", help="A bench file, or a shipped one's name.")
]
Sets = Annotated[
    list[str] | None, typer.Option("--set", help="Change a parameter of the recipe: NAME=VALUE.")
]
Worlds = Annotated[
    list[str] | None,
    typer.Option("--world", help="Change a parameter of the simulated world: NAME=VALUE."),
]
Runs = Annotated[
    Path, typer.Option("--runs", envvar="LBL_RUNS", help="The folder that holds the runs.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")]
Capture = Annotated[
    bool, typer.Option("--capture", help="Keep every byte on the wires in capture.jsonl.")
]
Fifo = Annotated[
    int, typer.Option("--fifo", min=0, max=99, help="SCHED_FIFO priority of the timing thread.")
]
LockMemory = Annotated[
    bool, typer.Option("--lock-memory", help="Keep the program's memory from being paged out.")
]
Cpu = Annotated[int, typer.Option("--cpu", min=-1, help="The one CPU of the timing thread.")]
By = Annotated[str, typer.Option("--by", help="Who wants it; goes into the journal.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; goes into the journal.")]

BENCH: Final = "dip"
RUNS: Final = Path("runs")


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    if debug:
        os.environ["LBL_DEBUG"] = "1"


@app.command()
def check(
    recipe: Recipe,
    bench: BenchOption = BENCH,
    sets: Sets = None,
    signed: Signed = False,
    trust: Trust = None,
) -> None:
    """Validate a recipe against a bench; every error at once, with file:line:col."""
    from lbl import app as door
    from lbl import screen

    made, notes = door.look(recipe, bench, door.pairs(sets, "--set"))
    if signed:
        from lbl import signing

        screen.said(str(signing.checked(recipe, door.pairs(sets, "--set"), trust)))
    screen.checked(made)
    _warn(notes)


@app.command()
def plan(
    recipe: Recipe,
    bench: BenchOption = BENCH,
    sets: Sets = None,
    start: Annotated[
        str, typer.Option("--start", help="When it begins, '2026-01-31 09:00'; else now.")
    ] = "",
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the plan into this file.")
    ] = None,
    json: Json = False,
) -> None:
    """Say what a film takes: time, volumes, refills, waste, carry-over, air, light, people."""
    from lbl import app as door
    from lbl import screen, screen_plan

    made = door.foresee(recipe, bench, door.pairs(sets, "--set"), start)
    screen_plan.planned(made)
    _warn(made.notes)
    if picture is not None:
        from lbl import picture_plan

        print(picture_plan.gantt(made, picture), file=sys.stderr)
    if json:
        screen.as_json(made.as_json())


@app.command()
def run(
    recipe: Recipe,
    bench: BenchOption = BENCH,
    sets: Sets = None,
    world: Worlds = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the simulated world.")] = 0,
    speed: Annotated[
        str, typer.Option("--speed", help="max, real, or simulated seconds a second.")
    ] = "",
    lot: Annotated[
        list[str] | None, typer.Option("--lot", help="Lot in use: SOLUTION=LOT.")
    ] = None,
    runs: Runs = RUNS,
    detach: Annotated[
        bool, typer.Option("--detach", help="Run in the background; prints the run's id.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before a real bench moves.")
    ] = False,
    capture: Capture = False,
    fifo: Fifo = 0,
    lock_memory: LockMemory = False,
    cpu: Cpu = -1,
    signed: Signed = False,
    trust: Trust = None,
    by: By = "",
    reason: Reason = "",
    json: Json = False,
) -> None:
    """Grow a film. Ctrl-C holds it, wet; a second one leaves once it is held."""
    from lbl import app as door
    from lbl import screen

    order = door.Order(
        recipe=recipe,
        bench=bench,
        sets=door.pairs(sets, "--set"),
        world=door.pairs(world, "--world"),
        seed=seed,
        speed=speed,
        lots=door.pairs(lot, "--lot"),
        runs=runs,
        by=by,
        reason=reason,
        capture=capture,
        fifo=fifo,
        lock_memory=lock_memory,
        cpu=cpu,
        signed=signed,
        trust=trust,
    )
    if detach:
        _detached(door.detach(sys.argv[1:], order), json)
        return
    prepared = door.prepare(order)
    _warn(prepared.notes)
    if not prepared.simulated and not yes and not screen.consents(prepared):
        raise typer.Exit(BAD_INPUT)
    _carry_out(prepared, json)


def _warn(notes: Sequence[str]) -> None:
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def _detached(started: Mapping[str, Any], json: bool) -> None:
    from lbl import screen

    screen.detached(started)
    if json:
        screen.as_json(started)


def _carry_out(prepared: Any, json: bool) -> None:
    from lbl import screen

    with screen.Progress(prepared.plan, sys.stdout if not json else sys.stderr) as progress:
        result = prepared.run(progress.show)
    with contextlib.suppress(OSError):  # a terminal that has gone spoils no film
        screen.ended(result, quiet=json)
        if json and result.exit_code:
            print(f"{result.state}: {result.reason}", file=sys.stderr)
        if json:
            screen.as_json(result.as_json())
        sys.stdout.flush()
    if result.bilayers:
        from lbl import picture
        from lbl import runs as past

        said = picture.growth(past.record_of(result.folder), result.folder)
        with contextlib.suppress(OSError):
            print(said, file=sys.stderr)
    raise typer.Exit(result.exit_code)


@app.command()
def resume(
    run: Run, runs: Runs = RUNS, by: By = "", reason: Reason = "", json: Json = False
) -> None:
    """Take a held, aborted or killed run up again: Clear, Reset and Start in one verb."""
    from lbl import app as door

    _carry_out(door.resume(run, runs, by=by, reason=reason), json)


@app.command()
def status(run: Run, runs: Runs = RUNS, json: Json = False) -> None:
    """Say where a run is, and what waits to take effect."""
    from lbl import runs as past
    from lbl import screen

    facts = past.status(run, runs)
    screen.facts(facts)
    if json:
        screen.as_json(facts)


def _command(verb: str, run: str, runs: Path, by: str, reason: str) -> None:
    from lbl import runs as past
    from lbl import screen

    screen.said(past.command(verb, run, runs, by=by, reason=reason))


@app.command()
def hold(run: Run, runs: Runs = RUNS, by: By = "", reason: Reason = "") -> None:
    """Leave the bath through its rinses and park wet, until unhold."""
    _command("hold", run, runs, by, reason)


@app.command()
def unhold(run: Run, runs: Runs = RUNS, by: By = "", reason: Reason = "") -> None:
    """Go on: the rest of the dwell, or the rinse anew."""
    _command("unhold", run, runs, by, reason)


@app.command()
def stop(run: Run, runs: Runs = RUNS, by: By = "", reason: Reason = "") -> None:
    """End the run in order: rinse, park wet, outputs off. The film stays as it is."""
    _command("stop", run, runs, by, reason)


@app.command()
def abort(run: Run, runs: Runs = RUNS, by: By = "", reason: Reason = "") -> None:
    """Make everything safe at once."""
    _command("abort", run, runs, by, reason)


@app.command()
def why(run: Run, runs: Runs = RUNS) -> None:
    """Say why a run is where it is: states, verdicts and reasons, newest last."""
    from lbl import runs as past
    from lbl import screen

    screen.said(past.why(run, runs))


@app.command()
def attach(run: Run, runs: Runs = RUNS) -> None:
    """Watch a run that another process drives; leaving does not touch it."""
    from lbl import runs as past
    from lbl import screen

    for facts in past.follow(run, runs):
        screen.line(facts)


@app.command("runs")
def list_runs(runs: Runs = RUNS, json: Json = False) -> None:
    """List the runs."""
    from lbl import runs as past
    from lbl import screen

    rows = past.rows(runs)
    screen.runs(rows)
    if json:
        screen.as_json({"runs": rows})


@app.command()
def show(run: Run, runs: Runs = RUNS, json: Json = False) -> None:
    """Show what a run did: its record."""
    from lbl import runs as past
    from lbl import screen

    record, text = past.show(run, runs)
    screen.said(text)
    if json:
        screen.as_json(record)


@app.command()
def verify(run: Run, runs: Runs = RUNS) -> None:
    """Check the whole journal: every hash, every count."""
    from lbl import runs as past
    from lbl import screen

    screen.said(past.verified(run, runs))


@app.command()
def timing(
    fifo: Fifo = 0,
    cpu: Cpu = -1,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the histograms into this file.")
    ] = None,
    json: Json = False,
) -> None:
    """Qualify this computer: how late commands leave, beside a plain C loop. Takes 25 s."""
    from lbl import app as door
    from lbl import picture as pictures
    from lbl import screen

    made = door.timing(lambda text: print(text, file=sys.stderr), fifo=fifo, cpu=cpu)
    figures = made.as_json()
    screen.timing(figures, made.words)
    if picture is not None:
        print(pictures.latenesses(made.samples_us(), picture), file=sys.stderr)
    if json:
        screen.as_json(figures)


app.command()(cli_recipe.schema)
app.command()(cli_recipe.fmt)
app.command()(cli_recipe.new)
app.command()(cli_recipe.diff)
app.command()(cli_auto.auto)
app.command()(cli_sign.sign)
app.command()(cli_study.twin)
app.command()(cli_study.sweep)
app.command()(cli_torture.torture)


@bench_app.command("safe")
def bench_safe(bench: Annotated[str, typer.Argument(help="A bench.")] = BENCH) -> None:
    """Make every instrument of a bench safe; moves neither substrate nor liquid."""
    from lbl import instruments as door
    from lbl import screen

    screen.said(door.bench_safe(bench))


@sim_app.command("serve")
def serve(
    bench: Annotated[str, typer.Argument(help="A bench.")] = BENCH,
    tcp: Annotated[bool, typer.Option("--tcp", help="On loopback TCP ports.")] = False,
    pty: Annotated[bool, typer.Option("--pty", help="On pseudo terminals.")] = False,
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this instrument.")] = None,
    speed: Annotated[float, typer.Option("--speed", help="Simulated seconds a second.")] = 1.0,
    latency_ms: Annotated[float, typer.Option("--latency-ms", help="Added to replies.")] = 0.0,
    split: Annotated[bool, typer.Option("--split", help="Cut replies in two.")] = False,
    recipe: Annotated[
        str, typer.Option("--recipe", help="Fill the baths for this recipe.")
    ] = "bacteriorhodopsin-200",
    ledger: Annotated[
        Path | None, typer.Option("--ledger", help="Append the world's exposures here.")
    ] = None,
    write_bench: Annotated[
        Path | None, typer.Option("--write-bench", help="Write the bench file that reaches them.")
    ] = None,
    json: Json = False,
) -> None:
    """Serve simulated instruments to anyone on this machine."""
    from lbl import instruments as door

    if tcp == pty:
        raise typer.BadParameter("give one of --tcp and --pty")
    door.serve(
        bench,
        recipe=recipe,
        transport="tcp" if tcp else "pty",
        only=only or (),
        speed=speed,
        latency_ms=latency_ms,
        split=split,
        ledger=ledger,
        write_bench=write_bench,
        announce=_announce,
    )


def _announce(fact: Mapping[str, object]) -> None:
    import json

    print(json.dumps(dict(fact)), flush=True)


def main() -> None:
    """Entry point: every refusal one line, every exit code as documented."""
    try:
        code = app(standalone_mode=False)
    except Exception as error:
        code = _failed(error)
    raise SystemExit(code or 0)


def _failed(error: Exception) -> int:
    from lbl.errors import LblError

    if "LBL_DEBUG" in os.environ:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, LblError):
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return error.exit_code
    if hasattr(error, "format_message"):  # a word that the command line does not have
        print(f"{error.format_message()}; see lbl --help [usage]", file=sys.stderr)
        return BAD_INPUT
    if type(error).__name__ == "Abort":
        print("interrupted before anything was under way [interrupted]", file=sys.stderr)
        return INTERRUPTED
    if isinstance(error, OSError) and error.errno in (errno.EPIPE, errno.EIO):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until exit
        return 0
    print(
        f"lbl: internal error: {type(error).__name__}: {error}; "
        "this is our bug: run again with --debug and report it",
        file=sys.stderr,
    )
    return OUR_BUG


if __name__ == "__main__":
    main()
