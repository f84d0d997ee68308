"""Qualifying a host: shortened, and never a word about how long anything took."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from lbl import app as door
from lbl import cli, picture
from lbl.errors import BadInput
from lbl.run import launch as launching
from lbl.run import timing
from lbl.run.clock import RunClock
from lbl.run.timing import (
    BATCH,
    CONDITIONS,
    Condition,
    Qualification,
    cyclic_summary,
    judge,
    qualify,
    summary,
)

pytestmark = pytest.mark.timeout(60)

FIGURES = {"p50", "p99", "max"}


@pytest.fixture(scope="module")
def short() -> Qualification:
    return qualify(rounds=1, batches=1)


def test_each_condition_has_ours_and_the_c_loop(short: Qualification) -> None:
    made = short.as_json()
    assert json.loads(json.dumps(made)) == made
    assert set(made) == {*CONDITIONS, "verdict", "reason", "realtime"}
    for name in CONDITIONS:
        assert {"pacer_us", "control_us"} <= set(made[name])
        for side in made[name].values():
            assert set(side) == FIGURES
            assert 0.0 <= side["p50"] <= side["p99"] <= side["max"]
        one = short.conditions[name]
        assert [len(late) for late in (*one.pacer, *one.control)] == [BATCH, BATCH]
        assert min(late.min() for late in (*one.pacer, *one.control)) >= 0
    assert made["verdict"] in ("sharp", "fit", "unfit", "slow-pacer")


def test_a_picture_of_it(short: Qualification, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "late.png"
    assert picture.latenesses(short.samples_us(), path) == f"picture: {path}"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert "no picture" in picture.latenesses(short.samples_us(), tmp_path / "no" / "late.png")


def test_the_command(short: Qualification, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}

    def instead(**options: Any) -> Qualification:
        options.pop("tell")("round 1")
        asked.update(options)
        return short

    monkeypatch.setattr(timing, "qualify", instead)
    done = CliRunner().invoke(cli.app, ["timing", "--json", "--fifo", "3"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1]) == short.as_json()
    assert short.reason.split()[0] in done.stdout
    assert asked == {"fifo": 3, "cpu": -1}


def test_a_refused_policy_is_said() -> None:
    with pytest.raises(BadInput, match="--cpu: the system refuses it"):
        qualify(cpu=1_000_000, rounds=1, batches=1)


def test_the_median_of_the_rounds() -> None:
    rounds = [np.full(100, late * 1_000, dtype=np.int64) for late in (1, 50, 3)]
    assert summary(rounds).as_json() == {"p50": 3.0, "p99": 3.0, "max": 50.0}


def conditions(*p99_us: tuple[float, float]) -> dict[str, Condition]:
    """(ours, the C loop's) for idle, gil_busy and cpu_busy."""
    return {
        name: Condition(*([np.full(10, int(late * 1e3), dtype=np.int64)] for late in pair))
        for name, pair in zip(CONDITIONS, p99_us, strict=True)
    }


@pytest.mark.parametrize(
    ("figures", "verdict", "words"),
    [
        ([(70, 70), (75, 70), (30, 30)], "sharp", "75 us"),
        ([(70, 70), (75, 70), (4900, 5100)], "fit", "--fifo 10"),
        ([(70, 70), (126, 70), (30, 30)], "slow-pacer", "a Python thread is busy"),
        ([(70, 70), (75, 70), (30_000, 31_000)], "unfit", "30.0 ms"),
    ],
)
def test_verdicts(figures: list[tuple[float, float]], verdict: str, words: str) -> None:
    said, reason = judge(conditions(*figures), fifo=False, granted=True)
    assert said == verdict
    assert words in reason


def test_advice_fits_the_host() -> None:
    slow = conditions((70, 70), (75, 70), (4900, 5100))
    assert "CAP_SYS_NICE" in judge(slow, fifo=False, granted=False)[1]
    assert "--fifo 10" not in judge(slow, fifo=True, granted=True)[1]


def test_the_histogram_of_cyclictest() -> None:
    text = (
        "# /dev/cpu_dma_latency set to 0us\n# Histogram\n"
        "000000 000000\n000003 000050\n000007 000049\n000040 000001\n"
        "# Total: 000000100\n# Min Latencies: 00003\n# Avg Latencies: 00005\n"
        "# Max Latencies: 00040\n# Histogram Overflows: 00000\n"
    )
    made = cyclic_summary(text)
    assert made is not None
    assert made.as_json() == {"p50": 3.0, "p99": 7.0, "max": 40.0}
    assert cyclic_summary("Unable to change scheduling policy!\n") is None


@pytest.mark.parametrize("asked", [{"fifo": 3}, {"lock_memory": True}, {"cpu": 0}])
def test_real_time_options_are_for_real_time(asked: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="realtime-virtual"):
        door.prepare(door.Order("demo", **asked))


def test_what_is_in_force_goes_into_the_journal() -> None:
    clock, told = RunClock(None), []
    clock.ask(fifo=0, lock_memory=False, cpu=1_000_000)
    prepared = door.prepare(door.Order("demo")).launch
    journal = SimpleNamespace(append=lambda kind, **payload: told.append((kind, payload)))
    launching._declare(journal, prepared, clock)  # type: ignore[arg-type]
    facts = next(payload["facts"] for kind, payload in told if kind == "environment")
    assert facts["realtime"] == clock.realtime and "cpu" in facts["realtime"]["refused"]
    assert facts["clock"]["clock"] == "CLOCK_MONOTONIC"
