"""The Keithley 2450 model: the forms clients send, sourcing with limits, readings in time."""

import pytest

from sim.keithley2450 import Keithley2450
from sim.port import Spec

NS = 1_000_000_000
MS = 1_000_000


class Sample:
    """A photovoltaic film: a voltage behind a resistance."""

    def __init__(self, volts: float = 0.03, ohms: float = 1e6) -> None:
        self.volts = volts
        self.ohms = ohms

    def circuit(self, now_ns: int) -> tuple[float, float]:
        return self.volts, self.ohms


def smu(link: Sample | None = None) -> Keithley2450:
    return Keithley2450(Spec("smu", "keithley2450", "x"), link)


def ask(device: Keithley2450, text: str, now_ns: int = 0) -> str:
    return b"".join(data for _, data in device.receive(text.encode() + b"\n", now_ns)).decode()


def errors(device: Keithley2450, now_ns: int = 0) -> list[int]:
    found = []
    while code := int(ask(device, "SYST:ERR?", now_ns).split(",")[0]):
        found.append(code)
    return found


def test_fixed_answers() -> None:
    device = smu()
    assert ask(device, "*IDN?") == "KEITHLEY INSTRUMENTS,MODEL 2450,04096331,1.6.7c\n"
    assert ask(device, "*LANG?") == "SCPI\n"
    assert ask(device, "SYST:ERR?") == '0,"No error;0,0,0"\n'
    assert ask(device, ":SENS:FUNC?") == '"CURR:DC"\n'
    assert ask(device, ":SOUR:FUNC?;:OUTP?;:ROUT:TERM?") == "VOLT;0;FRON\n"
    assert ask(device, "SYST:LFR?;:TRIG:STAT?") == "50;IDLE;IDLE;0\n"


@pytest.mark.parametrize(
    ("text", "query", "answer"),
    [
        (":SENS:FUNC 'CURR';:SENS:CURR:NPLC 1.000000;", ":SENS:CURR:NPLC?", "1"),
        (":SENS:FUNC 'VOLT';:SENS:VOLT:NPLC 0.100000;", ":SENS:FUNC?", '"VOLT:DC"'),
        (":SENSe:FUNCtion \"VOLT:DC\"", "FUNC?", '"VOLT:DC"'),
        (":SENS:FUNC 'RES';:SENS:RES:NPLC 2;", ":SENS:FUNC?", '"RES"'),
        (":SENS:CURR:RANG:AUTO 0;:SENS:CURR:RANG 0.001", ":SENS:CURR:RANG?", "0.001"),
        (":SENS:CURR:RANG 0.001", ":SENS:CURR:RANG:AUTO?", "0"),
        (":SENS:CURR:RSEN 1", ":SENSe:CURRent:RSENse?", "1"),
        (":SENS:RES:RSENSE 1", ":SENS:RES:RSENSE?", "1"),
        (":SOUR:FUNC CURR", ":SOUR:FUNC?", "CURR"),
        (":SOUR:VOLT:LEV 0.25", ":SOUR:VOLT?", "0.25"),
        (":SOURce:CURRent:LEVel:IMMediate:AMPLitude -1e-06", ":SOUR:CURR:LEV?", "-1E-06"),
        (":SOUR:VOLT:RANG:AUTO 0;:SOUR:VOLT:RANG 20", ":SOUR:VOLT:RANG?", "20"),
        (":SOUR:VOLT:ILIM 0.1", ":SOURce:VOLTage:ILIMit:LEVel?", "0.1"),
        (":SOUR:CURR:VLIM 21", ":SOUR:CURR:VLIM?", "21"),
        (":SOUR:CURR:VLIM MAX", ":SOUR:CURR:VLIM?", "210"),
        ("", ":SOUR:VOLT:ILIM? MAX", "1.05"),
        (":SOUR:VOLT:DEL 0.5", ":SOUR:VOLT:DEL?", "0.5"),
        (":SOUR:VOLT:READ:BACK 0", ":SOUR:VOLT:READ:BACK?", "0"),
        (":SENS:COUNT 5", ":SENS:COUN?", "5"),
        (":SENS:CURR:AVER:TCON MOV", ":SENS:CURR:AVER:TCON?", "MOV"),
        (":SENS:CURR:AVER ON;:SENS:CURR:AVER:COUNT 3", ":SENS:CURR:AVER:COUN?", "3"),
        (":SENS:CURR:AZER 0", ":SENS:CURR:AZER?", "0"),
        (":OUTP:CURR:SMOD HIMP", ":OUTP:CURR:SMOD?", "HIMP"),
        ("OUTPUT ON", "OUTPUT?", "1"),
        ("*RST;:stat:pres;:*CLS;", "SYST:ERR:COUN?", "0"),
        (":SYST:BEEP 440, 0.1", ":OUTP:STAT?", "0"),
        (":DISP:LIGH:STAT ON25", ":DISP:LIGH:STAT?", "ON25"),
        (":TRAC:POIN 100", ":TRAC:POIN?", "100"),
        ("*LANG SCPI", "*LANG?", "SCPI"),
        (":FORM:DATA ASCII", ":FORM?", "ASCII"),
    ],
)  # fmt: skip
def test_forms_that_clients_send(text: str, query: str, answer: str) -> None:
    device = smu()
    assert ask(device, text) == ""
    assert ask(device, query) == answer + "\n"
    assert errors(device) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("foo", -113), (":SOUR:VOLT 211", -222), (":SOUR:CURR 1.06", -222), ("OUTP maybe", -104),
        (":SENS:FUNC 'WATT'", -224), (":SOUR:FUNC RES", -224), (":SENS:CURR:NPLC 11", -222),
        (":SOUR:VOLT", -109), (":SOUR:VOLT 1,2", -108), ("READ? 'nix'", -224), ("FETC?", -230),
        ("TRAC:DATA? 1,1", -222), ("TRAC:DATA? 1", -109), ("TRAC:MAKE 'b',5", -222),
        ("TRAC:MAKE 'b c',50", -224), ("TRAC:DEL 'defbuffer1'", -221), ("ROUT:TERM UP", -224),
        ("TRIG:LOAD 'Fun',1", -224), ("SOUR:SWE:VOLT:LIN 0,300,5", -222), ("*LANG TSP", -224),
        ("TRAC:STAT:AVER?", -230), ("TRAC:DEL 'nix'", -224), ("READ? 'defbuffer1',NIX", -224),
    ],
)  # fmt: skip
def test_errors_queue_until_read(text: str, code: int) -> None:
    device = smu()
    assert ask(device, text) == ""
    assert errors(device) == [code]
    ask(device, text)
    ask(device, "*CLS")
    assert errors(device) == []


