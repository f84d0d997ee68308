"""Quantities with units: text to numbers and back.

The units of every day are a table here; pint is loaded only when somebody writes another one,
because loading it takes longer than planning a film. Must never guess a missing unit.
"""

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from lbl.errors import short

if TYPE_CHECKING:
    import pint

Dimension = tuple[tuple[str, int], ...]

_NUMBER: Final = r"[-+]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?"
_ATOM: Final = r"(?:[A-Za-zµμ°%]{1,24}(?:\^-?[1-4]|[²³])?)"
_UNIT: Final = rf"{_ATOM}(?:\s*[*/]\s*{_ATOM}){{0,5}}"
_QUANTITY: Final = re.compile(rf"\s*({_NUMBER})\s*({_UNIT})?\s*")
_SPAN: Final = re.compile(rf"\s*({_NUMBER})\s*({_UNIT})?\s*\.\.\s*({_NUMBER})\s*({_UNIT})?\s*")
_CLOCK: Final = re.compile(r"\s*[0-9]+(:[0-9]+)+\s*")
_FACTOR: Final = re.compile(r"([*/]?)\s*([A-Za-zµμ°%]+)\s*(?:\^(-?[1-4])|([²³]))?\s*")
MAX_TEXT: Final = 100  # characters of a quantity; nobody needs more

# unit -> (size in the base unit of its kind, kind). Base: s, m, g, A, V, deg, OD, N.
_ATOMS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "ns": ("1e-9", "time"),
        "us": ("1e-6", "time"),
        "ms": ("1e-3", "time"),
        "s": ("1", "time"),
        "sec": ("1", "time"),
        "second": ("1", "time"),
        "seconds": ("1", "time"),
        "min": ("60", "time"),
        "minute": ("60", "time"),
        "minutes": ("60", "time"),
        "h": ("3600", "time"),
        "hour": ("3600", "time"),
        "hours": ("3600", "time"),
        "d": ("86400", "time"),
        "day": ("86400", "time"),
        "days": ("86400", "time"),
        "nm": ("1e-9", "length"),
        "um": ("1e-6", "length"),
        "mm": ("1e-3", "length"),
        "cm": ("1e-2", "length"),
        "m": ("1", "length"),
        "ng": ("1e-9", "mass"),
        "ug": ("1e-6", "mass"),
        "mg": ("1e-3", "mass"),
        "g": ("1", "mass"),
        "kg": ("1e3", "mass"),
        "uA": ("1e-6", "current"),
        "mA": ("1e-3", "current"),
        "A": ("1", "current"),
        "mV": ("1e-3", "voltage"),
        "V": ("1", "voltage"),
        "deg": ("1", "angle"),
        "mOD": ("1e-3", "absorbance"),
        "OD": ("1", "absorbance"),
        "Hz": ("1", "frequency"),
        "kHz": ("1e3", "frequency"),
        "MHz": ("1e6", "frequency"),
        "nW": ("1e-9", "power"),
        "uW": ("1e-6", "power"),
        "mW": ("1e-3", "power"),
        "W": ("1", "power"),
        "Pa": ("1", "pressure"),
        "kPa": ("1e3", "pressure"),
        "bar": ("1e5", "pressure"),
        "mbar": ("1e2", "pressure"),
        "rpm": ("1", "turning"),
        "ppm": ("1e-6", ""),
        "%": ("1e-2", ""),
    }
)
_LITRES: Final[Mapping[str, str]] = MappingProxyType(
    {"uL": "1e-9", "ul": "1e-9", "mL": "1e-6", "ml": "1e-6", "L": "1e-3", "l": "1e-3"}
)
# degC = factor * (value + offset), for readings of a thermometer, not for differences
_THERMOMETERS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"degC": ("1", "0"), "°C": ("1", "0"), "K": ("1", "-273.15"), "degF": ("5/9", "-32")}
)


def number(text: object, unit: str) -> float:
    """Return the quantity `text` in `unit`: ("10 min", "s") gives 600.0.

    `unit` "" is a plain number or a percentage. Raises ValueError with a sentence that names
    what is wanted and shows a correct example; also for a bare number where a unit is due.
    """
    return _number(_as_text(text, unit), unit)


