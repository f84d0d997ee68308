"""A plan as a picture, for people: one bilayer in detail, the whole run, and how clean it stays.

matplotlib is an optional extra and takes half a second to load, so it is loaded in the drawing
function only. Decides nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lbl import units
from lbl.app import Foreseen
from lbl.picture import INK, PURPLE, ROSE
from lbl.plan.liquids import Vessel
from lbl.plan.schedule import Plan, Step

NS: Final = 1e9
HOUR_S: Final = 3600.0
MINUTE_S: Final = 60.0
DPI: Final = 120
HEIGHT: Final = 0.8  # of a bar, of the room between two vessels
RINSE: Final = "#9ec5d8"
PRIMER: Final = "#e0a458"
EDGE: Final = 0.6  # pt around a bar, so that a minute in four days is still seen
CLOSE: Final = 4.0  # lines that end within this ratio share a label
SHOWN: Final = 2  # this bilayer in detail: the first that follows one of its own kind
LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    "measure": ("D", "reading"),
    "zero": ("o", "reference"),
    "dose": ("^", "top-up"),
}


def gantt(made: Foreseen, path: Path) -> str:
    """Draw a plan; a sentence about where it is, or why it is nowhere."""
    try:
        import matplotlib
    except ImportError:
        return "no picture: pip install 'lbl[plot]'"
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    plan = made.plan
    rows = {name: row for row, name in enumerate(one.name for one in made.account.liquids.vessels)}
    tall = 0.28 * len(rows) + 0.9
    figure = Figure(figsize=(11.0, 2 * tall + 3.2), layout="constrained")
    detail, whole, clean = figure.subplots(3, 1, height_ratios=(tall, tall, 2.4))
    _detail(detail, plan, rows)
    _whole(whole, made, rows)
    _clean(clean, made)
    whole.sharex(clean)
    span = made.account.span
    figure.suptitle(
        f"{plan.recipe} {plan.version} on {plan.bench}: {plan.bilayers} bilayers, "
        f"{units.duration(round(span.p50))}"
    )
    try:
        figure.savefig(path, dpi=DPI)
    except (OSError, ValueError) as error:
        return f"no picture: {error}"
    return f"picture: {path}"


def _detail(axes: Any, plan: Plan, rows: Mapping[str, int]) -> None:
    """One bilayer, from its first lift to the next one's; lines are ways from liquid to liquid."""
    number = min(SHOWN, plan.bilayers)
    steps = [step for step in plan.steps if step.bilayer == number]
    zero = steps[0].offset_ns / NS
    _bars(axes, plan, steps, rows, zero, MINUTE_S)
    before = plan.steps[steps[0].index - 1] if steps[0].index else None
    here = rows.get(before.vessel) if before is not None else None
    for step in steps:
        if not step.legs:
            continue
        at, there = (step.offset_ns / NS - zero) / MINUTE_S, rows[step.vessel]
        ends = at + step.transfer_ns / NS / MINUTE_S
        axes.plot((at, ends), (there if here is None else here, there), color=INK, linewidth=1)
        here = there
    for kind, (mark, label) in LOOKS.items():
        looks = [step for step in steps if step.kind == kind]
        if looks:
            middle = [
                (step.offset_ns + step.duration_ns / 2) / NS / MINUTE_S - zero / MINUTE_S
                for step in looks
            ]
            axes.plot(
                middle, [rows[step.vessel] for step in looks], mark, color=INK, fillstyle="none",
                markersize=6, label=label, zorder=3,
            )  # fmt: skip
    what = f"bilayer {number}" if number else "the whole procedure"
    axes.set_title(f"{what}, from {units.duration(round(zero))} on", loc="left", fontsize="medium")
    axes.set_xlabel("min")
    _dress(axes, rows)
    if axes.get_legend_handles_labels()[0]:
        _legend(axes)


