"""`lbl twin` and `lbl sweep` as a user meets them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

LBL = [sys.executable, "-m", "lbl.cli"]
SHORT = ["--set", "bilayers=2", "--jobs", "1"]
PNG = b"\x89PNG"


def lbl(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LBL, *words], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


def test_twin_shows_table_picture_and_json(tmp_path: Path) -> None:
    words = ["twin", "demo", *SHORT, "--against", "gravity=0", "--seeds", "2"]
    done = lbl(*words, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["a"] == "demo on dip"
    assert said["b"] == "gravity=0"
    assert said["states"] == {"Complete": 4}
    assert said["figures"]["PDAC_used_ml"]["in_noise"] > 1.0
    assert (said["table"], said["picture"]) == ("twin.csv", "twin.png")
    assert (tmp_path / "twin.png").read_bytes().startswith(PNG)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["twin.csv", "twin.png"]
    shown = lbl(*words, cwd=tmp_path)
    assert "thickness (nm)" in shown.stdout
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())


VARIED = {
    "one": (["--vary", "dwell=1min,2min"], 2),
    "a family": (["--vary", "dwell=1min..20min:3:log", "--vary", "gravity=0,1"], 6),
    "a map": (["--vary", "dwell=1min..5min:5", "--vary", "c_BR=0.2..1:5"], 25),
    "three": (["--vary", "dwell=1s,1min", "--vary", "gravity=0,1", "--vary", "T=20,25"], 8),
}


@pytest.mark.parametrize("case", VARIED)
def test_sweep_draws_what_was_varied(tmp_path: Path, case: str) -> None:
    vary, films = VARIED[case]
    few = ["--set", "bilayers=1", "--jobs", "1", "--show", "thickness_nm", "--json"]
    picture = ["--picture", "p.svg", "-o", "t.csv"]
    done = lbl("sweep", "demo", *few, *vary, *picture, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["films"] == said["asked"] == films
    assert said["picture"] == "p.svg"
    assert len((tmp_path / "t.csv").read_text().splitlines()) == films + 1
    assert (tmp_path / "p.svg").stat().st_size > 5000


BAD = {
    "unknown name": (["sweep", "demo", "--vary", "dwel=1min"], "study-name", "did you mean"),
    "no values": (["sweep", "demo", "--vary", "dwell"], "study-values", "dwell=1min,2min"),
    "no table": (["sweep", "demo", "--vary", "T=22", "-o", "t.xls"], "study-output", ".parquet"),
    "out of range": (["twin", "demo", "--against", "gravity=3"], "world-parameter", "0..2"),
    "not NAME=VALUE": (["twin", "demo", "--against", "gravity"], "option-form", "--against"),
    "the same": (["twin", "demo"], "study-values", "--against"),
    "all refused": (
        ["sweep", "demo", "--vary", "dwell=1s", "--jobs", "1"],
        "recipe-window",
        "1 of",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_by_name(tmp_path: Path, case: str) -> None:
    words, code, fragment = BAD[case]
    done = lbl(*words, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert f"[{code}]" in done.stderr
    assert fragment in done.stderr


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_leaves_the_table_of_what_is_grown(tmp_path: Path, jobs: str) -> None:
    words = ["sweep", "demo", "--set", "bilayers=2", "--vary", "c_BR=0.1..1:400", "--jobs", jobs]
    child = subprocess.Popen(
        [*LBL, *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert "films" in child.stdout.readline()  # 20 of them
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to everybody in front of it
    _, told = child.communicate(timeout=60)
    assert child.returncode == 5, told
    assert "Traceback" not in told
    assert "[interrupted]" in told
    assert 20 <= len((tmp_path / "sweep.csv").read_text().splitlines()) - 1 < 400
    assert not (tmp_path / "sweep.csv.part").exists()
