"""What happens every now and then: fed only by a loop whose parts are well."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from lbl.auto import attendant as attending
from lbl.auto.attendant import KEEP_S, Attendant
from lbl.auto.beacon import Beacon, Status
from lbl.auto.notify import Notify
from lbl.errors import Fault
from lbl.run.news import News

NEWS = News(
    run="film", state="Execute", phase="expose BR", vessel="polyanion", bilayer=1, bilayers=5,
    deposition=1, depositions=10, now=0.0, utc="", finish="", measured=0, absorbance=None,
    temperature=22.0, deviations=0, pending=(),
)  # fmt: skip


class Manager(Notify):
    """A service manager that wants to be fed every 9 s."""

    def __init__(self) -> None:
        super().__init__({})
        self.watchdog_s = 9.0
        self.fed = 0

    def alive(self) -> None:
        self.fed += 1


class Lamp(Beacon):
    """A beacon that is only counted."""

    def __init__(self) -> None:
        super().__init__("", None)
        self.told: list[Status] = []

    def send(self, status: Status) -> bytes:
        self.told.append(status)
        return b""


@dataclass
class Scene:
    """An attendant on a clock of its own."""

    now_s: float = 1000.0
    manager: Manager = field(default_factory=Manager)
    lamp: Lamp = field(default_factory=Lamp)
    kept: int = 0
    said: list[str] = field(default_factory=list)

    def keep(self) -> None:
        self.kept += 1


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Scene, Attendant]]:
    made = Scene()
    monkeypatch.setattr(attending, "steady_s", lambda: made.now_s)
    yield (
        made,
        Attendant(
            made.lamp, made.manager, 10.0,
            known=lambda status: status, keep=made.keep, held=lambda run: f"why {run} is held",
            say=made.said.append,
        ),
    )  # fmt: skip


def test_a_loop_that_turns_is_fed_told_and_remembered(scene: tuple[Scene, Attendant]) -> None:
    made, attendant = scene
    for second in range(121):
        made.now_s = 1000.0 + second
        attendant.hear(replace(NEWS, now=float(second)))
    assert made.manager.fed == 41, "every three seconds, a third of its patience"
    assert len(made.lamp.told) == 13, "every ten seconds"
    assert made.kept == 120 // int(KEEP_S)
    assert made.said == ["drive: Execute"], "and what is not new is not said again"


def test_what_is_new_is_told_at_once(scene: tuple[Scene, Attendant]) -> None:
    made, attendant = scene
    attendant.hear(replace(NEWS, now=1.0))
    attendant.hear(replace(NEWS, now=2.0, state="Held"))
    assert [one.state for one in made.lamp.told] == ["Execute", "Held"]
    assert made.lamp.told[-1].reason == "why film is held"


def test_a_clock_that_stands_starves_the_watchdog(scene: tuple[Scene, Attendant]) -> None:
    made, attendant = scene
    for second in range(100):
        made.now_s = 1000.0 + second
        attendant.hear(replace(NEWS, now=5.0))
    assert made.manager.fed == 1


def test_a_part_that_is_not_well_ends_the_run_in_order(scene: tuple[Scene, Attendant]) -> None:
    made, attendant = scene
    with pytest.raises(Fault, match=r"timing and guardian.*auto-unwell"):
        attendant.hear(replace(NEWS, now=1.0, unwell=("timing", "guardian")))
    assert made.manager.fed == 0
