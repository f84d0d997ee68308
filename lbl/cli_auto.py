"""The command for autonomous mode: words in, words out. It decides nothing.

Heavy imports wait: outputs have to be off before anything is loaded that is not needed for it.
"""

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer


def auto(
    config: Annotated[Path, typer.Argument(help="The file that says what may be done alone.")],
    check: Annotated[
        bool, typer.Option("--check", help="Only look whether everything it names is right.")
    ] = False,
    unit: Annotated[
        bool, typer.Option("--unit", help="Only print the service file for systemd.")
    ] = False,
    clear: Annotated[
        bool, typer.Option("--clear", help="Only give all budgets back, and let the film go on.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Leave where it would wait.")] = False,
    by: Annotated[str, typer.Option("--by", help="Who wants it, with --clear.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why, with --clear.")] = "",
) -> None:
    """Grow a film where nobody is: outputs off, look, then start, resume, wait or leave."""
    from lbl.auto.config import read_config

    if check + unit + clear + once > 1:
        raise typer.BadParameter("give one of --check, --unit, --clear and --once")
    made = read_config(config)
    if unit:
        from lbl.auto.unit import unit as text

        print(text(str(config.resolve()), _program(), made.watchdog), end="")
    elif clear:
        from lbl.auto.memory import ask_to_clear

        print(ask_to_clear(Path(made.runs), by or getpass.getuser(), reason))
    elif check:
        from lbl import app as door
        from lbl import screen
        from lbl.auto.program import order

        screen.checked(door.prepare(order(made, "check")).plan)
    else:
        from lbl.auto.program import start

        raise typer.Exit(start(made, _say, once=once))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _program() -> str:
    """The path of this very program, for somebody else to start."""
    beside = Path(sys.executable).with_name("lbl")
    return str(beside if beside.exists() else Path(sys.argv[0]).resolve())
