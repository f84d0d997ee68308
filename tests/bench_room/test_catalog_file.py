"""Bench files of kind catalog, cards and calibration days in them; every mistake named."""

import json
import socket
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pyvisa

from drivers import DRIVERS
from lbl import app as door
from lbl._core import Core
from lbl.bench.card import Card, embedded, read_card, write_card
from lbl.bench.check import check
from lbl.bench.file import BenchFile, CatalogFile, read_any_bench, read_bench
from lbl.bench.instruments import spec_of
from lbl.bench.trials import USUAL
from lbl.errors import BadInput
from lbl.shipped import find, names

CATALOG = """\
lbl: 1
name: two
kind: catalog
simulated: {}
instruments:
  balance: {role: balance, driver: mettler, resource: "ASRL/dev/lbl/b::INSTR"}
  valve: {role: valve, driver: vici, resource: "ASRL/dev/lbl/v::INSTR", positions: 10}
"""


def written(path: Path, text: str = CATALOG) -> Path:
    file = path / "two.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(path: Path) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read_any_bench(path)
    return [str(problem) for problem in caught.value.problems]


def test_a_catalog_needs_instruments_only(tmp_path: Path) -> None:
    bench = read_any_bench(written(tmp_path))
    assert isinstance(bench, CatalogFile) and bench.in_process
    assert list(bench.instruments) == ["balance", "valve"]
    assert isinstance(read_any_bench(find("dip", "sim", "bench")), BenchFile)


def test_a_catalog_cannot_be_planned_for(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(BadInput) as caught:
        read_bench(path)
    assert [problem.code for problem in caught.value.problems] == ["plan-bench-kind"]
    with pytest.raises(BadInput) as caught:
        door.plan("demo", str(path), {})
    assert "plan-bench-kind" in {problem.code for problem in caught.value.problems}
    assert caught.value.exit_code == 2


def test_an_unknown_kind_is_told_once_with_its_neighbour(tmp_path: Path) -> None:
    (line,) = refused(written(tmp_path, CATALOG.replace("catalog", "catalogue")))
    assert line.startswith(
        f"{tmp_path}/two.yaml:3:7: 'kind' must be one of 'dip', 'flow', 'catalog'"
    )
    assert "did you mean 'catalog'?" in line


def test_vessels_are_unknown_in_a_catalog(tmp_path: Path) -> None:
    (line,) = refused(written(tmp_path, CATALOG + "vessels: {}\n"))
    assert "bench-unknown-key" in line


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "{a: 1}", "31.01.2026"])
def test_a_calibration_is_a_day(tmp_path: Path, day: str) -> None:
    text = CATALOG.replace("driver: vici", f"driver: vici, calibrated: {day}")
    (line,) = refused(written(tmp_path, text))
    assert "must be a day" in line and "2026-01-31" in line and ":7:" in line


def test_a_card_is_read_beside_the_file_or_in_it(tmp_path: Path) -> None:
    card = Card(driver="mettler", resource="X", serial="B1", date="2026-01-31")
    write_card(tmp_path / "b.json", card)
    assert read_card(tmp_path / "b.json") == card
    for words in ("b.json", json.dumps(card.as_json())):
        text = CATALOG.replace("driver: mettler", f"driver: mettler, card: {words}")
        assert read_any_bench(written(tmp_path, text)).instruments["balance"].card == card


def test_a_frozen_copy_holds_its_cards(tmp_path: Path) -> None:
    assert embedded(CATALOG, tmp_path) == CATALOG
    card = Card(driver="mettler", resource="X", date="2026-01-31", notes=("it's: odd",))
    write_card(tmp_path / "b.json", card)
    text = CATALOG.replace("driver: mettler", "driver: mettler, card: b.json")
    alone = tmp_path / "alone"
    alone.mkdir()
    bench = read_any_bench(written(alone, embedded(text, tmp_path)))
    assert bench.instruments["balance"].card == card
    assert bench.instruments["valve"] == read_any_bench(written(tmp_path)).instruments["valve"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "cannot read this file"),
        ({"driver": "vici"}, "is that of a vici"),
        ({"serial": "other"}, "serial 'other'"),
        ({"latency": {"sense": {"count": 0, "p50": 0, "p99": 0, "max": 0}}}, "count"),
        ({"strange": 1}, "strange"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    card = {"driver": "mettler", "resource": "X", "serial": "B1", "date": "2026-01-31"}
    if change:
        (tmp_path / "b.json").write_text(json.dumps({**card, **change}), encoding="utf-8")
    text = CATALOG.replace("driver: mettler", "driver: mettler, serial: B1, card: b.json")
    (line,) = refused(written(tmp_path, text))
    assert words in line and "[bench-card]" in line


def test_a_card_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="card-unwritable"):
        write_card(tmp_path / "no" / "b.json", Card(driver="x", resource="y", date=""))


@pytest.mark.parametrize("driver", sorted(DRIVERS))
def test_every_driver_has_an_entry_that_makes_it(driver: str, script: Any) -> None:
    spec = spec_of(driver, "ASRL/dev/script::INSTR", {"address": "3", **USUAL.get(driver, {})})
    made = DRIVERS[driver](script, "role", **spec.options())
    assert made.name == "role"


def test_words_that_make_no_entry_are_refused() -> None:
    for driver, given, code in (
        ("mettlr", {}, "driver-unknown"),
        ("newera", {}, "bench-missing-key"),
        ("newera", {"diameter": "14"}, "bench-unit-missing"),
        ("vici", {"positions": "99"}, "bench-out-of-range"),
        ("vici", {"posit": "9"}, "bench-unknown-key"),
        ("mettler", {"address": "x\n"}, "bench-wrong-type"),
    ):
        with pytest.raises(BadInput) as caught:
            spec_of(driver, "ASRL1::INSTR", given)
        assert [problem.code for problem in caught.value.problems] == [code], driver


@pytest.fixture
def script() -> object:
    """In place of a port: making a driver sends nothing."""
    return object()


def test_anybody_can_reach_a_catalog_through_pyvisa(tmp_path: Path) -> None:
    manager = pyvisa.ResourceManager(f"{written(tmp_path)}@lbl")
    try:
        assert len(manager.list_resources()) == 2
        balance: Any = manager.open_resource("ASRL/dev/lbl/b::INSTR")
        assert balance.query("I4").startswith('I4 A "')
    finally:
        manager.close()


def test_a_catalog_is_served(tmp_path: Path) -> None:
    bench = tmp_path / "reach.yaml"
    words = ["sim", "serve", str(written(tmp_path)), "--tcp", "--write-bench", str(bench)]
    with subprocess.Popen(
        [sys.executable, "-m", "lbl.cli", *words], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            said = [json.loads(server.stdout.readline()) for _ in range(3)]
            assert [one.get("name") for one in said] == ["balance", "valve", None]
            with socket.create_connection(("127.0.0.1", said[0]["port"]), 5) as wire:
                wire.sendall(b"I4\r\n")
                assert wire.recv(100).startswith(b"I4")
        finally:
            server.terminate()
        assert server.wait(10) == 0
    reached = read_any_bench(bench)
    assert not reached.in_process and reached.instruments["balance"].resource.startswith("TCPIP")


@pytest.mark.parametrize("name", names("sim"))
def test_every_shipped_bench_is_sound(name: str) -> None:
    report = check(read_any_bench(find(name, "sim", "bench")), Core(virtual=True), date.today())
    assert report.problems == ()
    assert {row.driver for row in report.rows} == set(DRIVERS) or name != "catalog"
