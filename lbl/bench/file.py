"""The bench file: what stands on the bench, where it answers and what each thing is for.

Turns YAML into typed, frozen data; every mistake at once, each with file:line:col. Never opens an
instrument.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, ValidationError

from lbl.bench.flow import (
    BladderFile,
    CellFile,
    MicrobalanceFile,
    Reservoir,
    SensingFile,
    WindowFile,
    plumbing,
)
from lbl.bench.instruments import STRICT, Amperes, AnySpec, IkaSpec, ZaberSpec, quantity
from lbl.errors import BadInput, Problem, Refused, short
from lbl.marked import Marked, load, problems_of, suggest

Seconds = Annotated[float, quantity("s"), Field(ge=0)]
Millilitres = Annotated[float, quantity("mL"), Field(gt=0)]
Millimetres = Annotated[float, quantity("mm")]
Degrees = Annotated[float, quantity("deg")]
Fraction = Annotated[float, quantity(""), Field(ge=0, le=1)]
Celsius = Annotated[float, quantity("degC")]
Irradiance = Annotated[float, quantity("uW/cm^2"), Field(gt=0)]


class FaultFile(BaseModel):
    """One thing that shall go wrong with a simulated instrument or the world; see sim/README.md.

    An instrument's is `instrument`, `kind`, `at`, `after`, `count`, `argument`; the world's is
    `world` (its kind), `at`, `where`, `argument`, `lasts`.
    """

    model_config = STRICT
    instrument: str = ""
    kind: str = ""
    world: str = ""
    at: Seconds = 0.0
    after: int = Field(default=0, ge=0)
    count: int = Field(default=1, ge=1)
    argument: float | str | None = None
    where: str = ""
    lasts: Annotated[float, quantity("s"), Field(gt=0)] | None = None


class Simulated(BaseModel):
    """A bench of models: in this process, or served elsewhere at `speed` times real time."""

    model_config = STRICT
    served: bool = False
    speed: float = Field(default=1.0, gt=0, le=1e6)
    world: Mapping[str, Any] = {}
    faults: tuple[FaultFile, ...] = ()


class ArmFile(BaseModel):
    """Which axes carry the substrate, and how far and fast."""

    model_config = STRICT
    lift: str
    turn: str
    up: Millimetres
    clear: Millimetres
    surface: Millimetres
    down: Millimetres
    withdraw: Annotated[float, quantity("mm/s"), Field(gt=0)]
    lower: Annotated[float, quantity("mm/s"), Field(gt=0)]
    speed: Annotated[float, quantity("deg/s"), Field(gt=0)]
    settle: Seconds
    clamp_drop: Annotated[float, quantity("mL"), Field(ge=0)]


class DosingFile(BaseModel):
    """Which pump tops up which vessel, from how much stock, weighed by which balance."""

    model_config = STRICT
    pump: str
    balance: str
    into: str
    rate: Annotated[float, quantity("mL/min"), Field(gt=0)]
    stock: Millilitres
    top_up: Millilitres
    tolerance: Fraction


class PhotometryFile(BaseModel):
    """Which light shines through which vessel onto which meter."""

    model_config = STRICT
    photometer: str
    light: str
    through: str
    current: Amperes
    averages: int = Field(ge=1, le=3000)
    settle: Seconds
    irradiance: Irradiance | None = None


class StirringFile(BaseModel):
    """Which stirrer turns the bars of all baths, and how fast unless the recipe says otherwise."""

    model_config = STRICT
    stirrer: str
    speed: Annotated[float, quantity("rpm"), Field(ge=0)]


class TemperatureFile(BaseModel):
    """Which thermostat keeps the baths, and how often it is read."""

    model_config = STRICT
    thermostat: str
    setpoint: Celsius
    every: Annotated[float, quantity("s"), Field(ge=1)]


class Vessel(BaseModel):
    """A bath on the carousel and what it may hold."""

    model_config = STRICT
    purpose: Literal["primer", "positive", "negative", "rinse", "any"] = Field(alias="for")
    side: Literal["", "positive", "negative"] = ""
    at: Degrees
    volume: Millilitres
    capacity: Millilitres | None = None
    lidded: bool = True
    holds: str = ""

    @property
    def room(self) -> float:
        """What it takes before it runs over, in mL; a fifth above the mark unless told."""
        return self.capacity or 1.2 * self.volume


class _Common(BaseModel):
    """What every bench file says, whatever its kind."""

    model_config = STRICT
    lbl: Literal[1]
    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")
    simulated: Simulated | None = None
    instruments: Mapping[str, AnySpec]

    @property
    def rate(self) -> float:
        """How many times faster than real time its instruments live; 1 unless served models."""
        served = self.simulated is not None and self.simulated.served
        return self.simulated.speed if self.simulated is not None and served else 1.0

    @property
    def in_process(self) -> bool:
        """Whether the instruments are models inside this process."""
        return self.simulated is not None and not self.simulated.served


class DipFile(_Common):
    """A whole dip bench, as its file states it. Units: mm, deg, mL, mL/min, s, A, degC."""

    kind: Literal["dip"]
    arm: ArmFile
    dosing: DosingFile | None = None
    photometry: PhotometryFile | None = None
    temperature: TemperatureFile | None = None
    stirring: StirringFile | None = None
    vessels: Mapping[str, Vessel] = Field(min_length=1, max_length=64)


class FlowFile(_Common):
    """A whole flow bench, as its file states it. Units: mL, mL/min, s, A, degC, kPa, mm."""

    kind: Literal["flow"]
    cell: CellFile
    sensing: SensingFile
    photometry: WindowFile | None = None
    microbalance: MicrobalanceFile | None = None
    temperature: TemperatureFile | None = None
    vessels: Mapping[str, Reservoir] = Field(min_length=1, max_length=64)
    bladder: BladderFile


class CatalogFile(_Common):
    """Instruments that belong to no film: to be listed, checked, tested and served."""

    kind: Literal["catalog"]


BenchFile = DipFile | FlowFile
"""A bench that grows films."""
AnyBench = BenchFile | CatalogFile
# what a bench file calls its kind -> what such a file must say
KINDS: Final[Mapping[str, type[DipFile] | type[FlowFile] | type[CatalogFile]]] = {
    "dip": DipFile,
    "flow": FlowFile,
    "catalog": CatalogFile,
}


def travel_of(file: DipFile, axis: str) -> tuple[float, float, float]:
    """Low, high and acceleration of an axis, in its own unit."""
    spec = file.instruments[axis]
    if not isinstance(spec, ZaberSpec):
        raise TypeError(axis)
    return (*spec.travel, spec.acceleration)


# section -> {its key: the role the named instrument must have}
_REFERENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "arm": {"lift": "axis", "turn": "axis"},
    "cell": {"pump": "pump", "selector": "valve", "meter": "flow"},
    "sensing": {"daq": "daq"},
    "dosing": {"pump": "pump", "balance": "balance"},
    "photometry": {"photometer": "photometer", "reference": "photometer", "light": "light"},
    "microbalance": {"qcm": "qcm"},
    "temperature": {"thermostat": "thermostat"},
    "stirring": {"stirrer": "stirrer"},
}
_OPTIONAL: Final = frozenset({("cell", "meter")})
_VESSELS: Final[Mapping[str, str]] = {
    "dosing": "into", "photometry": "through", "bladder": "shares",
}  # fmt: skip


def read_bench(path: Path) -> BenchFile:
    """Read the file of a bench that grows films; raises BadInput with every problem at once.

    Raises Refused `plan-bench-kind` for a bench file that is right and of another kind.
    """
    bench = read_any_bench(path)
    if isinstance(bench, BenchFile):
        return bench
    sentence = f"bench {bench.name} is of kind '{bench.kind}': it has instruments and no vessels"
    remedy = "give a bench of kind 'dip' or 'flow'"
    raise Refused(Problem("plan-bench-kind", sentence, str(path), remedy))


def read_any_bench(path: Path) -> AnyBench:
    """Read a bench file of any kind, cards included; raises BadInput with every problem."""
    marked = load(path)
    kind = marked.data.get("kind") if isinstance(marked.data, dict) else None
    model = KINDS.get(str(kind), DipFile)
    problems = _wrong_kind(kind, marked)
    try:
        bench = model.model_validate(marked.data, context={"folder": path.parent})
    except ValidationError as error:
        found = problems_of(error, marked, "bench", model)
        if problems:  # nobody can say what a kind that is not known must have
            noise = ("bench-missing-key", "bench-wrong-word")
            found = [one for one in found if one.code not in noise]
        raise BadInput(*problems, *found) from None
    problems = [*_mismatched(bench, marked)]
    if isinstance(bench, BenchFile):
        problems += _dangling(bench, marked)
    if isinstance(bench, DipFile):
        problems += [*_geometry(bench, marked), *_too_fast(bench, marked)]
    if isinstance(bench, FlowFile):
        problems += plumbing(bench, marked)
    if problems:
        raise BadInput(*problems)
    return bench


def _wrong_kind(kind: object, marked: Marked) -> list[Problem]:
    """A kind of bench that there is not; a missing one is the model's to complain of."""
    if kind is None or kind in KINDS:
        return []
    words = ", ".join(f"'{name}'" for name in KINDS)
    sentence = f"'kind' must be one of {words}, not '{short(kind)}'"
    cure = suggest(str(kind), list(KINDS))
    return [Problem("bench-wrong-word", sentence, marked.place(("kind",)), cure)]