def span(text: object, unit: str) -> tuple[float, float]:
    """Return (low, high) of a range in `unit`: ("15..30 degC", "degC") gives (15.0, 30.0).

    Raises ValueError with a sentence, also when low is above high.
    """
    return _span(_as_text(text, unit), unit)


def form(unit: str, low: float = -math.inf, high: float = math.inf) -> dict[str, Any]:
    """Return the JSON Schema of a quantity in `unit`, as somebody writes it.

    Units of this file that are of another kind are refused; one that only pint knows is allowed.
    The bounds stand in the description: JSON Schema cannot compare texts with units.
    """
    bounds = [
        f"{word} {duration(bound) if unit == 's' else show(bound, unit)}"
        for word, bound in (("at least", low), ("at most", high))
        if math.isfinite(bound)
    ]
    what = f"a quantity such as {_example(unit)}" if unit else "a number, or a share in %"
    made: dict[str, Any] = {"description": ", ".join((what, *bounds))}
    if not unit:
        known = "|".join(_alike(unit))
        text = {"type": "string", "pattern": rf"^\s*{_NUMBER}\s*(?:{known})?\s*$"}
        return {**made, "anyOf": [{"type": "number"}, text]}
    return {
        **made,
        "type": "string",
        "pattern": rf"^\s*{_NUMBER}\s*{_UNIT}\s*$",
        "not": {"pattern": rf"^\s*{_NUMBER}\s*(?:{'|'.join(_unlike_units(unit))})\s*$"},
    }


def span_form(unit: str) -> dict[str, Any]:
    """Return the JSON Schema of a range in `unit`, such as '15..30 degC'."""
    others = "|".join(_unlike_units(unit))
    return {
        "description": f"a range such as '15..30 {unit}'",
        "type": "string",
        "pattern": rf"^\s*{_NUMBER}\s*(?:{_UNIT})?\s*\.\.\s*{_NUMBER}\s*{_UNIT}\s*$",
        "not": {"pattern": rf"{_NUMBER}\s*(?:{others})\s*$"},
    }


def _alike(unit: str) -> list[str]:
    """The single units of this file that measure what `unit` does."""
    return [name for name in _singles() if _kind(name) == _kind(unit)]


@lru_cache(maxsize=64)
def _unlike_units(unit: str) -> list[str]:
    return [name for name in _singles() if _kind(name) != _kind(unit)]


def _singles() -> tuple[str, ...]:
    return (*_ATOMS, *_LITRES, *_THERMOMETERS)


def _kind(unit: str) -> object:
    if unit in _THERMOMETERS:
        return "temperature"
    sized = _sized(unit)
    return None if sized is None else sized[1]


def _as_text(given: object, unit: str) -> str:
    """YAML gives a bare number as a number; everything else that is not text is wrong."""
    if isinstance(given, str):
        return given
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return repr(given)
    shown = "nothing" if given is None else f"'{str(given).lower()}'"
    if not isinstance(given, (bool, type(None))):
        shown = "a list or mapping"
    raise ValueError(f"{shown} is not {_wanted(unit)}; write it like {_example(unit)}")


@lru_cache(maxsize=4096)
def _number(text: str, unit: str) -> float:
    match = _QUANTITY.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        raise ValueError(_unreadable(text, unit))
    return _converted(text, match.group(1), match.group(2), unit)


@lru_cache(maxsize=1024)
def _span(text: str, unit: str) -> tuple[float, float]:
    match = _SPAN.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        example = f"1..2 {unit}".rstrip()
        raise ValueError(f"'{short(text)}' is not a range; write it like '{example}'")
    first, first_unit, second, second_unit = match.groups()
    low = _converted(text, first, first_unit or second_unit, unit)
    high = _converted(text, second, second_unit, unit)
    if low > high:
        raise ValueError(f"'{short(text)}' runs from high to low; write the lower end first")
    return low, high


def show(value: float, unit: str) -> str:
    """Return a value with its unit for a person: six significant digits at most."""
    return f"{value:.6g} {unit}".rstrip()


