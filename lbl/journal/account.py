"""What a run came to in time, liquids and film, as named figures that can be compared.

Made from its record alone. Pure. Must never give a number that the record does not have: what is
missing is said, with the reason.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lbl.figure import Figure

Figures = dict[str, Figure]
# key of the film in a record -> name, unit, factor
_FILM: Final[tuple[tuple[str, str, str, float], ...]] = (
    ("thickness_nm", "thickness (world)", "nm", 1.0),
    ("a570_per_side", "absorbance at 570 nm, a side (world)", "mOD", 1000.0),
    ("coverage_per_dip", "coverage a dip (world)", "", 1.0),
    ("lateral_cv", "lateral variation (world)", "", 1.0),
    ("slope_mOD", "growth measured, a bilayer and side", "mOD", 1.0),
    ("r2", "straightness of the growth, r2", "", 1.0),
)
_FEW: Final = "too few bilayers were measured"


def account(record: Mapping[str, Any]) -> Figures:
    """The figures of a run by name, in the order in which they are told."""
    totals = record["totals"]
    made: Figures = {
        "duration": Figure(totals["duration_s"], "s"),
        "bilayers": Figure(totals["bilayers"]),
        "depositions": Figure(totals["depositions"]),
        "held": Figure(totals["states_s"].get("Held", 0.0), "s"),
    }
    made.update(_exposures(record["depositions"]))
    made["rinsing of depositions, in all"] = Figure(
        sum(row["rinse_s"] for row in record["depositions"]), "s"
    )
    made["air, longest"] = Figure(totals["air_worst_s"], "s")
    made["air, in all"] = Figure(totals["air_s"], "s")
    made.update(_temperatures(record["depositions"]))
    made.update(_liquids(record))
    made.update(_film(record))
    for key in ("deviations", "holds", "outages", "verdicts", "commands"):
        made[key] = Figure(totals[key])
    made["lateness, worst"] = Figure(totals["lateness_worst_ns"] / 1e6, "ms")
    return made


def _exposures(rows: list[Mapping[str, Any]]) -> Iterator[tuple[str, Figure]]:
    by_name: dict[str, list[float]] = {}
    for row in rows:
        by_name.setdefault(row["solution"], []).append(row["actual_s"])
    for name, dwells in by_name.items():
        yield f"exposures to {name}", Figure(len(dwells))
        yield f"exposure to {name}, shortest", Figure(min(dwells), "s")
        yield f"exposure to {name}, longest", Figure(max(dwells), "s")
        yield f"exposure to {name}, in all", Figure(sum(dwells), "s")


def _temperatures(rows: list[Mapping[str, Any]]) -> Iterator[tuple[str, Figure]]:
    spans = [row["temperature"] for row in rows if row["temperature"]]
    why = "" if spans else "no temperature was noted in a deposition"
    for word, ends in (("lowest", [low for low, _ in spans]), ("highest", [h for _, h in spans])):
        pick = min if word == "lowest" else max
        yield f"temperature, {word}", Figure(pick(ends) if ends else None, "degC", why)


def _liquids(record: Mapping[str, Any]) -> Figures:
    made = {f"{name} dosed": Figure(dose["ml"], "mL") for name, dose in record["doses"].items()}
    used = record["solutions"]
    if used is None:
        why = "the run has not closed" if not record["closed"] else "the bench cannot tell"
        return {**made, "solutions used": Figure(None, "mL", why)}
    for name, values in used.items():
        made[f"{name} used"] = Figure(values["used_ml"], "mL")
        made[f"{name} c/c0 at the end"] = Figure(values["c_over_c0"])
    return made


def _film(record: Mapping[str, Any]) -> Iterator[tuple[str, Figure]]:
    readings = [row for row in record["measurements"] if row["quantity"] == "absorbance"]
    yield (
        "absorbance measured last, all sides",
        Figure(readings[-1]["value"], readings[-1]["unit"])
        if readings
        else Figure(None, "mOD", "the film was not measured"),
    )
    film = record["film"]
    why = "the run has not closed" if not record["closed"] else "a real bench does not know it"
    for key, name, unit, factor in _FILM:
        value = film.get(key) if film else None
        if value is None:
            yield name, Figure(None, unit, _FEW if film else why)
        else:
            yield name, Figure(factor * value, unit)
