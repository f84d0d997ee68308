"""Room on the disk and the reserve."""

import os
from pathlib import Path

import pytest

from lbl.journal.room import RESERVE, Reserve, free_bytes


def test_a_reserve_takes_its_room_and_gives_it_back(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, 1_000_000)
    for _ in range(2):
        assert reserve.keep()
        about = (tmp_path / RESERVE).stat()
        assert about.st_size == 1_000_000
        assert about.st_blocks * 512 >= 1_000_000, "it is no hole"
    for _ in range(2):
        reserve.give_back()
        assert not (tmp_path / RESERVE).exists()


def test_a_disk_without_room_keeps_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, start: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert not Reserve(tmp_path, 1000).keep()
    assert not (tmp_path / RESERVE).exists()


def test_free_room_is_a_number_or_nothing(tmp_path: Path) -> None:
    free = free_bytes(tmp_path)
    assert free is not None
    assert free > 0
    assert free_bytes(tmp_path / "missing") is None
