"""The SQM-160 model: recorded exchanges byte for byte, CRC, rates and zeros."""

import pytest

from sim.port import Spec
from sim.sqm160 import SQM160, answer, crc

NS = 1_000_000_000
MS = 1_000_000


class Film:
    """The far side: every sensor grows by its number in angstrom a second."""

    def thickness(self, sensor: int, now_ns: int) -> float:
        return sensor * now_ns / NS


def monitor(link: Film | None = None, **options: float | str) -> SQM160:
    return SQM160(Spec("m", "sqm160", "x", options=options), link)


def request(text: str) -> bytes:
    body = bytes((len(text) + 34,)) + text.encode("latin-1")
    return b"!" + body + crc(body)


def ask(device: SQM160, text: str, now_ns: int = 0) -> tuple[str, str]:
    """Return status and text of the answer, its frame checked."""
    ((_, reply),) = device.receive(request(text), now_ns)
    assert reply[0] == 0x21 and reply[1] == len(reply) - 4 + 35 and crc(reply[1:-2]) == reply[-2:]
    return chr(reply[2]), reply[3:-2].decode()


@pytest.mark.parametrize(
    ("data", "check"),
    [
        (b"#@", b"O7"), (b"$C?", b"g/"), (b"#J", b"O8"), (b"%L1?", b"\x85\x7b"),
        (b"$N1", b"\x5d\x51"), (b"$P1", b"\x5a\x91"), (b"#W", b"\x8f\x35"), (b"$A", b"\x35\x97"),
        (b"$C", b"\x34\x2c"),
    ],
)  # fmt: skip
def test_the_check_bytes(data: bytes, check: bytes) -> None:
    assert crc(data) == check


def test_frames_of_the_sheet() -> None:
    assert answer("A", "SQM160 Ver 4.09") == bytes.fromhex(
        "21 33 41 53 51 4d 31 36 30 20 56 65 72 20 34 2e 30 39 41 9d"
    )
    assert answer("A", "") == bytes.fromhex("21 24 41 35 97")
    assert answer("C", "") == bytes.fromhex("21 24 43 34 2c")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (b"!#@O7", b"!0AMON Ver 4.13Uw"), (b"!#JO8", b"!%A6v\x86"),
        (b"!$P1Z\x91", b"!/A5875830.230:X"), (b"!%L1?\x85{", b"!*A 0.00 [d"),
        (b"!#O\x8f9", b"!+A 0.000 Jo"),
    ],
)  # fmt: skip
def test_recorded_exchanges(asked: bytes, told: bytes) -> None:
    ((due, reply),) = monitor().receive(asked, 0)
    assert reply == told
    assert due < 100 * MS


def test_forms_with_and_without_the_question_mark() -> None:
    device = monitor(sensors=2)
    for text in ("L1", "L1?", "N2", "N2?", "P1", "P1?", "R1", "R1?"):
        status, value = ask(device, text)
        assert status == "A" and float(value) >= 0.0
    assert ask(device, "R1") == ("A", " 88 ")
    assert ask(device, "J") == ("A", "2")


@pytest.mark.parametrize(
    ("text", "status"),
    [("X", "C"), ("L", "C"), ("L7", "D"), ("L0", "D"), ("Lx", "C"), ("@1", "C"), ("L123", "D"),
     ("\xe9", "C"), ("M2", "C"), ("L\xb2", "C")],
)  # fmt: skip
def test_statuses(text: str, status: str) -> None:
    assert ask(monitor(), text) == (status, "")


def test_damaged_requests_are_not_answered() -> None:
    device = monitor()
    for noise in (b"!#@O8", b"#@O7", b"!", b"!\x00@O7", b"!\xff@", b"!#@"):
        assert device.receive(noise, 0) == []
    assert device.receive(b"!#@O7", 0) != []
    assert device.receive(b"!#!#@O7", 0) != []  # a sync byte always begins a request


def test_rates_thickness_and_zero() -> None:
    device = monitor(Film(), sensors=3)
    ask(device, "@", 10 * NS)
    assert ask(device, "L3", 12 * NS) == ("A", " 3.00 ")
    assert ask(device, "M", 12 * NS + MS) == ("A", " 2.00 ")
    assert ask(device, "N2", 12 * NS) == ("A", " 24.000 ")
    assert float(ask(device, "P1", 12 * NS)[1]) == pytest.approx(5875830.23 - 0.976 * 12)
    assert ask(device, "T", 12 * NS) == ("A", "")
    assert ask(device, "N2", 12 * NS) == ("A", " 24.000 ")
    assert ask(device, "S", 12 * NS) == ("A", "")
    assert ask(device, "O", 22 * NS) == ("A", " 20.000 ")


def test_all_values_as_the_client_cuts_them() -> None:
    status, text = ask(monitor(Film(), sensors=2), "W", NS)
    assert status == "A" and text.startswith("00.00")
    values = [float(part) for part in text[5:].split(",")]
    assert len(values) == 6 and values[1] == 1.0 and values[4] == 2.0


def test_the_reset_flag_is_told_once() -> None:
    device = monitor()
    assert [ask(device, "Y")[1] for _ in range(2)] == ["1", "0"]
    device.power_cycle(NS)
    assert [ask(device, "Y", NS)[1] for _ in range(2)] == ["1", "0"]


def test_dead_crystals_and_wrong_options() -> None:
    device = monitor(Film())
    device.fail(0, 0.0)
    assert ask(device, "P1", NS) == ("A", "0.000")
    assert ask(device, "L1", 2 * NS) == ("A", " 0.00 ")
    with pytest.raises(ValueError, match="sensors"):
        monitor(sensors=7)
