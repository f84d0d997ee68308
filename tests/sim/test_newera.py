"""The NE-1000 model: the manual's packets, alarms, doses, safe mode, limits by bore."""

import pytest

from sim.newera import NewEra, number
from sim.newera_packets import Packets, safe_packet
from sim.port import Spec

NS = 1_000_000_000
MS = 1_000_000


class Bottle:
    """The far side of the pump link: adds up what was pumped."""

    def __init__(self) -> None:
        self.ml = 0.0
        self.calls = 0

    def transfer(self, ml: float, now_ns: int) -> float:
        self.ml += ml
        self.calls += 1
        return ml


def fresh(link: Bottle | None = None, address: int = 0, diameter: float = 14.43) -> NewEra:
    """A pump whose power-on alarm has been seen."""
    pump = NewEra(Spec("p", "newera", "x", address, options={"diameter": diameter}), link)
    pump.receive(f"{address}\r".encode(), 0)
    return pump


def ask(pump: NewEra, text: str, now_ns: int = 0) -> str:
    """Ask in basic framing; the answer without STX, address and ETX."""
    replies = pump.receive(text.encode() + b"\r", now_ns)
    if not replies:
        return ""
    ((_, reply),) = replies
    assert reply[:1] == b"\x02" and reply[-1:] == b"\x03"
    return reply[3:-1].decode()


def dose(pump: NewEra, volume: str, rate: str, now_ns: int = 0) -> None:
    for text in (f"RAT{rate}", f"VOL{volume}", "DIRINF", "RUN"):
        assert "?" not in ask(pump, text, now_ns)


@pytest.mark.parametrize(
    ("data", "packet"),
    [
        (b"SAF0", bytes.fromhex("02 08 53414630 55 43 03")),
        (b"", bytes.fromhex("02 04 00 00 03")),
        (b"0SAF0", b"\x02\x090SAF0" + bytes.fromhex("59AD 03")),
        (b"SAF50", b"\x02\x09SAF50" + bytes.fromhex("80F6 03")),
        (b"0SAF5", b"\x02\x090SAF5" + bytes.fromhex("0908 03")),
    ],
)
def test_safe_packets_of_the_manual(data: bytes, packet: bytes) -> None:
    assert safe_packet(data) == packet


def test_packets_are_cut_by_length_and_noise_is_dropped() -> None:
    packets = Packets()
    assert packets.feed(b"VER\r", 0) == [("VER", False)]
    assert packets.feed(b"junk" + safe_packet(b"0DIS") + b"0\r", 0) == [
        ("0DIS", True), ("0", False),
    ]  # fmt: skip
    odd = next(data for n in range(9999) if b"\x03" in safe_packet(data := b"%d" % n)[2:-1])
    assert packets.feed(safe_packet(odd), 0) == [(odd.decode(), True)]
    assert packets.feed(safe_packet(b"0RUN")[:-1] + b"\x00", 0) == [(None, True)]


def test_half_a_safe_packet_is_dropped_after_half_a_second() -> None:
    packets = Packets()
    assert packets.feed(b"\x02\x09", 0) == []
    assert packets.feed(b"VER\r", 501 * MS) == [("VER", False)]
    assert packets.feed(b"\x02\x08SA", 600 * MS) == []
    assert packets.feed(b"F0\x55\x43\x03", 700 * MS) == [("SAF0", True)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5, "0.500"), (14.43, "14.43"), (1.0, "1.000"), (500.0, "500.0"), (9999.0, "9999."),
     (0.0, "0.000"), (9.9996, "10.00"), (99.999, "100.0"), (12345.0, "9999.")],
)  # fmt: skip
def test_numbers_have_four_digits_and_always_a_point(value: float, shown: str) -> None:
    assert number(value) == shown


def test_the_power_on_alarm_eats_the_first_command() -> None:
    pump = NewEra(Spec("p", "newera", "x", 0), None)
    assert ask(pump, "XYZ") == "A?R?"
    assert ask(pump, "DIA20.00") == "A?R"
    assert ask(pump, "DIA") == "S14.43"


