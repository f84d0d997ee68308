"""Outputs off, first of all: what needs neither recipe, nor plan, nor journal.

Must never move substrate or liquid, and never raise for what a bench does.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from lbl.bench.file import read_any_bench
from lbl.bench.shutoff import shut_off
from lbl.errors import LblError
from lbl.run.clock import RunClock
from lbl.shipped import find

PURPOSE: Final = "auto: outputs off"


def outputs_off(benches: Sequence[str], sent: Callable[[], None]) -> list[str]:
    """Switch off the first of these benches that can be read; what could not be, in words.

    A bench is a file or the name of one that ships. `sent` is called when the bytes have left.
    """
    failed = []
    for bench in benches:
        try:
            file = read_any_bench(find(bench, "sim", "bench"))
        except LblError as error:
            failed += [str(problem) for problem in error.problems]
            continue
        if file.in_process:  # models that live in the run, which begins by doing the same
            sent()
            return []
        return shut_off(file, RunClock(None).core, PURPOSE, sent)
    return failed


def frozen_bench(run: Path) -> str:
    """The bench file that a run was started with."""
    return str(run / "bench.yaml")
