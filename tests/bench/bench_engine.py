"""The engine beside a bare loop: the same VISA exchanges at the same instants, in one process.

Prints the ratio with the journal and without it, and the number of exchanges of the flagship.
"""

import contextlib
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lbl import app
from lbl.journal.folder import RunFolder
from lbl.journal.journal import Journal
from lbl.run.clock import RunClock
from lbl.run.launch import Launch, launch, simulate
from sim.visa import SimLibrary

BILAYERS = 100
ROUNDS = 5
Exchange = tuple[int, str, bytes | int, int]  # the last is a read's time-out in ns, -1 for a write


def prepared(runs: Path) -> Launch:
    order = app.Order("bacteriorhodopsin-200", sets={"bilayers": str(BILAYERS)}, runs=runs)
    return app.prepare(order).launch


def recorded(what: Launch) -> list[Exchange]:
    """Every write and read of one run: (virtual ns, session, data or count, time-out)."""
    seen: list[Exchange] = []
    clocks: list[Any] = []
    plain_write, plain_read, plain_over = SimLibrary.write, SimLibrary.read, SimLibrary.over

    def over(assembly: Any, clock: Any) -> SimLibrary:
        clocks.append(clock)
        return plain_over(assembly, clock)

    def write(self: SimLibrary, session: Any, data: bytes) -> Any:
        seen.append((clocks[0].now_ns(), str(session), data, -1))
        return plain_write(self, session, data)

    def read(self: SimLibrary, session: Any, count: int) -> Any:
        patience_ns = self._held(session).timeout_ns
        seen.append((clocks[0].now_ns(), str(session), count, patience_ns))
        return plain_read(self, session, count)

    SimLibrary.write, SimLibrary.read = write, read  # type: ignore[method-assign]
    SimLibrary.over = staticmethod(over)  # type: ignore[method-assign,assignment]
    try:
        launch(what, lambda news: None, run="recorded")
    finally:
        SimLibrary.write, SimLibrary.read = plain_write, plain_read  # type: ignore[method-assign]
        SimLibrary.over = plain_over  # type: ignore[method-assign]
    return seen


def bare(what: Launch, seen: list[Exchange]) -> float:
    """CPU seconds of the same exchanges with nothing around them."""
    import pyvisa

    clock = RunClock(0.0)
    library = simulate(what).library(clock.core)
    manager = pyvisa.ResourceManager(library)
    names = list(dict.fromkeys(spec.resource for spec in what.file.instruments.values()))
    sessions = dict.fromkeys(session for _, session, _, _ in seen)
    opened = [manager.open_resource(name) for name in names]  # closed when forgotten
    handle: dict[str, Any] = dict(zip(sessions, opened, strict=False))
    start = time.process_time()
    for at_ns, session, data, patience_ns in seen:
        if at_ns > clock.core.now_ns():
            clock.core.wait_until_ns(at_ns)
        resource = handle[session]
        if patience_ns < 0:
            resource.write_raw(data)
            continue
        library._held(resource.session).timeout_ns = patience_ns
        with contextlib.suppress(pyvisa.errors.VisaIOError):  # a drain ends with silence
            resource.read_raw()
    spent = time.process_time() - start
    manager.close()
    return spent


def whole(what: Launch, name: str) -> float:
    start = time.process_time()
    launch(what, lambda news: None, run=name)
    return time.process_time() - start


def without_journal(what: Launch, name: str) -> float:
    """The same run with nothing written: no records, no world, no report of it."""
    plain_append, plain_save = Journal.append, RunFolder.save_world
    plain_make: Callable[..., Any] = launch.__globals__["make_record"]
    Journal.append = lambda self, kind, **payload: None  # type: ignore[method-assign,assignment]
    RunFolder.save_world = lambda self, state, bond=None, durable=False: None  # type: ignore[method-assign]
    launch.__globals__["make_record"] = lambda events: {"totals": {"duration_s": 0.0}}
    try:
        return whole(what, name)
    finally:
        Journal.append = plain_append  # type: ignore[method-assign]
        RunFolder.save_world = plain_save  # type: ignore[method-assign]
        launch.__globals__["make_record"] = plain_make


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        what = prepared(Path(folder))
        seen = recorded(what)
        rows: list[tuple[float, float]] = []
        for number in range(ROUNDS):
            gc.collect()
            base = bare(what, seen)
            rows.append(
                (whole(what, f"a{number}") / base, without_journal(what, f"b{number}") / base)
            )
    writes = sum(1 for row in seen if row[3] < 0)
    print(f"exchanges of {BILAYERS} bilayers: {writes} (flagship about {writes * 200 // BILAYERS})")
    print(f"engine beside the bare exchanges, journal in: {median(rows, 0):.2f}  (<= 3)")
    print(f"engine beside the bare exchanges, without:    {median(rows, 1):.2f}  (<= 1.5)")


def median(rows: list[tuple[float, float]], column: int) -> float:
    return statistics.median(row[column] for row in rows)


if __name__ == "__main__":
    main()