def test_captured_exchanges() -> None:
    pump = fresh()
    assert pump.receive(b"VER\r", 0)[0][1] == b"\x0200SNE1000V3.923\x03"
    assert pump.receive(b"DIA\r", 0)[0][1] == b"\x0200S14.43\x03"
    assert pump.receive(b"RAT1.000MM\r", 0)[0][1] == b"\x0200S\x03"
    assert pump.receive(b" r u\tn \r", 0)[0][1] == b"\x0200I\x03"
    assert pump.receive(b"0DIS\r", 30 * NS)[0][1] == b"\x0200II0.500W0.000ML\x03"
    assert pump.receive(b"\r", 30 * NS)[0][1] == b"\x0200I\x03"
    ((due, _),) = pump.receive(b"VER\r", 0)
    assert due < 30 * MS  # one client reads after 30 ms and takes what is there


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("FOO", "S?"), ("DIA0.05", "S?OOR"), ("DIA50.01", "S?OOR"), ("DIA12.345", "S?OOR"),
        ("DIAX", "S?"), ("RAT8.343MM", "S?OOR"), ("RAT8.340MM", "S"), ("RAT0.115UM", "S"),
        ("RAT0.114UM", "S?OOR"), ("RAT5", "S"), ("RATMH", "S"), ("PHN42", "S?OOR"),
        ("PHN02", "S"), ("FUNLOP", "S?"), ("FUN", "SRAT"), ("VOL0.2ML", "S"), ("VOLUL", "S"),
        ("DIRUP", "S?"), ("STP", "S?NA"), ("DISX", "S?"), ("VERX", "S?"), ("CLD", "S?"),
        ("SAF256", "S?OOR"), ("SAF", "S0"), ("AL1", "S"), ("AL2", "S?"), ("TRGLE", "S"),
        ("*ADR", "S00"), ("IN2", "S1"), ("", "S"),
    ],
)  # fmt: skip
def test_answers_while_stopped(text: str, answer: str) -> None:
    assert ask(fresh(), text) == answer


@pytest.mark.parametrize("text", ["DIA20.00", "VOL1.000", "RUN", "PHN2", "RAT1.000UM", "PUR",
                                  "FUNSTP", "CLDINF"])  # fmt: skip
def test_what_may_not_be_changed_while_pumping(text: str) -> None:
    pump = fresh()
    dose(pump, "1.000", "1.000MM")
    assert ask(pump, text, NS) == "I?NA"


def test_a_dose_takes_volume_over_rate() -> None:
    bottle = Bottle()
    pump = fresh(bottle, diameter=26.7)
    dose(pump, "0.500", "2.000MM", NS)
    assert ask(pump, "", 16 * NS - 100) == "I"
    assert ask(pump, "", 16 * NS) == "S"
    assert bottle.ml == pytest.approx(0.5)
    assert ask(pump, "DIS", 20 * NS) == "SI0.500W0.000ML"


