"""What a run takes, told in full: time and its spread, liquids, light, people, data.

Made from a plan and the bench it is for, whenever somebody asks; the plan itself holds only what
the record needs. Pure: the same inputs give the same account, and no clock is read.
"""

from dataclasses import dataclass
from typing import Final

from lbl.plan.equipment import Cell, Equipment
from lbl.plan.exchange import ASK_S
from lbl.plan.liquids import Liquids, Vessel, follow
from lbl.plan.schedule import Plan, Pumping, Step
from lbl.plan.span import Span, span

HALF: Final = 0.5  # of a cell: with less in it the film is out of the liquid
HOUR_S: Final = 3600.0
MINUTE_S: Final = 60.0
# Journal records of a run beside those of its steps, and how large records are on the mean, as runs
# of 5 to 200 bilayers on both shipped benches wrote them.
RECORDS_A_RUN: Final = 16
RECORDS_AN_INSTRUMENT: Final = 3  # who it is, and its preparation before and after
RECORDS_A_LINE: Final = 2  # primed on a flow bench
RECORDS_A_CHECKPOINT: Final = 1000
BYTES_A_RECORD: Final = 440
FOLDER: Final = 1.6  # the run's whole folder over its journal
_ASKING: Final = frozenset({"prompt"})  # kinds of steps that wait for a person


@dataclass(frozen=True, slots=True)
class Visit:
    """When somebody must come (s from the first step), and why."""

    at: float
    why: str


@dataclass(frozen=True, slots=True)
class Account:
    """What a plan takes on its bench.

    `air` is the longest time in air (s); on a flow bench from a cell half empty to half full, at
    the figures that the instruments' manuals bound. `lit` is how long the light falls on the film
    (s), `dose` what it leaves there (mJ/cm2), None where the bench does not say how bright it is.
    `records` and `journal` (bytes) are estimates. `age` is how old the liquids are at the end (h).
    """

    span: Span
    liquids: Liquids
    air: float
    lit: float
    dose: float | None
    visits: tuple[Visit, ...]
    age: float
    records: int
    journal: int

    @property
    def folder(self) -> int:
        """Bytes of the whole run folder."""
        return round(FOLDER * self.journal)

    def as_json(self) -> dict[str, object]:
        """What `lbl plan --json` adds to the plan's own figures."""
        span = self.span
        return {
            "opening_s": round(span.opening, 3),
            "duration_s_p50": round(span.p50, 3),
            "duration_s_p95": round(span.p95, 3),
            "bubbles_expected": span.bubbles,
            "spread": list(span.why),
            "air_s_film": self.air,
            "light": {
                "seconds": self.lit,
                "dose": self.dose if self.dose is not None else "unknown",
                "unit": "mJ/cm2",
            },
            "vessels": {one.name: _vessel(one, self.age) for one in self.liquids.vessels},
            "bilayer_ends_s": list(self.liquids.bilayers),
            "carry_over_by_bilayer": list(self.liquids.carry_over),
            "waste_over_time": [{"at_s": at, "ml": round(ml, 6)} for at, ml in self.liquids.waste],
            "person": [{"at_s": visit.at, "why": visit.why} for visit in self.visits],
            "data": {
                "records": self.records,
                "journal_bytes": self.journal,
                "folder_bytes": self.folder,
            },
        }


def _vessel(one: Vessel, age: float) -> dict[str, object]:
    worst, bilayer = one.worst
    return {
        "solution": one.solution,
        "volume_ml": one.volume,
        "end_ml": one.ends,
        "c_over_c0": one.strength,
        "age_h": age,
        "foreign_worst": worst,
        "foreign_worst_bilayer": bilayer,
        "foreign_most": one.most,
        "foreign_by_bilayer": list(one.foreign),
    }


def account(plan: Plan, equipment: Equipment) -> Account:
    """Return the account of a plan; `equipment` must be the one that it was made for."""
    liquids = follow(plan, equipment)
    takes = span(plan, equipment, liquids.fills)
    lit = equipment.lit * sum(_shines(step, equipment) for step in plan.steps)
    records = _records(plan, equipment)
    return Account(
        span=takes,
        liquids=liquids,
        air=_air(plan, equipment),
        lit=lit,
        dose=lit * equipment.irradiance * 1e-3 if equipment.irradiance or not lit else None,
        visits=_visits(plan),
        age=takes.p50 / HOUR_S,
        records=records,
        journal=records * BYTES_A_RECORD,
    )


def _shines(step: Step, equipment: Equipment) -> bool:
    """Whether the light falls on the film: in a cell at every reading, the reference's too."""
    return step.kind == "measure" or (step.kind == "zero" and equipment.cell is not None)


def _air(plan: Plan, equipment: Equipment) -> float:
    cell = equipment.cell
    if cell is None:
        return plan.budget.air_worst
    ways = {step.legs: step for step in plan.steps if step.legs and step.offset_ns}
    return max([_drained(step, cell) for step in ways.values()], default=0.0)


def _drained(step: Step, cell: Cell) -> float:
    """From a cell half empty to half full (s): of the way, less what its two ends take."""
    pumpings = [leg for leg in step.legs if isinstance(leg, Pumping)]
    drawn, given = pumpings[0].strokes[0], pumpings[-1].strokes[-1]
    low = cell.residual * cell.volume
    half = HALF * cell.volume
    if drawn[0] != cell.inlet or given[0] != cell.inlet:
        return 0.0
    wet = max(cell.volume - half, 0.0) + max(low - given[1] - half, 0.0)
    return step.transfer_ns / 1e9 - wet / pumpings[-1].rate * MINUTE_S - ASK_S


def _visits(plan: Plan) -> tuple[Visit, ...]:
    found = [
        Visit(refill.at, f"add {refill.volume:.3g} mL of {refill.solution} to {refill.vessel}")
        for refill in plan.budget.refills
        if refill.by == "person"
    ]
    found += [
        Visit(step.offset_ns / 1e9, "the recipe asks") for step in plan.steps
        if step.kind in _ASKING
    ]  # fmt: skip
    found.append(Visit(plan.duration_ns / 1e9, "the film is done"))
    return tuple(sorted(found, key=lambda visit: visit.at))


def _records(plan: Plan, equipment: Equipment) -> int:
    """Journal records of an undisturbed run."""
    # intent and outcome, and what was found; of a refill the question, of a prime its strokes
    each = {"zero": 3, "measure": 3, "dose": 4, "stir": 2, "refill": 5, "prime": 4}
    steps = sum(each.get(step.kind, 3 if step.vessel else 2) for step in plan.steps)
    lines = len(plan.assignments) if equipment.cell is not None else 0
    opening = RECORDS_A_RUN + RECORDS_AN_INSTRUMENT * equipment.instruments
    opening += len(plan.assignments) + RECORDS_A_LINE * lines
    records = opening + steps + plan.depositions
    return records + records // RECORDS_A_CHECKPOINT + 1
