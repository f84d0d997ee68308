"""What a bench file says of one instrument: where it answers, what it is for, what it may do.

One frozen class a driver; the register of drivers and this union name the same ones. Must never
open an instrument or import a driver.
"""

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from lbl import units
from lbl.bench.card import Card, read_card
from lbl.errors import BadInput, Problem, short
from lbl.marked import load, problems_of, suggest

STRICT: Final = ConfigDict(extra="forbid", frozen=True)


def quantity(unit: str) -> BeforeValidator:
    """A number with a unit, as a float in `unit`."""
    return BeforeValidator(lambda value: units.number(value, unit))


def _span(unit: str) -> BeforeValidator:
    return BeforeValidator(lambda value: units.span(value, unit))


Amperes = Annotated[float, quantity("A"), Field(gt=0)]
Setpoints = Annotated[tuple[float, float], _span("degC")]


def _axis_unit(value: object) -> str:
    """Lifts are in mm, carousels in deg: the unit that the file wrote decides."""
    return "deg" if "deg" in str(value) else "mm"


def _travel(value: object) -> tuple[float, float]:
    return units.span(value, _axis_unit(value))


def _step(value: object) -> float:
    return units.number(value, _axis_unit(value))


def _acceleration(value: object) -> float:
    return units.number(value, f"{_axis_unit(value)}/s^2")


def _date(value: object) -> datetime.date:
    """A day as YYYY-MM-DD."""
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        raise PydanticCustomError(
            "bench-wrong-type",
            "'calibrated' must be a day, not '{given}'",
            {"given": str(value)[:40], "remedy": "write it like 2026-01-31"},
        ) from None


def _card(value: object, info: ValidationInfo) -> object:
    """The card of a file beside the bench file, or one that stands in the bench file itself."""
    if not isinstance(value, str):
        return value
    folder = (info.context or {}).get("folder", Path())
    try:
        return read_card(folder / value)
    except BadInput as error:
        first = str(error.problems[0]).replace("{", "(").replace("}", ")")
        raise PydanticCustomError(
            "bench-card", first, {"remedy": "make it with `lbl driver test -o FILE`"}
        ) from None


class Spec(BaseModel):
    """What every instrument's entry says. `options` are the keywords of its driver."""

    model_config = STRICT
    resource: str
    address: int = Field(default=1, ge=0, le=99)
    serial: str = ""
    calibrated: Annotated[datetime.date, BeforeValidator(_date)] | None = None
    card: Annotated[Card, BeforeValidator(_card)] | None = None

    def options(self) -> dict[str, Any]:
        """What the driver is made with, beside port and name."""
        return {}

    def modelled(self) -> dict[str, float | str]:
        """What its simulated model is made with."""
        return {}

    def station(self) -> int:
        """Its number on a shared wire, for the model; letters count from A = 1."""
        return self.address

    def _given(self, *names: str) -> dict[str, Any]:
        """These fields, where the file states them; the driver knows its own defaults."""
        values = dict(self)
        return {name: values[name] for name in names if name in self.model_fields_set}


class ZaberSpec(Spec):
    """A Zaber axis; travel and microstep in mm, or in deg for a carousel."""

    role: Literal["axis"]
    driver: Literal["zaber"]
    travel: Annotated[tuple[float, float], BeforeValidator(_travel)]
    microstep: Annotated[float, BeforeValidator(_step), Field(gt=0)]
    acceleration: Annotated[float, BeforeValidator(_acceleration), Field(gt=0)]

    def options(self) -> dict[str, Any]:
        """Address, microstep, travel and acceleration."""
        low, high = self.travel
        return {
            "address": self.address,
            "microstep": self.microstep,
            "low": low,
            "high": high,
            "accel": self.acceleration,
        }

    def modelled(self) -> dict[str, float | str]:
        """The same stage."""
        return {
            "microstep": self.microstep,
            "high": self.travel[1],
            "accel": self.acceleration,
        }


class NewEraSpec(Spec):
    """A New Era syringe pump; the inner diameter of its syringe.

    With `safe_mode` it stops by itself when nobody has asked it for so long: its own dead-man.
    """

    role: Literal["pump"]
    driver: Literal["newera"]
    diameter: Annotated[float, quantity("mm"), Field(gt=0)]
    safe_mode: Annotated[float, quantity("s"), Field(ge=0, le=255, multiple_of=1)] = 0.0

    def options(self) -> dict[str, Any]:
        """Address, syringe, dead-man."""
        return {
            "address": self.address,
            "diameter": self.diameter,
            "safe_mode_s": int(self.safe_mode),
        }


