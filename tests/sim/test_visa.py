"""The PyVISA library: VISA's rules for reads, time-outs in simulated time, errors, locks."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pyvisa
from pyvisa import constants
from pyvisa.constants import ResourceAttribute, SerialTermination, StatusCode

from sim.assembly import Assembly
from sim.faults import Fault
from sim.port import Spec
from sim.visa import RealClock, SimLibrary

NS = 1_000_000_000
MS = 1_000_000
ARM = "ASRL/dev/lbl/arm::INSTR"
METER = "USB0::0x1313::0x8078::P0012345::INSTR"
BATH = "TCPIP::127.0.0.1::4001::SOCKET"
BALANCE = "ASRL9::INSTR"
SPECS = (
    Spec("lift", "zaber", ARM, 1), Spec("turn", "zaber", ARM, 2), Spec("meter", "pm100d", METER),
    Spec("bath", "julabo", BATH), Spec("balance", "mettler", BALANCE),
)  # fmt: skip


class Nowhere:
    """A world with nothing in it."""

    def __init__(self) -> None:
        self.ledger: list[dict[str, object]] = []

    def link(self, text: str) -> object:
        return None

    def advance(self, now_ns: int) -> None: ...

    def snapshot(self) -> dict[str, Any]:
        return {}

    def restore(self, state: object) -> None: ...


class Virtual:
    """A clock that jumps; `later` are things that happen on the way, as armed commands do."""

    def __init__(self) -> None:
        self.time = 0
        self.later: list[tuple[int, Callable[[], object]]] = []
        self.woken = False

    def now_ns(self) -> int:
        return self.time

    def wait_until_ns(self, deadline_ns: int) -> bool:
        self.woken = False
        while self.later and self.later[0][0] <= deadline_ns:
            due, act = self.later.pop(0)
            self.time = max(self.time, due)
            act()
            if self.woken:
                return False
        self.time = max(self.time, deadline_ns)
        return True

    def wake(self) -> None:
        self.woken = True


class Lab:
    """A library on a virtual clock, and its manager."""

    def __init__(self) -> None:
        self.assembly = Assembly(SPECS, Nowhere())
        self.clock = Virtual()
        self.library = SimLibrary.over(self.assembly, self.clock)
        self.manager = pyvisa.ResourceManager(self.library)

    def open(self, resource: str, **kwargs: Any) -> Any:
        return self.manager.open_resource(resource, **kwargs)


@pytest.fixture
def lab() -> Iterator[Lab]:
    made = Lab()
    yield made
    made.manager.close()


def test_a_query_waits_in_simulated_time(lab: Lab) -> None:
    arm = lab.open(ARM)
    assert arm.query("/1 1") == "@01 1 OK IDLE WR 0\r\n"
    assert 2 * MS < lab.clock.time < 10 * MS
    assert arm.last_status == StatusCode.success_termination_character_read
    meter = lab.open(METER)
    meter.timeout = 10_000
    meter.write("SENS:AVER 500")
    before = lab.clock.time
    assert float(meter.query("MEAS:POW?")) == 0.0
    assert lab.clock.time - before > 1500 * MS
    assert meter.last_status == StatusCode.success


def test_a_time_out_passes_in_simulated_time_and_is_an_error(lab: Lab) -> None:
    arm = lab.open(ARM)
    arm.timeout = 60_000
    with pytest.raises(pyvisa.VisaIOError) as caught:
        arm.read_raw()
    assert caught.value.error_code == constants.VI_ERROR_TMO
    assert lab.clock.time == 60 * NS
    assert arm.last_status == StatusCode.error_timeout
    del arm.timeout
    assert arm.timeout == float("inf")
    with pytest.raises(pyvisa.VisaIOError):
        arm.read_raw()
    assert lab.clock.time == 60 * NS + 86_400 * NS
    arm.timeout = 0
    arm.write("/1")
    with pytest.raises(pyvisa.VisaIOError):
        arm.read_raw()


def test_an_answer_later_than_the_time_out_comes_to_the_next_read(lab: Lab) -> None:
    lab.assembly.inject("lift", Fault("delay", argument=3.0))
    arm = lab.open(ARM)
    arm.timeout = 1000
    with pytest.raises(pyvisa.VisaIOError):
        arm.query("/1 1 5")
    arm.timeout = 5000
    assert arm.read() == "@01 1 05 OK IDLE WR 0\r\n"


def test_half_an_answer_is_lost_with_its_time_out(lab: Lab) -> None:
    lab.assembly.inject("lift", Fault("truncate"))
    arm = lab.open(ARM)
    with pytest.raises(pyvisa.VisaIOError):
        arm.query("/1")
    assert arm.bytes_in_buffer == 0
    assert arm.query("/1") == "@01 0 OK IDLE WR 0\r\n"


def test_long_answers_come_in_parts(lab: Lab) -> None:
    arm, meter = lab.open(ARM), lab.open(METER)
    arm.write("/1 1")
    first, status = lab.library.read(arm.session, 5)
    assert (first, status) == (b"@01 1", StatusCode.success_max_count_read)
    assert arm.read_raw() == b" OK IDLE WR 0\r\n"
    arm.write("/1 1")
    assert arm.read_raw(3) == b"@01 1 OK IDLE WR 0\r\n"
    meter.write("*IDN?")
    assert meter.read_raw(7) == b"THORLABS,PM100D,P0012345,2.8.0\n"
    meter.write("*OPC?")
    assert lab.library.read(meter.session, 2) == (b"1\n", StatusCode.success)


def test_termination_characters(lab: Lab) -> None:
    arm, meter, bath = lab.open(ARM), lab.open(METER), lab.open(BATH)
    arm.read_termination = "K"
    assert arm.query("/1 1") == "@01 1 O"
    assert arm.read_bytes(5) == b" IDLE"
    arm.read_termination = None
    assert arm.read() == " WR 0\r\n"
    arm.end_input = SerialTermination.none
    arm.timeout = 100
    arm.write("/1 1")
    assert arm.read_bytes(20) == b"@01 1 OK IDLE WR 0\r\n"
    arm.write("/1 1")
    with pytest.raises(pyvisa.VisaIOError):
        arm.read_raw()
    meter.read_termination = ","
    assert meter.query("*IDN?") == "THORLABS"
    assert meter.read() == "PM100D"
    bath.write_termination = "\r"
    assert bath.query("version") == "JULABO MAGIO MS-1000F VERSION 1.1.2\r\n"
    bath.read_termination = "\r\n"
    assert bath.query("in_pv_00") == "22.00"


def test_two_sessions_share_a_wire_and_its_buffer(lab: Lab) -> None:
    one, two = lab.open(ARM), lab.open(ARM)
    one.write("/1 1")
    two.write("/2 1")
    assert two.read() == "@01 1 OK IDLE WR 0\r\n"
    assert one.read() == "@02 1 OK IDLE WR 0\r\n"
    one.close()
    assert two.query("/2 1").startswith("@02")


def test_closing_ends_a_session(lab: Lab) -> None:
    arm = lab.open(ARM)
    session = arm.session
    arm.close()
    with pytest.raises(pyvisa.InvalidSession):
        arm.write("/1")
    for call in (lambda: lab.library.write(session, b"/1\n"), lambda: lab.library.read(session, 1)):
        with pytest.raises(pyvisa.VisaIOError) as caught:
            call()
        assert caught.value.error_code == StatusCode.error_invalid_object
    lab.open(ARM)
    lab.manager.close()
    again = pyvisa.ResourceManager(lab.library)
    assert again.open_resource(ARM).query("/1")  # type: ignore[attr-defined]
    again.close()


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("ASRL/dev/ttyS0::INSTR", StatusCode.error_resource_not_found),
        ("USB0::0x1313::0x8078::P1::INSTR", StatusCode.error_resource_not_found),
        ("nonsense::::", StatusCode.error_invalid_resource_name),
    ],
)
def test_an_unknown_resource_is_refused(lab: Lab, name: str, status: StatusCode) -> None:
    with pytest.raises(pyvisa.VisaIOError) as caught:
        lab.library.open(lab.manager.session, name)
    assert caught.value.error_code == status


def test_resources_are_listed_by_visa_expressions(lab: Lab) -> None:
    assert lab.manager.list_resources() == (ARM, METER, BALANCE)
    assert lab.manager.list_resources("?*") == (ARM, METER, BATH, BALANCE)
    assert lab.manager.list_resources("USB?*") == (METER,)
    assert lab.manager.resource_info(METER).resource_class == "INSTR"


def test_two_libraries_know_nothing_of_each_other(lab: Lab) -> None:
    other = Lab()
    assert other.library is not lab.library and other.manager is not lab.manager
    lab.open(ARM).query("/1")
    assert other.clock.time == 0
    same = pyvisa.ResourceManager(lab.library)
    assert same is lab.manager
    other.manager.close()


def test_attributes_are_per_session(lab: Lab) -> None:
    arm, twin = lab.open(ARM), lab.open(ARM)
    arm.baud_rate, arm.data_bits = 115200, 7
    assert arm.baud_rate == 115200 and twin.baud_rate == 9600
    assert arm.interface_type == constants.InterfaceType.asrl
    assert arm.resource_name == ARM and arm.resource_class == "INSTR"
    arm.write("/1")
    lab.clock.time += NS
    assert arm.bytes_in_buffer == 20
    with pytest.raises(pyvisa.VisaIOError) as caught:
        lab.library.set_attribute(arm.session, ResourceAttribute.asrl_avalaible_number, 1)
    assert caught.value.error_code == StatusCode.error_attribute_read_only
    for wrong in (ResourceAttribute.usb_protocol, 12345):
        with pytest.raises(pyvisa.VisaIOError) as caught:
            lab.library.get_attribute(arm.session, wrong)
        assert caught.value.error_code == StatusCode.error_nonsupported_attribute
        with pytest.raises(pyvisa.VisaIOError):
            lab.library.set_attribute(arm.session, wrong, 1)


def test_clear_flush_and_status_byte(lab: Lab) -> None:
    arm, meter = lab.open(ARM), lab.open(METER)
    for forget in (arm.clear, lambda: arm.flush(constants.BufferOperation.discard_read_buffer)):
        arm.write("/1")
        lab.clock.time += NS
        forget()
        assert arm.bytes_in_buffer == 0
    assert meter.read_stb() == 0
    meter.write("*IDN?")
    lab.clock.time += NS
    assert meter.read_stb() == 16


def test_an_exclusive_lock_keeps_others_out(lab: Lab) -> None:
    one, two = lab.open(ARM), lab.open(ARM)
    with one.lock_context():
        assert one.query("/1")
        assert two.lock_state == constants.AccessModes.exclusive_lock
        for refused in (lambda: two.write("/1"), two.read, two.lock_excl):
            with pytest.raises(pyvisa.VisaIOError) as caught:
                refused()
            assert caught.value.error_code == StatusCode.error_resource_locked
    assert two.query("/1")
    with pytest.raises(pyvisa.VisaIOError):
        two.unlock()
    alone = lab.open(BALANCE, access_mode=constants.AccessModes.exclusive_lock)
    with pytest.raises(pyvisa.VisaIOError):
        lab.library.open(lab.manager.session, BALANCE, constants.AccessModes.exclusive_lock)
    alone.close()
    lab.open(BALANCE, access_mode=constants.AccessModes.exclusive_lock)
    with pytest.raises(pyvisa.VisaIOError):
        one.lock(requested_key=None)


def test_what_there_is_not_is_a_visa_error(lab: Lab) -> None:
    arm = lab.open(ARM)
    for call in (
        arm.assert_trigger,
        lambda: arm.enable_event(
            constants.EventType.service_request, constants.EventMechanism.queue
        ),
        lambda: arm.wait_on_event(constants.EventType.service_request, 10),
    ):
        with pytest.raises(pyvisa.VisaIOError) as caught:
            call()
        assert caught.value.error_code == StatusCode.error_nonsupported_operation


def test_what_is_armed_happens_in_order_while_a_read_waits(lab: Lab) -> None:
    arm, balance = lab.open(ARM), lab.open(BALANCE)
    arm.timeout = 10_000
    lab.clock.later = [
        (NS, lambda: balance.write("SI")),
        (3 * NS, lambda: arm.write("/2 1")),
    ]
    assert arm.read() == "@02 1 OK IDLE WR 0\r\n"
    assert 3 * NS < lab.clock.time < 3 * NS + 10 * MS  # woken: not at the end of its time-out
    assert balance.read().startswith("S S")


def test_an_unasked_message_is_waited_for(lab: Lab) -> None:
    arm = lab.open(ARM)
    arm.query("/1 1 home")
    arm.query("/1 set comm.alert 1")
    arm.query("/1 1 move abs 20000")
    assert arm.read() == "!01 1 IDLE --\r\n"
    assert lab.clock.time > NS // 2


def test_over_real_time_another_threads_write_wakes_a_read() -> None:
    library = SimLibrary.over(Assembly(SPECS, Nowhere()), RealClock(speed=50.0))
    manager = pyvisa.ResourceManager(library)
    arm: Any = manager.open_resource(ARM)
    arm.timeout = 500_000  # ten real seconds
    writer = threading.Timer(0.05, lambda: arm.write("/1 1"))
    writer.start()
    assert arm.read() == "@01 1 OK IDLE WR 0\r\n"
    writer.join()
    manager.close()


def test_a_real_clock_runs_at_its_speed_and_can_be_woken() -> None:
    clock = RealClock(speed=100.0)
    deadline = clock.now_ns() + 500 * MS
    while not clock.wait_until_ns(deadline):
        pass
    assert clock.now_ns() >= deadline
    clock.wake()
    assert not clock.wait_until_ns(clock.now_ns() + 1000 * NS)
    with pytest.raises(ValueError, match="above 0"):
        RealClock(0.0)


class ByPath(SimLibrary):
    """What `ResourceManager("path@name")` makes."""

    def build(self, library_path: str) -> Assembly:
        if library_path != "shelf":
            raise ValueError(f"no bench {library_path}")
        return Assembly(SPECS, Nowhere())


def test_a_subclass_builds_from_the_path() -> None:
    manager = pyvisa.ResourceManager(ByPath("shelf"))
    arm: Any = manager.open_resource(ARM)
    assert arm.query("/1 1").startswith("@01")
    manager.close()
    assert str(ByPath("shelf").library_path) == "shelf"
    with pytest.raises(OSError, match="no bench unset"):
        ByPath()
    with pytest.raises(ValueError, match="SimLibrary.over"):
        SimLibrary("somewhere")
    assert SimLibrary.get_debug_info()
