"""The bench file: what stands on the bench, where it answers and what each thing is for.

Turns YAML into typed, frozen data; every mistake at once, each with file:line:col. Never opens an
instrument.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lbl import units
from lbl.errors import BadInput, Problem
from lbl.marked import Marked, load, problems_of

_STRICT: Final = ConfigDict(extra="forbid", frozen=True)


def _quantity(unit: str) -> BeforeValidator:
    return BeforeValidator(lambda value: units.number(value, unit))


Seconds = Annotated[float, _quantity("s"), Field(ge=0)]
Millilitres = Annotated[float, _quantity("mL"), Field(gt=0)]
Millimetres = Annotated[float, _quantity("mm")]
Degrees = Annotated[float, _quantity("deg")]
Amperes = Annotated[float, _quantity("A"), Field(gt=0)]
Fraction = Annotated[float, _quantity(""), Field(ge=0, le=1)]
Celsius = Annotated[float, _quantity("degC")]


def _axis_unit(value: object) -> str:
    """Lifts are in mm, carousels in deg: the unit that the file wrote decides."""
    return "deg" if "deg" in str(value) else "mm"


def _travel(value: object) -> tuple[float, float]:
    return units.span(value, _axis_unit(value))


def _step(value: object) -> float:
    return units.number(value, _axis_unit(value))


def _acceleration(value: object) -> float:
    return units.number(value, f"{_axis_unit(value)}/s^2")


class Spec(BaseModel):
    """What every instrument's entry says."""

    model_config = _STRICT
    resource: str
    address: int = Field(default=1, ge=0, le=99)
    serial: str = ""


class ZaberSpec(Spec):
    """A Zaber axis; travel and microstep in mm, or in deg for a carousel."""

    role: Literal["axis"]
    driver: Literal["zaber"]
    travel: Annotated[tuple[float, float], BeforeValidator(_travel)]
    microstep: Annotated[float, BeforeValidator(_step), Field(gt=0)]
    acceleration: Annotated[float, BeforeValidator(_acceleration), Field(gt=0)]


class NewEraSpec(Spec):
    """A New Era syringe pump; the inner diameter of its syringe."""

    role: Literal["pump"]
    driver: Literal["newera"]
    diameter: Annotated[float, _quantity("mm"), Field(gt=0)]


class PM100DSpec(Spec):
    """A Thorlabs power meter."""

    role: Literal["photometer"]
    driver: Literal["pm100d"]


class DC2200Spec(Spec):
    """A Thorlabs LED driver; `limit` is the most current the LED may carry."""

    role: Literal["light"]
    driver: Literal["dc2200"]
    limit: Amperes


class JulaboSpec(Spec):
    """A Julabo circulator."""

    role: Literal["thermostat"]
    driver: Literal["julabo"]


class MettlerSpec(Spec):
    """A Mettler Toledo balance."""

    role: Literal["balance"]
    driver: Literal["mettler"]


AnySpec = Annotated[
    ZaberSpec | NewEraSpec | PM100DSpec | DC2200Spec | JulaboSpec | MettlerSpec,
    Field(discriminator="driver"),
]


class Simulated(BaseModel):
    """A bench of models: in this process, or served elsewhere at `speed` times real time."""

    model_config = _STRICT
    served: bool = False
    speed: float = Field(default=1.0, gt=0, le=1e6)
    world: Mapping[str, Any] = {}


class ArmFile(BaseModel):
    """Which axes carry the substrate, and how far and fast."""

    model_config = _STRICT
    lift: str
    turn: str
    up: Millimetres
    clear: Millimetres
    surface: Millimetres
    down: Millimetres
    withdraw: Annotated[float, _quantity("mm/s"), Field(gt=0)]
    lower: Annotated[float, _quantity("mm/s"), Field(gt=0)]
    speed: Annotated[float, _quantity("deg/s"), Field(gt=0)]
    settle: Seconds
    clamp_drop: Annotated[float, _quantity("mL"), Field(ge=0)]


class DosingFile(BaseModel):
    """Which pump tops up which vessel, from how much stock, weighed by which balance."""

    model_config = _STRICT
    pump: str
    balance: str
    into: str
    rate: Annotated[float, _quantity("mL/min"), Field(gt=0)]
    stock: Millilitres
    top_up: Millilitres
    tolerance: Fraction


class PhotometryFile(BaseModel):
    """Which light shines through which vessel onto which meter."""

    model_config = _STRICT
    photometer: str
    light: str
    through: str
    current: Amperes
    averages: int = Field(ge=1, le=3000)
    settle: Seconds


class TemperatureFile(BaseModel):
    """Which thermostat keeps the baths, and how often it is read."""

    model_config = _STRICT
    thermostat: str
    setpoint: Celsius
    every: Annotated[float, _quantity("s"), Field(ge=1)]


