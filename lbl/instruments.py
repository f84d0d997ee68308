"""The door to single instruments: what is within reach, does a bench answer, does a driver conform.

Resolves names, picks the clock and hands on. Must never print, and never move anything but what a
conformance test has been told to.
"""

import datetime
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lbl.app import plan
from lbl.bench.bench import InstrumentError, holders
from lbl.bench.card import Card, Check, write_card
from lbl.bench.check import Report
from lbl.bench.check import check as check_bench
from lbl.bench.conformance import Ask, Subject, card_of, examine
from lbl.bench.file import AnyBench, BenchFile, read_any_bench
from lbl.bench.found import Found, look, named, together
from lbl.bench.instruments import spec_of
from lbl.bench.trials import USUAL
from lbl.errors import BadInput, Fault, Problem
from lbl.run.clock import RunClock, stamp_now
from lbl.runs import SIGNALS, send
from lbl.shipped import find

COUNT_MAX: Final = 1000


def check(bench: str) -> Report:
    """Whether every role of a bench answers; raises BadInput for a file that is wrong."""
    file = read_any_bench(find(bench, "sim", "bench"))
    return check_bench(file, _core(file), _today())


def failures(report: Report) -> None:
    """Raises BadInput with one problem a failure, if there is any."""
    if report.problems:
        raise BadInput(*report.problems)


def found(benches: Sequence[str]) -> tuple[list[Found], str]:
    """Instruments of these benches and every other resource that PyVISA sees; its trouble, if any.

    Raises BadInput for a bench file that is wrong; an instrument that does not answer is told so.
    """
    known = []
    for bench in benches:
        file = read_any_bench(find(bench, "sim", "bench"))
        known += named(file, check_bench(file, _core(file), _today()).rows)
    seen, trouble = look()
    return together(known, seen), trouble


def test(
    resource: str,
    driver: str,
    given: Mapping[str, str],
    *,
    count: int,
    ask: Ask | None,
    tell: Callable[[Check], None],
) -> Card:
    """Put one instrument through the conformance kit; `tell` hears of each check as it ends.

    `given` are keys of a bench file's entry (`address`, `diameter`); `ask` tells a person what to
    do. Raises BadInput for a driver or key that there is not, and when nothing answers.
    """
    if not 1 <= count <= COUNT_MAX:
        sentence = f"{count} calls of each verb are not 1..{COUNT_MAX}"
        raise BadInput(Problem("option-form", sentence, "--count"))
    spec = spec_of(driver, resource, {**USUAL.get(driver, {}), **given})
    try:
        subject = Subject(driver, spec, RunClock(None).core, ask=ask)
    except InstrumentError as error:
        raise BadInput(Problem("bench-no-answer", str(error), resource)) from error
    checks = []
    try:
        for one in examine(subject, count):
            checks.append(one)
            tell(one)
        return card_of(subject, tuple(checks), _today().isoformat())
    finally:
        subject.close()


def keep(card: Card, path: Path) -> None:
    """Write a card to a file."""
    write_card(path, card)


def judge(card: Card) -> None:
    """Raises Fault with one problem for each check that failed."""
    problems = [
        Problem("driver-test", f"{one.name}: {one.sentence}", card.resource)
        for one in card.checks
        if one.outcome == "failed"
    ]
    if problems:
        raise Fault(*problems)


def _core(file: AnyBench) -> Any:
    """Virtual time for models in this process, real time for everything else."""
    return RunClock(0.0 if file.in_process else None).core


def _today() -> datetime.date:
    return datetime.date.fromisoformat(stamp_now()[:10])


def serve(
    bench: str, *, recipe: str, announce: Callable[[Mapping[str, object]], None], **options: Any
) -> None:
    """Serve a simulated bench, its baths filled for a recipe, until SIGINT or SIGTERM.

    `options` are those of `lbl.bench.served.serve`. Raises BadInput for a bench without models.
    """
    from lbl.bench.served import serve as serve_bench
    from lbl.bench.simulated import Simulation

    path = find(bench, "sim", "bench")
    file = read_any_bench(path)
    if not file.in_process:
        sentence = f"bench {file.name} is not one of simulated instruments"
        raise BadInput(Problem("serve", sentence, remedy="give one whose file says simulated:"))
    if isinstance(file, BenchFile):
        film = plan(recipe, bench, {})
        substrate = film.substrate
        simulation = Simulation(file, {}, seed=0, area=substrate.area, sides=substrate.sides)
        simulation.fill(film.assignments, film.solutions)
    else:  # a catalog has no baths to fill
        simulation = Simulation(file, {}, seed=0, area=1.0, sides=1)
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *caught: stopped.append(caught[0]))
    serve_bench(
        simulation,
        path.read_text("utf-8"),
        announce=announce,
        stop=lambda: bool(stopped),
        **options,
    )


def bench_safe(bench: str) -> str:
    """Make every instrument of a bench safe; a bench that a run holds has that run aborted.

    Those that answer are made safe whatever the others do. Raises Fault for each that does not
    answer or cannot be made safe.
    """
    from lbl.bench.opening import Instruments

    file = read_any_bench(find(bench, "sim", "bench"))
    if file.in_process:
        return f"bench {file.name} lives only inside a run: there is nothing to make safe"
    held = holders(file)
    if held:
        for pid in held:
            send(pid, SIGNALS["abort"])
        return "; ".join(f"{why} (pid {pid}) holds it: told to abort" for pid, why in held.items())
    opened = Instruments(file, RunClock(None).core, "bench safe")
    try:
        failed = opened.safe()
    finally:
        opened.close()
    if failed:
        raise Fault(*(Problem("bench-unsafe", sentence, file.name) for sentence in failed))
    return f"every instrument of {file.name} is safe"
