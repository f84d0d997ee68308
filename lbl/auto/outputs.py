"""Outputs off, first of all: what needs neither recipe, nor plan, nor journal.

Opens the instruments of a bench file, switches off what can be switched off, and lets go. Must
never move substrate or liquid: axes are left alone, one under way arrives.
"""

from collections.abc import Sequence
from pathlib import Path

from lbl.bench.file import AnyBench, DipFile, read_any_bench
from lbl.bench.opening import Instruments
from lbl.errors import LblError
from lbl.run.clock import RunClock
from lbl.shipped import find

PURPOSE = "auto: outputs off"


def outputs_off(benches: Sequence[str]) -> list[str]:
    """Switch off the first of these benches that can be read; what could not be, in words.

    A bench is a file or the name of one that ships. Never raises for what a bench does.
    """
    failed = []
    for bench in benches:
        try:
            return _off(read_any_bench(find(bench, "sim", "bench")))
        except LblError as error:
            failed += [str(problem) for problem in error.problems]
    return failed


def frozen_bench(run: Path) -> str:
    """The bench file that a run was started with."""
    return str(run / "bench.yaml")


def _off(file: AnyBench) -> list[str]:
    if file.in_process:  # models that live and die with the run, which begins by doing the same
        return []
    axes = (file.arm.lift, file.arm.turn) if isinstance(file, DipFile) else ()
    opened = Instruments(file, RunClock(None).core, PURPOSE)
    try:
        return opened.safe(frozenset(axes))
    finally:
        opened.close()
