"""Quantities: exact, never guessing, and the same as pint where both know a unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbl import units


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("10 min", "s", 600.0),
        ("60s", "s", 60.0),
        ("1.5 h", "s", 5400.0),
        (" 10 ms ", "s", 0.01),
        ("1e-3 s", "ms", 1.0),
        ("1 mg/mL", "mg/mL", 1.0),
        ("1 g/L", "mg/mL", 1.0),
        ("2 cm^2", "cm^2", 2.0),
        ("2 cm²", "mm^2", 200.0),
        ("2.5 uL", "mL", 0.0025),
        ("2.5 µL", "mL", 0.0025),
        ("0.1 kg/m^2/h", "kg/m^2/h", 0.1),
        ("1 mL/min", "uL/s", 1000 / 60),
        ("120 deg/s^2", "deg/s^2", 120.0),
        ("5 %", "", 0.05),
        ("0.05", "", 0.05),
        ("22 degC", "degC", 22.0),
        ("22 °C", "degC", 22.0),
        ("295.15 K", "degC", 22.0),
        ("212 degF", "degC", 100.0),
        ("1.07 mOD", "OD", 0.00107),
        ("-3 mm", "mm", -3.0),
        (".5 s", "s", 0.5),
        ("1 fortnight", "s", 1209600.0),
        ("180 deg", "rad", 3.141592653589793),
    ],
)
def test_a_quantity_is_read_exactly(text: str, unit: str, value: float) -> None:
    assert units.number(text, unit) == value


def test_plain_numbers_are_taken_where_no_unit_is_due() -> None:
    assert units.number(1e-6, "") == 1e-6
    assert units.number(3, "") == 3.0


@pytest.mark.parametrize(
    ("given", "unit", "fragment"),
    [
        ("10", "s", "'10' has no unit; write it like '10 s'"),
        (10, "s", "'10' has no unit; write it like '10 s'"),
        ("1:30", "s", "can mean hours, minutes or seconds"),
        ("10 kg", "s", "'10 kg' is in kg, and s is due"),
        ("10 floops", "s", "unit 'floops' is not known"),
        ("ten s", "s", "is not a number with a unit (s); write it like '10 s' or '5 min'"),
        ("", "s", "is not a number with a unit"),
        ("1e999 s", "s", "too large"),
        ("1e999 fortnight", "s", "too large"),
        ("5 kg", "", "a plain number is due"),
        ("1 s; rm -rf /", "s", "is not a number with a unit"),
        ("2 s**9**9**9", "s", "is not a number with a unit"),
        ("9" * 200 + " s", "s", "is not a number with a unit"),
        (None, "s", "nothing is not a number with a unit"),
        (True, "s", "'true' is not a number"),
        ([1], "mm", "a list or mapping is not a number with a unit (mm)"),
        ("٣ s", "s", "is not a number with a unit"),
        ("nan s", "s", "is not a number with a unit"),
    ],
)
def test_what_is_no_quantity_is_refused_in_a_sentence(
    given: object, unit: str, fragment: str
) -> None:
    with pytest.raises(ValueError) as raised:
        units.number(given, unit)
    assert fragment in str(raised.value)
    assert len(str(raised.value)) < 200


def test_a_range_has_a_low_and_a_high_end() -> None:
    assert units.span("15..30 degC", "degC") == (15.0, 30.0)
    assert units.span("0 .. 359.9 deg", "deg") == (0.0, 359.9)
    assert units.span("1 min..1 h", "s") == (60.0, 3600.0)
    assert units.span("-5..-1 mm", "mm") == (-5.0, -1.0)


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("15..30", "has no unit"),
        ("30..15 degC", "runs from high to low"),
        ("15-30 degC", "is not a range; write it like '1..2 degC'"),
        ("15 s..30 degC", "is in s, and degC is due"),
        (15, "is not a range"),
    ],
)
def test_what_is_no_range_is_refused(text: object, fragment: str) -> None:
    with pytest.raises(ValueError, match=fragment):
        units.span(text, "degC")


def test_the_table_agrees_with_pint() -> None:
    pint = pytest.importorskip("pint")
    registry = pint.UnitRegistry(cache_folder=None)
    base = {
        "time": "s", "length": "m", "mass": "g", "current": "A", "voltage": "V", "angle": "deg",
        "frequency": "Hz", "power": "W", "pressure": "Pa",
    }  # fmt: skip
    for atom, (_, kind) in units._ATOMS.items():
        if kind in base:
            theirs = float(registry.Quantity(1.0, atom).to(base[kind]).magnitude)
            assert units.number(f"1 {atom}", base[kind]) == pytest.approx(theirs, rel=1e-12), atom
    for litres in units._LITRES:
        theirs = float(registry.Quantity(1.0, litres).to("m**3").magnitude)
        assert units.number(f"1 {litres}", "m^3") == pytest.approx(theirs, rel=1e-12), litres


@given(st.text(max_size=60), st.sampled_from(["s", "mm", "mg/mL", "", "degC"]))
def test_any_text_is_a_number_or_a_value_error(text: str, unit: str) -> None:
    try:
        assert isinstance(units.number(text, unit), float)
    except ValueError as error:
        assert str(error).isprintable() or text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (93 * 3600 + 20 * 60, "93 h 20 min"),
        (3600, "1 h"),
        (3599.7, "1 h"),
        (65, "1 min 5 s"),
        (59.97, "1 min"),
        (2.5, "2.5 s"),
        (0.002, "0.002 s"),
        (0, "0 s"),
        (-65, "-1 min 5 s"),
    ],
)
def test_a_duration_is_told_in_two_units_at_most(seconds: float, text: str) -> None:
    assert units.duration(seconds) == text


def test_a_value_is_shown_with_its_unit() -> None:
    assert units.show(1.0700000001, "mOD") == "1.07 mOD"
    assert units.show(3, "") == "3"
