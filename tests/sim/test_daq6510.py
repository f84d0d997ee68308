"""The DAQ6510 model: channels, scans in time, buffers, the forms clients send."""

import pytest

from sim.daq6510 import DAQ6510
from sim.daq6510_settings import channel_list
from sim.port import Spec
from sim.scpi import ScpiError

NS = 1_000_000_000
MS = 1_000_000


class Sensors:
    """The far side: channel 101 reads 1 V and so on; the front terminals 0.1 V."""

    def signal(self, channel: int, now_ns: int) -> float:
        return channel - 100.0 if channel else 0.1


def daq(link: Sensors | None = None) -> DAQ6510:
    return DAQ6510(Spec("daq", "daq6510", "x"), link)


def ask(device: DAQ6510, text: str, now_ns: int = 0) -> str:
    return b"".join(data for _, data in device.receive(text.encode() + b"\n", now_ns)).decode()


def error(device: DAQ6510, now_ns: int = 0) -> int:
    return int(ask(device, "SYST:ERR?", now_ns).split(",")[0])


def test_fixed_answers() -> None:
    device = daq()
    assert ask(device, "*IDN?") == "KEITHLEY INSTRUMENTS,MODEL DAQ6510,0400000,1.7.12b\n"
    assert ask(device, "*LANG?;:SYST:LFR?;:ROUT:TERM?") == "SCPI;50;REAR\n"
    assert ask(device, ":SENS:FUNC?") == '"VOLT:DC"\n'
    assert ask(device, "SYST:ERR?") == '0,"No error;0,0,0"\n'
    assert ask(device, "TRIG:STAT?") == "IDLE;IDLE;0\n"


@pytest.mark.parametrize(
    ("text", "query", "answer"),
    [
        (':SENS:FUNC "VOLT",(@101:104)', ":SENS:FUNC? (@104,105)", '"VOLT:DC","VOLT:DC"'),
        (":SENS:FUNC \"FRES\", (@105)", "FUNC? (@105)", '"FRES"'),
        (":SENS:FUNC \"RES\";:SENS:RES:NPLC 2;", ":SENS:RES:NPLC?", "2"),
        (":SENS:FUNC CURR", ":SENS:FUNC?", '"CURR:DC"'),
        (":SENS:VOLT:RANG 10,(@101)", ":SENS:VOLT:RANG? (@101,102)", "10,1000"),
        (":SENS:VOLT:RANG:AUTO 0;:SENS:VOLT:RANG 10", ":SENS:VOLT:RANG:AUTO?", "0"),
        (":SENS:VOLT:RANG:AUTO ON;", ":SENS:VOLT:RANG:AUTO?", "1"),
        (":SENS:VOLT:DC:NPLC 0.5, (@101,103)", "VOLT:NPLC? (@103)", "0.5"),
        (":SENS:FRES:OCOM AUTO", ":SENS:FRES:OCOM?", "AUTO"),
        ("ROUT:SCAN (@101:103,105)", "ROUT:SCAN?", "(@101,102,103,105)"),
        ("ROUT:SCAN:CRE (@101);:ROUT:SCAN:ADD (@104)", "ROUT:SCAN:COUN:STEP?", "2"),
        ("ROUT:SCAN:COUN:SCAN 12", "ROUT:SCAN:COUN:SCAN?", "12"),
        ("ROUT:SCAN:INT 2.5", "ROUT:SCAN:INT?", "2.5"),
        ("ROUT:CLOS (@103)", "ROUT:CLOS?", "(@103)"),
        (":ROUT:CLOS (@103);:ROUT:OPEN (@103)", "ROUT:CLOS?", "(@)"),
        (":ROUT:CLOS (@103);:ROUT:OPEN (@104)", "ROUT:CLOS?", "(@103)"),
        (":ROUT:CLOS (@103);:ROUT:OPEN:ALL", "ROUT:CLOS?", "(@)"),
        ("DIG:LINE3:MODE DIG,OUT;:DIG:LINE3:STAT 0", "DIG:LINE3:STAT?;:DIG:LINE1:STAT?", "0;1"),
        (":SYST:BEEP 440, 0.1;:DISP:SCR HOME", "*ESR?", "128"),
    ],
)  # fmt: skip
def test_forms_that_clients_send(text: str, query: str, answer: str) -> None:
    device = daq()
    assert ask(device, text) == ""
    assert ask(device, query) == answer + "\n"
    assert error(device) == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("foo", -113), ("ROUT:CLOS (@100)", -222), ("ROUT:CLOS (@201)", -222),
        ("ROUT:CLOS 101", -109), ("ROUT:CLOS (@1x1)", -102), ("ROUT:SCAN (@101", -102),
        ("SENS:VOLT:RANG 2000", -222), ("SENS:FUNC 'MOOD'", -224), ("TRAC:DATA? 1,1", -222),
        ("ROUT:SCAN:BUFF 'nix'", -224), ("ROUT:SCAN:COUN:SCAN 0", -222), ("FETC?", -230),
        ("SENS:VOLT:NPLC 13", -222), ("ROUT:SCAN (@" + 11 * "101:122," + "101)", -222),
        ("DIG:LINE7:STAT?", -113), ("ROUT:SCAN:ADD", -109),
    ],
)  # fmt: skip
def test_errors(text: str, code: int) -> None:
    device = daq()
    assert ask(device, text) == ""
    assert error(device) == code
    assert error(device) == 0


