"""Pictures of studies from made numbers: words on an axis, holes in a map, nothing to draw."""

import sys
from pathlib import Path

import pytest

from lbl import picture_study
from lbl.study.contrast import Condition, Contrast
from lbl.study.factors import Factor, factor

RECIPE = {"how": "gently", "dwell": "1 min", "n": 1}
HOW = factor("how=gently,firmly,not", RECIPE, "")
DWELL = factor("dwell=10s,1min,2min,5min,20min", RECIPE, "")
N = factor("n=1..5:5", RECIPE, "")


def grid(*factors: Factor, but: int = -1) -> list[Condition]:
    """A condition for each pair of levels; one of them without a complete film."""
    cells: list[tuple[object, ...]] = [()]
    for one in factors:
        cells = [(*before, one.cell(level)) for before in cells for level in one.levels]
    return [
        Condition(row, 2, 0 if at == but else 2, {"nm": 1.0 + at}, {"nm": 0.1})  # type: ignore[arg-type]
        for at, row in enumerate(cells)
    ]


@pytest.mark.parametrize("factors", [(HOW,), (HOW, DWELL), (DWELL, N), (HOW, DWELL, N)])
def test_every_number_and_kind_of_factors_is_drawn(
    tmp_path: Path, factors: tuple[Factor, ...]
) -> None:
    rows = grid(*factors, but=1)
    path = picture_study.sweep(factors, rows, ["nm"], tmp_path / "p.svg")
    assert path == tmp_path / "p.svg"
    text = path.read_text("utf-8")
    for one in factors:
        assert f"<!-- {one.name}" in text  # the label of an axis, or of a family
    assert ("<!-- dwell (min) -->" in text) == (DWELL in factors)


def test_figures_that_differ_are_named_with_their_share(tmp_path: Path) -> None:
    rows = [
        Contrast("thickness_nm", 10.0, 12.0, 0.1, 0.1),
        Contrast("deviations", 0.0, 3.0, 0.0, 0.0),  # no share of nothing
        Contrast("r2", 1.0, 1.00001, 0.1, 0.1),
    ]
    curves = {"a": [(1, 1.0, 0.0)], "b": [(1, 2.0, 0.1)], "difference": [(1, 1.0, 0.0)]}
    path = picture_study.twin(("one", "other"), curves, rows, tmp_path / "p.svg")
    assert isinstance(path, Path)
    text = path.read_text("utf-8")
    assert "thickness (nm)  +20 %" in text
    assert "deviations" not in text
    assert "r2" not in text
    assert "A: one" in text


def test_where_there_is_nothing_to_draw_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "p.svg"
    assert "nothing" in str(picture_study.sweep((HOW,), grid(HOW)[:0], ["nm"], path))
    nothing = {"a": [], "b": [], "difference": []}
    assert "came to its end" in str(picture_study.twin(("a", "b"), nothing, [], path))
    bad = picture_study.sweep((HOW,), grid(HOW), ["nm"], tmp_path / "p.xyz")
    assert isinstance(bad, str)
    assert "xyz" in bad
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "lbl[plot]" in str(picture_study.sweep((HOW,), grid(HOW), ["nm"], tmp_path / "p.svg"))
