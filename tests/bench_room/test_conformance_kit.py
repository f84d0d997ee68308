"""The conformance kit on every driver of the register and its model; then with every fault.

Virtual time: a call that hangs would never end, one that is late is seen to the nanosecond.
"""

import math
from collections.abc import Callable
from typing import Any

import pytest

import sim
from drivers import DRIVERS
from drivers.errors import InstrumentError
from lbl import instruments
from lbl.bench.card import Card, Latency
from lbl.bench.conformance import card_of, examine, withstands
from lbl.bench.trials import TRIALS, USUAL
from lbl.errors import Fault as Failed
from sim.faults import KINDS, Fault

MakeRig = Callable[[str], Any]
CALLS = 6
# A fault that may strike at the worst moment: late by more than any time-out, for good, in bursts.
HARSH = (("delay", 3.0, 1), ("drop", None, 2), ("vanish", 0.4, 1))

# How near two readings of the same thing must be, in the trial's unit: noise, and a little drift.
NEAR = {
    "zaber": 0.002, "newera": 0.002, "cavro": 0.002, "vici": 0.1, "pm100d": 1e-7, "dc2200": 1e-6,
    "qcm200": 30.0, "sqm160": 30.0, "julabo": 0.2, "lakeshore336": 0.2, "alicat": 3.0,
    "daq6510": 0.05, "keithley2450": 1e-3, "ika": 0.5, "mettler": 0.02,
    "huber": 0.2,
}  # fmt: skip

names = pytest.mark.parametrize("driver", sorted(DRIVERS))


def test_every_driver_has_a_trial_and_a_model() -> None:
    assert set(TRIALS) == set(DRIVERS) == set(sim.MODELS)
    assert set(USUAL) <= set(DRIVERS)


@names
def test_the_kit_passes(rig: MakeRig, driver: str) -> None:
    subject = rig(driver).subject
    checks = tuple(examine(subject, count=3))
    assert [str(one) for one in checks if one.outcome == "failed"] == []
    skipped = {one.name for one in checks if one.outcome == "skipped"}
    assert skipped <= {"two clients", "unplug", "limits"}
    assert all(one.sentence for one in checks)
    card = card_of(subject, checks, "2026-01-31")
    assert card.passed and card.simulated and card.driver == driver
    assert set(card.latency) == {"identify", "sense", "safe"}
    assert Card.model_validate(card.as_json()) == card


@names
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_fault_ends_in_a_right_value_or_a_right_error(
    rig: MakeRig, driver: str, kind: str
) -> None:
    made, near = busy(rig, driver, kind in ("vanish", "stall"))
    made.simulation.assembly.inject(driver, Fault(kind, at_ns=made.core.now_ns()))
    complaints, wrong = withstands(made.subject, made.truth, CALLS, near)
    assert complaints == []
    # Without a checksum one figure may be taken for another: once, where a byte was changed.
    assert wrong <= (kind == "corrupt" and not made.subject.trial.checked)
    if kind == "stall":  # broken until somebody mends it and switches it on again
        made.simulation.assembly.power_cycle(made.core.now_ns())
    assert near(settled(made), made.truth)


@names
@pytest.mark.parametrize(("kind", "argument", "count"), HARSH)
def test_a_harsh_fault_too(
    rig: MakeRig, driver: str, kind: str, argument: float | None, count: int
) -> None:
    made, near = busy(rig, driver, kind == "vanish")
    fault = Fault(kind, at_ns=made.core.now_ns(), after=1, count=count, argument=argument)
    made.simulation.assembly.inject(driver, fault)
    assert withstands(made.subject, made.truth, CALLS, near) == ([], 0)
    assert near(settled(made), made.truth)


@names
def test_a_whole_examination_under_faults_neither_hangs_nor_raises(
    rig: MakeRig, driver: str
) -> None:
    made = rig(driver)
    for kind in ("drop", "truncate", "unsolicited", "duplicate", "delay"):
        fault = Fault(kind, at_ns=made.core.now_ns(), after=7, count=2)
        made.simulation.assembly.inject(driver, fault)
    checks = list(examine(made.subject, count=3))
    assert len(checks) == 8


def busy(rig: MakeRig, driver: str, off: bool) -> tuple[Any, Callable[[float, float], bool]]:
    """An instrument whose reading is not just zero, and what may be read of it from now on.

    One that may go `off` may also say what it said when it was switched on.
    """
    made = rig(driver)
    subject, one = made.subject, made.subject.made
    fresh = subject.trial.read(one)
    if driver == "zaber":
        one.prepare()
        one.move(0.5)
    elif driver == "newera":
        one.prepare()
        one.start("INF", 0.1, 5.0)
        one.port.pause(3.0)
    elif driver == "cavro":
        one.prepare()
        one.aspirate(0.5, 1)
    elif driver == "vici":
        one.go(4)
    elif driver == "dc2200":
        one.prepare()
        one.on(0.0005)
    elif driver == "keithley2450":
        one.prepare()
    made.truth = subject.trial.read(one)

    def near(value: float, truth: float) -> bool:
        due = (truth, fresh) if off else (truth,)
        return any(math.isclose(value, one, abs_tol=NEAR[driver]) for one in due)

    return made, near


def settled(made: Any) -> float:
    """A reading long after the fault; a device that was off may first say so, once or twice."""
    made.core.wait_until_ns(made.core.now_ns() + 10_000_000_000)
    trial, one = made.subject.trial, made.subject.made
    for _ in range(3):
        try:
            return float(trial.read(one))
        except InstrumentError:
            continue
    return float(trial.read(one))


def test_percentiles_are_those_of_a_sorted_list() -> None:
    latency = Latency.of([i / 100 for i in range(100, 0, -1)])
    assert (latency.count, latency.p50, latency.p99, latency.max) == (100, 0.5, 0.99, 1.0)
    assert Latency.of([0.25]) == Latency(count=1, p50=0.25, p99=0.25, max=0.25)


def test_a_check_that_failed_is_a_fault_and_stands_on_the_card(rig: MakeRig) -> None:
    subject = rig("mettler").subject
    subject.identity = type(subject.identity)("Mettler Toledo", "another", "", "")
    checks = tuple(examine(subject, count=2))
    failed = [one.name for one in checks if one.outcome == "failed"]
    assert failed == ["identify", "recovery"]
    card = card_of(subject, checks, "2026-01-31")
    assert not card.passed
    with pytest.raises(Failed) as caught:
        instruments.judge(card)
    assert [problem.code for problem in caught.value.problems] == ["driver-test"] * 2
