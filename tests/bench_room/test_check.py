"""What is found of a bench: who answers, within which limits, calibrated when, who is missing."""

import datetime
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lbl._core import Core
from lbl.bench import found
from lbl.bench.card import Card
from lbl.bench.check import check
from lbl.bench.file import read_any_bench
from lbl.cli import app
from lbl.shipped import find

OTHER = "{driver: dc2200, resource: X, date: 2026-01-31, serial: M9}"
TODAY = datetime.date(2026, 3, 1)
CATALOG = """\
lbl: 1
name: three
kind: catalog
simulated: {}
instruments:
  lift: {role: axis, driver: zaber, resource: "ASRL/dev/lbl/a::INSTR", travel: 0..60 mm,
         microstep: 0.5 um, acceleration: 50 mm/s^2}
  led: {role: light, driver: dc2200, resource: "ASRL/dev/lbl/l::INSTR", limit: 1 A}
  balance: {role: balance, driver: mettler, resource: "ASRL/dev/lbl/b::INSTR",
            calibrated: 2026-01-01}
"""


def bench(path: Path, *changes: tuple[str, str]) -> Path:
    text = CATALOG
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = path / "three.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_sound_bench(tmp_path: Path) -> None:
    report = check(read_any_bench(bench(tmp_path)), Core(virtual=True), TODAY)
    assert report.problems == () and report.as_json()["ok"] is True
    lift, led, balance = report.rows
    assert (lift.limits, led.limits, balance.limits) == ("travel 0..60", "current 0..1.2", "")
    assert all(row.answers and row.guarded and row.maker for row in report.rows)
    assert (balance.calibrated, balance.age, lift.age) == ("2026-01-01", 59, -1)


def test_the_shipped_bench() -> None:
    report = check(read_any_bench(find("dip", "sim", "bench")), Core(virtual=True), TODAY)
    assert report.problems == () and len(report.rows) == 8


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("limit: 1 A", "limit: 4 A"), "bench-limits", "limited to 1.2 A"),
        (("limit: 1 A", f"limit: 1 A, card: {OTHER}"), "bench-another", "means M9"),
        (("2026-01-01", "2026-03-02"), "bench-calibration", "yet to come"),
    ],
)
def test_what_is_wrong_is_one_line_each(
    tmp_path: Path, change: tuple[str, str], code: str, words: str
) -> None:
    report = check(read_any_bench(bench(tmp_path, change)), Core(virtual=True), TODAY)
    (problem,) = report.problems
    assert problem.code == code and words in problem.sentence
    assert problem.place.startswith("three.")


def test_one_that_is_dead_hides_no_other(tmp_path: Path) -> None:
    change = ("simulated: {}", "simulated: {served: true}")
    text = bench(tmp_path, change).read_text("utf-8").replace("ASRL/dev/lbl", "ASRL/dev/none")
    (tmp_path / "gone.yaml").write_text(text, encoding="utf-8")
    report = check(read_any_bench(tmp_path / "gone.yaml"), Core(virtual=False), TODAY)
    assert [problem.code for problem in report.problems] == ["bench-no-answer"] * 3
    assert not any(row.answers for row in report.rows)


def test_a_card_of_other_firmware_is_noted(tmp_path: Path) -> None:
    card = Card(driver="mettler", resource="X", firmware="0.1", date="2026-01-31")
    (tmp_path / "b.json").write_text(json.dumps(card.as_json()), encoding="utf-8")
    file = bench(tmp_path, ("driver: mettler", "driver: mettler, card: b.json"))
    report = check(read_any_bench(file), Core(virtual=True), TODAY)
    assert "its card of 2026-01-31 says 0.1" in report.rows[2].notes[0]


def test_the_command_says_it_in_words_and_json(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["bench", "check", str(bench(tmp_path)), "--json"])
    assert done.exit_code == 0, done.output
    *words, last = done.stdout.splitlines()
    assert words[0] == "bench three (simulated)" and len(words) == 5
    assert [row["name"] for row in json.loads(last)["instruments"]] == ["lift", "led", "balance"]
    wrong = bench(tmp_path, ("limit: 1 A", "limit: 4 A"))
    done = CliRunner().invoke(app, ["bench", "check", str(wrong)])
    assert done.exception is not None and "bench-limits" in str(done.exception)


def test_what_is_within_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = ["ASRL/dev/ttyS0::INSTR", "ASRL/dev/lbl/a::instr", "USB0::0x1313::0x8078::P1::0::INSTR"]
    monkeypatch.setattr("lbl.instruments.look", lambda: (seen, "and something odd"))
    done = CliRunner().invoke(app, ["bench", "list", str(bench(tmp_path)), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["trouble"] == "and something odd"
    rows = {row["resource"]: row for row in told["resources"]}
    assert len(rows) == 5
    assert rows["ASRL/dev/lbl/a::INSTR"]["state"] == "answers (simulated)"
    assert rows["USB0::0x1313::0x8078::P1::0::INSTR"]["role"] == "photometer"
    assert "nothing was sent" in rows["ASRL/dev/ttyS0::INSTR"]["state"]


def test_looking_is_bounded_and_never_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "LOOK_S", 0.2)
    for code, words in (
        ("import time; time.sleep(60)", "did not say within 0.2 s"),
        ("raise SystemExit('no library')", "no library"),
        ("print('nonsense')", "no reason given"),
    ):
        resources, trouble = found.look((sys.executable, "-S", "-c", code))
        assert resources == [] and words in trouble
    assert "could not be asked" in found.look(("/nonexistent",))[1]
    assert found.look((sys.executable, "-S", "-c", "print('[\"A\"]')")) == (["A"], "")


def test_the_machine_itself_can_be_asked() -> None:
    resources, trouble = found.look()
    assert trouble == "" and all(isinstance(one, str) for one in resources)
