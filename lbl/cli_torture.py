"""The command of fault campaigns: words in, words out. It decides nothing; `lbl.torture` does.

Heavy imports wait until the command needs them, so that `lbl --help` answers at once.
"""

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lbl.cli_study import BENCH, Bench, Jobs, Json, Recipe, Sets, World

if TYPE_CHECKING:
    from lbl.campaign.trial import Verdict
    from lbl.torture import Outcome

EVERY_S: Final = 10.0  # between two lines of progress
SHOWN: Final = 10  # films that are not whole, told as they are found


def torture(
    recipe: Recipe,
    bench: Bench = BENCH,
    sets: Sets = None,
    world: World = None,
    faults: Annotated[int, typer.Option("--faults", help="How many faults strike in all.")] = 100,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the first film; they count up.")] = 1,
    only: Annotated[
        str, typer.Option("--only", help="Grow one film, struck by these of its faults: 1,3.")
    ] = "",
    jobs: Jobs = 0,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.0, help="Begin no film after so long; 0: no end.")
    ] = 0.0,
    json: Json = False,
) -> None:
    """Grow films while processes die and things break, and see that no deposition is lost."""
    from lbl import app, screen
    from lbl import torture as door

    asked = door.Question(
        recipe=recipe,
        bench=bench,
        sets=app.pairs(sets, "--set"),
        world=app.pairs(world, "--world"),
        faults=faults,
        seed=seed,
        only=_numbers(only),
        jobs=jobs,
        minutes=minutes,
    )
    outcome = door.campaign(asked).run(_Progress().hear)
    if json:
        screen.as_json(outcome.as_json())
    else:
        _show(outcome)
    if outcome.interrupted:
        print(f"interrupted after {outcome.films} films [interrupted]", file=sys.stderr)
    raise typer.Exit(outcome.exit_code)


def _numbers(text: str) -> tuple[int, ...]:
    """`1,3` as numbers of strikes."""
    from lbl.errors import BadInput, Problem

    try:
        numbers = tuple(int(word) for word in text.split(",")) if text else ()
    except ValueError:
        numbers = (0,)
    if any(number < 1 for number in numbers):
        sentence = f"'{text[:80]}' does not number faults"
        raise BadInput(Problem("torture-faults", sentence, "--only", "write it like 1,3"))
    return numbers


class _Progress:
    """A line now and then, and at once for a film that is not whole."""

    def __init__(self) -> None:
        self._next_s = EVERY_S

    def hear(self, outcome: "Outcome", verdict: "Verdict") -> None:
        """See torture.Campaign.run."""
        if verdict.wrong and len(outcome.wrong) <= SHOWN:
            print(f"not whole: {'; '.join(verdict.wrong)}", file=sys.stderr)
            print(f"  again: {outcome.repeat(verdict)}", file=sys.stderr)
        if outcome.seconds >= self._next_s:
            self._next_s = outcome.seconds + EVERY_S
            rate = outcome.depositions / outcome.seconds
            told = f"{outcome.films} films, {outcome.depositions} depositions, {rate:.0f} a second"
            print(f"{told}, {len(outcome.wrong)} not whole", file=sys.stderr)


def _show(outcome: "Outcome") -> None:
    """The table at the end."""
    kinds = ", ".join(f"{name} {count}" for name, count in sorted(outcome.kinds.items()))
    endings = ", ".join(f"{name or 'none'} {n}" for name, n in sorted(outcome.endings.items()))
    rows = [
        ("films", f"{outcome.films}  ({endings})"),
        ("faults", f"{outcome.faults}  ({kinds})"),
        ("processes", str(outcome.processes)),
        ("depositions", f"{outcome.depositions}  judged by the world's ledger"),
        ("not whole", str(len(outcome.wrong))),
        ("time", f"{outcome.seconds:.1f} s"),
    ]
    for name, value in rows:
        print(f"{name:12}{value}")
