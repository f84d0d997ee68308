"""The timing certificate: what the core recorded, summed up without keeping it."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbl.journal.canonical import plain
from lbl.run.certificate import WORST, Certificate, Lateness, certify
from lbl.run.clock import REASONS, RunClock

US = 1_000
HOST: dict[str, Any] = {"realtime": {"fifo": 0}, "host_clock": {"clock": "test"}}
FIELDS = ("entry", "tag", "channel", "deadline_ns", "latest_ns", "actual_ns", "reason")


def rows(*made: tuple[int, int, int, str]) -> Any:
    """Records of (entry, step, lateness in us, reason), a millisecond apart."""
    kind = np.dtype([(name, np.int64) for name in FIELDS])
    values = [
        (entry, step, 0, n * 10**6, n * 10**6, n * 10**6 + late * US, REASONS.index(reason))
        for n, (entry, step, late, reason) in enumerate(made)
    ]
    return np.array(values, dtype=kind)


def test_lateness_by_kind_of_step() -> None:
    kinds = ["expose", "rinse", "expose"]
    made = certify(
        rows((1, 0, 10, "fired"), (2, 2, 20, "fired"), (3, 1, 5, "fired"), (4, -1, 7, "fired")),
        kinds,
        **HOST,
    )
    expose = made["per_kind"]["expose"]
    assert expose == {"p50": expose["p50"], "p99": 20.0, "max": 20.0, "count": 2, "missed": 0}
    assert 10.0 <= expose["p50"] <= 10.0 * (1 + 1 / 64)
    assert {kind: row["count"] for kind, row in made["per_kind"].items()} == {
        "expose": 2, "rinse": 1, "unplanned": 1,
    }  # fmt: skip
    assert made["all"]["count"] == 4 and made["all"]["max"] == 20.0
    assert made["realtime"] == HOST["realtime"] and made["host_clock"] == HOST["host_clock"]
    assert plain(made) == json.loads(json.dumps(plain(made)))


def test_the_worst_ten_and_why() -> None:
    late = [(n + 1, 0, n, "fired") for n in range(30)]
    made = certify(rows(*late, (31, 0, 3, "busy"), (0, 0, 1, "safe")), ["expose"], **HOST)
    assert len(made["worst"]) == WORST
    first, second = made["worst"][:2]
    assert (first["step"], first["reason"], first["late_us"]) == (0, "busy", 3.0)
    assert first["actual_ns"] - first["planned_ns"] == 3 * US
    assert second["late_us"] == 29.0
    assert made["all"]["missed"] == 1 and made["all"]["count"] == 30


def test_what_the_dead_man_did_is_no_command() -> None:
    made = certify(rows((0, 0, 9, "lease"), (0, 0, 1, "safe"), (0, 0, 2, "failed")), ["x"], **HOST)
    assert made["all"]["count"] == made["all"]["missed"] == 0
    assert made["per_kind"]["lease"]["max"] == 9.0
    assert made["per_kind"]["safe"]["missed"] == 1
    assert {row["step"] for row in made["worst"]} == {-1}


def test_nothing_fired() -> None:
    made = certify(rows(), [], **HOST)
    assert made["per_kind"] == {} and made["worst"] == []
    assert made["all"] == {"p50": 0.0, "p99": 0.0, "max": 0.0, "count": 0, "missed": 0}


def test_portions_make_no_difference() -> None:
    given_rows = rows(*((n + 1, n % 2, n * 7 % 50, "fired") for n in range(100)))
    whole, parts = Certificate(["a", "b"]), Certificate(["a", "b"])
    whole.take(given_rows)
    for start in range(0, 100, 7):
        parts.take(given_rows[start : start + 7])
    assert whole.as_json(**HOST) == parts.as_json(**HOST)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=200))
def test_quantiles_are_those_of_the_values(values: list[int]) -> None:
    sums = Lateness()
    for value in values:
        sums.add(value)
    values.sort()
    for share in (0.5, 0.99):
        exact = values[max(1, -int(-share * len(values) // 1)) - 1]
        assert exact <= sums.quantile_ns(share) <= exact * (1 + 1 / 64)
    assert sums.max_ns == values[-1]


def test_memory_does_not_grow_with_the_run() -> None:
    sums = Lateness()
    for value in range(100_000):
        sums.add(value * 37)
    assert len(sums.bins) < 2_000


def test_the_run_s_own_clock_says_what_it_is() -> None:
    virtual, real = RunClock(0.0), RunClock(None)
    assert virtual.described() == {"clock": "virtual"}
    assert set(real.described()) == {"clock", "source", "resolution_ns"}
    real.ask(fifo=0, lock_memory=False, cpu=1_000_000)
    assert "cpu" in real.realtime["refused"]


def test_a_film_has_one_in_its_journal_and_record(grow: Callable[..., Any]) -> None:
    film = grow(speed=0.0)
    timing = film.kinds("run-closed")[-1].payload["timing"]
    record = json.loads((film.result.folder / "record.json").read_text("utf-8"))
    assert record["timing"] == timing
    assert timing["lost"] == 0 and timing["host_clock"] == {"clock": "virtual"}
    assert {"expose", "rinse"} <= set(timing["per_kind"])
    assert timing["all"]["count"] > 40 and timing["all"]["max"] == 0
    assert film.result.lateness == {"p50": 0.0, "p99": 0.0, "max": 0.0}


@pytest.mark.parametrize("late_ns", [0, 1, 127, 128, 129, 2**40])
def test_bins_hold_their_values(late_ns: int) -> None:
    sums = Lateness()
    sums.add(late_ns)
    assert sums.quantile_ns(0.5) == late_ns