class Vessel(BaseModel):
    """A bath on the carousel and what it may hold."""

    model_config = _STRICT
    purpose: Literal["primer", "positive", "negative", "rinse", "any"] = Field(alias="for")
    side: Literal["", "positive", "negative"] = ""
    at: Degrees
    volume: Millilitres
    capacity: Millilitres | None = None
    lidded: bool = True
    holds: str = ""


class BenchFile(BaseModel):
    """A whole bench, as its file states it. Units: mm, deg, mL, mL/min, s, A, degC."""

    model_config = _STRICT
    lbl: Literal[1]
    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")
    kind: Literal["dip"]
    simulated: Simulated | None = None
    instruments: Mapping[str, AnySpec]
    arm: ArmFile
    dosing: DosingFile | None = None
    photometry: PhotometryFile | None = None
    temperature: TemperatureFile | None = None
    vessels: Mapping[str, Vessel] = Field(min_length=1, max_length=64)

    @property
    def in_process(self) -> bool:
        """Whether the instruments are models inside this process."""
        return self.simulated is not None and not self.simulated.served


def travel_of(file: BenchFile, axis: str) -> tuple[float, float, float]:
    """Low, high and acceleration of an axis, in its own unit."""
    spec = file.instruments[axis]
    if not isinstance(spec, ZaberSpec):
        raise TypeError(axis)
    return (*spec.travel, spec.acceleration)


# section -> {its key: the role the named instrument must have}
_REFERENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "arm": {"lift": "axis", "turn": "axis"},
    "dosing": {"pump": "pump", "balance": "balance"},
    "photometry": {"photometer": "photometer", "light": "light"},
    "temperature": {"thermostat": "thermostat"},
}
_VESSELS: Final[Mapping[str, str]] = {"dosing": "into", "photometry": "through"}


def read_bench(path: Path) -> BenchFile:
    """Read a bench file; raises BadInput with every problem at once."""
    marked = load(path)
    try:
        bench = BenchFile.model_validate(marked.data)
    except ValidationError as error:
        raise BadInput(*problems_of(error, marked, "bench", BenchFile)) from None
    problems = [*_dangling(bench, marked), *_geometry(bench, marked)]
    if problems:
        raise BadInput(*problems)
    return bench


def _dangling(bench: BenchFile, marked: Marked) -> list[Problem]:
    """Names that stand for nothing on this bench, or for the wrong kind of thing."""
    problems = []
    for section, keys in _REFERENCES.items():
        part = getattr(bench, section)
        for key, role in keys.items() if part is not None else ():
            name = getattr(part, key)
            spec = bench.instruments.get(name)
            if spec is None or spec.role != role:
                known = [n for n, s in bench.instruments.items() if s.role == role]
                problems.append(
                    Problem(
                        "bench-no-instrument",
                        f"{section}.{key} names '{name}', which is no {role} of this bench",
                        marked.place((section, key)),
                        f"{role}s here: {', '.join(known) or 'none'}",
                    )
                )
    for section, key in _VESSELS.items():
        part = getattr(bench, section)
        if part is not None and getattr(part, key) not in bench.vessels:
            problems.append(
                Problem(
                    "bench-no-vessel",
                    f"{section}.{key} names '{getattr(part, key)}', which is no vessel",
                    marked.place((section, key)),
                    f"vessels here: {', '.join(bench.vessels)}",
                )
            )
    return problems


def _geometry(bench: BenchFile, marked: Marked) -> list[Problem]:
    """Heights in order, stations apart, everything within the travel of its axis."""
    arm, problems = bench.arm, []
    if not arm.up <= arm.clear < arm.surface < arm.down:
        problems.append(
            Problem(
                "bench-geometry",
                "the arm needs up <= clear < surface < down",
                marked.place(("arm", "down")),
                "heights count downwards from 0 at the top",
            )
        )
    for axis, wanted in (
        (arm.lift, [("arm", "up", arm.up), ("arm", "down", arm.down)]),
        (arm.turn, [("vessels", name, vessel.at) for name, vessel in bench.vessels.items()]),
    ):
        spec = bench.instruments.get(axis)
        if not isinstance(spec, ZaberSpec):
            continue
        low, high = spec.travel
        problems += [
            Problem(
                "bench-geometry",
                f"{place}.{name} lies at {at:g}, outside the travel {low:g}..{high:g} of {axis}",
                marked.place((place, name)),
                "correct the position or the travel",
            )
            for place, name, at in wanted
            if not low <= at <= high
        ]
    stations = sorted((vessel.at, name) for name, vessel in bench.vessels.items())
    for (at, name), (other_at, other) in zip(stations, stations[1:], strict=False):
        if other_at - at < 1.0:
            problems.append(
                Problem(
                    "bench-geometry",
                    f"vessels {name} and {other} stand less than 1 deg apart",
                    marked.place(("vessels", other)),
                    "give each vessel its own station",
                )
            )
    return problems
