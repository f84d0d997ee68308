"""Pictures of a run, for people. Drawn after the run, from its record; decides nothing.

matplotlib is an optional extra and takes half a second to load, so it is loaded here and only here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

GROWTH: Final = "growth.png"
SKIP: Final = 5  # bilayers before the straight line, as in the record's slope
INK: Final = "#1b1f3b"
PURPLE: Final = "#7b2d8e"
ROSE: Final = "#d1495b"
BINS: Final = 80


def growth(record: Mapping[str, Any], folder: Path) -> str:
    """Draw absorbance against bilayers; a sentence about it."""
    rows = [row for row in record["measurements"] if row.get("quantity") == "absorbance"]
    if not rows:
        return "nothing was measured, so there is no growth to draw"
    try:
        import matplotlib
    except ImportError:
        return "no growth picture: pip install 'lbl[plot]'"
    matplotlib.use("Agg")
    import numpy
    from matplotlib.figure import Figure

    bilayers = numpy.array([row["bilayer"] for row in rows], dtype=float)
    absorbance = numpy.array([row["value"] for row in rows], dtype=float)
    figure = Figure(figsize=(8.0, 5.0), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    top.plot(bilayers, absorbance, ".", color=PURPLE, markersize=5, label="measured, all sides")
    late = bilayers > SKIP
    if late.sum() > 2:
        slope, offset = numpy.polyfit(bilayers[late], absorbance[late], 1)
        top.plot(
            bilayers, slope * bilayers + offset, color=INK, linewidth=1,
            label=f"{slope:.3f} mOD a bilayer",
        )  # fmt: skip
    top.set_ylabel("absorbance at 570 nm (mOD)")
    top.legend(frameon=False, loc="upper left")
    top.set_title(f"{record['recipe']['name']} on {record['bench']['name']}: {record['state']}")
    steps = numpy.diff(absorbance, prepend=0.0)
    bottom.bar(bilayers, steps, width=0.8, color=PURPLE, alpha=0.6)
    for row in record["deviations"]:
        if row.get("bilayer"):
            bottom.axvline(row["bilayer"], color=ROSE, linewidth=1)
    bottom.set_ylabel("increment (mOD)")
    bottom.set_xlabel("bilayer")
    for axes in (top, bottom):
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlim(0, float(bilayers.max()) + 1)
    path = folder / GROWTH
    figure.savefig(path, dpi=120)
    return f"growth picture: {path}"


def latenesses(samples: Mapping[str, tuple[Sequence[float], Sequence[float]]], path: Path) -> str:
    """Draw histograms of (ours, the C loop's) lateness in us, a panel a condition; a sentence."""
    try:
        import matplotlib
    except ImportError:
        return "no picture: pip install 'lbl[plot]'"
    matplotlib.use("Agg")
    import numpy
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 2.2 * len(samples) + 0.6), layout="constrained")
    panels = figure.subplots(len(samples), 1, sharex=True, squeeze=False)[:, 0]
    highest = max(max(late) for pair in samples.values() for late in pair)
    edges = numpy.geomspace(1.0, max(10.0, highest), BINS)
    for axes, (name, (ours, theirs)) in zip(panels, samples.items(), strict=True):
        late = [numpy.clip(numpy.asarray(side), edges[0], None) for side in (ours, theirs)]
        axes.hist(late[0], edges, color=PURPLE, alpha=0.6, label="pacer")
        axes.hist(late[1], edges, color=INK, histtype="step", label="plain C loop")
        for side, color in zip(late, (PURPLE, INK), strict=True):
            axes.axvline(float(numpy.percentile(side, 99)), color=color, linestyle=":")
        axes.set_title(name, loc="left")
        axes.set_yscale("symlog")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False)
    panels[-1].set_xscale("log")
    panels[-1].set_xlabel("lateness (us); dotted: 99 of 100")
    figure.supylabel("commands")
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        return f"no picture: {error}"
    return f"picture: {path}"
