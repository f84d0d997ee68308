"""The conformance kit on every driver of the register and its model; then with every fault.

Virtual time: a call that hangs would never end, one that is late is seen to the nanosecond.
"""

import math
from collections.abc import Callable
from typing import Any

import pytest

import sim
from drivers import DRIVERS
from lbl.bench.card import Card, Latency
from lbl.bench.conformance import card_of, examine, withstands
from lbl.bench.trials import TRIALS, USUAL
from sim.faults import KINDS, Fault

MakeRig = Callable[[str], Any]
CALLS = 6
# A fault that may strike at the worst moment: late by more than any time-out, for good, in bursts.
HARSH = (("delay", 3.0, 1), ("drop", None, 2), ("vanish", 0.4, 1))

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
    made = rig(driver)
    subject = made.subject
    truth = subject.trial.read(subject.made)
    made.simulation.assembly.inject(driver, Fault(kind, at_ns=made.core.now_ns()))
    complaints, wrong = withstands(subject, truth, CALLS, near)
    assert complaints == []
    # Without a checksum one figure may be taken for another: once, where a byte was changed.
    assert wrong <= (kind == "corrupt" and not subject.trial.checked)
    if kind == "stall":  # broken until somebody mends it and switches it on again
        made.simulation.assembly.power_cycle(made.core.now_ns())
    made.core.wait_until_ns(made.core.now_ns() + 10_000_000_000)
    assert near(settled(subject), truth)


@names
@pytest.mark.parametrize(("kind", "argument", "count"), HARSH)
def test_a_harsh_fault_too(
    rig: MakeRig, driver: str, kind: str, argument: float | None, count: int
) -> None:
    made = rig(driver)
    subject = made.subject
    truth = subject.trial.read(subject.made)
    fault = Fault(kind, at_ns=made.core.now_ns(), after=1, count=count, argument=argument)
    made.simulation.assembly.inject(driver, fault)
    assert withstands(subject, truth, CALLS, near) == ([], 0)
    made.core.wait_until_ns(made.core.now_ns() + 10_000_000_000)
    assert near(settled(subject), truth)


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


def near(value: float, truth: float) -> bool:
    """Models are noisy; a wrong figure is far off."""
    return math.isclose(value, truth, rel_tol=0.05, abs_tol=0.6)


def settled(subject: Any) -> float:
    """A reading after the fault is over; a device that was off may first say so, once or twice."""
    from drivers.errors import InstrumentError

    for _ in range(3):
        try:
            return float(subject.trial.read(subject.made))
        except InstrumentError:
            continue
    return float(subject.trial.read(subject.made))


def test_percentiles_are_those_of_a_sorted_list() -> None:
    latency = Latency.of([i / 100 for i in range(100, 0, -1)])
    assert (latency.count, latency.p50, latency.p99, latency.max) == (100, 0.5, 0.99, 1.0)
    assert Latency.of([0.25]) == Latency(count=1, p50=0.25, p99=0.25, max=0.25)
