"""Every driver in the register: verbs, words, constants, and silence until it is asked."""

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import drivers
from drivers import DRIVERS, OWNER
from drivers.errors import InstrumentError
from drivers.link import Link
from drivers.port import Port
from drivers.wire import silence
from lbl._core import Core

VERBS = ("connect", "identify", "sense", "prepare", "safe", "safe_bytes", "close")
OPTIONS: dict[str, dict[str, Any]] = {
    "zaber": {"address": 1, "microstep": 0.001, "low": 0.0, "high": 60.0, "accel": 50.0},
    "newera": {"address": 0, "diameter": 14.43},
    "pm100d": {},
    "dc2200": {"limit": 1.0},
    "julabo": {},
    "mettler": {},
    "cavro": {"syringe": 1.0},
    "vici": {},
    "qcm200": {},
    "sqm160": {},
    "lakeshore336": {},
    "alicat": {},
    "daq6510": {},
    "keithley2450": {},
    "ika": {},
    "huber": {},
}
README = Path(drivers.__file__).with_name("README.md").read_text(encoding="utf-8")

names = pytest.mark.parametrize("name", sorted(DRIVERS))


def test_the_package_is_ours() -> None:
    assert OWNER == "lbl"
    assert set(OPTIONS) == set(DRIVERS)


@names
def test_verbs_and_docstrings(name: str) -> None:
    cls = DRIVERS[name]
    assert cls.__doc__ and cls.__bases__ == (object,)
    for verb in VERBS:
        assert inspect.isfunction(vars(cls)[verb])
    for attribute, member in vars(cls).items():
        if inspect.isfunction(member) and not attribute.startswith("_"):
            assert member.__doc__, attribute
    module = inspect.getmodule(cls)
    assert module is not None and module.__doc__
    assert "Source:" in module.__doc__ and "must never" in module.__doc__


@names
def test_constants(name: str) -> None:
    cls: Any = DRIVERS[name]
    assert 0 < cls.SAFE_S <= 10
    assert 0 <= cls.SAFE_GAP_S <= 1
    assert isinstance(cls.LINK, Link) and dataclasses.is_dataclass(cls.LINK)


@names
def test_port_first_name_second_nothing_sent(script: Any, name: str) -> None:
    cls: Any = DRIVERS[name]
    parameters = list(inspect.signature(cls).parameters)
    assert parameters[:2] == ["port", "name"]
    made = cls(script.port(), "role", **OPTIONS[name])
    assert (made.name, made.port) == ("role", script.port())
    assert script.sent == []
    made.close()


@names
def test_safe_bytes_are_plain_whole_and_begin_with_an_end(script: Any, name: str) -> None:
    made: Any = DRIVERS[name](script.port(), "role", **OPTIONS[name])
    programme = made.safe_bytes()
    assert isinstance(programme, tuple)
    for command in programme:
        assert isinstance(command, bytes) and command[-1:] in b"\r\n"
    if programme:
        assert len(programme[0]) <= 4  # ends or spoils whatever was cut
        assert programme == made.safe_bytes()


@names
def test_an_instrument_that_is_not_there_is_named(script: Any, name: str) -> None:
    made: Any = DRIVERS[name](script.port(), "role", **OPTIONS[name])

    class Deaf:
        """Takes everything and says nothing."""

        def __len__(self) -> int:
            return 1

        def popleft(self) -> tuple[bytes, bytes]:
            return AnyBytes(), b""

    class AnyBytes(bytes):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = bytes.__hash__

    script.library.script = Deaf()
    with pytest.raises(InstrumentError) as caught:
        made.connect()
    assert caught.value.kind == "no answer"
    assert (caught.value.instrument, caught.value.resource) == ("role", "ASRL/dev/script::INSTR")
    assert caught.value.cure
    script.library.script = __import__("collections").deque()


@names
def test_readme_has_its_row_and_its_paragraph(name: str) -> None:
    assert f"\n| `{name}` |" in README
    assert f"\n- `{name}`: " in README


class NoiseWire:
    """Answers every write with the same bytes, whatever they are."""

    fd = -1

    def __init__(self, noise: bytes, core: Core) -> None:
        self.noise = noise
        self.core = core
        self.waiting = b""

    def write(self, data: bytes, timeout_s: float) -> None:
        self.waiting += self.noise

    def read(self, end: int, timeout_s: float) -> bytes:
        if not self.waiting:
            self.core.wait_until_ns(self.core.now_ns() + int(timeout_s * 1e9))
            raise silence(timeout_s)
        data, self.waiting = self.waiting, b""
        return data

    def purge(self) -> int:
        count, self.waiting = len(self.waiting), b""
        return count

    def drain(self, end: int, quiet_s: float) -> int:
        return self.purge()

    def close(self) -> None:
        pass


@names
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40), st.sampled_from([b"", b"\r", b"\n", b"\r\n", b"\x03", b"\x03\r\n"]))
def test_noise_ends_in_an_error_in_words_and_in_time(name: str, noise: bytes, end: bytes) -> None:
    """Whatever comes back: no other exception, and no wait without end."""
    core = Core(virtual=True)
    port = Port("ASRL/dev/noise::INSTR", NoiseWire(noise + end, core), core, -1)
    made: Any = DRIVERS[name](port, "role", **OPTIONS[name])
    for verb in (made.connect, made.sense, made.safe):
        before = core.now_ns()
        try:
            verb()
        except InstrumentError as error:
            assert error.instrument == "role" and error.cause
        assert core.now_ns() - before < 60e9


@names
def test_safe_of_a_deaf_instrument_ends_within_its_bound(name: str) -> None:
    core = Core(virtual=True)
    port = Port("ASRL/dev/deaf::INSTR", NoiseWire(b"", core), core, -1)
    made: Any = DRIVERS[name](port, "role", **OPTIONS[name])
    before = core.now_ns()
    with pytest.raises(InstrumentError) as caught:
        made.safe()
    assert caught.value.kind == "no answer"
    assert core.now_ns() - before < made.SAFE_S * 1e9
