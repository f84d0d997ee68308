"""What a run tells whoever watches: one frozen snapshot. Must never hold anything that can act."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class News:
    """Where a run is. Times in s of the run's own clock; absorbance in mOD per side.

    `finish` is the planned end in UTC, a labelled estimate; `measured` is the bilayer that
    `absorbance` was read after; `pending` are wishes that wait; `unwell` are parts of the program
    that do not answer: "timing" (the thread that sends commands), "guardian".
    """

    run: str
    state: str
    phase: str
    vessel: str
    bilayer: int
    bilayers: int
    deposition: int
    depositions: int
    now: float
    utc: str
    finish: str
    measured: int
    absorbance: float | None
    temperature: float | None
    deviations: int
    pending: tuple[str, ...]
    unwell: tuple[str, ...] = ()
