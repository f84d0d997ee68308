"""The sensor series of a run, for curves and reports: SQLite, written in batches, never synced.

The truth is in the journal; this file may be lost without harm and must never be read by the
controller, nor hold the run up: when it cannot be written, the samples are dropped and counted.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SAMPLES: Final = "samples.sqlite"
BATCH: Final = 512  # rows of one transaction
_SCHEMA: Final = """
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, name TEXT UNIQUE, unit TEXT);
CREATE TABLE IF NOT EXISTS samples (series INTEGER, t_ns INTEGER, value REAL);
"""


class Samples:
    """Writes (name, time, value) rows. Opens the file at the first full batch."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / SAMPLES
        self._rows: list[tuple[int, int, float]] = []
        self._ids: dict[str, int] = {}
        self._units: dict[str, str] = {}
        self._database: sqlite3.Connection | None = None
        self.dropped = 0

    def add(self, name: str, t_ns: int, value: float, unit: str = "") -> None:
        """Keep one sample; `t_ns` is the run's monotonic clock."""
        number = self._ids.get(name, 0)
        if not number:
            number = self._ids[name] = len(self._ids) + 1
            self._units[name] = unit
        self._rows.append((number, t_ns, value))
        if len(self._rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered; on failure drop it."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        try:
            self._write(rows)
        except (sqlite3.Error, OSError):
            self.dropped += len(rows)
            self._abandon()

    def close(self) -> None:
        """Write the rest and let go of the file."""
        self.flush()
        self._abandon()

    def _write(self, rows: list[tuple[int, int, float]]) -> None:
        if self._database is None:
            self._database = self._connect()
        named = {number: name for name, number in self._ids.items()}
        used = sorted({number for number, _, _ in rows})
        with self._database as database:
            places = {number: self._place(database, named[number]) for number in used}
            database.executemany(
                "INSERT INTO samples VALUES (?, ?, ?)",
                ((places[number], t_ns, value) for number, t_ns, value in rows),
            )

    def _connect(self) -> sqlite3.Connection:
        """Open the file; one that is no database any more is begun anew."""
        database = sqlite3.connect(self._path, timeout=0.0)
        try:
            database.executescript(_SCHEMA)
        except sqlite3.OperationalError:
            database.close()
            raise
        except sqlite3.DatabaseError:
            database.close()
            self._path.unlink(missing_ok=True)
            database = sqlite3.connect(self._path, timeout=0.0)
            database.executescript(_SCHEMA)
        return database

    def _place(self, database: sqlite3.Connection, name: str) -> int:
        """The series' id in the file, which may be older than this process."""
        database.execute(
            "INSERT OR IGNORE INTO series (name, unit) VALUES (?, ?)", (name, self._units[name])
        )
        row = database.execute("SELECT id FROM series WHERE name = ?", (name,)).fetchone()
        return int(row[0])

    def _abandon(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None


def read_samples(folder: Path, name: str) -> Iterator[tuple[int, float]]:
    """The (t_ns, value) rows of one series in the order of writing; none when there is no file."""
    path = folder / SAMPLES
    if not path.exists():
        return
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        rows = database.execute(
            "SELECT t_ns, value FROM samples JOIN series ON series.id = samples.series"
            " WHERE series.name = ? ORDER BY samples.rowid",
            (name,),
        )
        for t_ns, value in rows:
            yield int(t_ns), float(value)
    except sqlite3.Error:
        return  # a damaged series is a lost one, and that is allowed
    finally:
        database.close()


def series(folder: Path) -> dict[str, str]:
    """The names of the series and their units."""
    path = folder / SAMPLES
    if not path.exists():
        return {}
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return dict(database.execute("SELECT name, unit FROM series ORDER BY id").fetchall())
    except sqlite3.Error:
        return {}
    finally:
        database.close()
