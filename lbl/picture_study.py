"""Pictures of studies, for people: side against side, and figures over what was varied.

Drawn from means and deviations that are made elsewhere. matplotlib is an optional extra and takes
half a second to load, so it is loaded in the drawing functions only.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lbl.picture import INK, PURPLE, ROSE
from lbl.study.case import Cell
from lbl.study.contrast import Condition, Contrast, Curve
from lbl.study.factors import Factor
from lbl.study.figures import title

DPI: Final = 110
FAMILY_MAX: Final = 4  # curves in one panel; with more levels on both axes, a map
PANELS_MAX: Final = 6
BARS_MAX: Final = 14
SHARE_MIN: Final = 1e-3  # of A; less is not drawn
MARKS_MAX: Final = 60
FLAT: Final = 0.05  # half the height of a panel, as a share, where next to nothing changes
WRITTEN_MAX: Final = 64  # fields of a map that carry their number
RATIO_LOG: Final = 15.0  # between the ends of an axis that is drawn in equal ratios
MINUTE_S: Final = 60.0
NO_PLOT: Final = "pip install 'lbl[plot]'"


def twin(
    labels: tuple[str, str], curves: Mapping[str, Curve], rows: Sequence[Contrast], path: Path
) -> Path | str:
    """Growth of both sides and its difference, then the figures; the path, or why there is none."""
    if not rows:
        return "no film of each side came to its end"
    pyplot = _figure_class()
    if pyplot is None:
        return NO_PLOT
    figure = pyplot(figsize=(11.0, 5.4), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(3, 2), height_ratios=(3, 1))
    top = figure.add_subplot(grid[0, 0])
    bottom = figure.add_subplot(grid[1, 0], sharex=top)
    _line(top, curves["a"], f"A: {labels[0]}", INK, "o", "full")
    _line(top, curves["b"], f"B: {labels[1]}", ROSE, "s", "none")
    _line(bottom, curves["difference"], "B - A", PURPLE, "o", "full")
    bottom.axhline(0.0, color=INK, linewidth=0.5)
    top.set_ylabel("absorbance at 570 nm (mOD a side)")
    bottom.set_ylabel("B - A (mOD)")
    bottom.set_xlabel("bilayer")
    bottom.xaxis.get_major_locator().set_params(integer=True)
    if curves["a"] or curves["b"]:
        top.legend(frameon=False, loc="upper left")
    else:
        top.text(0.5, 0.5, "nothing was measured", ha="center", transform=top.transAxes)
    _bars(figure.add_subplot(grid[:, 1]), rows)
    return _saved(figure, path)


def _line(axes: Any, curve: Curve, label: str, color: str, mark: str, fill: str) -> None:
    """A growth curve with a band of one standard deviation; a mark a bilayer while they fit."""
    if not curve:
        return
    at, mean, spread = (list(column) for column in zip(*curve, strict=True))
    marked = {"marker": mark, "fillstyle": fill, "markersize": 5} if len(at) <= MARKS_MAX else {}
    axes.plot(at, mean, color=color, linewidth=1, label=label, **marked)
    if any(spread):
        low = [one - sigma for one, sigma in zip(mean, spread, strict=True)]
        high = [one + sigma for one, sigma in zip(mean, spread, strict=True)]
        axes.fill_between(at, low, high, color=color, alpha=0.2, linewidth=0)
    _bare(axes)


def _bars(axes: Any, rows: Sequence[Contrast]) -> None:
    """The figures that differ, as shares of A, the one film's scatter as whiskers."""
    told = [row for row in rows if abs(row.share or 0.0) >= SHARE_MIN]
    told = sorted(told, key=lambda row: -abs(row.share or 0.0))[:BARS_MAX]
    kept = [row for row in rows if row in told][::-1]
    places = range(len(kept))
    shares = [100.0 * (row.share or 0.0) for row in kept]
    noise = [100.0 * (row.noise or 0.0) / abs(row.a) for row in kept]
    axes.barh(places, shares, color=PURPLE, alpha=0.6)
    if any(noise):
        axes.errorbar(shares, places, xerr=noise, fmt="none", ecolor=INK, capsize=2, linewidth=1)
    if shares and max(map(abs, shares)) > RATIO_LOG:  # one per cent and a hundredfold, both seen
        axes.set_xscale("symlog", linthresh=1.0)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.tick_params("x", labelrotation=45)
    axes.axvline(0.0, color=INK, linewidth=0.5)
    named = zip(kept, shares, strict=True)
    axes.set_yticks(places, [f"{title(row.name)}  {share:+.3g} %" for row, share in named])
    axes.set_xlabel("B less A (% of A)" + ("; whiskers: one film's scatter" if any(noise) else ""))
    least = f"{100 * SHARE_MIN:g} %"
    told_of = f"figures that differ by {least} or more" if kept else f"no figure differs by {least}"
    axes.set_title(told_of, loc="left", fontsize="medium")
    _bare(axes)


