"""Recipe texts at the command line: the schema, the canonical form, a new recipe."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from lbl import app, writing
from lbl.errors import BadInput
from lbl.plan.draft import Answers, drafted
from lbl.plan.layout import canonical
from lbl.plan.loader import read_recipe
from lbl.plan.schema import recipe_schema

LBL = [sys.executable, "-m", "lbl.cli"]
RECIPES = Path(__file__).parents[1] / "recipes"
UNTIDY = "lbl:   1   # language\n"


def lbl(*words: str, cwd: Path, text: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*LBL, *words],
        cwd=cwd,
        input=text or b"",
        capture_output=True,
        timeout=60,
        check=False,
    )


# --- schema --------------------------------------------------------------------------------------


def test_the_schema_is_printed_and_written(tmp_path: Path) -> None:
    assert json.loads(lbl("schema", cwd=tmp_path).stdout) == recipe_schema()
    done = lbl("schema", "-o", "s.json", cwd=tmp_path)
    assert b"# yaml-language-server: $schema=s.json" in done.stdout
    assert json.loads((tmp_path / "s.json").read_text()) == recipe_schema()
    done = lbl("schema", "-o", "none/s.json", cwd=tmp_path)
    assert (done.returncode, b"[file-unwritable]" in done.stderr) == (2, True)


# --- fmt -----------------------------------------------------------------------------------------


def test_a_file_is_laid_out_in_place_and_keeps_its_mode(tmp_path: Path) -> None:
    file, link = tmp_path / "film.yaml", tmp_path / "link.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + UNTIDY.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    link.symlink_to(file)
    checked = lbl("fmt", "link.yaml", "--check", cwd=tmp_path)
    assert checked.returncode == 2
    assert checked.stderr.count(b"\n") == 1
    assert b"[recipe-form]" in checked.stderr
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    assert lbl("fmt", "link.yaml", cwd=tmp_path).returncode == 0
    assert file.read_bytes() == b"lbl: 1 # language\n"
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert lbl("fmt", "film.yaml", "--check", cwd=tmp_path).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.yaml", "link.yaml"]


def test_standard_input_goes_to_standard_output(tmp_path: Path) -> None:
    assert lbl("fmt", "-", cwd=tmp_path, text=UNTIDY.encode()).stdout == b"lbl: 1 # language\n"
    assert lbl("fmt", "-", "--check", cwd=tmp_path, text=UNTIDY.encode()).returncode == 2
    done = lbl("fmt", "-", cwd=tmp_path, text=b"lbl: \xff\n")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"[file-encoding]" in done.stderr


def test_what_is_wrong_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "film.yaml"
    file.write_text("lbl: [1\n")
    done = lbl("fmt", "film.yaml", cwd=tmp_path)
    assert (done.returncode, b"[yaml-syntax]" in done.stderr) == (2, True)
    assert file.read_text() == "lbl: [1\n"


def test_a_recipe_that_ships_is_looked_at_and_not_rewritten() -> None:
    laid = writing.lay_out("demo")
    assert not laid.changed
    with pytest.raises(BadInput, match="not rewritten"):
        writing.write_layout(laid)


# --- new -----------------------------------------------------------------------------------------

ANSWERS = {
    "defaults": Answers("film"),
    "no primer, nothing measured": Answers("film", primer="none", absorbance="none"),
    "another chemistry": Answers("a-1", "PAH", "PSS", "none", "water", "3", "5min", "30 s", ph="6"),
    "an aim": Answers("film", growth="1.07 mOD", area="100 mm^2", concentration="500 ug/mL"),
    "words of YAML 1.1": Answers("no", positive="yes", negative="on", primer="off"),
}


@pytest.mark.parametrize("bench", ["dip", "flow"])
@pytest.mark.parametrize("case", ANSWERS)
def test_a_new_recipe_fits_and_is_canonical(case: str, bench: str, tmp_path: Path) -> None:
    answers = ANSWERS[case]
    text, path = drafted(answers), tmp_path / "new.yaml"
    assert canonical(text) == text
    _, notes = writing.new_recipe(text, path, bench)
    assert answers.ph != "9.0" or answers.negative != "BR" or notes == ()
    assert path.read_text() == text
    plan, _ = app.look(str(path), bench, {})
    assert (plan.recipe, plan.bilayers) == (answers.name, int(answers.bilayers))
    recipe = read_recipe(path)
    assert (recipe.quality.growth is None) == (answers.growth == "none")
    roles = {name: made.role for name, made in recipe.solutions.items()}
    primed = {} if answers.primer == "none" else {answers.primer: "primer"}
    film = {answers.positive: "film", answers.negative: "film"}
    assert roles == {**primed, **film, answers.rinse: "rinse"}


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["--dwell", "5"], "--dwell: '5' has no unit"),
        (["--bilayers", "0"], "--bilayers: "),
        (["--positive", "A: {"], "--positive: "),
        (["--negative", "1"], "--negative: "),
        (["--rinse", "PDAC"], "called 'PDAC'"),
        (["--ph", "acid"], "--ph: "),
        (["--rinse-time", "-1 min"], "--rinse-time: "),
        (["--growth", "1 nm"], "--growth: "),
        (["--area", "0 cm^2"], "--area: "),
    ],
)
def test_an_answer_that_will_not_do_is_named(words: list[str], place: str, tmp_path: Path) -> None:
    done = lbl("new", "film", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert place in done.stderr.decode()
    assert b"[new-answer]" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_scripts_need_no_terminal_and_nothing_is_overwritten(tmp_path: Path) -> None:
    done = lbl("new", "film", "--bilayers", "4", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    before = (tmp_path / "film.yaml").read_text()
    assert "bilayers: 4" in before
    done = lbl("new", "film", cwd=tmp_path)
    assert (done.returncode, b"[new-exists]" in done.stderr) == (2, True)
    assert (tmp_path / "film.yaml").read_text() == before


def test_a_recipe_that_does_not_fit_the_bench_is_not_written(tmp_path: Path) -> None:
    done = lbl("new", "film", "--dwell", "40 days", cwd=tmp_path)
    assert (done.returncode, b"[recipe-out-of-range]" in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_is_asked_and_asked_again(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    words = ["new", "film", "--primer", "none", "--absorbance", "none", "--growth", "none"]
    child = subprocess.Popen(
        [*LBL, *words], cwd=tmp_path, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    os.close(theirs)
    # positive, negative, bilayers, dwell (twice: the first answer has no unit), pH, area
    os.write(ours, b"PAH\n\n7\n5\n5 min\n6\n\n")
    out, err = child.communicate(timeout=60)
    os.close(ours)
    assert child.returncode == 0, err
    assert b"'5' has no unit" in out
    assert b"primer" not in out.lower()
    text = (tmp_path / "film.yaml").read_text()
    for part in ("PAH:", "BR:", "bilayers: 7", "dwell: 5 min", "pH: 6,", "area: 2 cm^2"):
        assert part in text
