"""What a run stands on: its disk, its clock, its mailbox, the models behind a simulated bench.

Runs take the ordinary ones. A fault campaign hands in others that break at chosen instants, and
everything between them is the code of any run. Must never change what a run does.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lbl.bench.simulated import Simulation
from lbl.journal.storage import DiskStorage, Storage
from lbl.run.clock import RunClock, idle_s
from lbl.run.mailbox import Mailbox, listening


def _as_it_is(simulation: Simulation) -> None:
    """Nobody touches the models."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Makers of what a run stands on.

    `clock` takes speed, start (ns) and rate; `idle` tells for how many s nobody has written a file;
    `models` sees each simulated bench before its instruments are opened. `durable`: records are
    synced in virtual time too.
    """

    disk: Callable[[Path], Storage] = DiskStorage
    clock: Callable[[float | None, int, float], RunClock] = RunClock
    idle: Callable[[Path], float] = idle_s
    mailbox: Callable[[], AbstractContextManager[Mailbox]] = listening
    models: Callable[[Simulation], None] = _as_it_is
    durable: bool = False


STAGE: Final = Stage()