class CavroSpec(Spec):
    """A Tecan Cavro syringe pump with a distribution valve.

    Its syringe, its valve's ports, which of them initialising uses, its top speed.
    """

    role: Literal["pump"]
    driver: Literal["cavro"]
    syringe: Annotated[float, quantity("mL"), Field(gt=0)]
    ports: int = Field(default=9, ge=2, le=12)
    inlet: int = Field(default=1, ge=1, le=12)
    waste: int = Field(default=9, ge=1, le=12)
    rate: Annotated[float, quantity("mL/min"), Field(gt=0)] = 1.0
    protocol: Literal["DT", "OEM"] = "DT"
    steps: Literal[3000, 6000] = 3000

    def options(self) -> dict[str, Any]:
        """Address and syringe, the rest where given."""
        given = self._given("ports", "inlet", "waste", "rate", "protocol", "steps")
        return {"address": self.address, "syringe": self.syringe, **given}

    def modelled(self) -> dict[str, float | str]:
        """The same syringe and valve."""
        return {"syringe": self.syringe, "ports": self.ports}


class ViciSpec(Spec):
    """A VICI Valco selector valve; `prefix` is what it wants in front of a command."""

    role: Literal["valve"]
    driver: Literal["vici"]
    prefix: str = Field(default="", pattern=r"^(/?[0-9A-Z])?$")
    positions: int = Field(default=10, ge=2, le=96)

    def options(self) -> dict[str, Any]:
        """Prefix and positions."""
        return {"address": self.prefix, "positions": self.positions}

    def modelled(self) -> dict[str, float | str]:
        """The same valve."""
        return {"positions": self.positions, "id": self.prefix.lstrip("/")}


class PM100DSpec(Spec):
    """A Thorlabs power meter."""

    role: Literal["photometer"]
    driver: Literal["pm100d"]


class DC2200Spec(Spec):
    """A Thorlabs LED driver; `limit` is the most current the LED may carry."""

    role: Literal["light"]
    driver: Literal["dc2200"]
    limit: Amperes

    def options(self) -> dict[str, Any]:
        """The limit."""
        return {"limit": self.limit}


class QCM200Spec(Spec):
    """An SRS QCM200; its gate time."""

    role: Literal["qcm"]
    driver: Literal["qcm200"]
    gate: Annotated[float, quantity("s"), Field(gt=0)] = 1.0

    def options(self) -> dict[str, Any]:
        """The gate time."""
        return self._given("gate")


class SQM160Spec(Spec):
    """An INFICON SQM-160; which of its sensors."""

    role: Literal["qcm"]
    driver: Literal["sqm160"]
    sensor: int = Field(default=1, ge=1, le=6)

    def options(self) -> dict[str, Any]:
        """The sensor."""
        return self._given("sensor")


class JulaboSpec(Spec):
    """A Julabo circulator."""

    role: Literal["thermostat"]
    driver: Literal["julabo"]


class LakeShore336Spec(Spec):
    """A Lake Shore 336: input, heater output and range, and the setpoints it may be given."""

    role: Literal["thermostat"]
    driver: Literal["lakeshore336"]
    channel: Literal["A", "B", "C", "D"] = "A"
    output: Literal[1, 2] = 1
    heater: Literal[1, 2, 3] = 1
    setpoints: Setpoints = (2.0, 80.0)

    def options(self) -> dict[str, Any]:
        """The loop and its limits."""
        made = self._given("channel", "output", "heater")
        if "setpoints" in self.model_fields_set:
            made |= {"low": self.setpoints[0], "high": self.setpoints[1]}
        return made


class HuberSpec(Spec):
    """A Huber thermostat with PB commands (Pilot ONE), and the setpoints it may be given."""

    role: Literal["thermostat"]
    driver: Literal["huber"]
    setpoints: Setpoints = (2.0, 80.0)

    def options(self) -> dict[str, Any]:
        """The limits, where given."""
        given = "setpoints" in self.model_fields_set
        return {"low": self.setpoints[0], "high": self.setpoints[1]} if given else {}


