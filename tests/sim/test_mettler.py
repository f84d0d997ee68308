"""The MT-SICS model: formats, stability, streams, tare and zero, announcements."""

import pytest

from sim.mettler import BURST_MAX, Mettler
from sim.port import Port, Spec

NS = 1_000_000_000
MS = 1_000_000


class Pan:
    """The far side of the balance link: a mass that may grow from a time on."""

    def __init__(self, grams: float = 100.0) -> None:
        self.start = grams
        self.rate = 0.0
        self.since_ns = 0
        self.until_ns = 10**18

    def grams(self, now_ns: int) -> float:
        span = min(now_ns, self.until_ns) - self.since_ns
        return self.start + self.rate * max(span, 0) / NS


def balance(pan: Pan | None = None, **options: float) -> Mettler:
    device = Mettler(Spec("b", "mettler", "x", options=options), pan)
    device.receive(b"SI\r\n", 0)  # warm: it has seen the pan
    return device


def ask(device: Mettler, text: str, now_ns: int = 10 * NS) -> str:
    replies = device.receive(text.encode() + b"\r\n", now_ns)
    return b"".join(data for _, data in replies).decode()


def awaited(port: Port) -> tuple[bytes, int]:
    """Return the next answer and when it came."""
    for _ in range(100):
        due = port.next_ns()
        assert due is not None
        if answer := port.take(due):
            return answer, due
    raise AssertionError("no answer")


def test_formats_of_the_manual() -> None:
    device = balance(Pan(), decimals=2)
    assert ask(device, "S") == "S S     100.00 g\r\n"
    assert ask(device, "SI") == "S S     100.00 g\r\n"
    assert ask(device, "I4") == 'I4 A "B021002593"\r\n'
    assert ask(device, "I2") == 'I2 A "XS205DU Excellence 220.0000 g"\r\n'
    assert ask(device, "I11") == 'I11 A "XS205DU"\r\n'
    assert ask(device, "@") == 'I4 A "B021002593"\r\n'
    assert ask(device, "TA 5.00 g") == "TA A       5.00 g\r\n"
    assert ask(device, "SI") == "S S      95.00 g\r\n"
    assert ask(device, "TAC") == "TAC A\r\n"
    assert ask(device, "C3") == "C3 B\r\nC3 A\r\n"
    assert ask(device, 'D "wait"') == "D A\r\n"
    assert ask(device, "DW") == "DW A\r\n"
    assert ask(device, 'I10 "feed"') + ask(device, "I10") == 'I10 A\r\nI10 A "feed"\r\n'
    lines = ask(device, "I0").split("\r\n")
    assert lines[0] == 'I0 B 0 "@"' and lines[-2] == 'I0 A 3 "SNR"'


@pytest.mark.parametrize(
    ("text", "answer"),
    [("si", "ES"), ("FOO", "ES"), ("TA x g", "TA L"), ("TA 5 kg", "TA L"), ("D wait", "D L"),
     ("I10 feed", "I10 L"), ("S" * 100, "ET")],
)  # fmt: skip
def test_errors(text: str, answer: str) -> None:
    assert ask(balance(), text) == answer + "\r\n"


def test_over_and_under_range() -> None:
    pan = Pan(221.0)
    assert ask(balance(pan), "SI") == "S +\r\n"
    assert ask(balance(pan), "ZI") == "ZI +\r\n"
    assert ask(balance(Pan(-2.0)), "SI") == "S -\r\n"
    assert ask(balance(pan, capacity=500.0), "SI") == "S S   221.0000 g\r\n"


def test_a_changing_mass_is_dynamic_until_it_has_rested() -> None:
    pan = Pan()
    device = balance(pan)
    ask(device, "SI", 9 * NS)
    pan.rate, pan.since_ns, pan.until_ns = 0.0167, 10 * NS, 20 * NS  # 1 mL/min
    seen = {half: ask(device, "SI", half * NS // 2)[2] for half in range(20, 60)}
    assert all(seen[half] == "D" for half in range(22, 42))
    assert all(seen[half] == "S" for half in range(45, 60))


def test_evaporation_and_noise_are_stable() -> None:
    pan = Pan()
    device = balance(pan)
    pan.rate = -3e-6
    assert {ask(device, "SI", 10 * NS + n * 100 * MS)[2] for n in range(100)} == {"S"}
    assert ask(device, "SI", 4000 * NS)[2] == "S"


def test_s_waits_for_stability_and_gives_up() -> None:
    pan = Pan()
    device = balance(pan)
    port = Port("x", [device])
    pan.rate, pan.since_ns, pan.until_ns = 0.0167, 0, 13 * NS
    ask(device, "SI", 10 * NS)
    ask(device, "SI", 11 * NS)
    port.write(b"S\r\n", 11 * NS)
    assert ask(device, "S", 11 * NS) == "S I\r\n"
    answer, due = awaited(port)
    assert answer == f"S S   {pan.grams(13 * NS):.4f} g\r\n".encode()
    assert 14 * NS < due < 17 * NS
    pan.until_ns = 10**18
    ask(device, "SI", 30 * NS)
    port.write(b"Z\r\n", 30 * NS)
    answer, due = awaited(port)
    assert answer == b"Z I\r\n" and due >= 40 * NS


def test_tare_and_zero() -> None:
    pan = Pan(20.0)
    device = balance(pan)
    assert ask(device, "T") == "T S    20.0000 g\r\n"
    pan.start = 25.0
    ask(device, "SI", 20 * NS)
    assert ask(device, "SI", 30 * NS) == "S S     5.0000 g\r\n"
    assert ask(device, "TI", 40 * NS) == "TI S    25.0000 g\r\n"
    assert ask(device, "Z", 40 * NS) == "Z A\r\n"
    assert ask(device, "SI", 40 * NS) == "S S     0.0000 g\r\n"
    assert ask(device, "ZI", 40 * NS) == "ZI S\r\n"


def test_sir_repeats_until_cancelled() -> None:
    device = balance(Pan())
    port = Port("x", [device])
    port.write(b"SIR\r\n", 10 * NS)
    count = sum(bool(port.take(10 * NS + tick * 10 * MS)) for tick in range(110))
    assert count == pytest.approx(11, abs=1)
    port.write(b"@\r\n", 12 * NS)
    port.read(13 * NS)
    assert port.next_ns() is None


def test_a_stream_nobody_reads_is_bounded() -> None:
    device = balance(Pan())
    ask(device, "SIR", 10 * NS)
    assert len(device.poll(400_000 * NS)) == BURST_MAX
    due = device.next_ns()
    assert due is not None and 0 < due - 400_000 * NS <= 100 * MS


def test_snr_tells_changes_only() -> None:
    pan = Pan()
    device = balance(pan)
    ask(device, "SNR", 10 * NS)
    assert device.poll(11 * NS) == []
    pan.start = 105.0
    told = [device.poll(12 * NS + tick * 100 * MS) for tick in range(40)]
    assert [b"".join(data for _, data in each) for each in told if each] == [
        b"S S   105.0000 g\r\n"
    ]


def test_switching_on_announces_the_serial_number() -> None:
    device = balance(Pan())
    device.power_cycle(20 * NS)
    due = device.next_ns()
    assert due == 22 * NS and device.poll(due - 1) == []
    assert device.poll(due)[0][1] == b'I4 A "B021002593"\r\n'
    assert device.next_ns() is None


def test_shaken_it_is_not_stable_for_a_while() -> None:
    device = balance(Pan())
    assert device.fail(10 * NS, 0.5)
    assert ask(device, "SI", 11 * NS)[2] == "D"
    assert ask(device, "SI", 17 * NS)[2] == "S"
