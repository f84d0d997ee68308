"""The catalog: every model, opened and asked through PyVISA under its shipped resource."""

from pathlib import Path
from typing import Any

import pytest
import pyvisa
from pyvisa.constants import SerialTermination
from ruamel.yaml import YAML

import sim
from sim import MODELS
from sim.assembly import Assembly
from sim.port import Spec
from sim.visa import SimLibrary

FILE = Path(sim.__file__).parent / "catalog.yaml"
ROLES = {"axis", "pump", "valve", "photometer", "light", "thermostat", "balance", "qcm", "flow",
         "pressure", "daq", "smu", "stirrer"}  # fmt: skip
# driver -> what is sent, and how the answer begins
HELLO: dict[str, tuple[bytes, bytes]] = {
    "zaber": (b"/1 1\n", b"@01 1 OK IDLE WR 0\r\n"),
    "newera": (b"\r", b"\x0200A?R\x03"),
    "cavro": (b"/1?19R\r", b"/0`0\x03\r\n"),
    "vici": (b"CP\r", b"CP01\r"),
    "pm100d": (b"*IDN?\n", b"THORLABS,PM100D,"),
    "dc2200": (b"*IDN?\n", b"Thorlabs,DC2200,"),
    "qcm200": (b"I\r", b"QCM200_"),
    "sqm160": (b"!#@O7", b"!0AMON Ver 4.13Uw"),
    "julabo": (b"version\r", b"JULABO MAGIO"),
    "lakeshore336": (b"KRDG? A;*ESR?\n", b"+295.1500;128\r\n"),
    "alicat": (b"A\r", b"A +101.32 +022.00 +0000.0 +0000.0\r"),
    "daq6510": (b"*IDN?\n", b"KEITHLEY INSTRUMENTS,MODEL DAQ6510,"),
    "mettler": (b"SI\r\n", b"S S     0.0000 g\r\n"),
    "keithley2450": (b"*LANG?\n", b"SCPI\n"),
    "ika": (b"IN_NAME \r\n", b"C-MAG HS7 \r\n"),
    "huber": (b"{M01****\r\n", b"{S010898\r\n"),
}


class Nowhere:
    """A world with nothing in it."""

    ledger: list[dict[str, object]] = []

    def link(self, text: str) -> object:
        return None

    def advance(self, now_ns: int) -> None: ...

    def snapshot(self) -> dict[str, Any]:
        return {}

    def restore(self, state: object) -> None: ...


class Jumping:
    """A clock that jumps."""

    time = 0

    def now_ns(self) -> int:
        return self.time

    def wait_until_ns(self, deadline_ns: int) -> bool:
        self.time = max(self.time, deadline_ns)
        return True

    def wake(self) -> None: ...


def entries() -> dict[str, dict[str, Any]]:
    text = FILE.read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = YAML(typ="safe").load(text)["instruments"]
    return entries


def test_there_is_one_of_each() -> None:
    drivers = [entry["driver"] for entry in entries().values()]
    assert sorted(drivers) == sorted(MODELS) == sorted(HELLO)
    assert {entry["role"] for entry in entries().values()} <= ROLES
    resources = [entry["resource"] for entry in entries().values()]
    assert len(set(resources)) == len(resources)


@pytest.fixture
def assembly() -> Assembly:
    specs = [
        Spec(name, entry["driver"], entry["resource"], entry.get("address", 1))
        for name, entry in entries().items()
    ]
    return Assembly(specs, Nowhere())


def test_each_answers_through_pyvisa(assembly: Assembly) -> None:
    manager = pyvisa.ResourceManager(SimLibrary.over(assembly, Jumping()))
    try:
        for entry in entries().values():
            asked, told = HELLO[entry["driver"]]
            session: Any = manager.open_resource(entry["resource"])
            if entry["resource"].startswith("ASRL"):
                session.end_input = SerialTermination.none
            session.write_raw(asked)
            assert session.read_bytes(len(told)) == told, entry["driver"]
            session.close()
    finally:
        manager.close()


def test_the_whole_catalog_survives_a_snapshot_and_a_power_cut(assembly: Assembly) -> None:
    for entry in entries().values():
        assembly.ports[entry["resource"]].write(HELLO[entry["driver"]][0], 0)
    state = assembly.snapshot()
    assembly.power_cycle(10**9)
    assembly.restore(state)
    assert assembly.snapshot() == state