def test_open_circuit_photovoltage() -> None:
    device = smu(Sample(0.0312))
    for text in (":SOUR:FUNC CURR", ":SOUR:CURR 0", ":SOUR:CURR:VLIM 21", ":SENS:FUNC 'VOLT'"):
        ask(device, text)
    assert ask(device, ":READ?") == "9.910000E+37\n"  # the output is off
    ask(device, ":OUTP ON")
    assert float(ask(device, ":READ?")) == pytest.approx(0.0312)
    assert ask(device, ":SOUR:CURR:VLIM:TRIP?") == "0\n"


def test_limits_hold_and_tell() -> None:
    device = smu(Sample(0.0, 1000.0))
    ask(device, ":OUTP ON;:SOUR:VOLT 1;:SOUR:VOLT:ILIM 0.0005")
    assert float(ask(device, "READ?")) == pytest.approx(5e-4)
    assert ask(device, ":SOUR:VOLT:ILIM:TRIP?") == "1\n"
    assert float(ask(device, "MEAS:VOLT?")) == pytest.approx(0.5)
    ask(device, ":SOUR:VOLT 0.1")
    assert ask(device, ":SOUR:VOLT:ILIM:TRIP?") == "0\n"
    assert float(ask(device, "MEAS:CURR?")) == pytest.approx(1e-4)
    assert float(ask(device, "MEAS:RES?")) == pytest.approx(1000.0)
    ask(device, ":SOUR:FUNC CURR")
    assert ask(device, "OUTP?") == "0\n"  # changing the source turns it off
    ask(device, ":OUTP ON;:SOUR:CURR 0.01;:SOUR:CURR:VLIM 2")
    assert float(ask(device, "MEAS:VOLT?")) == pytest.approx(2.0)
    assert ask(device, ":SOUR:CURR:VLIM:TRIP?") == "1\n"


