"""The plan: a recipe bound to a bench, flat, timed and frozen.

Data only. This file must never decide anything, and never read a clock or a file; the exact
JSON form of a plan is made beside it, in `document.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from lbl.errors import Problem

Kind = Literal[
    "expose",
    "rinse",
    "zero",
    "measure",
    "dose",
    "wait",
    "temperature",
    "stir",
    "refill",
    "prime",
    "prompt",
    "park",
]
Class = Literal["once", "extendable", "repeatable"]
IMMERSIONS: Final = frozenset({"expose", "rinse", "park"})  # steps that have a bath of their own


@dataclass(frozen=True, slots=True)
class Leg:
    """One straight move of one axis, from rest to rest.

    `target` and `speed` in mm and mm/s for z, deg and deg/s for x; `duration_ns` includes
    the time the axis needs to settle.
    """

    axis: Literal["z", "x"]
    target: float
    speed: float
    duration_ns: int


@dataclass(frozen=True, slots=True)
class Pumping:
    """Strokes of the syringe pump that it carries out by itself, one after the other.

    The selector is first turned to `position`. Each stroke is (port of the pump's
    valve, mL): drawn, or given where negative; the syringe is empty before and after. `rate` in
    mL/min; `duration_ns` includes the turns of both valves.
    """

    position: int
    strokes: tuple[tuple[int, float], ...]
    rate: float
    duration_ns: int


Legs = tuple[Leg, ...] | tuple[Pumping, ...]
"""What brings substrate and liquid together: moves of an arm, or strokes of a pump."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A condition that the run asks before a step, with the counts at that point of the plan.

    Where it does not hold, the run goes on at the step `otherwise`.
    """

    text: str
    bilayer: int
    deposition: int
    repetition: int
    otherwise: int = 0

    def values(self, more: Mapping[str, str | int | float]) -> dict[str, str | int | float]:
        """The counts beside what else is known."""
        counts = {"bilayer": self.bilayer, "deposition": self.deposition}
        return {**more, **counts, "repetition": self.repetition}


@dataclass(frozen=True, slots=True)
class Step:
    """One act of a run.

    Immersions (expose, rinse, park) start with their transfer: `offset_ns` is the start of the
    lift (on a flow bench of the first stroke), `duration_ns` is transfer plus dwell, and the dwell
    is counted from the end of the last leg to the start of the next step's first leg. A dwell may
    take any time in [earliest_ns, latest_ns]. zero, measure and dose happen inside the dwell of the
    immersion before them and move nothing; their `vessel` is the one they act on, not where the
    substrate is. A wait prolongs the stay where the substrate is ("" before the first immersion),
    and so do temperature, stir and prompt; refill and prime too, whose `vessel` is the one they act
    on.
    Steps are sorted by offset. On a flow bench `vessel` is the reservoir that the liquid in the
    cell came from.

    `cls`: *once* may be neither lengthened nor done again; *extendable* may last up to
    latest_ns and must not be done again without its rinse; *repeatable* may be done again.
    `deposition` is the ordinal (1, 2, ...) of a counted expose, carried by its rinses and
    whatever happens inside them; `completes` is the deposition that is done when this rinse
    is done. `exchange` is (k, n) for the k-th of n rinse baths or fills, (0, 0) otherwise.
    `detail`: prompt {say}; temperature {to_degC}; stir {rpm}; refill (by a person) {volume (mL),
    say}; prime {volume (mL) to waste}; expose {c_over_c0} where a flow bench made the
    dwell longer for it; measure and zero {wavelength_nm}; dose {volume (mL), rate (mL/min), total
    (mL since the run's start, this dose included)}; plain JSON values.
    """

    index: int
    kind: Kind
    offset_ns: int
    duration_ns: int
    legs: Legs = ()
    dwell_ns: int = 0
    earliest_ns: int = 0
    latest_ns: int = 0
    cls: Class = "repeatable"
    vessel: str = ""
    solution: str = ""
    bilayer: int = 0
    deposition: int = 0
    completes: int = 0
    exchange: tuple[int, int] = (0, 0)
    detail: Mapping[str, object] = field(default_factory=dict)
    on_resume: str = "auto"
    ask: Ask | None = None

    @property
    def end_ns(self) -> int:
        """When the step is over, from the start of the run."""
        return self.offset_ns + self.duration_ns

    @property
    def transfer_ns(self) -> int:
        """How long the legs take together."""
        return sum(leg.duration_ns for leg in self.legs)


@dataclass(frozen=True, slots=True)
class Liquid:
    """A solution as the plan needs it: concentration in mg/mL, charge -1, 0 or 1."""

    name: str
    species: str
    concentration: float
    pH: float  # noqa: N815 - the symbol of the quantity
    charge: int
    role: str
    keep: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What must not happen: air times in s, temperatures in degC, carry-over as a fraction.

    `held` is how long a hold may last (s).
    """

    air_soft: float = 20.0
    air_hard: float = 45.0
    temperature_low: float = 15.0
    temperature_high: float = 30.0
    carry_over: float = 1e-6
    held: float = 43_200.0


@dataclass(frozen=True, slots=True)
class Quality:
    """The growth that is aimed at: absorbance per bilayer and side (OD), 0 = not watched."""

    target: float = 0.0
    chart: str = "none"
    on_alarm: str = "note"


@dataclass(frozen=True, slots=True)
class Substrate:
    """What the film grows on: coated area of all sides together in cm2."""

    area: float
    form: str = "flat"
    sides: int = 2


@dataclass(frozen=True, slots=True)
class Refill:
    """Liquid to be added while the run goes on: volume in mL, time from the start in s."""

    vessel: str
    solution: str
    volume: float
    at: float
    by: Literal["pump", "person"]


@dataclass(frozen=True, slots=True)
class Budget:
    """What the run takes: mL, s and fractions; see `lbl.plan.budget` for how it is reckoned.

    `volumes` is per solution what must stand ready, fills and refills together. `person` is
    the first time from the start at which somebody must come. `dilution` is the predicted
    c/c0 at the end of each solution that builds the film.
    """

    volumes: Mapping[str, float]
    waste: float
    refills: tuple[Refill, ...]
    carry_over_worst: float
    air_worst: float
    person: float
    dilution: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """A recipe bound to a bench. `hash` is the SHA-256 of its document; see `document.py`.

    `assignments` says which solution each used vessel holds; `parameters` are the recipe's,
    overrides applied; `up` and `start` are where the arm must stand before the first step:
    z up (mm) and the station of the first bath (deg). `overridden` says which rules of the
    chemistry somebody set aside; `warnings` are of those that nobody did, and no part of the
    document.
    """

    recipe: str
    version: str
    bench: str
    steps: tuple[Step, ...]
    bilayers: int
    depositions: int
    duration_ns: int
    assignments: Mapping[str, str]
    solutions: Mapping[str, Liquid]
    substrate: Substrate
    parameters: Mapping[str, str | int | float]
    limits: Limits
    quality: Quality
    budget: Budget
    up: float
    start: float
    hash: str
    overridden: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def exchanges(self) -> tuple[int, int]:
        """The fewest and the most exchanges of a rinse; the bench may need more than asked for."""
        wanted = {step.exchange[1] for step in self.steps if step.exchange[1]} or {0}
        return min(wanted), max(wanted)

    def as_json(self) -> dict[str, object]:
        """Return the summary that `lbl plan --json` prints."""
        budget = self.budget
        return {
            "recipe": self.recipe,
            "version": self.version,
            "bench": self.bench,
            "bilayers": self.bilayers,
            "depositions": self.depositions,
            "duration_s": self.duration_ns / 1e9,
            "steps": len(self.steps),
            "volumes_ml": dict(budget.volumes),
            "waste_ml": budget.waste,
            "refills": [
                {
                    "vessel": refill.vessel,
                    "solution": refill.solution,
                    "volume_ml": refill.volume,
                    "at_s": refill.at,
                    "by": refill.by,
                }
                for refill in budget.refills
            ],
            "rinse_exchanges": list(self.exchanges),
            "carry_over_worst": budget.carry_over_worst,
            "air_s_worst": budget.air_worst,
            "person_needed_s": budget.person,
            "c_over_c0": dict(budget.dilution),
            "plan_hash": self.hash,
        }
