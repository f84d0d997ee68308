"""The QCM200 model: what its maker's client sends, gates in time, silent settings."""

import pytest

from sim.port import Spec
from sim.qcm200 import QCM200

NS = 1_000_000_000
MS = 1_000_000


class Crystal:
    """The far side: a frequency that falls 10 Hz a second."""

    def __init__(self) -> None:
        self.ohm = 362.25

    def frequency(self, now_ns: int) -> float:
        return 4_999_286.0 - 10.0 * now_ns / NS

    def resistance(self, now_ns: int) -> float:
        return self.ohm


def qcm(link: Crystal | None = None) -> QCM200:
    return QCM200(Spec("q", "qcm200", "x"), link)


def ask(device: QCM200, text: str, now_ns: int = 0) -> str:
    return b"".join(data for _, data in device.receive(text.encode() + b"\r", now_ns)).decode()


def test_the_makers_client_recognises_it() -> None:
    device = qcm()
    assert ask(device, "") == ""  # the client sends a lone CR first
    parts = ask(device, "I").strip().split("_")
    assert len(parts) == 4 and parts[0] == "QCM200" and parts[3] == "90123"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("F", "5000000.00\r"), ("F?", "5000000.00\r"), ("f?\n", "5000000.00\r"),
        ("R", "10.00\r"), ("R?", "10.00\r"), ("P?", "1\r"), ("D?", "0\r"), ("V?", "0\r"),
        ("T?", "0\r"), ("G?", "0.00\r"), ("S?", "0.00\r"), ("B?", "0\r"), ("B", "0\r"),
        ("P 2", ""), ("P2", ""), ("G", ""), ("G 5000000.5", ""), ("S", ""), ("D 6", ""),
    ],
)  # fmt: skip
def test_answers_of_a_dry_crystal(text: str, answer: str) -> None:
    device = qcm()
    assert ask(device, text) == answer
    assert ask(device, "B?") == "0\r"


@pytest.mark.parametrize(
    "text", ["P 3", "P", "D 7", "V -1", "X", "X?", "T on", "G hot", "F 1", "B" * 40, "P 1 2"]
)
def test_what_is_not_understood_sets_a_bit_and_nothing_else(text: str) -> None:
    device = qcm()
    assert ask(device, text) == ""
    assert ask(device, "B") == "16\r"
    assert ask(device, "B") == "0\r"


def test_a_value_is_new_once_a_gate() -> None:
    device = qcm(Crystal())
    assert ask(device, "B", NS - 1) == "0\r"
    assert ask(device, "B", NS) == "3\r"
    assert ask(device, "B", NS + 500 * MS) == "0\r"
    assert ask(device, "F", NS + 900 * MS) == "4999276.00\r"
    assert ask(device, "F", NS + 950 * MS) == "4999276.00\r"
    assert ask(device, "F", 2 * NS) == "4999266.00\r"
    assert ask(device, "B", 2 * NS) == "1\r"
    assert ask(device, "R", 3 * NS) == "362.25\r"
    assert ask(device, "B", 3 * NS) == "2\r"


def test_gate_times() -> None:
    device = qcm(Crystal())
    ask(device, "P 0")
    assert ask(device, "B", 100 * MS) == "3\r" and ask(device, "B", 200 * MS) == "3\r"
    ask(device, "P 2", 200 * MS)
    assert ask(device, "B", 10 * NS) == "0\r"
    assert ask(device, "B", 10 * NS + 200 * MS) == "3\r"


def test_offsets_take_the_present_value() -> None:
    device = qcm(Crystal())
    ask(device, "F", 2 * NS)
    ask(device, "G", 2 * NS)
    ask(device, "S", 2 * NS)
    assert ask(device, "G?", 2 * NS) == "4999266.00\r"
    assert ask(device, "S?", 2 * NS) == "362.25\r"
    ask(device, "G 12.5", 2 * NS)
    assert ask(device, "G?", 2 * NS) == "12.50\r"


def test_a_crystal_that_stops_is_under_range() -> None:
    crystal = Crystal()
    device = qcm(crystal)
    crystal.ohm = 9000.0
    assert ask(device, "B", NS) == str(1 + 2 + 8) + "\r"
    crystal.ohm = 400.0
    assert ask(device, "B", 2 * NS) == "3\r"
    device.fail(2 * NS, 0.0)
    assert ask(device, "F", 3 * NS) == "0.00\r"
    assert int(ask(device, "B", 3 * NS)) & 8
    device.power_cycle(4 * NS)
    assert ask(device, "B", 5 * NS) == "3\r"
    assert ask(device, "G?", 5 * NS) == "0.00\r"


def test_timing_on_the_wire() -> None:
    ((due, reply),) = qcm().receive(b"F\r", 0)
    assert due == 5 * MS + len(reply) * 1_041_667
