"""The commands for single instruments: words in, words out. They decide nothing.

Heavy imports wait until a command needs them, so that `lbl --help` answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

BENCH: Final = "dip"
bench_app = typer.Typer(help="Look at instruments.", no_args_is_help=True, rich_markup_mode=None)
driver_app = typer.Typer(
    help="Try one driver on one instrument.", no_args_is_help=True, rich_markup_mode=None
)
Json = Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")]


@bench_app.command("list")
def bench_list(
    benches: Annotated[
        list[str] | None, typer.Argument(envvar="LBL_BENCH", help="Benches to ask.")
    ] = None,
    json: Json = False,
) -> None:
    """List what is within reach: instruments of benches that answer, ports that PyVISA sees."""
    from lbl import instruments, screen, screen_bench
    from lbl.bench.found import as_json

    found, trouble = instruments.found(benches or [BENCH])
    screen_bench.within_reach(found, trouble)
    if json:
        screen.as_json(as_json(found, trouble))


@bench_app.command("check")
def bench_check(
    bench: Annotated[str, typer.Argument(envvar="LBL_BENCH", help="A bench.")] = BENCH,
    json: Json = False,
) -> None:
    """See that every role answers: identity, limits, reach of the guardian, calibration."""
    from lbl import instruments, screen, screen_bench

    report = instruments.check(bench)
    screen_bench.checked(report)
    if json:
        screen.as_json(report.as_json())
    instruments.failures(report)


@driver_app.command("test")
def driver_test(
    resource: Annotated[str, typer.Argument(help="A VISA resource, as in a bench file.")],
    driver: Annotated[str, typer.Option("--driver", help="Which driver, as in a bench file.")],
    address: Annotated[int | None, typer.Option("--address", help="On a chained port.")] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", help="A key of its entry in a bench file: NAME=VALUE."),
    ] = None,
    count: Annotated[int, typer.Option("--count", help="Calls of each verb.")] = 20,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the instrument's card here.")
    ] = None,
    json: Json = False,
) -> None:
    """Identify, limits, units, time-out, recovery, safe, two clients, unplug; moves nothing."""
    from lbl import app as door
    from lbl import instruments, screen, screen_bench

    given = door.pairs(sets, "--set")
    if address is not None:
        given["address"] = str(address)
    card = instruments.test(
        resource,
        driver,
        given,
        count=count,
        ask=_ask if sys.stdin.isatty() else None,
        tell=screen_bench.tried,
    )
    screen_bench.carded(card)
    if output is not None:
        instruments.keep(card, output)
    if json:
        screen.as_json(card.as_json())
    instruments.judge(card)


def _ask(what: str) -> bool:
    """Tell a person what to do; anything but Enter means that it was not done."""
    return not input(f"{what} (or type skip): ").strip()
