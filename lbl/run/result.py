"""How a run ended and what it made, as the command line's JSON says it. Must never act."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """Whole-run totals. Times in s and us; `film` and `solutions` are empty on a real bench.

    `film` is the world's truth except slope_mOD and r2, which are what the run itself measured:
    absorbance per bilayer and side, after the first five bilayers.
    """

    run: str
    state: str
    reason: str
    folder: Path
    bilayers: int
    depositions: int
    duration: float
    wall: float
    deviations: int
    film: Mapping[str, float | None]
    solutions: Mapping[str, Mapping[str, float]]
    lateness: Mapping[str, float]
    exit_code: int

    def as_json(self) -> dict[str, Any]:
        """The object that `lbl run --json` prints."""
        values: dict[str, Any] = {
            "run": self.run,
            "state": self.state,
            "reason": self.reason,
            "folder": str(self.folder),
            "bilayers": self.bilayers,
            "depositions": self.depositions,
            "duration_s": round(self.duration, 3),
            "wall_s": round(self.wall, 3),
            "deviations": self.deviations,
            "lateness_us": dict(self.lateness),
        }
        if self.film:
            values["film"] = dict(self.film)
            values["solutions"] = {name: dict(used) for name, used in self.solutions.items()}
        return values
