"""What every device model must stand: any bytes, any cut, a snapshot in any state, a power cut."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim import MODELS, OWNER, TITLES
from sim.motion import Motion
from sim.newera_packets import safe_packet
from sim.plunger import Stroke
from sim.port import Device, Spec

REPEATABLE = settings(deadline=None, derandomize=True, database=None, max_examples=25)
MS = 1_000_000
REPLY_MAX = 1100  # bytes of the longest answer to one line (I0 of the balance)
# What a client might send, so that random sessions go deep.
WORDS: dict[str, list[bytes]] = {
    "zaber": [
        b"/1 1 move abs 20000\n", b"/1 1 07 move rel -500\r\n", b"/home\n", b"/1 1\n", b"/0\n",
        b"/1 stop\n", b"/1 set comm.alert 1\n", b"/1 set comm.checksum 1\n", b"/1 warnings\n",
        b"/1 tools parking park\n", b"/1 tools parking unpark\n", b"/1 driver disable\n",
        b"/1 driver enable\n", b"/1 system reset\n", b"/1 1 move vel 5000\n", b"/1 set pos 7\n",
        b"/1 warnings clear\n", b"/1 get pos\n", b"/1 renumber 1\n", b"/1 set maxspeed 90000\n",
    ],
    "newera": [
        b"\r", b"1DIA20.00\r", b"1RAT1.000MM\r", b"1VOL0.050\r", b"1RUN\r", b"1STP\r",
        b"1DIS\r", b"1PUR\r", b"1DIRWDR\r", b"1PHN02\r", b"1FUNRAT\r", b"1SAF3\r", b"1SAF0\r",
        safe_packet(b"1SAF5"), safe_packet(b"1"), safe_packet(b"1DIS"), b"1VOLUL\r", b"1CLDINF\r",
        safe_packet(b"1RUN")[:-1] + b"\x00", b"1*RESET\r", b"1AL1\r",
    ],
    "pm100d": [
        b"*IDN?\n", b"SENS:CORR:WAV 633\n", b"SENS:AVER 7\n", b"MEAS:POW?\n", b"INIT\n",
        b"FETC?\n", b"POW?\n", b"SENS:POW:RANG 1e-3\n", b"SENS:POW:UNIT DBM\n", b"SYST:ERR?\n",
        b"SENS:CORR:COLL:ZERO:INIT\n", b"*RST\n", b"*ESE 255;*STB?;*ESR?\n", b"CONF:POW\n",
    ],
    "dc2200": [
        b"*IDN?\n", b"OUTP ON\n", b"OUTP OFF\n", b"SOUR:CCUR:CURR 0.5\n", b"SOUR:MODE 5\n",
        b"SOUR:CBR:BRIG 40\n", b"SYST:ERR?\n", b"OUTP:TERM 2\n", b"*RST\n", b"SOUR:MODE PWM\n",
        b"SOUR:PWM:CURR 0.2\n", b"SENS3:CURR?\n",
    ],
    "julabo": [
        b"version\r", b"status\r", b"out_sp_00 30.5\r", b"out_sp_00 300\r", b"out_mode_05 1\r",
        b"out_mode_05 0\r", b"in_pv_00\r", b"in_pv_01\r", b"in_nix\r", b"out_mode_01 1\r",
        b"OUT_SP_01 \x1118.0\x13\r\n", b"in_mode_05\r",
    ],
    "mettler": [
        b"S\r\n", b"SI\r\n", b"SIR\r\n", b"SNR\r\n", b"@\r\n", b"Z\r\n", b"ZI\r\n", b"T\r\n",
        b"TI\r\n", b"TA 5.00 g\r\n", b"TAC\r\n", b"I2\r\n", b'I10 "vial"\r\n', b"I10\r\n",
        b"C3\r\n", b"si\r\n", b"D\r\n",
    ],
    "cavro": [
        b"/1ZR\r", b"/1Q\r", b"/1?\r", b"/1A3000R\r", b"/1gI3P500O9D500M200G0R\r", b"/1TR\r",
        b"/_V3000R\r", b"/1R\r", b"/1XR\r", b"/1P5000R\r", b"/1?19R\r", b"/1w1S3\r", b"/1HR\r",
        b"\x02\x31\x31ZR\x03\x09", b"\xff\x02\x31\x39Q\x03\x58", b"/1p100A9999R\r",
    ],
    "vici": [
        b"CP\r", b"GO4\r", b"go=07\n", b"GO\r", b"CW9\r", b"CC2\r", b"HM\r", b"/1IFM1\r", b"1CP\r",
        b"IFM2\r", b"LG1\r", b"NP\r", b"CNT\r", b"AM1\r", b"AM3\r", b"TT\r", b"TO\r", b"LRN\r",
        b"STAT\r", b"DEL3\r", b"SMR\r", b"NP4\r", b"nix\r", b"ID\r", b"DT500\r",
    ],
    "keithley2450": [
        b"*IDN?\n", b"OUTP ON\n", b":SOUR:FUNC CURR\n", b":SOUR:CURR 1e-3\n", b"READ?\n",
        b":SENS:FUNC 'VOLT';:SENS:VOLT:NPLC 5.000000;\n", b"TRAC:DATA? 1,1,'defbuffer1',REL\n",
        b"SOUR:SWE:VOLT:LIN -1,1,5,0.1\n", b"INIT\n", b"*WAI\n", b"TRAC:ACT?\n",
        b"ROUT:TERM REAR\n",
        b"SYST:ERR?\n", b"*RST\n", b"TRAC:MAKE 'b',10\n", b"READ? 'b',SOUR,READ\n", b"ABOR\n",
    ],
    "qcm200": [
        b"I\r", b"F\r", b"R?\r", b"B\r", b"G\r", b"G?\r", b"S\r", b"P 0\r", b"P 2\r", b"P?\r",
        b"X\r",
        b"\r", b"D 3\r", b"G 5000000\r", b"V?\r",
    ],
    "daq6510": [
        b"*IDN?\n", b":SENS:FUNC 'VOLT',(@101:104)\n", b":SENS:VOLT:NPLC 5,(@101)\n", b"READ?\n",
        b"ROUT:SCAN (@101:105)\n", b"ROUT:SCAN:COUN:SCAN 2\n", b"INIT\n", b"*WAI\n", b"ABOR\n",
        b"TRAC:DATA? 1,2,'defbuffer1',READ,CHAN,REL\n", b"TRAC:ACT?\n", b"ROUT:CLOS (@103)\n",
        b"MEAS:TEMP? (@105)\n", b"SYST:ERR?\n", b"*RST\n", b"TRAC:CLE\n", b"ROUT:OPEN:ALL\n",
    ],
    "alicat": [
        b"A\r", b"AS5.5\r", b"A$$PC\r", b"A$$V\r", b"AT\r", b"AVE\r", b"A$$L\r", b"A$$R46\r",
        b"B\r",        b"A@=@\r", b"@@=A\r", b"A@=B\r", b"B@=A\r", b"Anix\r",
    ],
    "sqm160": [
        b"!#@O7", b"!#JO8", b"!%L1?\x85{", b"!$N1]Q", b"!$P1Z\x91", b"!#W\x8f5", b"!#M\x8e\x8a",
        b"!#O\x8f9", b"!#@O8", b"!", b"!$C?g/", b"!\x70AAA",
    ],
    "lakeshore336": [
        b"*IDN?\n", b"KRDG? A;*ESR?\n", b"SETP 1,300\r\n", b"RANGE 1,3;RANGE? 1\n", b"KRDG? 0\n",
        b"RAMP 1,1,5\n", b"RAMPST? 1\n", b"HTR? 1\n", b"nix?\n", b"*RST\n", b"OUTMODE 1,1,1,1\n",
        b"SETP 1,290;:PID? 2\n", b"RDGST? A\n", b"INNAME B,'room'\n",
    ],
    "ika": [
        b"IN_NAME \r\n", b"OUT_SP_1 60\r\n", b"OUT_SP_4 300 \r\n", b"START_1\r\n", b"START_4\r\n",
        b"STOP_1\r\n", b"STOP_4\r\n", b"IN_PV_1\r\n", b"IN_PV_2\r\n", b"IN_PV_4\r\n", b"RESET\r\n",
        b"OUT_WD1@20\r\n", b"OUT_WD2@20\r\n", b"OUT_SP_42@100\r\n", b"nix\r\n",
    ],
    "huber": [
        b"{M00****\r\n", b"{M000BB8\r\n", b"{M00FC18\r\n", b"{M007530\r\n", b"{M01****\r\n",
        b"{M0A****\r\n", b"{M140001\r\n", b"{M140000\r\n", b"{M160001\r\n", b"{M05****\r\n",
        b"{M140002\r\n", b"{MFF****\r\n", b"{M01***\r\n", b"nix\r\n",
    ],
}  # fmt: skip
HELLO: dict[str, bytes] = {  # what a model answers in any state; *IDN? if nothing is said
    "zaber": b"/0\n", "newera": b"\r1\r" + safe_packet(b"1"), "julabo": b"status\r",
    "mettler": b"SI\r\n", "cavro": b"/1Q\r",
    "vici": b"/?\r", "qcm200": b"I\r", "alicat": b"A\rB\r",
    "sqm160": b"!#@O7", "ika": b"IN_NAME\r\n", "huber": b"{M0A****\r\n",
}  # fmt: skip
NAMES = sorted(MODELS)


class Surround:
    """Every link at once; what it answers depends on time alone, what it hears is noted."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def moved(self, motion: Motion) -> None:
        self.heard.append(motion.plain())

    def transfer(self, ml: float, now_ns: int) -> float:
        self.heard.append([ml, now_ns])
        return ml

    def current(self, amps: float, now_ns: int) -> None:
        self.heard.append([amps, now_ns])

    def drive(self, on: bool, setpoint: float, now_ns: int) -> None:
        self.heard.append([on, setpoint, now_ns])

    def watts(self, now_ns: int) -> float:
        return 1e-6 + 1e-18 * now_ns

    def temperature(self, now_ns: int) -> float:
        return 20.0 + now_ns * 1e-10

    def pump(self, port: str, ml: float, now_ns: int) -> None:
        self.heard.append([port, ml, now_ns])

    def begin(self, port: str, stroke: Stroke, ml: float) -> None:
        self.heard.append([port, stroke.plain(), ml])

    def select(self, position: int, now_ns: int) -> None:
        self.heard.append([position, now_ns])

    def circuit(self, now_ns: int) -> tuple[float, float]:
        return 0.05 + 1e-12 * now_ns, 5e4

    def frequency(self, now_ns: int) -> float:
        return 4_999_000.0 - 1e-9 * now_ns

    def resistance(self, now_ns: int) -> float:
        return 350.0 + 1e-9 * now_ns

    def signal(self, channel: int, now_ns: int) -> float:
        return 0.01 * channel + 1e-12 * now_ns

    def pressure(self, now_ns: int) -> float:
        return 120.0 + 1e-10 * now_ns

    def flow(self, now_ns: int) -> float:
        return 5.0 + 1e-10 * now_ns

    def demand(self, setpoint: float, now_ns: int) -> None:
        self.heard.append([setpoint, now_ns])

    def thickness(self, sensor: int, now_ns: int) -> float:
        return sensor * 1e-8 * now_ns

    def heat(self, on: bool, setpoint: float, now_ns: int) -> None:
        self.heard.append([on, setpoint, now_ns])

    def stir(self, rpm: float, now_ns: int) -> None:
        self.heard.append([rpm, now_ns])

    def grams(self, now_ns: int) -> float:
        return 50.0 + 0.01 * (now_ns // 3_000_000_000)


def made(name: str) -> Device:
    return MODELS[name](Spec("it", name, "x", 1), Surround())


def drawn(name: str) -> st.SearchStrategy[list[tuple[bytes, int]]]:
    """A session: what is sent, and the milliseconds that pass before it."""
    words = st.one_of(st.sampled_from(WORDS[name]), st.binary(max_size=8))
    return st.lists(st.tuples(words, st.integers(0, 5000)), max_size=25)


def play(
    device: Device, session: list[tuple[bytes, int]], now_ns: int = 0
) -> tuple[int, list[Any]]:
    """Hold a session with a device; return the time after it and everything that came."""
    came: list[Any] = []
    for data, pause in session:
        now_ns += pause * MS
        came += device.poll(now_ns)
        came += device.receive(data, now_ns)
    return now_ns, came


def test_every_model_has_its_rows_in_the_readme() -> None:
    text = Path(sim.__file__).with_name("README.md").read_text(encoding="utf-8")
    models, guesses = text.split("### Guesses")
    assert [name for name in NAMES if f"\n| `{name}` |" not in models] == []
    assert [name for name in NAMES if f"\n| {name} |" not in guesses] == []


def test_every_model_has_a_title_and_the_package_an_owner() -> None:
    assert MODELS.keys() == TITLES.keys() == WORDS.keys()
    assert OWNER == "lbl"


@pytest.mark.parametrize("name", NAMES)
@REPEATABLE
@given(data=st.data())
def test_any_bytes_are_stood_and_answers_are_bounded(name: str, data: st.DataObject) -> None:
    device = made(name)
    noise = data.draw(st.lists(st.binary(max_size=200), max_size=10))
    session = [(part, 100) for part in noise] + data.draw(drawn(name))
    now_ns = 0
    for part, pause in session:
        now_ns += pause * MS
        device.poll(now_ns)
        ends = sum(part.count(end) for end in (b"\r", b"\n", b"\x02", b"\x03")) + 2
        for due, reply in device.receive(part, now_ns):
            assert due >= now_ns and len(reply) > 0
            assert len(reply) <= REPLY_MAX * ends
    assert len(json.dumps(device.snapshot())) < 8000


@pytest.mark.parametrize("name", NAMES)
def test_a_line_without_an_end_is_not_kept_whole(name: str) -> None:
    device = made(name)
    for _ in range(50):
        device.receive(b"A" * 4096, 0)
    assert len(json.dumps(device.snapshot())) < 5000


@pytest.mark.parametrize("name", NAMES)
@REPEATABLE
@given(data=st.data())
def test_bytes_one_by_one_are_as_good_as_whole_commands(name: str, data: st.DataObject) -> None:
    whole, single = made(name), made(name)
    session = data.draw(drawn(name))
    now_ns = 0
    for part, pause in session:
        now_ns += pause * MS
        expected = whole.receive(part, now_ns)
        came = [
            reply
            for place in range(len(part))
            for reply in single.receive(part[place : place + 1], now_ns)
        ]
        assert came == expected
    assert single.snapshot() == whole.snapshot()


@pytest.mark.parametrize("name", NAMES)
@REPEATABLE
@given(data=st.data())
def test_a_snapshot_is_the_whole_state(name: str, data: st.DataObject) -> None:
    first, second = made(name), made(name)
    now_ns, _ = play(first, data.draw(drawn(name)))
    if data.draw(st.booleans()):
        first.fail(now_ns, 0.5)
    state = first.snapshot()
    plain = json.loads(json.dumps(state))
    assert plain == state
    second.restore(plain)
    assert second.snapshot() == state
    assert second.next_ns() == first.next_ns()
    further = data.draw(drawn(name))
    assert play(second, further, now_ns) == play(first, further, now_ns)
    assert second.snapshot() == first.snapshot()


@pytest.mark.parametrize("name", NAMES)
@REPEATABLE
@given(data=st.data())
def test_poll_takes_what_next_ns_promises(name: str, data: st.DataObject) -> None:
    device = made(name)
    now_ns, _ = play(device, data.draw(drawn(name)))
    for _ in range(5):
        due = device.next_ns()
        if due is None:
            return
        now_ns = max(now_ns, due)
        device.poll(now_ns)
        later = device.next_ns()
        assert later is None or later > now_ns


@pytest.mark.parametrize("name", NAMES)
@REPEATABLE
@given(data=st.data())
def test_after_a_power_cut_a_model_answers_as_if_new(name: str, data: st.DataObject) -> None:
    device = made(name)
    now_ns, _ = play(device, data.draw(drawn(name)))
    device.power_cycle(now_ns)
    device.poll(now_ns + 10_000 * MS)
    hello = HELLO.get(name, b"*IDN?\n")
    assert device.receive(hello, now_ns + 20_000 * MS)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_without_a_world_works(name: str) -> None:
    device = MODELS[name](Spec("it", name, "x", 1), None)
    play(device, [(word, 500) for word in WORDS[name]])
    device.power_cycle(60_000 * MS)
