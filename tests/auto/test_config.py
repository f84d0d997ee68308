"""The file of autonomous mode: what is taken, and how mistakes are told."""

from pathlib import Path

import pytest

from lbl.auto.config import Config, read_config
from lbl.auto.unit import unit
from lbl.errors import BadInput
from lbl.watch.host import LEAST_DAY, LEAST_S

EXAMPLE = Path(__file__).parents[2] / "docs" / "autonomous.yaml"


def written(folder: Path, text: str) -> Path:
    path = folder / "auto.yaml"
    path.write_text(text)
    return path


def test_the_example_says_what_is_so_by_itself(tmp_path: Path) -> None:
    shown, plain = read_config(EXAMPLE), read_config(written(tmp_path, "lbl: 1\nrecipe: demo\n"))
    beside = {"runs", "beacon"}
    assert shown.model_dump(exclude=beside) == plain.model_dump(exclude=beside)
    assert shown.beacon.every == plain.beacon.every


def test_the_example_names_each_key() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for name, field in Config.model_fields.items():
        assert f"\n{name}:" in text
        below = getattr(field.annotation, "model_fields", {})
        assert [key for key in below if f"{key}: " not in text] == []


def test_files_are_taken_from_beside_it(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("a recipe of this name lies here")
    made = read_config(written(tmp_path, "lbl: 1\nrecipe: demo\nbeacon: {file: b.json}\n"))
    assert made.recipe == str(tmp_path / "demo")
    assert made.bench == "dip"
    assert made.runs == str(tmp_path / "runs")
    assert made.beacon.file == str(tmp_path / "b.json")


def test_every_mistake_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    text = """\
lbl: 1
recipee: demo
restarts: {times: 0, within: 60}
backoff: {first: 1 h, longest: 1 min}
holds: {codes: [prompt]}
disk: {reserve: 1, least: 3 parsecs}
beacon: {udp: "localhost:9750"}
calendar: {least: 2026-13-01}
watchdog: 1 s
"""
    with pytest.raises(BadInput) as caught:
        read_config(written(tmp_path, text))
    lines = [str(problem) for problem in caught.value.problems]
    for place, said in (
        (":1:1", "'recipe' is missing"),
        (":2:1", "did you mean 'recipe'"),
        (":3:19", "at least 1"),
        (":3:30", "has no unit"),
        (":4:10", "'first' is longer"),
        (":5:16", "asks for a person"),
        (":6:17", "has no unit"),
        (":6:27", "'parsecs'"),
        (":7:15", "not an address and a port"),
        (":8:19", "is no day"),
        (":9:11", "at least 10"),
    ):
        assert any(place in line and said in line for line in lines), (place, said, lines)


@pytest.mark.parametrize("code", ["prompt", "on-resume", "journal-doubt", "pressure"])
def test_what_asks_for_a_person_cannot_be_undone_without_one(tmp_path: Path, code: str) -> None:
    with pytest.raises(BadInput, match="asks for a person"):
        read_config(written(tmp_path, f"lbl: 1\nrecipe: demo\nholds: {{codes: [{code}]}}\n"))


@pytest.mark.parametrize("text", ["[]", "demo", ""])
def test_what_is_no_configuration_is_told_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match="auto-wrong-type"):
        read_config(written(tmp_path, text))


def test_the_least_day_is_the_least_second(tmp_path: Path) -> None:
    made = read_config(written(tmp_path, "lbl: 1\nrecipe: demo\n"))
    assert (made.calendar.least, made.calendar.least_s) == (LEAST_DAY, LEAST_S)


def test_the_unit_leaves_the_guardian_alone_and_never_gives_up() -> None:
    text = unit("/etc/lbl/a film 5%.yaml", "/opt/lbl/bin/lbl", 59.5)
    assert 'ExecStart=/opt/lbl/bin/lbl auto "/etc/lbl/a film 5%%.yaml"\n' in text
    assert "WatchdogSec=60\n" in text
    for line in ("Type=notify", "KillMode=process", "StartLimitIntervalSec=0", "Restart=always"):
        assert f"{line}\n" in text
