"""One table, whole or not at all; finished rows survive beside it."""

import json
import sys
from pathlib import Path

import pytest

from lbl.errors import BadInput, Fault
from lbl.study.case import Film
from lbl.study.table import Table

REFUSED = Film(2, {"dwell_s": 1, "state": "Refused", "reason": "too short, by far"})
GROWN = Film(1, {"dwell_s": 60.0, "state": "Complete", "reason": "", "nm": 0.1})
FILMS = [REFUSED, GROWN]  # as they came


def test_the_rows_stand_in_the_order_of_the_cases(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with Table(path) as table:
        for film in FILMS:
            table.add(film)
        kept = [json.loads(line) for line in table.part.read_text().splitlines()]
        table.write(FILMS)
    assert kept == [film.row for film in FILMS]
    assert path.read_text() == (
        'dwell_s,state,reason,nm\n60.0,Complete,,0.1\n1,Refused,"too short, by far",\n'
    )
    assert list(tmp_path.iterdir()) == [path]


def test_parquet_holds_the_same(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="NO PARQUET TEST: pip install pyarrow")
    path = tmp_path / "t.parquet"
    with Table(path) as table:
        table.write(FILMS)
    assert parquet.read_table(path).to_pylist() == [
        {"dwell_s": 60.0, "state": "Complete", "reason": "", "nm": 0.1},
        {"dwell_s": 1.0, "state": "Refused", "reason": "too short, by far", "nm": None},
    ]
    first = path.read_bytes()
    with Table(path) as table:
        table.write(FILMS)
    assert path.read_bytes() == first


def test_rows_stay_beside_the_table_when_the_process_dies(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("an older table")
    with pytest.raises(RuntimeError, match="power"), Table(path) as table:
        table.add(GROWN)
        raise RuntimeError("power")
    assert json.loads((tmp_path / "t.csv.part").read_text()) == GROWN.row
    assert path.read_text() == "an older table"


def test_a_study_without_rows_leaves_nothing(tmp_path: Path) -> None:
    with Table(tmp_path / "t.csv"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["t.txt", "t", "none/t.csv"])
def test_a_table_that_cannot_be_is_refused_before_anything_grows(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="study-output"):
        Table(tmp_path / name)


def test_a_table_that_cannot_be_written_at_the_end_keeps_its_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").mkdir()
    with Table(tmp_path / "t.csv") as table:
        table.add(GROWN)
        with pytest.raises(Fault, match="study-output"):
            table.write([GROWN])
    assert json.loads((tmp_path / "t.csv.part").read_text()) == GROWN.row


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadInput, match=r"lbl\[study\]"):
        Table(tmp_path / "t.parquet")