def test_liquid_moves_when_somebody_looks() -> None:
    bottle = Bottle()
    pump = fresh(bottle)
    dose(pump, "1.000", "6.000MM")
    assert bottle.calls == 0
    for tenth in range(1, 101):
        pump.settle(tenth * NS // 10)
        assert bottle.ml == pytest.approx(min(tenth * 0.01, 1.0))
    assert ask(pump, "", 10 * NS) == "S"


def test_pause_resume_and_stop() -> None:
    bottle = Bottle()
    pump = fresh(bottle)
    dose(pump, "1.000", "6.000MM")
    assert ask(pump, "STP", 4 * NS) == "P"
    assert ask(pump, "RUN", 100 * NS) == "I"
    assert ask(pump, "", 106 * NS) == "S"
    assert bottle.ml == pytest.approx(1.0)
    dose(pump, "1.000", "6.000MM", 200 * NS)
    assert ask(pump, "STP", 201 * NS) == "P"
    assert ask(pump, "STP", 201 * NS) == "S"
    assert bottle.ml == pytest.approx(1.1)


def test_withdrawing_continuous_and_purging() -> None:
    bottle = Bottle()
    pump = fresh(bottle)
    ask(pump, "DIRWDR")
    ask(pump, "VOL0")
    ask(pump, "RAT6.000MM")
    assert ask(pump, "RUN") == "W"
    assert ask(pump, "DIRREV", 10 * NS) == "I"
    assert bottle.ml == pytest.approx(-1.0)
    assert ask(pump, "RAT3.000", 10 * NS) == "I"  # at once, not stored
    assert ask(pump, "DIS", 20 * NS) == "II0.500W1.000ML"
    assert ask(pump, "RAT", 20 * NS) == "I6.000MM"
    ask(pump, "STP", 20 * NS)
    assert ask(pump, "PUR", 20 * NS) == "X"
    assert ask(pump, "STP", 80 * NS) == "S"
    assert bottle.ml == pytest.approx(-0.5 + 8.3413, rel=1e-3)


def test_a_program_of_two_phases_as_a_client_stores_it() -> None:
    bottle = Bottle()
    pump = fresh(bottle)
    for text in ("PHN1", "FUNRAT", "VOL", "RAT6.000MM", "VOL0.100", "DIRINF", "PHN2", "FUNRAT",
                 "RAT3.000MM", "VOL0.050", "DIRWDR", "PHN3", "FUNSTP", "PHN1", "RUN"):  # fmt: skip
        assert "?" not in ask(pump, text)
    assert ask(pump, "", NS + 500 * MS) == "W"
    assert ask(pump, "DIS", 10 * NS) == "SI0.100W0.050ML"
    assert bottle.ml == pytest.approx(0.05)


def test_a_bore_sets_units_and_zeroes_the_counters() -> None:
    pump = fresh()
    dose(pump, "0.500", "6.000MM")
    assert ask(pump, "DIS", 10 * NS) == "SI0.500W0.000ML"
    ask(pump, "DIA14.00", 10 * NS)
    assert ask(pump, "DIS", 10 * NS) == "SI0.000W0.000UL"
    ask(pump, "DIA14.01", 10 * NS)
    assert ask(pump, "DIS", 10 * NS) == "SI0.000W0.000ML"


def test_a_network_of_pumps_shares_the_wire() -> None:
    one, two = fresh(address=1), fresh(address=2)
    for text, first, second in (("1VER", True, False), ("02VER", False, True), ("VER", 0, 0)):
        assert bool(ask(one, text)) == bool(first) and bool(ask(two, text)) == bool(second)
    ask(one, "1*ADR5")
    assert ask(one, "5VER") == "SNE1000V3.923"


def test_safe_mode_answers_in_the_mode_in_force() -> None:
    pump = fresh()
    ((_, reply),) = pump.receive(safe_packet(b"SAF5"), 0)
    assert reply == safe_packet(b"00S")
    assert pump.receive(b"SAF\r", 0)[0][1] == safe_packet(b"00S5")
    assert pump.receive(safe_packet(b"0VER")[:-1] + b"\x04", 0)[0][1] == safe_packet(b"00S?COM")
    assert pump.receive(safe_packet(b"SAF0"), 0)[0][1] == b"\x0200S\x03"


def test_silence_in_safe_mode_stops_the_pump_and_is_told_unasked() -> None:
    bottle = Bottle()
    pump = fresh(bottle)
    dose(pump, "5.000", "6.000MM")
    pump.receive(b"SAF2\r", 0)
    assert pump.next_ns() is None  # the time-out runs from the first valid safe packet
    pump.receive(safe_packet(b"0"), NS)
    assert pump.next_ns() == 3 * NS
    ((_, told),) = pump.poll(4 * NS)
    assert told == safe_packet(b"00A?T")
    assert bottle.ml == pytest.approx(0.3)
    assert pump.poll(5 * NS) == []
    assert pump.receive(safe_packet(b"RUN"), 5 * NS)[0][1] == safe_packet(b"00A?T")
    assert pump.receive(safe_packet(b"0"), 5 * NS)[0][1] == safe_packet(b"00S")


def test_a_stall_is_an_alarm_and_stops_the_pump() -> None:
    bottle = Bottle()
    pump = fresh(bottle)
    assert not pump.fail(0, 0.5)
    dose(pump, "1.000", "6.000MM")
    assert pump.fail(2 * NS, 0.5)
    assert ask(pump, "", 60 * NS) == "A?S"
    assert ask(pump, "", 60 * NS) == "S"
    assert bottle.ml == pytest.approx(0.2 + 0.4)


def test_power_loss_keeps_the_program_and_forgets_the_counters() -> None:
    bottle = Bottle()
    pump = fresh(bottle)
    dose(pump, "1.000", "6.000MM")
    pump.power_cycle(5 * NS)
    assert bottle.ml == pytest.approx(0.5)
    assert ask(pump, "", 60 * NS) == "A?R"
    assert ask(pump, "VOL", 60 * NS) == "S1.000ML"
    assert ask(pump, "DIS", 60 * NS) == "SI0.000W0.000ML"
    assert bottle.ml == pytest.approx(0.5)
