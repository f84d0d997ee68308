"""The command line as a user meets it: exit codes, one line a mistake, JSON as the last line."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

LBL = [sys.executable, "-m", "lbl.cli"]
SHORT = ["--set", "bilayers=1", "--set", "dwell=60 s"]


def lbl(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LBL, *words], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


def last(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    value = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(value, dict)
    return value


RECIPE = """\
lbl: 1
name: film
version: 1.0.0
substrate: {area: 2 cm^2}
solutions:
  PDAC: {concentration: 1 mg/mL, pH: 9.0, charge: positive}
  buffer: {pH: 9.0, role: rinse}
procedure:
  - expose: {to: PDAC, for: 60 s}
  - rinse: {with: buffer, for: 60 s, at_least: 3}
  - park: {in: buffer}
"""

# words after `lbl` -> what the one line says; files are written beside it first
BAD = {
    "unknown recipe": (["check", "demi"], "recipe-unknown", "did you mean 'demo'"),
    "unknown bench": (["check", "demo", "--bench", "dop"], "bench-unknown", "those that ship"),
    "not YAML": (["check", "broken.yaml"], "yaml-syntax", "broken.yaml:2:5"),
    "not a recipe": (["check", "list.yaml"], "recipe-not-mapping", "list.yaml:1:1"),
    "a bath missing": (["check", "four.yaml"], "plan-no-bath", "four.yaml"),
    "unknown instrument": (["check", "demo", "--bench", "odd.yaml"], "bench-", "odd.yaml"),
    "role the bench lacks": (["check", "demo", "--bench", "blind.yaml"], "plan-no-role", "measure"),
    "no such parameter": (
        ["plan", "demo", "--set", "dwel=1 s"],
        "recipe-unknown-parameter",
        "dwell",
    ),
    "not NAME=VALUE": (["plan", "demo", "--set", "dwell"], "option-form", "--set"),
    "a dwell outside its window": (
        ["plan", "demo", "--set", "dwell=2 h"],
        "recipe-window",
        "--set",
    ),
    "world parameter": (["run", "demo", "--world", "sig_layr=1"], "world-parameter", "sig_layer"),
    "world value": (["run", "demo", "--world", "sig_layer=900"], "world-parameter", "0..15"),
    "no time": (["plan", "demo", "--start", "noon"], "start-time", "2026-01-31 09:00"),
    "speed": (["run", "demo", "--speed", "fast"], "speed", "max, real"),
    "lot of nothing": (["run", "demo", "--lot", "BRR=7"], "lot-unknown", "BRR"),
    "folder that cannot be written": (
        ["run", "demo", "--runs", "file/runs"],
        "run-unwritable",
        "file",
    ),
    "no such run": (["status", "last"], "run-unknown", "no runs"),
    "resource that does not answer": (
        ["run", "demo", "--bench", "gone.yaml"],
        "bench-no-answer",
        "lift",
    ),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    dip = (Path(__file__).parent.parent / "sim/dip.yaml").read_text(encoding="utf-8")
    (folder / "broken.yaml").write_text("lbl: [1, 2\nname: }\n")
    (folder / "list.yaml").write_text("- 1\n- 2\n")
    extra = "".join(
        f"  P{n}: {{concentration: 1 mg/mL, pH: 9.0, charge: negative}}\n" for n in range(4)
    )
    rinse = "  - rinse: {with: buffer, for: 60 s, at_least: 3}\n"
    dips = "".join(f"  - expose: {{to: P{n}, for: 60 s}}\n{rinse}" for n in range(4))
    four = RECIPE.replace("name: film", "name: four").replace("  buffer:", extra + "  buffer:")
    (folder / "four.yaml").write_text(four.replace("  - park", dips + "  - park"))
    (folder / "odd.yaml").write_text(dip.replace("driver: julabo", "driver: jubalo"))
    start, end = dip.index("photometry:"), dip.index("temperature:")
    blind = dip[:start] + dip[end:]
    lines = [line for line in blind.splitlines() if "pm100d" not in line and "P0012345" not in line]
    (folder / "blind.yaml").write_text("\n".join(lines) + "\n")
    gone = dip.replace("simulated: {}", "simulated: {served: true}")
    for name in ("arm", "feed", "bath", "balance"):
        gone = gone.replace(f"ASRL/dev/lbl/{name}::INSTR", f"ASRL/dev/lbl-none/{name}::INSTR")
    (folder / "gone.yaml").write_text(gone)
    (folder / "file").write_text("not a folder")
    return folder


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line_each_and_nothing_moves(place: Path, case: str) -> None:
    words, code, fragment = BAD[case]
    before = sorted(path.name for path in place.rglob("*"))
    done = lbl(*words, cwd=place)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert f"[{code}" in done.stderr
    assert fragment in done.stderr
    assert all(line.rstrip().endswith("]") for line in done.stderr.splitlines())
    assert sorted(path.name for path in place.rglob("*")) == before


def test_usage_mistakes_are_exit_2(tmp_path: Path) -> None:
    assert lbl("run", cwd=tmp_path).returncode == 2
    assert lbl("fly", cwd=tmp_path).returncode == 2


def test_check_plan_run_runs_show(tmp_path: Path) -> None:
    assert lbl("check", "demo", cwd=tmp_path).returncode == 0
    plan = last(lbl("plan", "demo", *SHORT, "--json", cwd=tmp_path))
    keys = "bilayers depositions duration_s steps volumes_ml waste_ml carry_over_worst air_s_worst"
    assert {*keys.split(), "plan_hash"} <= plan.keys()
    done = lbl("run", "demo", *SHORT, "--seed", "3", "--lot", "BR=L7", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = last(done)
    assert result["state"] == "Complete"
    assert result["depositions"] == plan["depositions"] == 2
    keys = "run state bilayers depositions duration_s wall_s deviations film solutions lateness_us"
    assert set(keys.split()) <= result.keys()
    film = "thickness_nm a570_per_side slope_mOD r2 lateral_cv qcm_hz coverage_per_dip"
    assert set(film.split()) <= set(result["film"])  # type: ignore[call-overload]
    folder = tmp_path / str(result["folder"])
    files = "recipe.yaml bench.yaml plan.json journal.jsonl head.a head.b record.json growth.png"
    assert set(files.split()) <= {path.name for path in folder.iterdir()}
    assert str(result["run"]) in lbl("runs", cwd=tmp_path).stdout
    shown = last(lbl("show", "last", "--json", cwd=tmp_path))
    assert shown["totals"]["depositions"] == 2  # type: ignore[index]
    assert "L7" in json.dumps(shown["materials"])
    assert "every hash checks" in lbl("verify", "last", cwd=tmp_path).stdout
    again = lbl("resume", "last", cwd=tmp_path)
    assert again.returncode == 2
    assert "run-finished" in again.stderr
    assert lbl("hold", "last", cwd=tmp_path).returncode == 2


def test_other_recipes_and_copies_run_as_well(tmp_path: Path) -> None:
    (tmp_path / "film.yaml").write_text(RECIPE)
    for recipe in ("film.yaml", "rinse-and-park"):
        done = lbl("run", recipe, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert last(done)["state"] == "Complete"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A film under way in another process, a thousand times real time."""
    words = ["run", "demo", "--speed", "1000", "--set", "bilayers=50", "--json"]
    child = subprocess.Popen(
        [*LBL, *words],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    until(tmp_path, "Execute")
    yield child
    child.kill()
    child.wait(10)


def until(cwd: Path, state: str) -> dict[str, object]:
    for _ in range(100):
        done = lbl("status", "last", "--json", cwd=cwd)
        if done.returncode == 0 and last(done)["state"] == state:
            return last(done)
        time.sleep(0.05)
    raise AssertionError(f"never {state}: {done.stdout}{done.stderr}")


def test_another_terminal_holds_unholds_and_stops(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert lbl("hold", "last", "--by", "eve", "--reason", "look", cwd=tmp_path).returncode == 0
    until(tmp_path, "Held")
    assert lbl("unhold", "last", cwd=tmp_path).returncode == 0
    until(tmp_path, "Execute")
    assert lbl("stop", "last", cwd=tmp_path).returncode == 0
    assert running.wait(30) == 3
    record = last(lbl("show", "last", "--json", cwd=tmp_path))
    assert record["state"] == "Stopped"
    assert [row["by"] for row in record["commands"]][0] == "eve"  # type: ignore[union-attr]


def test_abort_is_exit_4_and_a_lost_terminal_changes_nothing(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    os.kill(running.pid, signal.SIGHUP)
    time.sleep(0.3)
    assert running.poll() is None
    assert lbl("abort", "last", cwd=tmp_path).returncode == 0
    assert running.wait(30) == 4


def test_ctrl_c_holds_and_a_second_leaves_resumable(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    running.send_signal(signal.SIGINT)
    until(tmp_path, "Held")
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 5
    assert last(lbl("status", "last", "--json", cwd=tmp_path))["state"] == "Held"


def test_a_run_is_driven_by_one_process(running: subprocess.Popen[str], tmp_path: Path) -> None:
    second = lbl("resume", "last", cwd=tmp_path)
    assert second.returncode == 2
    assert f"process {running.pid} holds the run" in second.stderr


def test_a_killed_film_is_resumed_and_whole(tmp_path: Path) -> None:
    bilayers = 300  # a second or two of virtual time
    words = ["run", "bacteriorhodopsin-200", "--set", f"bilayers={bilayers}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*LBL, *words], cwd=tmp_path, **quiet) as child:  # type: ignore[call-overload]
        until(tmp_path, "Execute")
        child.kill()
    done = lbl("resume", "last", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert last(done)["depositions"] == 2 * bilayers
    (folder,) = (tmp_path / "runs").iterdir()
    rows = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    film = [row["solution"] for row in rows if row["kind"] == "exposure"]
    film = [name for name in film if name in ("PDAC", "BR")]
    once = [name for number, name in enumerate(film) if number == 0 or film[number - 1] != name]
    assert once == ["PDAC", "BR"] * bilayers
    assert not [row for row in rows if row["kind"] == "collision"]


def test_a_signed_recipe_is_demanded_and_named(tmp_path: Path) -> None:
    (tmp_path / "film.yaml").write_text(RECIPE, encoding="utf-8")
    demand = ("run", "film.yaml", "--signed", "--trust", "keys", "--json")
    unsigned = lbl(*demand, cwd=tmp_path)
    assert unsigned.returncode == 2
    assert unsigned.stderr.endswith("[signature-missing]\n")
    assert lbl("sign", "--new-key", "anna", cwd=tmp_path).returncode == 0
    signed = last(lbl("sign", "film.yaml", "--key", "anna", "--json", cwd=tmp_path))
    trusted = lbl("trust", "add", "anna.pub", "--name", "Anna", "--trust", "keys", cwd=tmp_path)
    assert trusted.stdout == f"Anna is trusted, key {signed['key']}\n"
    done = lbl(*demand, cwd=tmp_path)
    assert done.returncode == 0
    assert "was signed by Anna" in done.stderr
    assert "signed      Anna" in lbl("show", "last", cwd=tmp_path).stdout
    gone = lbl("trust", "remove", "Anna", "--trust", "keys", cwd=tmp_path)
    assert gone.returncode == 0
    checked = lbl("check", "film.yaml", "--signed", "--trust", "keys", cwd=tmp_path)
    assert checked.stderr.endswith("[signature-untrusted]\n")
    assert lbl("sign", "film.yaml", cwd=tmp_path).returncode == 2
