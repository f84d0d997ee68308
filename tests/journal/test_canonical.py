"""Canonical JSON: the same text as the RFC's library, and what is written reads back the same."""

import json
import math
from decimal import Decimal
from enum import StrEnum
from typing import Any

import numpy
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from lbl.journal.canonical import NotPlain, encode, plain

NUMBERS = st.one_of(
    st.integers(),
    st.integers(min_value=-(2**70), max_value=2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(min_value=-1e-3, max_value=1e-3, allow_nan=False),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


class Word(StrEnum):
    A = "a"


def oracle(text: str) -> bytes:
    """The library's text of a parsed text; it takes doubles for integers beyond 2**53."""

    def number(digits: str) -> int | float:
        value = int(digits)
        return value if abs(value) < 2**53 else float(value)

    return rfc8785.dumps(json.loads(text, parse_int=number))


@given(VALUES)
def test_the_text_is_that_of_the_library(value: Any) -> None:
    try:
        data = plain(value)
    except NotPlain:
        assert _has_giant(value)
        return
    text = encode(data)
    assert text.encode() == oracle(text)


@given(VALUES)
def test_what_is_written_reads_back_the_same(value: Any) -> None:
    try:
        data = plain(value)
    except NotPlain:
        return
    assert json.loads(encode(data)) == data
    assert plain(data) == data
    assert encode(plain(json.loads(encode(data)))) == encode(data)


def _has_giant(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_giant, value.values()))
    if isinstance(value, list):
        return any(map(_has_giant, value))
    return isinstance(value, int) and abs(value) > 1e308


@given(st.integers(min_value=2**53 - 2000, max_value=2**62))
def test_clocks_beyond_two_to_the_53_lose_less_than_a_microsecond(now: int) -> None:
    kept = plain(now)
    assert type(kept) is int
    assert abs(kept - now) < 1000
    assert json.loads(encode(kept)) == kept
    assert float(kept) == float(now)


def test_other_types_become_plain() -> None:
    value = {"a": (1.0, numpy.float64(2.5), numpy.int64(3)), "b": Word.A, Word.A: True}
    assert plain(value) == {"a": [1, 2.5, 3], "b": "a"} | {"a": True}
    assert type(plain(Word.A)) is str
    assert (
        encode(plain([-0.0, 1e21, 1e-7, 0.00001, 1e22, 600.0]))
        == "[0,1e+21,1e-7,0.00001,1e+22,600]"
    )


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        10**400,
        {1: 2},
        {"a": object()},
        "\ud800",
        {"\ud800": 1},
        b"x",
    ],
)
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(NotPlain):
        plain(value)


def test_nesting_is_bounded() -> None:
    value: Any = 1
    for _ in range(20):
        value = [value]
    with pytest.raises(NotPlain, match="nested"):
        plain(value)
    with pytest.raises(NotPlain):
        encode(Decimal(1))


def test_members_are_ordered_by_utf_16() -> None:
    text = encode({"\U0001f600": 1, "\ue000": 2, "a": 3})
    assert text == '{"a":3,"\U0001f600":1,"\ue000":2}'
    assert text.encode() == oracle(text)
