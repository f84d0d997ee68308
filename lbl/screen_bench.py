"""Instruments on the terminal: a bench, what is within reach, a test. Words only.

One line an instrument and never cut: resources are there to be copied.
"""

from collections.abc import Sequence

from lbl.bench.card import Card, Check
from lbl.bench.check import Report, Row
from lbl.bench.found import Found


def checked(report: Report) -> None:
    """A bench as it was found, and who the dead-man cannot reach."""
    print(f"bench {report.bench}{' (simulated)' if report.simulated else ''}")
    _columns(
        ("name", "role", "answers as", "firmware", "limits read back", "calibrated"),
        [
            (
                row.name,
                row.role,
                _who(row) if row.answers else "no answer",
                row.firmware,
                row.limits,
                _calibrated(row),
            )
            for row in report.rows
        ],
    )
    for row in report.rows:
        for note in row.notes:
            print(f"{row.name}: {note}")
    unreached = [row.name for row in report.rows if row.answers and not row.guarded]
    if unreached:
        print(
            f"the guardian cannot reach {', '.join(unreached)}: no descriptor leads there, so that "
            "only this program can make them safe"
        )


def within_reach(found: Sequence[Found], trouble: str) -> None:
    """Resources, whose they are and what they may be."""
    _columns(
        ("resource", "bench", "name", "likely role", "identity", "state"),
        [(one.resource, one.bench, one.name, one.role, one.identity, one.state) for one in found],
    )
    if trouble:
        print(trouble)


def tried(check: Check) -> None:
    """One check of the conformance kit, as it ends."""
    print(f"{check.outcome:<8} {check.name:<12} {check.sentence}", flush=True)


def carded(card: Card) -> None:
    """How long each verb took, in ms."""
    print(f"{card.maker} {card.model}, firmware {card.firmware or 'untold'}")
    _columns(
        ("verb", "calls", "p50 ms", "p99 ms", "max ms"),
        [
            (verb, str(one.count), *(f"{1e3 * took:.2f}" for took in (one.p50, one.p99, one.max)))
            for verb, one in card.latency.items()
        ],
    )


def _who(row: Row) -> str:
    return " ".join(part for part in (row.maker, row.model, row.serial) if part)


def _calibrated(row: Row) -> str:
    return f"{row.calibrated} ({row.age} days ago)" if row.calibrated else "no date given"


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned words, two blanks between."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        print("  ".join(map(str.ljust, row, widths)).rstrip(), flush=True)
