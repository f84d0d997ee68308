"""The VICI model: both dialects byte for byte, turns in time, silence by default."""

import pytest

from sim.port import Spec
from sim.vici import Vici

NS = 1_000_000_000
MS = 1_000_000


class Selected:
    """The far side of the valve: where it arrived, and when."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def select(self, position: int, now_ns: int) -> None:
        self.told.append((position, now_ns))


def valve(link: Selected | None = None, address: int = 1, **options: float | str) -> Vici:
    return Vici(Spec("v", "vici", "x", address, options=options), link)


def ask(device: Vici, text: str, now_ns: int = 0) -> str:
    return b"".join(data for _, data in device.receive(text.encode() + b"\r", now_ns)).decode()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("CP", "CP01\r"), ("cp", "CP01\r"), ("NP", "NP10\r"), ("AM", "AM3\r"),
        ("CNT", "CNT00000\r"), ("IFM", "IFM0\r"), ("LG", "LG0\r"), ("SB", "SB96\r"),
        ("DEL", "DEL1\r"), ("SM", "SMA\r"), ("DT", "DT1000\r"), ("ID", "ID\r"),
        ("STAT", "STAT OK\r"), ("1CP", "CP01\r"), ("/1CP", "CP01\r"), ("2CP", ""), ("/2CP", ""),
        ("GO4", ""), ("CP9", ""), ("GO11", ""), ("GOA", ""), ("nix", ""), ("", ""), ("TO", ""),
        ("CNT7", ""), ("SB97", ""), ("AM4", ""), ("STAT1", ""), ("G" * 40, ""),
    ],
)  # fmt: skip
def test_answers_of_a_valve_at_rest(text: str, answer: str) -> None:
    assert ask(valve(), text) == answer


def test_both_line_ends_and_the_equals_sign() -> None:
    device = valve(address=3)
    assert device.receive(b"3cp\n", 0)[0][1] == b"CP01\r"
    device.receive(b"3go=4\n", 0)
    assert ask(device, "CP", NS) == "CP04\r"
    device.receive(b"GO6\r\n", NS)
    assert ask(device, "CP", 2 * NS) == "CP06\r"


def test_a_turn_takes_time_and_passes_what_lies_between() -> None:
    link = Selected()
    device = valve(link)
    ask(device, "GO4")
    seen = [ask(device, "CP", at * MS) for at in (0, 369, 370, 490, 609, 610)]
    assert seen == ["CP01\r", "CP01\r", "CP02\r", "CP03\r", "CP03\r", "CP04\r"]
    assert link.told == [(4, 610 * MS)]
    ask(device, "GO4", NS)  # ignored: it stands there
    assert ask(device, "CNT", NS) == "CNT00001\r"


@pytest.mark.parametrize(
    ("before", "text", "ends", "steps"),
    [
        ("", "GO9", "CP09", 2), ("", "GO6", "CP06", 5), ("", "CW9", "CP09", 8),
        ("", "CC9", "CP09", 2), ("", "CC4", "CP04", 7), ("SMF", "GO9", "CP09", 8),
        ("SMR", "GO2", "CP02", 9), ("", "GO", "CP02", 1), ("", "CC", "CP10", 1),
        ("", "CW", "CP02", 1), ("GO5", "HM", "CP01", 4),
    ],
)  # fmt: skip
def test_ways_round(before: str, text: str, ends: str, steps: int) -> None:
    device = valve()
    ask(device, before)
    now_ns = 5 * NS
    ask(device, text, now_ns)
    end_ns = now_ns + (250 + 120 * steps) * MS
    assert ask(device, "CP", end_ns - 1) != ends + "\r"
    assert ask(device, "CP", end_ns) == ends + "\r"


def test_ifm1_echoes_actions_as_clients_want() -> None:
    device = valve(address=5)
    assert ask(device, "IFM1") == "IFM1\r"
    assert ask(device, "GO4") == "GO4\r"
    assert ask(device, "/5GO7", NS) == "GO7\r"
    ((due, reply),) = device.receive(b"HM\r", 5 * NS)
    assert reply == b"CP01\r" and due > 5 * NS + 730 * MS
    assert ask(device, "GO99") == "GO99 = Bad command\r"
    assert ask(device, "IFM2") == "IFM2\r"
    ((due, reply),) = device.receive(b"CW4\r", 10 * NS)
    assert reply == b"CW4\r" and due > 10 * NS + 610 * MS


def test_the_microelectric_dialect() -> None:
    device = valve(dialect="microelectric")
    ask(device, "GO4")
    assert ask(device, "CP", NS) == "Position is  = 4\r"
    assert ask(device, "NP", NS) == "NP = 10\r"
    assert ask(device, "nix", NS) == "NIX = Bad command\r"
    ask(device, "AM1", NS)
    assert ask(device, "CP", NS) == 'Position is  = "B"\r'
    ask(device, "LG0", NS)
    assert ask(device, "CP", NS) == "CPB\r"
    with pytest.raises(ValueError, match="dialect"):
        valve(dialect="klingon")


def test_two_positions() -> None:
    link = Selected()
    device = valve(link, positions=2)
    assert ask(device, "AM") == "AM1\r"
    ask(device, "IFM1")
    assert ask(device, "TO") == "CPB\r"
    assert ask(device, "CP", NS) == "CPB\r"
    assert ask(device, "GOA", NS) == "GOA\r"
    assert ask(device, "CP", 2 * NS) == "CPA\r"
    assert ask(device, "LRN", 2 * NS) == "CPA\r"
    assert ask(device, "HM", 6 * NS) == "CPA\r"
    ask(device, "DT500", 10 * NS)
    ask(device, "TT", 10 * NS)
    assert ask(device, "CP", 10 * NS + 400 * MS) == "CPB\r"
    assert ask(device, "CP", 20 * NS) == "CPA\r"
    assert link.told[-2:] == [(2, 10 * NS + 370 * MS), (1, 10 * NS + 1240 * MS)]


def test_delimiters_and_ids() -> None:
    device = valve()
    ask(device, "DEL3")
    assert ask(device, "CP") == "CP01\r\n"
    ask(device, "DEL2")
    assert ask(device, "CP") == "CP01\n"
    ask(device, "IDC")
    assert ask(device, "CP") == "" and ask(device, "CCP") == "CP01\n"
    assert ask(device, "/CCP") == "CP01\n" and ask(device, "/DCP") == ""
    ask(device, "CID*")
    assert ask(device, "CP") == "CP01\n"


def test_a_cp_may_wait_for_the_end_of_the_turn() -> None:
    device = valve(wait=1)
    ask(device, "GO4")
    ((due, reply),) = device.receive(b"CP\r", MS)
    assert reply == b"CP04\r" and due >= 610 * MS


def test_a_jam_shows_only_in_stat_and_cp() -> None:
    link = Selected()
    device = valve(link)
    assert not device.fail(0, 0.5)
    ask(device, "CC5")
    assert device.fail(0, 0.5)
    assert ask(device, "CP", 5 * NS) == "CP08\r"
    assert ask(device, "STAT", 5 * NS) == "STAT JAM\r"
    ask(device, "GO5", 5 * NS)
    assert ask(device, "CP", 6 * NS) == "CP05\r"
    assert ask(device, "STAT", 6 * NS) == "STAT OK\r"
    assert [position for position, _ in link.told] == [8, 5]


def test_a_new_command_on_the_way_goes_from_where_it_is() -> None:
    device = valve()
    ask(device, "CW6")
    ask(device, "GO1", 500 * MS)  # it has passed 3
    assert ask(device, "CP", 500 * MS) == "CP03\r"
    assert ask(device, "CP", 990 * MS) == "CP01\r"


def test_power_off_keeps_the_position_and_the_settings() -> None:
    link = Selected()
    device = valve(link)
    ask(device, "IFM1")
    ask(device, "CW6")
    device.power_cycle(500 * MS)
    assert ask(device, "CP", 5 * NS) == "CP03\r"
    assert ask(device, "IFM", 5 * NS) == "IFM1\r"
    assert link.told == [(3, 500 * MS)]
