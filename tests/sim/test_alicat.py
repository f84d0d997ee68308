"""The Alicat model: data frames byte for byte, tares, streaming, setpoints, re-addressing."""

import pytest

from sim.alicat import Alicat
from sim.port import Spec

NS = 1_000_000_000
MS = 1_000_000


class Line:
    """The far side: a line with these values."""

    def __init__(self) -> None:
        self.kpa, self.degrees, self.ml_min = 101.32, 22.41, 12.5
        self.told: list[tuple[float, int]] = []

    def pressure(self, now_ns: int) -> float:
        return self.kpa

    def temperature(self, now_ns: int) -> float:
        return self.degrees

    def flow(self, now_ns: int) -> float:
        return self.ml_min

    def demand(self, setpoint: float, now_ns: int) -> None:
        self.told.append((setpoint, now_ns))


def unit(link: Line | None = None, address: int = 1, **options: float) -> Alicat:
    return Alicat(Spec("f", "alicat", "x", address, options=options), link)


def ask(device: Alicat, text: str, now_ns: int = 0) -> str:
    return b"".join(data for _, data in device.receive(text.encode() + b"\r", now_ns)).decode()


def test_the_data_frame_byte_for_byte() -> None:
    line = Line()
    device = unit(line)
    ask(device, "AS3.2")
    assert device.receive(b"A\r", 0)[0][1] == b"A +101.32 +022.41 +0012.5 +0003.2\r"
    assert line.told == [(3.2, 0)]
    assert ask(device, "a") == "A +101.32 +022.41 +0012.5 +0003.2\r"
    line.ml_min = -0.5
    assert ask(device, "A") == "A +101.32 +022.41 -0000.5 +0003.2\r"


def test_a_quiet_unit_without_a_line() -> None:
    device = unit()
    assert ask(device, "A") == "A +101.32 +022.00 +0000.0 +0000.0\r"
    ask(device, "AS 10")
    assert ask(device, "A", 200 * MS) == "A +101.32 +022.00 +0006.3 +0010.0\r"
    assert ask(device, "A", 3 * NS) == "A +101.32 +022.00 +0010.0 +0010.0\r"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("AVE", "A   8v17.0-R24 Nov 21 2019,12:00:00\r"), ("A$$R46", "A   046 = 0\r"),
        ("A$$W46=8", "A   046 = 8\r"), ("A$$R122", "A   122 = 36\r"), ("A$$R99", "?\r"),
        ("A$$W46=x", "?\r"), ("A$$W46", "?\r"), ("Anix", "?\r"), ("AS", "?\r"), ("AS-1", "?\r"),
        ("AS101", "?\r"), ("ASnan", "?\r"), ("A@=1", "?\r"), ("B", ""), ("BVE", ""), ("", ""),
        ("A" * 60, "?\r"), ("@@=A", ""),
    ],
)  # fmt: skip
def test_answers(text: str, answer: str) -> None:
    assert ask(unit(), text) == answer


def test_a_meter_refuses_setpoints() -> None:
    assert ask(unit(controller=0), "AS5") == "?\r"


def test_tares_and_lock() -> None:
    device = unit(Line())
    assert ask(device, "A$$PC") == "A +000.00 +022.41 +0012.5 +0000.0\r"
    assert ask(device, "A$$V") == "A +000.00 +022.41 +0000.0 +0000.0\r"
    assert ask(device, "A$$L").endswith(" +0000.0 LCK\r")
    assert ask(device, "A").endswith(" LCK\r")
    assert not ask(device, "A$$U").endswith(" LCK\r")


def test_what_is_over_range_is_said() -> None:
    line = Line()
    device = unit(line)
    line.ml_min, line.kpa, line.degrees = 500.0, 2000.0, 90.0
    assert ask(device, "A") == "A +2000.00 +090.00 +0128.0 +0000.0 MOV POV TOV\r"


def test_the_total_counts_until_it_is_reset() -> None:
    line = Line()
    line.ml_min = 60.0
    device = unit(line, columns=5)
    device.settle(NS)
    assert ask(device, "A", 10 * NS).split()[5] == "+000010.0"
    assert ask(device, "AT", 10 * NS).split()[5] == "+000000.0"
    assert ask(device, "A", 11 * NS).split()[5] == "+000001.0"


def test_units_share_a_wire_and_change_their_letter() -> None:
    device = unit(address=3)
    assert ask(device, "A") == "" and ask(device, "C").startswith("C ")
    assert ask(device, "C@=D").startswith("D ")
    assert ask(device, "C") == "" and ask(device, "D").startswith("D ")


def test_streaming_begins_and_ends() -> None:
    device = unit(Line())
    assert ask(device, "A@=@") == ""
    assert device.next_ns() == 50 * MS
    frames = device.poll(150 * MS)
    assert len(frames) == 3
    assert frames[0][1] == b"+101.32 +022.41 +0012.5 +0000.0\r"
    assert ask(device, "A", 160 * MS) == ""
    assert len(device.poll(3600 * NS)) == 64
    assert ask(device, "@@=A", 3600 * NS).startswith("A ")
    assert device.next_ns() is None


def test_answers_are_there_within_50_ms() -> None:
    ((due, _),) = unit().receive(b"A\r", 0)
    assert due < 50 * MS


def test_a_blocked_line_and_a_power_cut() -> None:
    device = unit(Line(), columns=5)
    ask(device, "AS5")
    device.fail(NS, 0.0)
    assert ask(device, "A", NS).split()[3] == "+0000.0"
    device.power_cycle(2 * NS)
    assert ask(device, "A", 2 * NS) == "A +101.32 +022.41 +0012.5 +0005.0 +000000.0\r"
