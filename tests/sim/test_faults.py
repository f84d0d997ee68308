"""Faults as data: each kind does what it says, at its time, as often as told, repeatably."""

import json

import pytest

from sim.faults import KINDS, PENDING_FAULTS_MAX, Fault, Faulty
from sim.julabo import Julabo
from sim.mettler import Mettler
from sim.port import Port, Spec
from sim.zaber import Zaber

NS = 1_000_000_000
GOOD = b"22.00\r\n"


def bath() -> Julabo:
    return Julabo(Spec("bath", "julabo", "x"), None)


def asked(device: Faulty, now_ns: int = 0) -> list[tuple[int, bytes]]:
    return device.receive(b"in_pv_00\r", now_ns)


def faulty(*faults: Fault, seed: int = 0) -> Faulty:
    device = Faulty(bath(), seed)
    for fault in faults:
        device.add(fault)
    return device


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (Fault("drop"), b""),
        (Fault("truncate"), b"22."),
        (Fault("truncate", argument=1.0), b"2"),
        (Fault("truncate", argument=0.0), b""),
        (Fault("duplicate"), GOOD + GOOD),
        (Fault("unsolicited", argument="boo\r\n"), b"boo\r\n" + GOOD),
    ],
)
def test_each_kind_spoils_one_answer(fault: Fault, answer: bytes) -> None:
    device = faulty(fault)
    assert b"".join(data for _, data in asked(device)) == answer
    assert asked(device)[0][1] == GOOD


def test_delay_adds_seconds() -> None:
    device = faulty(Fault("delay", argument=1.5))
    (slow,) = asked(device)
    (quick,) = asked(device)
    assert slow == (quick[0] + 1_500_000_000, GOOD)


def test_corrupt_changes_one_byte_and_repeats_with_its_seed() -> None:
    def spoiled(seed: int) -> list[bytes]:
        device = faulty(Fault("corrupt", count=20), seed=seed)
        return [asked(device)[0][1] for _ in range(20)]

    assert spoiled(1) == spoiled(1) != spoiled(2)
    for answer in spoiled(1):
        assert sum(a != b for a, b in zip(answer, GOOD, strict=True)) == 1
    device = faulty(Fault("corrupt", argument=0.0))
    assert asked(device)[0][1][1:] == GOOD[1:]


def test_when_and_how_often() -> None:
    device = faulty(Fault("drop", at_ns=5 * NS, after=1, count=2))
    answers = [bool(asked(device, second * NS)) for second in (0, 4, 5, 6, 7, 8)]
    assert answers == [True, True, True, False, False, True]


def test_a_stall_waits_for_a_movement() -> None:
    device = Faulty(Zaber(Spec("z", "zaber", "x"), None), 0)
    device.receive(b"/1 home\n", 0)
    device.add(Fault("stall", argument=0.25))
    for text in (b"/1\n", b"/1 get pos\n"):
        device.receive(text, NS)
    ((_, reply),) = device.receive(b"/1 move abs 20000\n", NS)
    assert reply == b"@01 0 OK BUSY -- 0\r\n"
    ((_, reply),) = device.receive(b"/1 get pos\n", 100 * NS)
    assert reply == b"@01 0 OK IDLE FS 5000\r\n"
    device.receive(b"/1 move abs 20000\n", 100 * NS)
    assert device.receive(b"/1\n", 200 * NS)[0][1] == b"@01 0 OK IDLE -- 0\r\n"


def test_unsolicited_at_a_time_needs_no_question() -> None:
    device = faulty(Fault("unsolicited", at_ns=3 * NS, count=2, argument="x\r\n"))
    port = Port("x", [device])
    assert port.next_ns() == 3 * NS
    assert port.read(2 * NS) == b""
    assert port.read(3 * NS) == b"x\r\nx\r\n"
    assert port.next_ns() is None


def test_vanish_and_return_in_power_on_state() -> None:
    balance = Mettler(Spec("b", "mettler", "x"), None)
    device = Faulty(balance, 0)
    port = Port("x", [device])
    port.write(b"TA 5 g\r\n", 0)
    assert port.read(NS)
    device.add(Fault("vanish", at_ns=2 * NS, argument=10.0))
    assert port.next_ns() == 2 * NS
    port.write(b"SI\r\n", 3 * NS)
    port.write(b"SI\r\n", 12 * NS)
    assert port.read(12 * NS) == b""
    assert port.next_ns() == 13 * NS
    port.read(13 * NS)
    assert port.read(16 * NS) == b'I4 A "B021002593"\r\n'
    port.write(b"SI\r\n", 20 * NS)
    assert port.read(21 * NS) == b"S S     0.0000 g\r\n"


def test_vanish_after_answers_loses_the_answer_with_it() -> None:
    device = faulty(Fault("vanish", after=1, argument=1.0))
    assert asked(device) and not asked(device) and not asked(device, NS // 2)
    assert asked(device, NS)


def test_a_power_cycle_brings_it_back() -> None:
    device = faulty(Fault("vanish", argument=1000.0))
    assert not asked(device, 1)
    device.power_cycle(2)
    assert asked(device, 3)
    assert not device.fail(0, 0.0) or device.device.snapshot()["alarm"] == -1


def test_pending_faults_survive_a_snapshot() -> None:
    first = faulty(Fault("corrupt", count=5), Fault("drop", after=3), seed=3)
    asked(first)
    state = json.loads(json.dumps(first.snapshot()))
    second = faulty(seed=3)
    second.restore(state)
    assert second.snapshot() == first.snapshot()
    assert [asked(first) for _ in range(6)] == [asked(second) for _ in range(6)]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_fault_is_plain_data(kind: str) -> None:
    fault = Fault(kind, at_ns=4, after=2, count=3)
    assert Fault(**json.loads(json.dumps(fault.plain()))) == fault


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "explode"}, {"kind": "drop", "count": 0}, {"kind": "drop", "after": -1},
        {"kind": "drop", "at_ns": -1}, {"kind": "unsolicited", "argument": 1.0},
        {"kind": "delay", "argument": "long"},
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=str(wrong["kind"])):
        Fault(**wrong)  # type: ignore[arg-type]


def test_the_number_of_pending_faults_is_bounded() -> None:
    device = faulty()
    for _ in range(PENDING_FAULTS_MAX):
        device.add(Fault("drop"))
    with pytest.raises(ValueError, match="pending"):
        device.add(Fault("drop"))