def duration(seconds: float) -> str:
    """Return a time for a person: "93 h 20 min", "1 min 5 s", "2.5 s"."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds < 59.95:
        return f"{round(seconds, 1 if seconds >= 1 else 3):g} s"
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def _converted(text: str, digits: str, written: str | None, unit: str) -> float:
    if written is None and unit:
        raise ValueError(f"'{short(text)}' has no unit; write it like '{float(digits):g} {unit}'")
    value = Fraction(digits)  # exact until the end, so that "10 ms" is 0.01 s to the last bit
    have, want = _sized(written or ""), _sized(unit)
    if not written or written == unit:
        pass
    elif unit in _THERMOMETERS and written in _THERMOMETERS:
        value = _temperature(value, written, unit)
    elif have is None or want is None:
        return _by_pint(text, _float(value, text), written, unit)
    elif have[1] != want[1]:
        raise ValueError(_unlike(text, written, unit))
    else:
        value *= have[0] / want[0]
    return _float(value, text)


def _float(value: Fraction, text: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"'{short(text)}' is too large a number") from None


def _temperature(value: Fraction, written: str, unit: str) -> Fraction:
    factor, offset = _THERMOMETERS[written]
    celsius = Fraction(factor) * (value + Fraction(offset))
    factor, offset = _THERMOMETERS[unit]
    return celsius / Fraction(factor) - Fraction(offset)


@lru_cache(maxsize=512)
def _sized(unit: str) -> tuple[Fraction, Dimension] | None:
    """Size of a compound unit in base units and its dimension; None if an atom is unknown."""
    size = Fraction(1)
    powers: dict[str, int] = {}
    for operator, atom, exponent, raised in _FACTOR.findall(unit.replace("μ", "u")):
        atom = atom.replace("µ", "u")
        power = int(exponent or {"²": 2, "³": 3}.get(raised, 1))
        if operator == "/":
            power = -power
        if atom in _LITRES:
            factor, kind, dimension = _LITRES[atom], "length", 3
        elif atom in _ATOMS:
            (factor, kind), dimension = _ATOMS[atom], 1
        else:
            return None
        size *= Fraction(factor) ** power
        powers[kind] = powers.get(kind, 0) + dimension * power
    powers.pop("", None)
    return size, tuple(sorted((kind, power) for kind, power in powers.items() if power))


def _by_pint(text: str, value: float, written: str, unit: str) -> float:
    """Convert with pint, for the units that the table leaves out."""
    import pint

    registry = _registry()
    try:
        quantity = registry.Quantity(value, written.replace("^", "**"))
        result = float(quantity.to(unit.replace("^", "**") or "dimensionless").magnitude)
    except pint.DimensionalityError:
        raise ValueError(_unlike(text, written, unit)) from None
    except (pint.PintError, ArithmeticError, AttributeError, ValueError, TypeError):
        raise ValueError(
            f"'{short(text)}': unit '{written}' is not known; write it like {_example(unit)}"
        ) from None
    if not math.isfinite(result):
        raise ValueError(f"'{short(text)}' is too large a number")
    return result


@lru_cache(maxsize=1)
def _registry() -> "pint.UnitRegistry[float]":
    import pint

    registry: pint.UnitRegistry[float] = pint.UnitRegistry(cache_folder=None)
    registry.define("optical_density = [absorbance] = OD")
    return registry


def _unreadable(text: str, unit: str) -> str:
    if _CLOCK.fullmatch(text):
        return f"'{short(text)}' can mean hours, minutes or seconds; write it like {_example(unit)}"
    return f"'{short(text)}' is not {_wanted(unit)}; write it like {_example(unit)}"


def _unlike(text: str, written: str, unit: str) -> str:
    wanted = unit or "a plain number"
    return f"'{short(text)}' is in {written}, and {wanted} is due; write it like {_example(unit)}"


def _wanted(unit: str) -> str:
    return f"a number with a unit ({unit})" if unit else "a number"


def _example(unit: str) -> str:
    return {"s": "'10 s' or '5 min'", "": "'0.05' or '5 %'"}.get(unit, f"'10 {unit}'")