def test_a_reading_takes_its_power_line_cycles() -> None:
    device = smu(Sample())
    ask(device, ":OUTP ON;:SENS:CURR:NPLC 10")
    ((due, _),) = device.receive(b"READ?\n", NS)
    assert 200 * MS < due - NS < 220 * MS
    ((later, _),) = device.receive(b"*IDN?\n", NS)
    assert later >= due
    ask(device, "COUN 5;:SENS:CURR:NPLC 1", 2 * NS)
    ((due, _),) = device.receive(b"READ?\n", 2 * NS)
    assert 100 * MS < due - 2 * NS < 120 * MS
    assert ask(device, "TRAC:ACT?", 3 * NS) == "6\n"


def test_terminals_turn_the_output_off() -> None:
    device = smu()
    ask(device, "OUTP ON")
    ask(device, ":ROUT:TERM REAR")
    assert ask(device, ":ROUT:TERM?;:OUTP?") == "REAR;0\n"


def test_buffers() -> None:
    device = smu(Sample(0.0, 1000.0))
    ask(device, "OUTP ON;:TRAC:MAKE 'film',10")
    for place in range(12):
        ask(device, f":SOUR:VOLT {place * 0.001}", place * NS)
        ask(device, "READ? 'film', SOUR, READ", place * NS)
    assert ask(device, "TRAC:ACT? 'film'", 20 * NS) == "10\n"
    assert ask(device, 'TRAC:DATA? 1, 2, "film", RELative, SOURce, READing', 20 * NS) == (
        "0.000000,2.000000E-03,2.000000E-06,1.000000,3.000000E-03,3.000000E-06\n"
    )
    assert ask(device, "FETC? 'film', UNIT, STAT", 20 * NS) == "Amp DC,0\n"
    for kind, value in (("AVER", 6.5e-6), ("MAX", 11e-6), ("MIN", 2e-6), ("STDD", 3.02765e-6)):
        assert float(ask(device, f"TRAC:STAT:{kind}? 'film'", 20 * NS)) == pytest.approx(value)
    ask(device, "TRAC:CLE 'film'", 20 * NS)
    assert ask(device, "TRAC:ACT:STAR? 'film';END? 'film'", 20 * NS) == "0;0\n"
    ask(device, "TRAC:DEL 'film'", 20 * NS)
    assert ask(device, "TRAC:ACT? 'film'", 20 * NS) == ""


def test_a_sweep_runs_and_wai_waits_for_it() -> None:
    device = smu(Sample(0.0, 1000.0))
    ask(device, 'SOUR:SWE:VOLT:LIN 0, 0.04, 5, 0.01, 1, BEST, ON, OFF, "defbuffer1"')
    ask(device, "OUTP ON;:INIT")
    assert ask(device, "TRIG:STAT?") == "RUNNING;RUNNING;1\n"
    assert ask(device, "TRAC:ACT?", 70 * MS) == "2\n"
    ask(device, "*WAI", 71 * MS)
    ((due, reply),) = device.receive(b"TRAC:DATA? 1, 5, 'defbuffer1', READ\n", 72 * MS)
    assert due >= 160 * MS
    assert [float(part) for part in reply.decode().split(",")] == pytest.approx(
        [0, 1e-5, 2e-5, 3e-5, 4e-5]
    )
    assert ask(device, "TRIG:STAT?", NS) == "IDLE;IDLE;0\n"
    ask(device, "TRIG:LOAD 'SimpleLoop', 3, 0.1;:INIT;*OPC?", 2 * NS)
    assert ask(device, "TRAC:ACT?", 4 * NS) == "8\n"
    ask(device, "INIT", 5 * NS)
    ask(device, "INIT;:ABOR", 5 * NS)
    assert errors(device, 5 * NS) == [-221]


def test_power_off_and_reset() -> None:
    device = smu(Sample())
    ask(device, "OUTP ON;:SOUR:VOLT 5;:READ?")
    device.power_cycle(NS)
    assert ask(device, "OUTP?;:SOUR:VOLT?;:TRAC:ACT?;*ESR?", NS) == "0;0;0;128\n"
    ask(device, "OUTP ON;:SOUR:VOLT 5;*RST", NS)
    assert ask(device, "OUTP?;:SOUR:VOLT?", NS) == "0;0\n"


def test_a_lost_sample_gives_nothing() -> None:
    device = smu(Sample(0.5))
    ask(device, "OUTP ON;:SENS:FUNC 'VOLT'")
    assert device.fail(0, 0.0)
    assert float(ask(device, "READ?")) == 0.0
