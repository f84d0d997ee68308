"""One table of all films: CSV or Parquet, a row a film in the order of the cases.

While films grow, finished rows are kept beside the table as JSON lines, so that a power cut loses
none; the table itself is written whole. Must never leave half a table under its name.
"""

import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from lbl.errors import BadInput, Fault, Problem
from lbl.study.case import Cell, Film, Row

CSV: Final = ".csv"
PARQUET: Final = ".parquet"
_PART: Final = ".part"


class Table:
    """Where the rows go; refuses early what could not be written late."""

    def __init__(self, path: Path) -> None:
        """Raises BadInput `study-output` for a name or folder that cannot be, `study-extra`."""
        if path.suffix not in (CSV, PARQUET):
            raise _refusal(path, f"'{path.name}' is neither a .csv nor a .parquet file")
        if path.suffix == PARQUET:
            _arrow()
        self.path = path
        self.part = path.with_name(path.name + _PART)
        try:
            self._file = self.part.open("w", encoding="utf-8")
        except OSError as error:
            raise _refusal(path, f"it cannot be written here: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Rows that are in no table stay beside it."""
        self._file.close()
        if self.part.exists() and self.part.stat().st_size == 0:
            self.part.unlink()

    def add(self, film: Film) -> None:
        """Keep a row against the end of this process."""
        self._file.write(json.dumps(film.row) + "\n")
        self._file.flush()

    def write(self, films: Sequence[Film]) -> None:
        """Write the whole table in the order of the cases; raises Fault when the disk does not."""
        rows = [film.row for film in sorted(films, key=lambda film: film.number)]
        data = _parquet(rows) if self.path.suffix == PARQUET else _csv(rows)
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            fresh.write_bytes(data)
            os.replace(fresh, self.path)
            self._file.close()
            self.part.unlink(missing_ok=True)
        except OSError as error:
            sentence = f"the table cannot be written: {error.strerror}"
            remedy = f"the rows are in {self.part}"
            raise Fault(Problem("study-output", sentence, str(self.path), remedy)) from None


def columns(rows: Sequence[Row]) -> list[str]:
    """Every column of some rows, in the order in which they come up first."""
    whole = sorted(rows, key=len, reverse=True)[:1]  # a refused film has fewer
    return list(dict.fromkeys(name for row in (*whole, *rows) for name in row))


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(rows), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _parquet(rows: Sequence[Row]) -> bytes:
    arrow, parquet = _arrow()
    names = columns(rows)
    table = arrow.table({name: _even([row.get(name) for row in rows]) for name in names})
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


def _even(cells: list[Cell]) -> list[Cell]:
    """One type a column: text if there is any, else floats if there are any."""
    if any(isinstance(cell, str) for cell in cells):
        return [None if cell is None else str(cell) for cell in cells]
    if any(isinstance(cell, float) for cell in cells):
        return [None if cell is None else float(cell) for cell in cells]
    return cells


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        sentence = "pyarrow, which writes Parquet, is not installed"
        remedy = "pip install 'lbl[study]', or name a .csv file"
        raise BadInput(Problem("study-extra", sentence, "--output", remedy)) from None
    return pyarrow, pyarrow.parquet


def _refusal(path: Path, sentence: str) -> BadInput:
    remedy = "name a .csv or .parquet file in a folder that can be written"
    return BadInput(Problem("study-output", sentence, str(path), remedy))