class AlicatSpec(Spec):
    """An Alicat liquid flow meter: its unit letter, and the columns of its answer, in order."""

    role: Literal["flow", "pressure"]
    driver: Literal["alicat"]
    unit: str = Field(default="A", pattern=r"^[A-Z]$")
    columns: str = Field(default="", max_length=200)

    def options(self) -> dict[str, Any]:
        """Unit letter and columns."""
        return self._given("unit", "columns")

    def modelled(self) -> dict[str, float | str]:
        """A totaliser where the columns have one."""
        return {"columns": 5 if "total" in self.columns.split() else 4}

    def station(self) -> int:
        """The letter as a number."""
        return ord(self.unit) - ord("A") + 1


class DAQ6510Spec(Spec):
    """A Keithley DAQ6510: the channels it scans, for how many mains periods, up to how much."""

    role: Literal["daq"]
    driver: Literal["daq6510"]
    channels: tuple[int, ...] = Field(default=(101,), min_length=1, max_length=80)
    nplc: float = Field(default=1.0, gt=0, le=15)
    span: Annotated[float, quantity("V"), Field(gt=0)] = 10.0

    def options(self) -> dict[str, Any]:
        """Channels, integration time and range."""
        return self._given("channels", "nplc", "span")


class Keithley2450Spec(Spec):
    """A Keithley 2450: voltage limit, integration time in mains periods, time to settle."""

    role: Literal["smu"]
    driver: Literal["keithley2450"]
    limit: Annotated[float, quantity("V"), Field(gt=0)] = 2.0
    nplc: float = Field(default=1.0, gt=0, le=10)
    settle: Annotated[float, quantity("s"), Field(ge=0)] = 0.1

    def options(self) -> dict[str, Any]:
        """Limit, integration time and settling time."""
        return self._given("limit", "nplc", "settle")


class IkaSpec(Spec):
    """An IKA stirring hotplate: the fastest it may stir, and whether its probe is plugged in."""

    role: Literal["stirrer"]
    driver: Literal["ika"]
    rpm_max: float = Field(default=600.0, gt=0, le=3000)
    probe: bool = True

    def options(self) -> dict[str, Any]:
        """Speed limit and probe."""
        return self._given("rpm_max", "probe")


class MettlerSpec(Spec):
    """A Mettler Toledo balance."""

    role: Literal["balance"]
    driver: Literal["mettler"]


AnySpec = Annotated[
    ZaberSpec | NewEraSpec | CavroSpec | ViciSpec | PM100DSpec | DC2200Spec | QCM200Spec
    | SQM160Spec | JulaboSpec | LakeShore336Spec | HuberSpec | AlicatSpec | DAQ6510Spec
    | Keithley2450Spec | IkaSpec | MettlerSpec,
    Field(discriminator="driver"),
]  # fmt: skip


class _Single(BaseModel):
    """One instrument that stands in no bench file."""

    model_config = STRICT
    instrument: AnySpec


def spec_of(driver: str, resource: str, given: Mapping[str, str]) -> Any:
    """The spec of one instrument from words, as a bench file would give them.

    Raises BadInput with every problem; `given` may hold any key of the driver's entry.
    """
    classes = {cls.model_fields["driver"].annotation: cls for cls in get_args(get_args(AnySpec)[0])}
    known = {get_args(word)[0]: cls for word, cls in classes.items()}
    if driver not in known:
        sentence = f"there is no driver '{short(driver)}'"
        remedy = suggest(driver, list(known)) or f"drivers: {', '.join(known)}"
        raise BadInput(Problem("driver-unknown", sentence, "--driver", remedy))
    role = get_args(known[driver].model_fields["role"].annotation)[0]
    entry = {"driver": driver, "role": role, "resource": resource, **given}
    lines = (f"  {json.dumps(key)}: {_word(value)}" for key, value in entry.items())
    marked = load("instrument:\n" + "\n".join(lines) + "\n", f"--driver {driver}")
    try:
        return _Single.model_validate(marked.data).instrument
    except ValidationError as error:
        raise BadInput(*problems_of(error, marked, "bench", _Single)) from None


def _word(text: str) -> str:
    """Numbers and switches as YAML knows them, everything else in quotes."""
    plain = text in ("true", "false") or text.lstrip("-").replace(".", "", 1).isdigit()
    return text if plain or text.startswith("[") else json.dumps(text)
