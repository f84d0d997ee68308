"""One film of a campaign from its seed to its verdict; a film that fails is made simpler.

Runs in a worker process and hands back plain data. Must never keep anything of a film on the disk.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lbl import app
from lbl.campaign.film import Evidence, grow
from lbl.campaign.judge import judge
from lbl.campaign.strike import Nominal, Strike, drawn

SETUPS: Final = 2  # remembered in a process
# A disk that breaks as it is told needs no real one; renaming alone takes a third of a film there.
MEMORY: Final = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Setup:
    """What the films of a campaign share: the texts of recipe and bench, and what is changed."""

    recipe: str
    bench: str
    sets: tuple[tuple[str, str], ...]
    world: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one film. `only` are the numbers (from 1) of the strikes that it takes to fail.

    `struck` counts what ended a process or was wished, of all `strikes`; `wrong` is empty for a
    film that is whole.
    """

    seed: int
    strikes: tuple[Strike, ...]
    struck: int
    processes: int
    depositions: int
    ended: str
    wrong: tuple[str, ...] = ()
    only: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The object of a film that failed."""
        return {
            "seed": self.seed,
            "only": list(self.only),
            "wrong": list(self.wrong),
            "strikes": [one.as_json() for one in self.strikes],
        }


def tried(setup: Setup, seed: int, nominal: Nominal, numbers: Sequence[int]) -> Verdict:
    """Grow the film of a seed under those of its strikes, judge it, shrink what fails."""
    prepared = ready(setup)
    strikes = drawn(seed, nominal)
    chosen = [number for number in numbers if number <= len(strikes)]
    evidence = played(prepared, seed, [strikes[number - 1] for number in chosen])
    wrong = judge(evidence)
    return Verdict(
        seed=seed,
        strikes=tuple(strikes[number - 1] for number in chosen),
        struck=evidence.struck,
        processes=len(evidence.endings),
        depositions=int(evidence.state.get("depositions", 0)),
        ended=evidence.ended,
        wrong=tuple(wrong),
        only=_shrunk(prepared, seed, strikes, chosen) if wrong else (),
    )


def played(prepared: app.Prepared, seed: int, strikes: Sequence[Strike]) -> Evidence:
    """The evidence of one film; every other one is durable, as on a real bench."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="lbl-torture-", dir=place) as desk:
        return grow(prepared.within(Path(desk)), seed, strikes, Path(desk), durable=seed % 2 == 1)


def _shrunk(
    prepared: app.Prepared, seed: int, strikes: Sequence[Strike], numbers: Sequence[int]
) -> tuple[int, ...]:
    """Strikes dropped one after the other while the film still fails."""
    left = list(numbers)
    for number in numbers:
        fewer = [one for one in left if one != number]
        if judge(played(prepared, seed, [strikes[one - 1] for one in fewer])):
            left = fewer
    return tuple(left)


_seen: dict[Setup, app.Prepared] = {}


def ready(setup: Setup) -> app.Prepared:
    """What is to be run, read and planned once in a process."""
    if setup not in _seen:
        with tempfile.TemporaryDirectory(prefix="lbl-torture-") as desk:
            files = Path(desk, "recipe.yaml"), Path(desk, "bench.yaml")
            for file, text in zip(files, (setup.recipe, setup.bench), strict=True):
                file.write_text(text, encoding="utf-8")
            order = app.Order(
                str(files[0]), str(files[1]), sets=dict(setup.sets), world=dict(setup.world),
                speed="max",
            )  # fmt: skip
            made = app.prepare(order)
        if len(_seen) >= SETUPS:
            del _seen[next(iter(_seen))]
        _seen[setup] = made
    return _seen[setup]


def plain(pairs: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """A mapping as something that can be a key."""
    return tuple(pairs.items())
