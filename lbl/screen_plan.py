"""What a film takes, as a table for the terminal. Words only; it decides nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lbl import units
from lbl.app import Foreseen
from lbl.plan.account import Account
from lbl.plan.schedule import Plan, Refill

MEGABYTE: Final = 1e6
REFILLS_SHOWN: Final = 12
WASTE_SHOWN: Final = 4  # instants at which the waste so far is told
HOUR_S: Final = 3600.0
_SLIM: Final[Mapping[str, Any]] = {
    "box": SIMPLE_HEAD, "padding": (0, 2, 0, 0), "pad_edge": False, "title_justify": "left",
}  # fmt: skip

_out = Console(highlight=False, soft_wrap=True)


def planned(made: Foreseen) -> None:
    """The plan's figures, then vessel by vessel, then the refills."""
    plan = made.plan
    table = Table(title=f"{plan.recipe} {plan.version} on {plan.bench}", show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for row in (*_times(made), *_film(plan, made.account), *_liquids(made), *_rest(made)):
        table.add_row(*row)
    _out.print(table)
    _out.print(_vessels(made.account))
    if plan.budget.refills:
        _out.print(_refills(made))


def _times(made: Foreseen) -> Iterator[tuple[str, str]]:
    plan, span = made.plan, made.account.span
    yield "bilayers, depositions", f"{plan.bilayers}, {plan.depositions}"
    spread = ""
    if span.p95 > span.p50:
        spread = f", 95 of 100 runs at most {units.duration(round(span.p95 - span.p50, 1))} more"
    yield "duration", f"{units.duration(span.p50)}{spread}"
    yield "", "; ".join(span.why)
    first, last = (made.at(seconds - span.opening) for seconds in (span.p50, span.p95))
    late = f", at the latest {_clock(last)}" if _clock(last) != _clock(first) else ""
    yield "finish", f"{_clock(first)}{late}, if it begins {_clock(made.start)}"
    yield "steps", str(len(plan.steps))


def _film(plan: Plan, account: Account) -> Iterator[tuple[str, str]]:
    budget = plan.budget
    yield "exchanges of a rinse", _range(*map(str, plan.exchanges))
    yield from _lengthened(plan)
    yield "worst carry-over", f"{budget.carry_over_worst:.2g}  (limit {plan.limits.carry_over:g})"
    air = f"{budget.air_worst:.1f} s  (limit {plan.limits.air_soft:g} s)"
    if account.air < budget.air_worst:
        air += f", the film itself {account.air:.1f} s"
    yield "longest time in air", air
    if account.lit:
        dose = "dose unknown: the bench states no irradiance"
        if account.dose is not None:
            dose = f"{account.dose:.3g} mJ/cm2"
        yield "light on the film", f"{units.duration(account.lit)} in all, {dose}"


def _liquids(made: Foreseen) -> Iterator[tuple[str, str]]:
    budget, waste = made.plan.budget, made.account.liquids.waste
    for name, volume in budget.volumes.items():
        yield f"{name} to prepare", f"{volume:.1f} mL"
    if waste[-1][1] <= 0.0:
        yield "waste", f"{budget.waste:.1f} mL, all of it when the baths are emptied"
        return
    last = len(waste) - 1
    shown = [waste[last * part // WASTE_SHOWN] for part in range(1, WASTE_SHOWN + 1)]
    told = ", ".join(f"{ml:.1f} mL after {units.duration(round(at))}" for at, ml in shown)
    yield "waste", told


def _rest(made: Foreseen) -> Iterator[tuple[str, str]]:
    account = made.account
    first = account.visits[0]
    yield "a person is needed", f"{_clock(made.at(first.at))}: {first.why}"
    if len(account.visits) > 1:
        last = made.at(account.visits[-1].at)
        yield "", f"{len(account.visits)} times in all, the last {_clock(last)}"
    journal, folder = (size / MEGABYTE for size in (account.journal, account.folder))
    size = f"{journal:.2g} MB, the run's folder {folder:.2g} MB"
    yield "data", f"about {account.records} records, {size}"
    yield "plan", made.plan.hash


def _vessels(account: Account) -> Table:
    """One row a vessel: what it holds in the end, and what got into it."""
    age = units.duration(round(account.age * HOUR_S))
    table = Table(title=f"vessels, {age} old when the run ends", **_SLIM)
    for head in ("vessel", "solution", "mL", "ends at", "strength", "got in", "of (bilayer)"):
        left = head in ("vessel", "solution", "of (bilayer)")
        table.add_column(head, justify="left" if left else "right", no_wrap=True)
    for one in account.liquids.vessels:
        worst, bilayer = one.worst
        got = (f"{worst:.2g}", f"{one.most} ({bilayer})") if worst > 0.0 else ("0", "")
        table.add_row(
            one.name, one.solution, f"{one.volume:.1f}", f"{one.ends:.2f}",
            f"{100 * one.strength:.2f} %", *got,
        )  # fmt: skip
    return table


def _refills(made: Foreseen) -> Table:
    """Every refill, or of many the first, and how often."""
    refills = made.plan.budget.refills
    table = Table(title="refills", **_SLIM)
    for head in ("when", "vessel", "solution", "mL", "by"):
        table.add_column(head)
    for one in refills[:REFILLS_SHOWN]:
        table.add_row(*_refill(made, one))
    if len(refills) > REFILLS_SHOWN:
        left = refills[REFILLS_SHOWN:]
        total = sum(one.volume for one in refills)
        table.add_row(
            f"and {len(left)} more until {_clock(made.at(left[-1].at))}", "", "",
            f"{total:.2f} in all", "all of them with --json",
        )  # fmt: skip
    return table


def _refill(made: Foreseen, one: Refill) -> Sequence[str]:
    return _clock(made.at(one.at)), one.vessel, one.solution, f"{one.volume:.2f}", one.by


def _clock(at: datetime) -> str:
    return at.strftime("%a %Y-%m-%d %H:%M")


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _lengthened(plan: Plan) -> Iterator[tuple[str, str]]:
    """Exposures that a bench makes longer, since their solution grows weaker."""
    longer: dict[str, list[int]] = {}
    for step in plan.steps:
        if "c_over_c0" in step.detail:
            longer.setdefault(step.solution, []).append(step.dwell_ns)
    for name, dwells in longer.items():
        first, last = (units.duration(ns / 1e9) for ns in (min(dwells), max(dwells)))
        yield f"dwell in {name}", f"{_range(first, last)}, longer as it grows weaker"