def test_channel_lists() -> None:
    assert channel_list(["1", "(@101", "103:105)"]) == (["1"], [101, 103, 104, 105])
    assert channel_list(["(@104:102)"]) == ([], [104, 103, 102])
    assert channel_list(["x"]) == (["x"], [0])
    with pytest.raises(ScpiError):
        channel_list(["(@)"])


def test_a_scan_of_five_channels_takes_130_ms() -> None:
    device = daq(Sensors())
    for text in ('TRAC:MAKE "b",1000', "ROUT:SCAN (@101:105)", 'ROUT:SCAN:BUFF "b"', "INIT"):
        ask(device, text)
    assert ask(device, "TRIG:STAT?") == "RUNNING;RUNNING;1\n"
    assert ask(device, 'TRAC:ACT? "b"', 60 * MS) == "2\n"
    assert ask(device, 'TRAC:DATA? 1,5,"b"', 60 * MS) == ""  # not there yet
    assert error(device, 60 * MS) == -222
    assert ask(device, 'TRAC:ACT? "b"', 129 * MS) == "4\n"
    assert ask(device, 'TRAC:DATA? 1,5,"b",READ,CHAN,REL', 130 * MS) == (
        "1.000000E+00,101,0.000000,2.000000E+00,102,0.026000,3.000000E+00,103,0.052000,"
        "4.000000E+00,104,0.078000,5.000000E+00,105,0.104000\n"
    )
    assert ask(device, "TRIG:STAT?", 130 * MS) == "IDLE;IDLE;0\n"


def test_wai_waits_for_the_scan() -> None:
    device = daq(Sensors())
    ask(device, "ROUT:SCAN (@101:105);:ROUT:SCAN:COUN:SCAN 3;:ROUT:SCAN:INT 1")
    ask(device, "INIT;*WAI")
    ((due, reply),) = device.receive(b"TRAC:ACT?\n", 5 * MS)
    assert reply == b"15\n" and 2130 * MS <= due < 2150 * MS
    ask(device, "TRAC:CLE", 3 * NS)
    ask(device, "INIT", 3 * NS)
    ask(device, "INIT", 3 * NS)
    assert error(device, 3 * NS) == -221
    ask(device, "ABOR", 3 * NS + 500 * MS)
    assert ask(device, "TRAC:ACT?", 9 * NS) == "5\n"


def test_single_readings() -> None:
    device = daq(Sensors())
    assert ask(device, ":READ?") == "1.000000E-01\n"
    ask(device, "ROUT:CLOS (@104)")
    assert ask(device, "READ? 'defbuffer1',CHAN,READ,UNIT") == "104,4.000000E+00,Volt DC\n"
    assert ask(device, "MEAS:VOLT:DC? (@101,102)") == "1.000000E+00,2.000000E+00\n"
    assert ask(device, "FETC?") == "2.000000E+00\n"
    ask(device, "INIT;*OPC?", NS)
    assert ask(device, "TRAC:ACT?", NS) == "5\n"
    ((due, _),) = device.receive(b"MEAS:VOLT?\n", 2 * NS)
    assert 20 * MS <= due - 2 * NS < 30 * MS
    ask(device, ":SENS:VOLT:NPLC 10,(@110)", 3 * NS)
    ((due, _),) = device.receive(b"MEAS:VOLT? (@110)\n", 3 * NS)
    assert due - 3 * NS > 200 * MS


def test_over_range_and_thermometers() -> None:
    device = daq(Sensors())
    ask(device, ":SENS:VOLT:RANG 1,(@102)")
    assert ask(device, "MEAS:VOLT? (@102)") == "9.900000E+37\n"
    assert float(ask(daq(), "MEAS:TEMP? (@105)")) == pytest.approx(22.0, abs=0.5)
    assert device.fail(0, 0.0)
    assert ask(device, "MEAS:VOLT? (@101)") == "9.900000E+37\n"


def test_power_off() -> None:
    device = daq(Sensors())
    ask(device, "ROUT:CLOS (@103);:ROUT:SCAN (@101:102);:INIT;:READ?")
    device.power_cycle(10 * MS)
    assert ask(device, "ROUT:CLOS?;:ROUT:SCAN?;:TRAC:ACT?", NS) == "(@);(@);0\n"
    assert ask(device, "TRIG:STAT?", NS) == "IDLE;IDLE;0\n"
