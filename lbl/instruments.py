"""The door to single instruments: what is within reach, does a bench answer, does a driver conform.

Resolves names, picks the clock and hands on. Must never print, and never move anything.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lbl.bench.bench import InstrumentError
from lbl.bench.card import Card, Check, write_card
from lbl.bench.check import Report
from lbl.bench.check import check as check_bench
from lbl.bench.conformance import Ask, Subject, card_of, examine
from lbl.bench.file import AnyBench, read_any_bench
from lbl.bench.found import Found, look, named, together
from lbl.bench.instruments import spec_of
from lbl.bench.trials import USUAL
from lbl.errors import BadInput, Fault, Problem
from lbl.run.clock import RunClock, stamp_now
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
