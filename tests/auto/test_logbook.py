"""What is remembered from one start to the next, and what is assumed when nothing is."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbl.auto import logbook
from lbl.auto.budget import backoff, left, spent
from lbl.auto.config import Config
from lbl.auto.logbook import COPIES, Logbook
from lbl.journal.storage import DiskStorage

CONFIG = Config(lbl=1, recipe="demo")


@pytest.fixture
def storage(tmp_path: Path) -> DiskStorage:
    return DiskStorage(tmp_path)


def test_nothing_remembered_is_a_fresh_start(storage: DiskStorage) -> None:
    assert logbook.read(storage) == (Logbook(), "")


def test_what_is_written_is_read_back(storage: DiskStorage) -> None:
    book = replace(
        Logbook(), run="film", meter=12.5, boots=(0.0, 3.25), why='a "reason"', open=True
    )
    for _ in range(5):
        book = logbook.write(storage, book)
        assert logbook.read(storage) == (book, "")
    assert book.number == 5


def test_each_bit_that_flips_is_noticed(tmp_path: Path, storage: DiskStorage) -> None:
    """The other copy is taken, which is one write older."""
    older = logbook.write(storage, Logbook(starts=1))
    newer = logbook.write(storage, replace(older, starts=2))
    path = tmp_path / COPIES[newer.number % 2]
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in (0x01, 0x40):
            data = bytearray(whole)
            data[place] ^= bit
            path.write_bytes(data)
            book, damage = logbook.read(storage)
            assert book == older, (place, bit)
            assert path.name in damage


@pytest.mark.parametrize("length", [0, 1, 100])
def test_two_lost_copies_are_no_fresh_start(
    tmp_path: Path, storage: DiskStorage, length: int
) -> None:
    book = logbook.write(storage, logbook.write(storage, Logbook()))
    assert book.number == 2
    for name in COPIES:
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:length])
    book, damage = logbook.read(storage)
    assert book.doubtful
    assert "most careful" in damage
    book = book.started("boot", CONFIG)
    assert spent(book.restarts, book.meter, 3600.0) == 4, "one more is left: no dead end"
    assert spent(book.boots, book.meter, 600.0) > 3, "and not before a long wait"
    assert spent(book.unholds, book.meter, 1.0) > 0
    assert not book.latched
    assert book.restarted(CONFIG).latched


def test_a_latch_outlives_the_time_of_its_budget_and_needs_a_person() -> None:
    book = Logbook()
    for _ in range(CONFIG.restarts.times):
        assert not book.latched
        book = book.failed(-1, "it died", CONFIG)
    late = replace(book, meter=1e9).started("b", CONFIG)
    assert late.latched
    assert not late.clear(7, "film").latched


def test_a_start_is_a_boot_a_restart_or_neither() -> None:
    first = Logbook().started("a", CONFIG)
    assert (len(first.boots), len(first.restarts), first.starts) == (1, 0, 1)
    again = first.started("a", CONFIG)
    assert (len(again.boots), len(again.restarts)) == (1, 1), "nobody said that it was leaving"
    after = replace(again, open=False).started("a", CONFIG)
    assert (len(after.boots), len(after.restarts)) == (1, 1)
    power = after.started("b", CONFIG)
    assert (len(power.boots), len(power.restarts)) == (2, 1), "a power cut is no crash"


def test_what_is_kept_is_bounded() -> None:
    book = Logbook()
    for number in range(150):
        book = replace(book, meter=float(number)).failed(1, "x", CONFIG).unheld()
        book = book.started(str(number), CONFIG)
    assert {len(book.boots), len(book.restarts), len(book.unholds)} == {logbook.KEPT}


@given(st.integers(-5, 10**6), st.floats(0.01, 1e4), st.floats(1.0, 1e6))
def test_a_wait_grows_and_is_bounded(over: int, first: float, longest: float) -> None:
    longest = max(first, longest)
    waits = backoff(over, first, longest)
    assert 0.0 <= waits <= longest
    assert waits <= backoff(over + 1, first, longest)
    assert (waits == 0.0) == (over <= 0)


def test_a_wait_is_counted_from_the_last_time() -> None:
    assert left(30.0, (1.0, 100.0), 110.0) == 20.0
    assert left(30.0, (1.0, 100.0), 1000.0) == 0.0
    assert left(30.0, (), 5.0) == 0.0
