"""What a study grows: one case a film, and the film as a row of the table.

Plain data that travels to other processes and machines. Must never hold a path of this machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Cell = str | int | float | None
Row = dict[str, Cell]
COMPLETE: Final = "Complete"


@dataclass(frozen=True, slots=True)
class Case:
    """One film to grow: the texts of recipe and bench, what is changed in them, and the seed.

    `inputs` are the columns of the table that say all this, in their order.
    """

    run: str
    recipe: str
    bench: str
    sets: Mapping[str, str]
    world: Mapping[str, str]
    seed: int
    inputs: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Film:
    """One film grown: its place among the cases, its row, and the growth that the run measured.

    `curve` is (bilayer, mOD of one coated side). `exit_code` is that of `lbl run`.
    """

    number: int
    row: Row
    curve: tuple[tuple[int, float], ...] = field(default=())
    exit_code: int = 0

    @property
    def complete(self) -> bool:
        """Whether the film came to its end; others are told, and never averaged."""
        return self.row["state"] == COMPLETE