def _mismatched(bench: AnyBench, marked: Marked) -> list[Problem]:
    """Cards that are another instrument's."""
    problems = []
    for name, spec in bench.instruments.items():
        card = spec.card
        if card is None:
            continue
        other = card.serial and spec.serial and card.serial != spec.serial
        if card.driver != spec.driver or other:
            whose = f"a {card.driver}, serial '{card.serial}'"
            sentence = f"the card of '{name}' is that of {whose}"
            place = marked.place(("instruments", name, "card"))
            problems.append(Problem("bench-card", sentence, place, "name its own card"))
    return problems


def _dangling(bench: BenchFile, marked: Marked) -> list[Problem]:
    """Names that stand for nothing on this bench, or for the wrong kind of thing."""
    problems = []
    for section, keys in _REFERENCES.items():
        part = getattr(bench, section, None)
        for key, role in keys.items() if part is not None else ():
            name = getattr(part, key, None)
            if name is None or (not name and (section, key) in _OPTIONAL):
                continue
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
        part = getattr(bench, section, None)
        name = getattr(part, key, None)
        if name is not None and name not in bench.vessels:
            problems.append(
                Problem(
                    "bench-no-vessel",
                    f"{section}.{key} names '{name}', which is no vessel",
                    marked.place((section, key)),
                    f"vessels here: {', '.join(bench.vessels)}",
                )
            )
    return problems


def speed_of(file: DipFile) -> float:
    """How fast the baths can be stirred, in rpm; 0 where nothing stirs them."""
    section = file.stirring
    spec = file.instruments.get(section.stirrer) if section is not None else None
    return spec.rpm_max if isinstance(spec, IkaSpec) else 0.0


def _too_fast(bench: DipFile, marked: Marked) -> list[Problem]:
    """A speed that the stirrer must not have."""
    section, most = bench.stirring, speed_of(bench)
    if section is None or not most or section.speed <= most:
        return []
    sentence = f"stirring.speed is {section.speed:g} rpm, and rpm_max of the stirrer {most:g}"
    place = marked.place(("stirring", "speed"))
    return [Problem("bench-out-of-range", sentence, place, "stir more slowly")]


def _geometry(bench: DipFile, marked: Marked) -> list[Problem]:
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
