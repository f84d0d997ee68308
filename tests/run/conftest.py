"""Films grown in virtual time, with commands at chosen instants, judged by the world's ledger."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lbl import app as door
from lbl.journal.folder import RunFolder
from lbl.journal.inbox import Command
from lbl.journal.opening import events
from lbl.run import launch as launching
from lbl.run.clock import RunClock
from lbl.run.result import Result
from lbl.run.stage import Stage
from sim.faults import Fault

SECOND = 1_000_000_000
FAST = 1e6  # simulated seconds a second: slow enough that a held run waits for commands
LISTEN_NS = SECOND // 2


@dataclass(frozen=True)
class Film:
    """A run that is over: its result, its journal's events, the ledger of the world."""

    result: Result
    events: list[Any]
    ledger: list[dict[str, Any]]

    def kinds(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.kind == kind]

    @property
    def states(self) -> list[str]:
        return [event.payload["to"] for event in self.kinds("state")]

    @property
    def exposures(self) -> list[dict[str, Any]]:
        return [row for row in self.ledger if row["kind"] == "exposure"]


Grow = Callable[..., Film]


@pytest.fixture
def grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Grow:
    """Run a recipe; `at` are (seconds, verb) commands; `world` parameters; `speed` 0 is max."""

    plain_simulate = launching.simulate

    def run(
        recipe: str = "demo",
        *,
        sets: Mapping[str, str] = {"bilayers": "2", "dwell": "60 s"},
        at: Sequence[tuple[float, str]] = (),
        world: Mapping[str, str] = {},
        seed: int = 1,
        speed: float = FAST,
        bench: str = "dip",
        place: str = "",
        faults: Mapping[str, Fault] = {},
    ) -> Film:
        waiting = sorted(at)
        clocks: list[RunClock] = []

        class Clock(RunClock):
            listen_ns = LISTEN_NS if waiting else RunClock.listen_ns  # type: ignore[assignment]

            def __init__(self, *given: Any, **named: Any) -> None:
                super().__init__(*given, **named)
                clocks.append(self)

        def take(folder: RunFolder) -> list[Command]:
            due = []
            while waiting and clocks[0].now_ns() >= waiting[0][0] * SECOND:
                number, verb = len(waiting), waiting.pop(0)[1]
                due.append(Command(verb, "tester", "because", f"test-{number}"))
            return due

        def simulate(what: Any) -> Any:
            made = plain_simulate(what)
            for instrument, fault in faults.items():
                made.assembly.inject(instrument, fault)
            return made

        monkeypatch.setattr(launching, "simulate", simulate)
        monkeypatch.setattr(RunFolder, "take_commands", take)
        order = door.Order(recipe, bench, dict(sets), dict(world), seed, runs=tmp_path / place)
        prepared = door.prepare(order)
        result = launching.launch(
            replace(prepared.launch, speed=speed), lambda news: None, "film", Stage(clock=Clock)
        )
        folder = RunFolder.open(result.folder)
        try:
            return Film(result, list(events(folder.storage, folder.id)), folder.read_ledger())
        finally:
            folder.close()

    return run


FILM = {"PDAC": ("P1", "P2", "P3"), "BR": ("N1", "N2", "N3")}


@pytest.fixture
def judge() -> Callable[[Film, int, float], None]:
    """The world's word: so many depositions, each once, each its dwell, each rinsed three times."""

    def verdict(film: Film, depositions: int, dwell: float) -> None:
        assert not [row for row in film.ledger if row["kind"] == "collision"]
        assert all(
            row["end_s"] - row["start_s"] < 45.0 for row in film.ledger if row["kind"] == "air"
        )
        done: list[list[Any]] = []  # [solution, seconds, rinses since]
        for row in film.exposures:
            solution, seconds = row["solution"], row["end_s"] - row["start_s"]
            if solution not in FILM:
                if done:
                    done[-1][2].append(row["vessel"])
            elif done and done[-1][0] == solution:
                assert set(done[-1][2]) <= set(FILM[solution]), "came back past the other side"
                done[-1][1] += seconds
                done[-1][2] = []
            else:
                done.append([solution, seconds, []])
        assert [name for name, _, _ in done] == ["PDAC", "BR"] * (depositions // 2)
        for name, seconds, rinses in done:
            # The lift starts under the surface; after an outage the instruments come first, a
            # stirrer for longest.
            assert dwell - 1.0 < seconds < dwell + 20.0, (name, seconds)
            # The last rinse of the film is where it is parked: no row of the ledger ends there.
            wanted = FILM[name] if name != done[-1][0] else FILM[name][:-1]
            assert list(dict.fromkeys(rinses))[: len(wanted)] == list(wanted), rinses

    return verdict
