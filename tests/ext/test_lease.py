"""The dead-man: lease, park and the safe programme, whatever Python is doing."""

import contextlib
import ctypes
import os
from collections.abc import Callable
from typing import Any, Final

import pytest

from lbl._core import DATA_MAX, REASONS, STEPS, Core

MS: Final = 1_000_000
FAR_NS: Final = 3_600_000 * MS
GAP_NS: Final = 400 * MS  # long enough to be looked at on a busy machine

pytestmark = pytest.mark.timeout(60)


@pytest.mark.fault("A17")
def test_a_passed_lease_parks(core: Core, two_wires: Any) -> None:
    with two_wires() as wires:
        pump, arm = (core.add_fd(name, w.ours) for name, w in zip("pa", wires, strict=True))
        core.safe_programme([(GAP_NS, arm, b"down\n"), (0, pump, b"\rSTP\r")])
        now_ns = core.now_ns()
        entry = core.arm(pump, b"RUN\r", now_ns + 500 * MS, now_ns + FAR_NS)
        core.confirm(entry)
        core.lease(now_ns + MS)
        assert core.wait_until_ns(now_ns + FAR_NS) is False
        assert core.verdict == ("lease", "", 0)
        assert core.entry(entry)[0] == "dropped"
        with pytest.raises(RuntimeError, match="being sent"):
            core.clear()
        while core.parking:
            core.wait_until_ns(core.now_ns() + 5 * MS)
        assert [wire.read(5) for wire in wires] == [b"\rSTP\r", b"down\n"]
        rows = core.records()
        assert [REASONS[row["reason"]] for row in rows] == ["lease", "safe", "safe"]
        assert rows["deadline_ns"][2] - rows["deadline_ns"][1] == GAP_NS
        assert (rows["actual_ns"] >= rows["deadline_ns"]).all()
        core.clear()
        assert core.verdict is None and not core.held


def test_a_renewed_lease_does_not(core: Core, wire: Any) -> None:
    core.safe_programme([(0, core.add_fd("pump", wire.ours), b"STP")])
    now_ns = core.now_ns()
    core.lease(now_ns + 60_000 * MS)
    core.lease(now_ns + 120_000 * MS)
    assert core.wait_until_ns(now_ns + 10 * MS)
    core.lease(0)
    assert core.wait_until_ns(core.now_ns() + MS)
    assert core.verdict is None and wire.waiting() == b""


def test_a_lease_in_the_past_parks_at_once(core: Core, wire: Any) -> None:
    core.safe_programme([(0, core.add_fd("pump", wire.ours), b"STP")])
    core.wait_until_ns(core.now_ns() + MS)
    core.lease(core.now_ns() - 1)
    assert wire.read(3) == b"STP"


def test_park_holds_and_sends_even_on_an_owned_wire(core: Core, wire: Any) -> None:
    pump = core.add_fd("pump", wire.ours)
    core.safe_programme([(0, pump, b"STP")])
    assert core.acquire(pump, 0) == 0
    core.park()
    assert core.held and core.verdict is None
    assert wire.read(3) == b"STP"
    with pytest.raises(RuntimeError, match="in hold"):
        core.arm(pump, b"a", core.now_ns(), core.now_ns() + MS)


def test_parking_refuses_exchanges_that_it_would_cut(
    core: Core, wire: Any, until: Callable[..., None]
) -> None:
    pump = core.add_fd("pump", wire.ours)
    core.safe_programme([(0, pump, b"1"), (FAR_NS, pump, b"2")])
    core.park()
    until(lambda: core.acquire(pump, 1_000 * MS) == 0, "the first bytes to be out")
    core.release(pump)
    assert core.acquire(pump, 2 * FAR_NS) == -1
    assert core.parking


def test_the_programme_is_replaced_as_a_whole(core: Core, wire: Any) -> None:
    pump = core.add_fd("pump", wire.ours)
    for number in range(100):
        core.safe_programme([(0, pump, b"%02d" % number), (0, pump, b"end")])
    with pytest.raises(ValueError, match="channel 63 is not open"):
        core.safe_programme([(0, pump, b"bad"), (0, 63, b"worse")])
    core.park()
    assert wire.read(5) == b"99end"


def test_parking_again_sends_the_newest_programme(
    core: Core, wire: Any, until: Callable[..., None]
) -> None:
    pump = core.add_fd("pump", wire.ours)
    for text in (b"one", b"two"):
        core.safe_programme([(0, pump, text)])
        core.park()
        assert wire.read(3) == text
        until(lambda: not core.parking, "parking to end")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ((0, 0, b""), "safe step 0 on 'pump': 0 bytes"),
        ((0, 0, b"a" * (DATA_MAX + 1)), "257 bytes"),
        ((-1, 0, b"a"), "after -1 ns"),
        ((0, 5, b"a"), "channel 5 is not open"),
    ],
)
def test_bad_steps(step: tuple[int, int, bytes], message: str, wire: Any) -> None:
    core = Core(virtual=True)
    core.add_fd("pump", wire.ours)
    with pytest.raises(ValueError, match=message):
        core.safe_programme([step])
    with pytest.raises(ValueError, match="65 steps"):
        core.safe_programme([(0, 0, b"a")] * (STEPS + 1))


def test_one_bad_instrument_does_not_stop_the_programme(core: Core, two_wires: Any) -> None:
    with two_wires() as (deaf, fine):
        channels = [core.add_fd(name, w.ours) for name, w in zip("df", (deaf, fine), strict=True)]
        channels.append(core.add_fd("closed", closed := os.dup(fine.ours)))
        os.close(closed)
        os.set_blocking(deaf.ours, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(deaf.ours, b"x" * 4096)
        core.safe_programme(
            [(0, channels[2], b"c"), (0, channels[0], b"d"), (0, channels[1], b"f"), (MS, 1, b"g")]
        )
        core.park()
        while core.parking:
            core.wait_until_ns(core.now_ns() + 50 * MS)
        assert fine.read(2) == b"fg"
        reasons = [(int(row["channel"]), REASONS[row["reason"]]) for row in core.records()]
        assert sorted(reasons) == [(0, "choked"), (1, "safe"), (1, "safe"), (2, "failed")]


def test_the_pacer_needs_no_gil(two_wires: Any) -> None:
    with two_wires() as wires:
        core = Core(virtual=False)
        pump, arm = (core.add_fd(name, w.ours) for name, w in zip("pa", wires, strict=True))
        core.safe_programme([(0, pump, b"\rSTP\r")])
        now_ns = core.now_ns()
        entries = [core.arm(arm, b"a", now_ns + i * MS, now_ns + FAR_NS) for i in range(50)]
        for entry in entries:
            core.confirm(entry)
        core.lease(now_ns + 100 * MS)
        ctypes.PyDLL(None).usleep(250_000)  # a C call that keeps the GIL all the while
        end_ns = core.now_ns()
        assert core.verdict == ("lease", "", 0)
        assert wires[0].read(5) == b"\rSTP\r"
        assert wires[1].waiting() == b"a" * 50
        rows = core.records()
        assert len(rows) == 52
        assert (rows["actual_ns"] < end_ns).all()
