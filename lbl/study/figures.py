"""What a figure of the table is called on paper, unit included. Words only."""

from collections.abc import Mapping
from typing import Final

# Where the name of a column does not say it well enough.
_TITLES: Final[Mapping[str, str]] = {
    "thickness_nm": "thickness (nm)",
    "a570_per_side": "A570 of one side",
    "slope_mOD": "growth (mOD a bilayer)",
    "r2": "r2 of the growth",
    "lateral_cv": "lateral CV",
    "mass_ng_cm2": "mass (ng/cm2)",
    "a280": "A280 of one side",
    "a700": "A700 of one side",
    "qcm_hz": "QCM shift (Hz)",
    "coverage_per_dip": "coverage a dip",
    "nm_per_h": "speed of growth (nm/h)",
    "duration_s": "duration (s)",
    "bilayers_done": "bilayers done",
    "depositions_done": "depositions done",
}
_ENDS: Final[Mapping[str, str]] = {
    "_used_ml": " used (mL)",
    "_c_over_c0": " left, c/c0",
    "_nm": " (nm)",
    "_hz": " (Hz)",
    "_mOD": " (mOD)",
    "_mV": " (mV)",
    "_s": " (s)",
}

_LOW: Final = frozenset({"lateral_cv", "a700", "deviations", "duration_s"})  # less is better


def title(name: str) -> str:
    """A column's name for a person: "BR_used_ml" is "BR used (mL)"."""
    if name in _TITLES:
        return _TITLES[name]
    for end, words in _ENDS.items():
        if name.endswith(end):
            return name.removesuffix(end).replace("_", " ") + words
    return name.replace("_", " ")


def wanted_low(name: str) -> bool:
    """Whether less of a figure is better; of all others one looks for the highest."""
    return name in _LOW
