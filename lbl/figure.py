"""One figure of a plan or of a run: a number with its unit, or the reason why there is none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in `unit`; None when there is none, and then `why` says why. Checked at birth."""

    value: float | None
    unit: str = ""
    why: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) != bool(self.why):
            raise ValueError("a figure has a value or a reason, never both, never neither")