def _whole(axes: Any, made: Foreseen, rows: Mapping[str, int]) -> None:
    """All steps; refills and visits of people."""
    plan = made.plan
    _bars(axes, plan, plan.steps, rows, 0.0, HOUR_S)
    for by, mark in (("pump", "^"), ("person", "v")):
        found = [one for one in plan.budget.refills if one.by == by]
        if found:
            axes.plot(
                [one.at / HOUR_S for one in found], [rows[one.vessel] for one in found], mark,
                color=INK, markersize=7, markerfacecolor="white", label=f"refill by {by}", zorder=3,
            )  # fmt: skip
    for number, visit in enumerate(made.account.visits):
        label = "a person is needed" if number == 0 else None
        axes.axvline(visit.at / HOUR_S, color=ROSE, linestyle="--", linewidth=1, label=label)
    start = f"{made.start:%Y-%m-%d %H:%M}"
    axes.set_title(f"the whole run, beginning {start}", loc="left", fontsize="medium")
    _dress(axes, rows)
    _legend(axes)


def _clean(axes: Any, made: Foreseen) -> None:
    """What got into every vessel, and what was carried over, bilayer by bilayer."""
    liquids = made.account.liquids
    hours = [end / HOUR_S for end in liquids.bilayers]
    for one in liquids.vessels:
        if any(one.foreign):
            color = _color(made.plan, one.solution)
            axes.plot(hours, one.foreign, color=color, linewidth=1)
    for names, share in _together(liquids.vessels):
        axes.annotate(
            names, (hours[-1], share), xytext=(4, 0), va="center",
            textcoords="offset points", fontsize="small",
        )  # fmt: skip
    if any(liquids.carry_over):
        axes.plot(hours, liquids.carry_over, color=INK, linewidth=2, label="worst carry-over")
        axes.set_yscale("log")
    limit = made.plan.limits.carry_over
    axes.axhline(limit, color=ROSE, linestyle=":", label=f"limit of the carry-over {limit:g}")
    axes.set_title("what does not belong there, as a share of its strength", loc="left",
                   fontsize="medium")  # fmt: skip
    axes.set_xlabel("h from the first step")
    _legend(axes)
    axes.spines[["top", "right"]].set_visible(False)


def _together(vessels: Sequence[Vessel]) -> list[tuple[str, float]]:
    """Names of the vessels whose lines end at about the same height, and that height."""
    ends = sorted((one.foreign[-1], one.name) for one in vessels if one.foreign)
    groups: list[tuple[str, float]] = []
    for share, name in ends:
        if groups and share < CLOSE * groups[-1][1]:
            groups[-1] = (f"{groups[-1][0]}, {name}", groups[-1][1])
        elif share > 0.0:
            groups.append((name, share))
    return groups


def _bars(
    axes: Any, plan: Plan, steps: Sequence[Step], rows: Mapping[str, int], zero: float, unit: float
) -> None:
    """Every stay as a bar in its vessel's row."""
    stays: dict[str, list[tuple[float, float]]] = {}
    for step in steps:
        if step.latest_ns and step.vessel:
            since = (step.offset_ns + step.transfer_ns) / NS - zero
            stays.setdefault(step.vessel, []).append((since / unit, step.dwell_ns / NS / unit))
    for vessel, bars in stays.items():
        color = _color(plan, plan.assignments[vessel])
        row = (rows[vessel] - HEIGHT / 2, HEIGHT)
        # Not snapped to pixels: of a thousand narrow bars some would vanish and others swell.
        axes.broken_barh(bars, row, color=color, linewidth=EDGE, snap=False)


def _color(plan: Plan, solution: str) -> str:
    liquid = plan.solutions[solution]
    if liquid.role == "primer":
        return PRIMER
    return {1: ROSE, -1: PURPLE}.get(liquid.charge, RINSE)


def _dress(axes: Any, rows: Iterable[str]) -> None:
    """Vessels from top to bottom."""
    names = list(rows)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.margins(x=0.01)
    axes.spines[["top", "right"]].set_visible(False)


def _legend(axes: Any) -> None:
    """Above the panel, where no bar is."""
    axes.legend(
        frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2,
        fontsize="small", ncols=4,
    )  # fmt: skip
