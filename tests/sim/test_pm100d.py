"""The PM100D model: wire forms of other people's clients, ranges, averaging time, error queue."""

import math

import pytest

from sim.pm100d import PM100D, READING_NS, SAMPLE_NS, response
from sim.port import Spec

MS = 1_000_000


class Lamp:
    """The far side of the photodiode link."""

    def __init__(self, power: float = 1.387234e-3) -> None:
        self.power = power

    def watts(self, now_ns: int) -> float:
        return self.power


def meter(lamp: Lamp | None = None) -> PM100D:
    return PM100D(Spec("pm", "pm100d", "x"), lamp)


def ask(device: PM100D, text: str, now_ns: int = 0) -> str:
    replies = device.receive(text.encode() + b"\n", now_ns)
    return b"".join(data for _, data in replies).decode().rstrip("\n")


def error(device: PM100D) -> int:
    return int(ask(device, "SYST:ERR?").split(",")[0])


def test_identity_sensor_and_a_reading() -> None:
    device = meter(Lamp())
    assert ask(device, "*IDN?") == "THORLABS,PM100D,P0012345,2.8.0"
    assert ask(device, "SYST:SENS:IDN?") == '"S120C","16060232","2-JUN-2021",1,2,33'
    assert ask(device, "MEAS:POW?") == "1.387234E-03"
    assert ask(device, "SYST:ERR?") == '0,"No error"'


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("SENSE:CORR:WAV 570;:SENS:CORR:WAV?", "5.700000E+02"),
        ("SENSE:CORR:WAV 633\nSense:Correction:WAVelength?", "6.330000E+02"),
        ("sens:corr:wav? min;:SENS:CORR:WAV? MAX", "4.000000E+02;1.100000E+03"),
        ("Sense:Average:COUNt 10;:SENS:AVER?", "10"),
        ("Sense:Power:Dc:Range:AUTO ON;:SENS:POW:RANG:AUTO?", "1"),
        ("SENS:POW:DC:RANG:UPP 0.0004;:SENSE:POWER:RANGE?", "5.000000E-04"),
        ("SENS:POW:RANG? MIN", "5.000000E-08"),
        ("SENS:POW:UNIT DBM;:SENS:POW:DC:UNIT?", "DBM"),
        ("SYST:SENSOR:IDN?", '"S120C","16060232","2-JUN-2021",1,2,33'),
        ("SENS:CORR:WAV 500;WAV?", "5.000000E+02"),
        ("INP:PDI:FILT:LPAS:STAT 1;STAT?", "1"),
        ("CONF:POW;:INIT;:FETC?", "1.387234E-03"),
        ("READ?", "1.387234E-03"),
        ("MEAS:SCAL:POW?;*OPC?", "1.387234E-03;1"),
        ("*ESE 32;*ESE?;*SRE?;*TST?;:SYST:VERS?", "32;0;0;1999.0"),
    ],
)
def test_wire_forms(text: str, answer: str) -> None:
    device = meter(Lamp())
    assert ask(device, text) == answer
    assert error(device) == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FOO", -113), ("SENS:POW:WAV 3", -113), ("SENS:CORR:WAV 300", -222),
        ("SENS:CORR:WAV", -109), ("SENS:CORR:WAV 1,2", -108), ("SENS:CORR:WAV blue", -104),
        ("SENS:CORR:WAV nan", -104), ("SENS:POW:UNIT V", -224), ("SENS:AVER 0", -222),
        ("FETC?", -230), ("*ESE 256", -222), ("*IDN? 1", -108), ("x" * 2000, -363),
    ],
)  # fmt: skip
def test_errors_are_queued_and_nothing_is_answered(text: str, code: int) -> None:
    device = meter(Lamp())
    assert ask(device, text) == ""
    assert error(device) == code
    assert error(device) == 0


def test_the_error_queue_is_bounded_and_cleared() -> None:
    device = meter()
    for _ in range(100):
        ask(device, "FOO")
    codes = [error(device) for _ in range(31)]
    assert codes == [-113] * 29 + [-350, 0]
    ask(device, "FOO")
    assert ask(device, "*ESE 255;*STB?") == str(4 + 32)
    ask(device, "*CLS")
    assert ask(device, "*STB?;*ESR?") == "0;0" and error(device) == 0


def test_a_reading_takes_its_averages() -> None:
    device = meter(Lamp(3e-2))
    ask(device, "SENS:AVER 1000")
    ((due, _),) = device.receive(b"MEAS:POW?\n", 0)
    assert due == pytest.approx(READING_NS + 1000 * SAMPLE_NS, abs=5 * MS)
    ((later, _),) = device.receive(b"*IDN?\n", 1 * MS)
    assert later >= due  # the instrument is occupied


def test_auto_range_costs_a_reading_and_a_fixed_range_overflows() -> None:
    lamp = Lamp(3e-2)
    device = meter(lamp)
    ((first, _),) = device.receive(b"READ?\n", 0)
    lamp.power = 1e-6
    ((due, reply),) = device.receive(b"READ?\n", 1000 * MS)
    assert due - 1000 * MS == pytest.approx(2 * first, abs=5 * MS)
    assert reply == b"1.000000E-06\n"
    assert ask(device, "SENS:POW:RANG?") == "5.000000E-06"
    ask(device, "SENS:POW:RANG 5e-6")
    lamp.power = 1e-3
    assert float(ask(device, "READ?")) >= 9e37
    ask(device, "SENS:POW:RANG:AUTO 1")
    assert ask(device, "READ?") == "1.000000E-03"


def test_wavelength_scales_the_reading_and_dbm_is_a_unit() -> None:
    device = meter(Lamp(1e-3))
    ask(device, "SENS:CORR:WAV 700")
    assert float(ask(device, "READ?")) == pytest.approx(1e-3 * response(570) / response(700))
    ask(device, "SENS:CORR:WAV 570")
    ask(device, "SENS:POW:UNIT DBM")
    assert float(ask(device, "READ?")) == pytest.approx(0.0, abs=1e-6)
    assert float(ask(device, "MEAS:CURR?")) == pytest.approx(1e-3 * response(570))


def test_zero_is_busy_for_a_while_and_subtracts_what_was_seen() -> None:
    lamp = Lamp(2e-9)
    device = meter(lamp)
    ask(device, "SENS:CORR:COLL:ZERO:INIT")
    assert ask(device, "SENS:CORR:COLL:ZERO:STAT?", 100 * MS) == "1"
    assert ask(device, "SENS:CORR:COLL:ZERO:STAT?", 1000 * MS) == "0"
    assert ask(device, "SENS:CORR:COLL:ZERO:MAGN?", 1000 * MS) == "2.000000E-09"
    lamp.power = 1e-6 + 2e-9
    assert float(ask(device, "READ?", 1000 * MS)) == pytest.approx(1e-6)


def test_power_on_keeps_the_wavelength_only_and_a_lost_sensor_comes_back() -> None:
    device = meter(Lamp())
    ask(device, "SENS:CORR:WAV 633;:SENS:AVER 50;:SENS:POW:UNIT DBM")
    assert device.fail(0, 0.0)
    assert ask(device, "READ?") == "" and error(device) == -240
    assert ask(device, "SYST:SENS:IDN?").startswith('"no sensor"')
    device.power_cycle(0)
    assert ask(device, "SENS:CORR:WAV?;:SENS:AVER?;:SENS:POW:UNIT?") == "6.330000E+02;1;W"
    assert math.isfinite(float(ask(device, "READ?")))
