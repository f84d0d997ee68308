"""Each code of the catalogue is met by some test; those that no other test names are met here."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import drivers
import sim
from lbl import app, runs, torture
from lbl.auto.config import read_config
from lbl.bench import opening, simulated
from lbl.bench.file import read_bench
from lbl.errors import CODES, BadInput, LblError, Refused
from lbl.plan.loader import read_recipe
from lbl.run.machine import RunMachine
from tests.plan import hostile

ROOT = Path(__file__).parents[1]
DIP = ROOT / "sim" / "dip.yaml"
APART = {"test_errors.py", "test_docs.py"}  # they name codes without meeting what they mean


def test_each_code_is_named_by_a_test_of_what_it_means() -> None:
    files = (path for path in (ROOT / "tests").rglob("*.py") if path.name not in APART)
    texts = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert [code for code in CODES if code not in texts] == []


def codes(act: Callable[[], object], kind: type[LblError] = BadInput) -> set[str]:
    with pytest.raises(kind) as raised:
        act()
    assert all(problem.sentence for problem in raised.value.problems)
    return {problem.code for problem in raised.value.problems}


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("lift: lift", "lift: plate", "bench-no-instrument"),
        ("into: polyanion", "into: nowhere", "bench-no-vessel"),
        ("down: 24 mm", "down: 21 mm", "bench-geometry"),
        ("at: 36 deg", "at: 0.5 deg", "bench-geometry"),
        ("at: 36 deg", "at: 361 deg", "bench-geometry"),
        ("current: 20 mA", "current: 20 parsecs", "bench-quantity"),
        ("for: primer", "for: primmer", "bench-wrong-word"),
    ],
)
def test_a_bench_that_cannot_be(tmp_path: Path, before: str, after: str, code: str) -> None:
    text = DIP.read_text(encoding="utf-8")
    assert before in text
    path = tmp_path / "bench.yaml"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(BadInput) as raised:
        read_bench(path)
    (problem,) = raised.value.problems
    assert problem.code == code
    row = text[: text.index(before)].count("\n") + 1
    assert problem.place.startswith(f"{path}:{row}:"), problem


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("recipee: demo", "auto-unknown-key"),
        ("", "auto-missing-key"),
        ("lbl: 2", "auto-wrong-word"),
        ("watchdog: 60", "auto-unit-missing"),
        ("watchdog: 60 parsecs", "auto-quantity"),
        ("watchdog: 1 s", "auto-out-of-range"),
    ],
)
def test_a_configuration_that_cannot_be(tmp_path: Path, line: str, code: str) -> None:
    path = tmp_path / "auto.yaml"
    given = "recipe: demo\n" if line and not line.startswith("recipee") else ""
    language = "" if line.startswith("lbl") else "lbl: 1\n"
    path.write_text(f"{language}{given}{line}\n", encoding="utf-8")
    assert code in codes(lambda: read_config(path))


def test_a_solution_that_contradicts_itself() -> None:
    text = hostile.BASE.replace("water: {pH: 9,", "water: {pH: 9, charge: positive,")
    assert codes(lambda: read_recipe(text)) == {"recipe-wrong-solution"}


def test_mistakes_beyond_a_hundred_are_only_said_to_be_there() -> None:
    with pytest.raises(BadInput) as raised:
        read_recipe(hostile.LARGE["empty phases"][0])
    assert raised.value.problems[-1].code == "file-more"


def test_a_solution_that_is_older_than_it_keeps() -> None:
    _, notes = app.look("bacteriorhodopsin-200", "dip", {"bilayers": "1000"})
    found = [line for line in notes if line.endswith("[rule-age]")]
    assert found and all("bacteriorhodopsin-200.yaml:" in line for line in found)


def test_a_speed_that_instruments_with_their_own_clock_cannot_keep(tmp_path: Path) -> None:
    text = DIP.read_text(encoding="utf-8").replace(
        "simulated: {}", "simulated: {served: true, speed: 10}"
    )
    path = tmp_path / "bench.yaml"
    path.write_text(text, encoding="utf-8")
    order = app.Order("demo", str(path), speed="30", runs=tmp_path)
    assert codes(lambda: app.prepare(order)) == {"speed-real-bench"}


def test_a_verb_that_the_state_does_not_take() -> None:
    machine = RunMachine(lambda before, verb, after: None)
    with pytest.raises(Refused, match=r"what it takes now: .*\[state-refused\]"):
        machine.do("unhold")


def test_a_run_that_nobody_drives(tmp_path: Path) -> None:
    app.prepare(app.Order("rinse-and-park", runs=tmp_path)).run(lambda news: None)
    (run,) = (path.name for path in tmp_path.iterdir())
    found = codes(lambda: runs.command("hold", run, tmp_path, by="", reason=""), Refused)
    assert found == {"run-idle"}


@pytest.mark.parametrize(("package", "room"), [(drivers, opening), (sim, simulated)])
def test_a_package_of_our_name_that_is_not_ours(
    monkeypatch: pytest.MonkeyPatch, package: object, room: object
) -> None:
    monkeypatch.setattr(package, "OWNER", "somebody else")
    assert codes(room.guard) == {"not-ours"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["demo", "--faults", "0"], "torture-faults"),
        (["demo", "--only", "one"], "torture-faults"),
        (["demo", "--bench", "real.yaml"], "torture-bench"),
    ],
)
def test_a_campaign_that_cannot_be(tmp_path: Path, words: list[str], code: str) -> None:
    text = DIP.read_text(encoding="utf-8")
    (tmp_path / "real.yaml").write_text(text.replace("simulated: {}", "# real"), encoding="utf-8")
    done = lbl("torture", *words, cwd=tmp_path)
    assert done.returncode == 2, done
    assert f"[{code}]" in done.stderr and "Traceback" not in done.stderr


def test_a_film_that_is_never_whole_teaches_a_campaign_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torture, "judge", lambda film: ["a deposition is lost"])
    asked = torture.Question("rinse-and-park", "dip", {}, {}, seed=1, faults=1)
    assert codes(lambda: torture.campaign(asked)) == {"torture-film"}


def lbl(*words: str, cwd: Path, before: str = "pass") -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own; `before` is run there first."""
    program = (
        f"import sys; {before}; sys.argv = {['lbl', *words]!r}; from lbl.cli import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("module", "words", "code"),
    [
        ("joblib", ["sweep", "demo", "--vary", "dwell=1min,2min", "--jobs", "2"], "study-extra"),
        ("distributed", ["sweep", "demo", "--vary", "dwell=1min,2min", "--cluster", "x:1"],
         "study-extra"),
        ("lbl._core", ["run", "demo"], "core-missing"),
    ],
)  # fmt: skip
def test_a_part_that_is_not_installed(
    tmp_path: Path, module: str, words: list[str], code: str
) -> None:
    done = lbl(*words, cwd=tmp_path, before=f"sys.modules[{module!r}] = None")
    assert f"[{code}]" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert not any(tmp_path.iterdir())


def test_a_run_that_does_not_begin_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.sys, "executable", "/bin/false")
    order = app.Order("demo", runs=tmp_path)
    assert codes(lambda: app.detach(["run", "demo"], order)) == {"detach"}