def sweep(
    factors: Sequence[Factor], rows: Sequence[Condition], shown: Sequence[str], path: Path
) -> Path | str:
    """The shown figures over what was varied; the path, or why there is no picture."""
    rows = [row for row in rows if row.complete]
    if not rows or not shown or not factors:
        return "there is nothing to draw"
    pyplot = _figure_class()
    if pyplot is None:
        return NO_PLOT
    drawn: list[tuple[str, Callable[[Any], None]]]
    if len(factors) > 2:
        drawn = [(shown[0], _effect(one, at, rows, shown[0])) for at, one in enumerate(factors)]
    else:
        draw = _curves if len(factors) == 1 or _narrow(factors) else _map
        drawn = [(name, _panel(draw, factors, rows, name)) for name in shown]
    drawn = drawn[:PANELS_MAX]
    width = 1 if len(drawn) == 1 else 2
    height = -(-len(drawn) // width)
    figure = pyplot(figsize=(5.2 * width + 0.6, 3.6 * height + 0.4), layout="constrained")
    panels = list(figure.subplots(height, width, squeeze=False).flat)
    for (name, put), axes in zip(drawn, panels, strict=False):
        put(axes)
        axes.set_title(title(name), loc="left", fontsize="medium")
    for axes in panels[len(drawn) :]:
        axes.set_visible(False)
    if len(factors) > 2:
        figure.suptitle(
            "means over everything else; whiskers from lowest to highest", fontsize="small"
        )
    return _saved(figure, path)


def _panel(
    draw: Callable[..., None], factors: Sequence[Factor], rows: Sequence[Condition], name: str
) -> Callable[[Any], None]:
    return lambda axes: draw(axes, factors, rows, name)


def _narrow(factors: Sequence[Factor]) -> bool:
    return min(len(one.levels) for one in factors) <= FAMILY_MAX


def _curves(axes: Any, factors: Sequence[Factor], rows: Sequence[Condition], name: str) -> None:
    """One curve, or one for each level of the factor that has fewer."""
    along = max(range(len(factors)), key=lambda index: len(factors[index].levels))
    family = 1 - along if len(factors) == 2 else None
    axis = _Axis(factors[along])
    levels = (
        [factors[family].cell(level) for level in factors[family].levels]
        if family is not None
        else [None]
    )
    for level, color in zip(levels, _colors(len(levels)), strict=True):
        mine = [
            row
            for row in rows
            if name in row.mean and (family is None or row.cells[family] == level)
        ]
        at = [axis.place(row.cells[along]) for row in mine]
        label = None if family is None else _Axis(factors[family]).words(level)
        axes.errorbar(
            at, [row.mean[name] for row in mine],
            yerr=[row.sd[name] for row in mine] if any(row.complete > 1 for row in mine) else None,
            fmt="o-", color=color, capsize=3, markersize=4, linewidth=1, label=label,
        )  # fmt: skip
    axis.dress(axes)
    axes.set_ylim(_limits([row.mean[name] for row in rows if name in row.mean]))
    if family is not None:
        axes.legend(frameon=False, fontsize="small", title=factors[family].name)
    _bare(axes)


def _map(axes: Any, factors: Sequence[Factor], rows: Sequence[Condition], name: str) -> None:
    """A field for each pair of levels; a condition without a film stays white."""
    down, along = (_Axis(one) for one in factors)
    field = [[float("nan")] * len(along.cells) for _ in down.cells]
    for row in rows:
        if name in row.mean:
            field[down.cells.index(row.cells[0])][along.cells.index(row.cells[1])] = row.mean[name]
    low, high = _limits([row.mean[name] for row in rows if name in row.mean])
    image = axes.imshow(field, origin="lower", aspect="auto", cmap="viridis", vmin=low, vmax=high)
    axes.figure.colorbar(image, ax=axes)
    axes.set_xticks(range(len(along.cells)), [along.short(cell) for cell in along.cells])
    axes.set_yticks(range(len(down.cells)), [down.short(cell) for cell in down.cells])
    axes.set_xlabel(along.label)
    axes.set_ylabel(down.label)
    if len(down.cells) * len(along.cells) <= WRITTEN_MAX:
        middle = sum(image.get_clim()) / 2.0
        for y, line in enumerate(field):
            for x, value in enumerate(line):
                if value == value:
                    ink = "white" if value < middle else "black"
                    axes.text(x, y, f"{value:.3g}", ha="center", va="center", color=ink, fontsize=7)


def _limits(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Ends of an axis that does not make a mountain of a grain; None leaves it to the library."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    room = FLAT * max(abs(low), abs(high))
    return (low - room, high + room) if 0.0 < room > high - low else (None, None)


def _effect(
    factor: Factor, index: int, rows: Sequence[Condition], name: str
) -> Callable[[Any], None]:
    """One factor of many: the mean over all others, from the lowest to the highest."""

    def draw(axes: Any) -> None:
        axis = _Axis(factor)
        at, mean, low, high = [], [], [], []
        for cell in axis.cells:
            values = [
                row.mean[name] for row in rows if row.cells[index] == cell and name in row.mean
            ]
            if values:
                middle = sum(values) / len(values)
                at.append(axis.place(cell))
                mean.append(middle)
                low.append(middle - min(values))
                high.append(max(values) - middle)
        axes.errorbar(
            at, mean, yerr=(low, high), fmt="o-", color=PURPLE, capsize=3, markersize=4, linewidth=1
        )
        axis.dress(axes)
        _bare(axes)

    return draw


class _Axis:
    """The levels of a factor along an axis: numbers in place, words side by side."""

    def __init__(self, factor: Factor) -> None:
        self.cells = [factor.cell(level) for level in factor.levels]
        self.numeric = not any(isinstance(cell, str) for cell in self.cells)
        numbers = [float(cell) for cell in self.cells if isinstance(cell, int | float)]
        minutes = factor.unit == "s" and max(numbers) >= 2 * MINUTE_S
        self.scale, unit = (MINUTE_S, "min") if minutes else (1.0, factor.unit)
        self.unit, self.name = unit, factor.name
        self.label = f"{factor.name} ({unit})" if unit else factor.name
        self.log = self.numeric and min(numbers) > 0 and max(numbers) / min(numbers) >= RATIO_LOG

    def place(self, cell: Cell) -> float:
        """Where a level stands."""
        if self.numeric and isinstance(cell, int | float):
            return cell / self.scale
        return float(self.cells.index(cell))

    def short(self, cell: Cell) -> str:
        """A level without its unit."""
        return f"{cell / self.scale:.3g}" if isinstance(cell, int | float) else str(cell)

    def words(self, cell: Cell) -> str:
        """A level with its unit."""
        return f"{self.short(cell)} {self.unit}".rstrip()

    def dress(self, axes: Any) -> None:
        """Scale, ticks and label of the horizontal axis."""
        axes.set_xlabel(self.label)
        if self.log:
            axes.set_xscale("log")
        if not self.numeric or self.log:
            axes.set_xticks([], minor=True)
            axes.set_xticks([*map(self.place, self.cells)], [*map(self.short, self.cells)])


def _colors(count: int) -> list[Any]:
    if count == 1:
        return [PURPLE]
    from matplotlib import colormaps

    return [colormaps["viridis"](0.85 * index / (count - 1)) for index in range(count)]


def _figure_class() -> Any:
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    return Figure


def _bare(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)


def _saved(figure: Any, path: Path) -> Path | str:
    try:
        figure.savefig(path, dpi=DPI)
    except (OSError, ValueError) as error:
        return str(error)
    return path
