"""A file tied to its journal: it is one that was written, byte for byte, and where."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbl.errors import Fault
from lbl.journal.bond import BOUND, Bond, NotBound, bond_of
from lbl.journal.opening import since, survey

BOND = Bond('a "run"', 7, "ab" * 32, 1234, 5_000_000_000)
TEXT = b'{"world":{"now":1.5},"devices":{}}'


def test_a_bound_file_is_the_object_with_one_member_more() -> None:
    data = BOND.around(TEXT)
    assert bond_of(data) == BOND
    read = json.loads(data)
    assert list(read) == [BOUND, "world", "devices"]
    del read[BOUND]
    assert read == json.loads(TEXT)
    assert bond_of(TEXT) is None


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_no_byte_of_it_can_change_unnoticed(place: int, change: int) -> None:
    """A change of the first bytes leaves no bond, and then another member or no JSON."""
    data = bytearray(BOND.around(TEXT))
    data[place % len(data)] ^= change
    with pytest.raises(ValueError):  # NotBound, no UTF-8 and no JSON are
        if bond_of(bytes(data)) is None and json.loads(data).keys() != json.loads(TEXT).keys():
            raise NotBound


@pytest.mark.parametrize("size", [0, 1, 9, 60, 150, 200])
def test_half_a_file_is_none(size: int) -> None:
    data = BOND.around(TEXT)[:size]
    with pytest.raises((NotBound, ValueError)):
        assert bond_of(data) is None
        json.loads(data)


def test_what_came_after_a_file_was_written(kit: Any) -> None:
    disk = kit.Disk()
    player = kit.Player(kit.begin(disk))
    for choice in (0, 2):
        player.act(choice)
    bond = player.journal.bond(1)
    assert not list(since(disk, "r1", survey(disk, "r1"), bond))
    for choice in (3, 7):
        player.act(choice)
    opening = survey(disk, "r1")
    assert [one.kind for one in since(disk, "r1", opening, bond)] == ["deposition-done", "note"]
    other = Bond("r1", bond.seq, "0" * 64, bond.size, 1)
    with pytest.raises(Fault, match="does not follow the record that a file"):
        list(since(disk, "r1", opening, other))
    last = Bond("r1", opening.state["seq"], "0" * 64, opening.tail.whole, 1)
    with pytest.raises(Fault, match="after another record"):
        list(since(disk, "r1", opening, last))
