"""The IKA model: NAMUR queries, silent commands, watchdogs."""

import pytest

from sim.ika import Ika
from sim.port import Spec

NS = 1_000_000_000


class Beaker:
    """The far side: what stands on the plate."""

    def __init__(self) -> None:
        self.degrees = 25.3
        self.heated: list[tuple[bool, float, int]] = []
        self.stirred: list[tuple[float, int]] = []

    def temperature(self, now_ns: int) -> float:
        return self.degrees

    def heat(self, on: bool, setpoint: float, now_ns: int) -> None:
        self.heated.append((on, setpoint, now_ns))

    def stir(self, rpm: float, now_ns: int) -> None:
        self.stirred.append((rpm, now_ns))


def plate(link: Beaker | None = None) -> Ika:
    return Ika(Spec("s", "ika", "x"), link)


def ask(device: Ika, text: str, now_ns: int = 0, end: str = " \r\n") -> str:
    return b"".join(data for _, data in device.receive((text + end).encode(), now_ns)).decode()


@pytest.mark.parametrize("end", [" \r\n", "\r\n", "\r", "\n"])
def test_queries_with_every_line_end(end: str) -> None:
    device = plate(Beaker())
    assert ask(device, "IN_PV_1", end=end) == "25.3 1 \r\n"
    assert ask(device, "IN_PV_4", end=end) == "0.0 4 \r\n"
    assert ask(device, "IN_NAME", end=end) == "C-MAG HS7 \r\n"
    assert ask(device, "OUT_SP_1 40", end=end) == ""
    assert ask(device, "IN_SP_1", end=end) == "40.0 1 \r\n"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("IN_PV_2", "22.0 2 \r\n"), ("IN_PV_3", "360.0 3 \r\n"), ("IN_PV_5", "0.0 5 \r\n"),
        ("IN_SP_2", "22.0 2 \r\n"), ("IN_SP_3", "360.0 3 \r\n"), ("IN_SP_4", "0.0 4 \r\n"),
        ("START_1", ""), ("STOP_4", ""), ("RESET", ""), ("nix", ""), ("IN_PV_9", ""),
        ("IN_PV_90", ""), ("OUT_SP_1", ""), ("OUT_SP_1 hot", ""), ("OUT_SP_9 1", ""), ("", ""),
        ("A" * 90, ""), ("OUT_WD1@19", ""), ("OUT_WD1@1501", ""), ("OUT_WD1@60", "60 \r\n"),
        ("OUT_WD2@20", "20 \r\n"), ("OUT_SP_12@30", ""), ("in_name", ""),
    ],
)  # fmt: skip
def test_answers_and_silence(text: str, answer: str) -> None:
    assert ask(plate(), text) == answer


def test_setpoints_out_of_range_are_ignored() -> None:
    device = plate()
    ask(device, "OUT_SP_1 501")
    ask(device, "OUT_SP_4 1501")
    assert ask(device, "IN_SP_1") == "22.0 1 \r\n" and ask(device, "IN_SP_4") == "0.0 4 \r\n"


def test_heating_and_stirring_take_time_and_reach_the_world() -> None:
    beaker = Beaker()
    device = plate(beaker)
    for text in ("OUT_SP_1 60.0", "OUT_SP_4 300", "START_1", "START_4"):
        ask(device, text, NS)
    assert beaker.heated == [(True, 60.0, NS)] and beaker.stirred == [(300.0, NS)]
    assert ask(device, "IN_PV_4", 2 * NS) == "189.6 4 \r\n"
    assert ask(device, "IN_PV_4", 60 * NS) == "300.0 4 \r\n"
    assert ask(device, "IN_PV_2", 301 * NS) == "46.0 2 \r\n"
    ask(device, "OUT_SP_4 500", 400 * NS)
    ask(device, "STOP_1", 400 * NS)
    ask(device, "STOP_4", 400 * NS)
    assert beaker.heated[-1] == (False, 22.0, 400 * NS)
    assert beaker.stirred[1:] == [(500.0, 400 * NS), (0.0, 400 * NS)]


def test_without_a_world_the_probe_follows_the_plate() -> None:
    device = plate()
    ask(device, "OUT_SP_1 60")
    ask(device, "START_1")
    assert ask(device, "IN_PV_1", 3600 * NS) == "60.0 1 \r\n"


def test_watchdog_1_switches_everything_off() -> None:
    beaker = Beaker()
    device = plate(beaker)
    for text in ("OUT_SP_4 300", "START_4", "OUT_WD1@20"):
        ask(device, text)
    ask(device, "IN_PV_4", 15 * NS)
    device.settle(34 * NS)
    assert len(beaker.stirred) == 1
    device.settle(90 * NS)
    assert beaker.stirred[-1] == (0.0, 35 * NS)


def test_watchdog_2_makes_for_safe_values_and_reset_disarms() -> None:
    beaker = Beaker()
    device = plate(beaker)
    for text in ("OUT_SP_42@100", "OUT_SP_4 300", "START_4", "OUT_WD2@20"):
        ask(device, text)
    assert ask(device, "IN_PV_4", 60 * NS) == "100.0 4 \r\n"
    ask(device, "OUT_WD1@20", 60 * NS)
    ask(device, "RESET", 61 * NS)
    device.settle(200 * NS)
    assert beaker.stirred[-1] == (100.0, 20 * NS)


def test_a_blocked_stirrer_and_a_power_cut() -> None:
    beaker = Beaker()
    device = plate(beaker)
    assert not device.fail(0, 0.5)
    ask(device, "OUT_SP_4 300")
    ask(device, "START_4")
    assert device.fail(5 * NS, 0.5)
    assert ask(device, "IN_PV_4", 60 * NS) == "0.0 4 \r\n"
    device.power_cycle(61 * NS)
    ask(device, "START_4", 62 * NS)
    assert ask(device, "IN_PV_4", 90 * NS) == "300.0 4 \r\n"
