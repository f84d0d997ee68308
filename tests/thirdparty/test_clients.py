"""Other people's clients work against the simulated instruments, unchanged and in their own room.

Each test serves what it needs, runs one script of `clients/` with the python of `.venv-thirdparty`
and judges what the script saw. Run by `make thirdparty`; skipped in the ordinary run.
"""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from drivers.bus import Bus
from drivers.mettler import Mettler
from lbl._core import Core

from .conftest import PYTHON, Client, Serve, environment


def test_the_other_environment_is_there() -> None:
    assert PYTHON.exists()


@pytest.mark.parametrize("ours", ["lbl", "drivers", "sim"])
def test_the_other_environment_has_nothing_of_ours(ours: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [PYTHON, "-c", f"import {ours}"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert f"No module named '{ours}'" in done.stderr


@pytest.mark.parametrize("safe_s", [0, 1], ids=["basic", "safe"])
def test_nesp_lib_counts_its_doses(safe_s: int, serve: Serve, client: Client) -> None:
    seen = client("nesp", serve("pty", "feed")["feed"], safe_s)
    assert (seen["model"], seen["firmware"], seen["safe"]) == (1000, [3, 923], safe_s)
    assert (seen["diameter"], seen["rate"], seen["volume"]) == (14.43, 6.0, 0.1)
    assert seen["infused"] == pytest.approx([0.1, 0.2])
    assert seen["running"] and seen["stopped"] == "PAUSED"
    assert seen["too fast"] == "refused"
    assert seen.get("after silence", "PAUSED") == "PAUSED"  # the heartbeat kept it from an alarm


def test_nesp_lib_turns_the_pump_round_after_a_dose(serve: Serve, client: Client) -> None:
    seen = client("nesp", serve("pty", "feed", speed=10.0)["feed"], 0)
    assert seen["infused"] == pytest.approx([0.1, 0.2])
    assert seen["withdrawn"] == pytest.approx(0.1)


def test_mettler_toledo_device_weighs_and_zeroes(serve: Serve, client: Client) -> None:
    seen = client("mettler", serve("pty", "balance")["balance"])
    assert seen["serial"] == "B021002593"
    assert seen["data"] == ["XS205DU", "Excellence", "220.0000", "g"]
    grams, unit, flag = seen["weight"]
    assert (unit, flag) == ("g", "S") and 10.0 < grams < 220.0
    assert seen["stable"] == [pytest.approx(grams, abs=0.001), "g"]
    assert seen["zeroed"] is True and seen["zeroed at once"] in ("S", "D")
    assert seen["after zero"][:2] == [pytest.approx(0.0, abs=0.001), "g"]


def test_zaber_motion_moves_two_chained_axes(serve: Serve, client: Client) -> None:
    seen = client("zaber_now", serve("tcp", "lift", bench="dip", speed=10.0)["lift"])
    assert seen["addresses"] == [1, 2]
    assert (seen["homed before"], seen["homed"]) == (False, True)
    assert (seen["absolute"], seen["relative"]) == (20000.0, 15000.0)
    assert seen["maxspeed"] == 20000.0
    assert seen["busy"] and 15000.0 <= seen["stopped"] < 100000.0
    assert seen["too far"] == "BADDATA"
    assert seen["turned"] == 76800.0
    assert seen["lift while turning"] == seen["stopped"]


def test_zaber_serial_moves_an_axis(serve: Serve, client: Client) -> None:
    seen = client("zaber_old", serve("pty", "lift", bench="dip", speed=10.0)["lift"])
    assert (seen["flag"], seen["homed flag"]) == ("WR", "--")
    assert (seen["absolute"], seen["relative"]) == (30000, 29000)
    assert (seen["refusal"], seen["unknown"]) == ("BADDATA", "BADCOMMAND")
    assert seen["busy"] == "BUSY"
    assert 29000 <= seen["stopped"] <= int(seen["limit"])


def test_julabo_warms_the_bath(serve: Serve, client: Client) -> None:
    seen = client("julabo_bath", serve("tcp", "bath", bench="dip", speed=60.0)["bath"])
    assert seen["identity"].startswith("JULABO")
    assert (seen["status"], seen["before"]) == ("02 REMOTE STOP", False)
    assert (seen["setpoint"], seen["kept"]) == (30.0, 30.0)
    assert seen["started"] and seen["running"] == "03 REMOTE START"
    assert seen["power"] == 100.0
    assert seen["first"] + 1.0 < seen["last"] < 30.5
    assert seen["safety"] == pytest.approx(seen["last"], abs=1.0)
    assert seen["refused"].startswith("-11")
    assert (seen["stopped"], seen["end"]) == (False, "02 REMOTE STOP")


def test_pymeasure_sees_the_light_go_on(serve: Serve, client: Client) -> None:
    ports = serve("tcp", "photodiode", "led", bench="dip")
    seen = client("pymeasure_power", ports["photodiode"], ports["led"])
    assert seen["identity"].startswith("THORLABS,PM100D,P0012345,")
    assert "S120C" in seen["sensor"] and seen["is power"]
    assert seen["span"] == [400.0, 1100.0]
    assert (seen["clamped"], seen["wavelength"]) == (1100.0, 570.0)
    assert seen["led"] in ("1", "ON")
    assert abs(seen["dark"]) < 1e-8 and seen["lit"] > 1e-5
    assert seen["again"] == pytest.approx(seen["lit"], rel=0.01)


def test_thorlabspm100_reads_by_property(serve: Serve, client: Client) -> None:
    seen = client("thorlabs_power", serve("tcp", "photodiode", bench="dip")["photodiode"])
    assert (seen["wavelength"], seen["longest"], seen["averages"]) == (570.0, 1100.0, 10)
    assert (seen["auto"], seen["unit"], seen["configured"]) == (1, "W", "POW")
    assert len(seen["readings"]) == 3 and all(abs(watts) < 1e-8 for watts in seen["readings"])
    assert seen["error"] == '0,"No error"'


def test_lakeshore_reads_and_sets(serve: Serve, client: Client) -> None:
    seen = client("lakeshore_336", serve("tcp", "chiller")["chiller"])
    assert (seen["model"], seen["serial"]) == ("MODEL336", "LSA21YG")
    assert seen["kelvin"] == pytest.approx(seen["celsius"] + 273.15, abs=0.1)
    assert (seen["setpoint"], seen["after"]) == (300.5, 300.5)
    assert seen["pid"] == {"gain": 40.0, "integral": 20.0, "derivative": 1.0}
    assert (seen["range"], seen["off"]) == ("LOW", "OFF")
    assert seen["ramp"] == {"ramp_enable": True, "rate_value": 5.0}
    assert 0.0 <= seen["output"] <= 100.0
    assert "Command Error" in seen["refused"]


def test_vicivalve_turns_the_selector(serve: Serve, client: Client) -> None:
    seen = client("vici_valve", serve("pty", "selector", speed=10.0)["selector"])
    assert seen == {"home": 1, "moved": [True, 4], "clockwise": [True, 7], "back": [True, 2]}


@pytest.mark.parametrize("transport", ["tcp", "pty"])
def test_alicat_polls_the_line(transport: str, serve: Serve, client: Client) -> None:
    where = serve(transport, "line")["line"]
    seen = client("alicat_meter", where if transport == "pty" else f"127.0.0.1:{where}")
    assert sorted(seen["first"]) == ["mass_flow", "pressure", "setpoint", "temperature"]
    assert seen["first"]["pressure"] == pytest.approx(101.3, abs=1.0)
    assert 10.0 < seen["first"]["temperature"] < 40.0
    assert seen["firmware"].split()[0] == "A"
    assert seen["tared"]["pressure"] == pytest.approx(0.0, abs=0.1)
    assert seen["locked"] and seen["unlocked"]


def test_pymeasure_watches_a_crystal(serve: Serve, client: Client) -> None:
    seen = client("pymeasure_crystal", serve("pty", "monitor")["monitor"])
    assert seen["reset"] == [True, False]
    assert seen["firmware"].startswith("MON Ver") and seen["sensors"] == 6
    assert 5.0e6 < seen["frequency"] < 6.1e6
    assert 0.0 < seen["life"] <= 100.0
    assert seen["thickness"] == pytest.approx(0.0, abs=0.1)


def test_srsinst_reads_its_crystal(serve: Serve, client: Client) -> None:
    seen = client("srs_crystal", serve("pty", "crystal")["crystal"])
    assert seen["identity"] == ["QCM200", "90123", "1.05"]
    assert (seen["status"], seen["end"]) == ("OK", "OK")
    assert (seen["gate"], seen["scale"]) == (0.1, 1000)
    assert seen["frequency"] == pytest.approx(5.0e6, rel=0.01)
    assert seen["offset"] == pytest.approx(seen["frequency"], abs=1.0)
    assert 5.0 < seen["resistance"] < 500.0


def test_pymeasure_sources_and_measures(serve: Serve, client: Client) -> None:
    seen = client("pymeasure_smu", serve("tcp", "photovoltage")["photovoltage"])
    assert seen["identity"].startswith("KEITHLEY INSTRUMENTS,MODEL 2450,")
    assert (seen["limit"], seen["level"], seen["source"]) == (0.01, 0.5, "voltage")
    assert (seen["on"], seen["off"]) == (True, False)
    assert 0.0 < seen["current"] < 0.01
    assert seen["open circuit"] == pytest.approx(0.0, abs=0.01)
    assert seen["errors"] == []


def test_pymeasure_measures_a_channel(serve: Serve, client: Client) -> None:
    seen = client("pymeasure_daq", serve("tcp", "sensors")["sensors"])
    assert seen["identity"].startswith("KEITHLEY INSTRUMENTS,MODEL DAQ6510,")
    assert (seen["nplc"], seen["range"]) == (1.0, 10.0)
    assert 0.0 < seen["voltage"] < 5.5
    assert seen["errors"] == []


def test_our_driver_reads_their_balance(
    emulator: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))  # the port's lock
    with Bus(Core(virtual=False)) as bus:
        port = bus.port(f"TCPIP::127.0.0.1::{emulator['port']}::SOCKET", link=Mettler.LINK)
        balance = Mettler(port, "balance")
        balance.connect()
        identity = balance.identify()
        # the emulator gives its serial number for I2 as well, where a balance names its type
        assert (identity.serial, identity.firmware) == ("B246813579", "2.30")
        assert balance.grams() == pytest.approx(12.3456)
        assert balance.stable_grams(5.0) == pytest.approx(12.3456)
        balance.safe()
