"""The Cavro model: both framings byte for byte, strings, strokes in time, the errors."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.cavro import Cavro
from sim.cavro_frames import oem_frame
from sim.cavro_strings import KNOWN, parse
from sim.cavro_works import PRESETS
from sim.plunger import Stroke
from sim.port import Spec

NS = 1_000_000_000
MS = 1_000_000
STROKE = 6000  # pulses
SLOPE = 14 * 2500.0


class Liquids:
    """The far side of the valve: mL that came out of each port."""

    def __init__(self) -> None:
        self.out: dict[str, float] = {}

    def pump(self, port: str, ml: float, now_ns: int) -> None:
        self.out[port] = self.out.get(port, 0.0) + ml

    def begin(self, port: str, stroke: Stroke, ml: float) -> None:
        """Nothing here depends on how the plunger moves."""


def raw(pump: Cavro, data: bytes, now_ns: int = 0) -> bytes:
    return b"".join(reply for _, reply in pump.receive(data, now_ns))


def ask(pump: Cavro, text: str, now_ns: int = 0) -> tuple[bool, int, str]:
    """Ask pump 1 in DT framing; ready bit, error number, data."""
    reply = raw(pump, f"/1{text}\r".encode(), now_ns)
    assert reply[:2] == b"/0" and reply[-3:] == b"\x03\r\n" and reply[2] & 0xD0 == 0x40
    return bool(reply[2] & 0x20), reply[2] & 0x0F, reply[3:-3].decode()


def fresh(link: Liquids | None = None, **options: float) -> Cavro:
    """An initialised pump that rests at 60 s."""
    pump = Cavro(Spec("p", "cavro", "x", 1, options=options), link)
    assert ask(pump, "ZR") == (False, 0, "")
    assert ask(pump, "Q", 60 * NS) == (True, 0, "")
    return pump


def until_ready(pump: Cavro, now_ns: int, step_ns: int = 10 * MS) -> int:
    """Poll with Q; return when the pump was ready."""
    while not ask(pump, "Q", now_ns)[0]:
        now_ns += step_ns
    return now_ns


def test_dt_exchanges_byte_for_byte() -> None:
    pump = Cavro(Spec("p", "cavro", "x", 1), None)
    assert raw(pump, b"/1ZR\r") == b"/0@\x03\r\n"
    assert raw(pump, b"/1Q\r", 60 * NS) == b"/0`\x03\r\n"
    assert raw(pump, b"/1A3000R\r", 60 * NS) == b"/0@\x03\r\n"
    assert raw(pump, b"/1?\r", 90 * NS) == b"/0`3000\x03\r\n"
    assert raw(pump, b"noise/2Q\r\r\x02x\r/1Q\r", 90 * NS) == b"/0`\x03\r\n"


def test_oem_exchanges_byte_for_byte() -> None:
    pump = Cavro(Spec("p", "cavro", "x", 1), None)
    assert raw(pump, bytes.fromhex("02 31 31 5a 52 03 09")) == bytes.fromhex("02 30 40 03 71")
    now_ns = 60 * NS
    assert raw(pump, bytes.fromhex("ff 02 31 31 51 03 50"), now_ns) == bytes.fromhex(
        "02 30 60 03 51"
    )
    raw(pump, bytes.fromhex("02 31 31 41 33 30 30 30 52 03 11"), now_ns)
    assert raw(pump, oem(b"?"), 90 * NS) == bytes.fromhex("02 30 60 33 30 30 30 03 52")
    assert oem_frame(0x60, "3000") == bytes.fromhex("02 30 60 33 30 30 30 03 52")


def oem(data: bytes, number: int = 1, repeat: bool = False, address: int = 1) -> bytes:
    frame = bytes((2, 0x30 + address, 0x30 | repeat << 3 | number)) + data + b"\x03"
    check = 0
    for byte in frame:
        check ^= byte
    return frame + bytes((check,))


def test_a_frame_sent_again_is_answered_but_not_executed() -> None:
    pump = fresh()
    now_ns = 60 * NS
    assert oem(b"Q", repeat=True) == bytes.fromhex("02 31 39 51 03 58")
    raw(pump, oem(b"P100R", 3), now_ns)
    raw(pump, oem(b"P100R", 3, repeat=True), now_ns + NS)
    assert raw(pump, oem(b"?", 4), now_ns + 2 * NS) == oem_frame(0x60, "100")
    raw(pump, oem(b"P100R", 5, repeat=True), now_ns + 2 * NS)  # another number: new
    raw(pump, oem(b"P100R", 5), now_ns + 3 * NS)  # the same number without the bit: new
    assert raw(pump, oem(b"?"), now_ns + 4 * NS) == oem_frame(0x60, "300")


def test_a_lost_answer_comes_again() -> None:
    pump = fresh()
    wrong = raw(pump, oem(b"A9999R", 2), 60 * NS)
    assert wrong == oem_frame(0x63, "")
    assert raw(pump, oem(b"A9999R", 2, repeat=True), 60 * NS) == wrong


def test_after_oem_dt_is_dead_until_power_off() -> None:
    pump = fresh()
    assert raw(pump, oem(b"Q")[:-1] + b"\x00") == b""  # damaged: no answer, nothing decided
    assert raw(pump, b"/1Q\r", 60 * NS) != b""
    raw(pump, oem(b"Q", address=2), 60 * NS)
    assert raw(pump, b"/1Q\r", 60 * NS) == b""
    pump.power_cycle(61 * NS)
    assert raw(pump, b"/1Q\r", 62 * NS) != b""


@pytest.mark.parametrize(
    ("address", "letter", "heard"),
    [(1, "A", True), (2, "A", True), (3, "A", False), (3, "C", True), (4, "Q", True),
     (5, "Q", False), (5, "U", True), (15, "O", True), (15, "_", True), (9, "_", True)],
)  # fmt: skip
def test_several_pumps_obey_and_none_answers(address: int, letter: str, heard: bool) -> None:
    pump = Cavro(Spec("p", "cavro", "x", address), None)
    assert raw(pump, f"/{letter}ZR\r".encode()) == b""
    own = chr(0x30 + address)
    busy = raw(pump, f"/{own}Q\r".encode(), MS) == b"/0@\x03\r\n"
    assert busy == heard


@pytest.mark.parametrize(
    ("preset", "seconds"), [(11, 4.30), (10, 3.77), (12, 5.01), (0, 1.25), (40, 600.0)]
)
def test_full_strokes_take_what_the_table_says(preset: int, seconds: float) -> None:
    stroke = Stroke(0, 0.0, STROKE, 900.0, PRESETS[preset], 900.0, SLOPE)
    assert stroke.end_ns / NS == pytest.approx(seconds, rel=0.12 if preset == 0 else 0.006)


def test_the_manuals_stroke_at_start_speed() -> None:
    assert Stroke(0, 0.0, STROKE, 900.0, 900.0, 900.0, SLOPE).end_ns / NS == pytest.approx(
        6.667, abs=1e-3
    )


@given(
    origin=st.integers(0, STROKE), target=st.integers(0, STROKE), start=st.integers(50, 1000),
    top=st.integers(5, 6000), cutoff=st.integers(50, 2700), slope=st.integers(1, 20),
)  # fmt: skip
@settings(deadline=None, derandomize=True, database=None, max_examples=60)
def test_a_stroke_ends_where_it_should_and_never_turns_back(
    origin: int, target: int, start: int, top: int, cutoff: int, slope: int
) -> None:
    stroke = Stroke(5, origin, target, start, top, cutoff, 2500.0 * slope)
    assert stroke.at(0) == origin and stroke.at(stroke.end_ns) == target
    places = [stroke.at(5 + (stroke.end_ns - 5) * k // 20) for k in range(21)]
    assert places == sorted(places, reverse=target < origin)
    assert abs(places[-2] - target) <= abs(target - origin) * 0.25 + 1e-6
    assert Stroke.of(stroke.plain()) == stroke


def test_a_string_moves_liquid_from_port_to_port() -> None:
    liquids = Liquids()
    pump = fresh(liquids, syringe=5.0)
    assert ask(pump, "I3A3000O7A0R", 60 * NS) == (False, 0, "")
    assert ask(pump, "?", 63 * NS)[2] not in ("0", "3000")
    end_ns = until_ready(pump, 63 * NS)
    # port 9 to 3 clockwise: three steps; 3 to 7 the other way: five
    assert 60 + 0.75 + 4.3 + 1.25 + 4.2 < end_ns / NS < 60 + 0.75 + 4.4 + 1.25 + 4.4
    assert liquids.out["3"] == pytest.approx(-5.0)
    assert liquids.out["7"] == pytest.approx(5.0)
    assert ask(pump, "?6", end_ns)[2] == "7"


def test_backlash_is_taken_up_on_turning_round() -> None:
    pump = fresh()
    ask(pump, "K31P1000R", 60 * NS)
    first = until_ready(pump, 60 * NS, MS) - 60 * NS
    ask(pump, "P1000R", 70 * NS)
    assert first - (until_ready(pump, 70 * NS, MS) - 70 * NS) == pytest.approx(
        4 * 31 / 900 * NS, abs=2 * MS
    )


def test_loops_delays_and_the_end_of_a_string() -> None:
    liquids = Liquids()
    pump = fresh(liquids)
    ask(pump, "gI1P300M500O9D300G4R", 60 * NS)
    until_ready(pump, 61 * NS)
    assert liquids.out["1"] == pytest.approx(-0.4) and liquids.out["9"] == pytest.approx(0.4)
    assert ask(pump, "XR", 100 * NS)[0] is False
    until_ready(pump, 101 * NS)
    assert liquids.out["9"] == pytest.approx(0.8)
    for text, error in (("gM1", 0), ("G3R", 4), ("g" * 11 + "R", 4), ("M30001R", 3)):
        assert ask(pump, text, 200 * NS)[1] == error


def test_a_string_waits_for_r_and_the_next_overwrites_it() -> None:
    pump = fresh()
    assert ask(pump, "A100", 60 * NS) == (True, 0, "")
    assert ask(pump, "A200", 60 * NS) == (True, 0, "")
    assert ask(pump, "F", 60 * NS) == (True, 0, "1")
    ask(pump, "R", 60 * NS)
    assert ask(pump, "?", 70 * NS)[2] == "200"
    assert ask(pump, "?10", 70 * NS)[2] == "0"


def test_halt_waits_for_r() -> None:
    pump = fresh()
    ask(pump, "HA50R", 60 * NS)
    assert ask(pump, "Q", 90 * NS)[0] is False
    assert ask(pump, "R", 90 * NS)[1] == 0
    assert ask(pump, "?", 95 * NS)[2] == "50"


def test_terminate_ends_strokes_and_delays_but_not_valves() -> None:
    pump = fresh()
    ask(pump, "A3000A0R", 60 * NS)
    assert ask(pump, "T", 62 * NS) == (True, 0, "")
    assert 1000 < int(ask(pump, "?", 70 * NS)[2]) < 2000
    ask(pump, "M30000R", 70 * NS)
    assert ask(pump, "TR", 71 * NS) == (True, 0, "")
    ask(pump, "I1R", 71 * NS)
    assert ask(pump, "T", 71 * NS) == (False, 0, "")
    assert ask(pump, "Q", 72 * NS) == (True, 0, "")
    ask(pump, "ZR", 80 * NS)
    ask(pump, "T", 82 * NS)
    assert ask(pump, "A0R", 82 * NS)[1] == 7


def test_a_new_top_speed_is_taken_on_the_way() -> None:
    pump = fresh()
    ask(pump, "V100A3000R", 60 * NS)
    assert ask(pump, "V6000", 61 * NS)[1] == 0
    assert until_ready(pump, 61 * NS) < 63 * NS


def test_lower_case_moves_say_ready() -> None:
    pump = fresh()
    assert ask(pump, "a3000R", 60 * NS)[0] is True
    assert ask(pump, "?", 61 * NS)[2] not in ("0", "3000")
    assert ask(pump, "A0R", 61 * NS)[1] == 15


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("yR", 2), ("A3001R", 3), ("AR", 3), ("P", 0), ("PR", 3), ("D1R", 3), ("v49R", 3),
        ("v50R", 0), ("V6001R", 3), ("c2700R", 0), ("L21R", 3), ("S41R", 3), ("K32R", 3),
        ("k81R", 3), ("N2R", 3), ("I10R", 3), ("IR", 3), ("BR", 3), ("O1,2R", 0), ("GR", 4),
        ("Z50R", 3), ("A1,2R", 3), ("H3R", 3), ("?99", 2), ("A 1R", 2), ("U47R", 0), ("", 0),
    ],
)  # fmt: skip
def test_immediate_errors_are_told_at_once_and_not_by_q(text: str, error: int) -> None:
    pump = fresh()
    assert ask(pump, text, 60 * NS)[1] == error
    assert ask(pump, "Q", 61 * NS)[1] == 0


def test_an_error_deep_in_a_string_shows_in_q_once() -> None:
    pump = fresh()
    assert ask(pump, "A3000A3500R", 60 * NS) == (False, 0, "")
    assert ask(pump, "Q", 70 * NS) == (True, 3, "")
    assert ask(pump, "Q", 70 * NS) == (True, 0, "")
    assert ask(pump, "?", 70 * NS)[2] == "3000"


def test_before_initialisation_nothing_moves() -> None:
    pump = Cavro(Spec("p", "cavro", "x", 1), None)
    assert ask(pump, "?19R") == (True, 0, "0")
    for text in ("A0R", "P1R", "I3R"):
        assert ask(pump, text)[1] == 7
    ask(pump, "wR")
    assert ask(pump, "I3R", NS)[1] == 0
    assert ask(pump, "P1R", 3 * NS)[1] == 7
    ask(pump, "WR", 3 * NS)
    assert ask(pump, "P1R", 5 * NS)[1] == 0
    assert ask(pump, "?19", 5 * NS)[2] == "1"


def test_a_busy_pump_refuses_and_goes_on() -> None:
    pump = fresh()
    ask(pump, "A3000R", 60 * NS)
    for text in ("A0R", "I3R", "S3R", "A0", "R"):
        assert ask(pump, text, 61 * NS) == (False, 15, "")
    assert ask(pump, "?2", 61 * NS) == (False, 0, "1400")
    assert ask(pump, "Q", 70 * NS) == (True, 0, "")
    assert ask(pump, "?", 70 * NS)[2] == "3000"


def test_an_overload_needs_initialisation() -> None:
    liquids = Liquids()
    pump = fresh(liquids)
    assert not pump.fail(60 * NS, 0.5)
    ask(pump, "A3000A0R", 60 * NS)
    assert pump.fail(60 * NS, 0.5)
    assert ask(pump, "Q", 70 * NS) == (True, 9, "")
    assert ask(pump, "Q", 70 * NS) == (True, 0, "")
    assert ask(pump, "A0R", 70 * NS)[1] == 7
    assert -0.6 < liquids.out["9"] < -0.4
    ask(pump, "Z1,1,9R", 70 * NS)
    until_ready(pump, 71 * NS)
    assert ask(pump, "A0R", 90 * NS)[1] == 0
    assert liquids.out["9"] == pytest.approx(0.0, abs=1e-12)


def test_the_three_way_valve() -> None:
    pump = fresh(ports=3)
    assert ask(pump, "IR", 60 * NS)[1] == 0
    assert ask(pump, "?6", 61 * NS)[2] == "i"
    assert ask(pump, "I2R", 61 * NS)[1] == 3
    ask(pump, "BR", 61 * NS)
    assert ask(pump, "P10R", 62 * NS)[1] == 11
    assert ask(pump, "OP10R", 62 * NS)[1] == 0


def test_fine_increments() -> None:
    pump = fresh()
    ask(pump, "N1A24000R", 60 * NS)
    assert ask(pump, "?", 70 * NS)[2] == "24000"
    ask(pump, "N0R", 70 * NS)
    assert ask(pump, "?", 70 * NS)[2] == "3000"


def test_a_pump_of_6000_increments() -> None:
    liquids = Liquids()
    pump = fresh(liquids, steps=6000, syringe=2.0)
    ask(pump, "O1A6000R", 60 * NS)
    assert ask(pump, "?", 90 * NS)[2] == "6000"
    assert liquids.out["1"] == pytest.approx(-2.0)
    assert ask(pump, "A6001R", 90 * NS)[1] == 3


def test_reports() -> None:
    pump = fresh()
    for text, answer in (("?1", "900"), ("?2", "1400"), ("?3", "900"), ("?4", "0"), ("?12", "12"),
                         ("?13", "0"), ("?15", "1"), ("?24", "50"), ("?6", "9")):  # fmt: skip
        assert ask(pump, text, 60 * NS) == (True, 0, answer)
    for text in ("?16", "?17", "?20", "#", "?23", "&", "?76"):
        assert ask(pump, text, 60 * NS)[2]


def test_an_endless_loop_costs_a_bounded_look() -> None:
    liquids = Liquids()
    pump = fresh(liquids)
    ask(pump, "gP100D100G0R", 60 * NS)
    assert ask(pump, "Q", 360_000 * NS) == (False, 0, "")
    assert ask(pump, "T", 360_000 * NS)[0]
    assert abs(liquids.out["9"]) < 1.0


def test_power_off_forgets_settings_and_needs_initialisation() -> None:
    liquids = Liquids()
    pump = fresh(liquids)
    ask(pump, "v500A3000R", 60 * NS)
    pump.power_cycle(62 * NS)
    out = dict(liquids.out)
    assert ask(pump, "Q", 63 * NS) == (True, 0, "")
    assert ask(pump, "?1", 63 * NS)[2] == "900"
    assert ask(pump, "A0R", 63 * NS)[1] == 7
    pump.settle(90 * NS)
    assert liquids.out == out


def test_answers_begin_within_five_milliseconds() -> None:
    pump = fresh()
    ((due, reply),) = pump.receive(b"/1Q\r", 60 * NS)
    assert due - 60 * NS - len(reply) * 1_041_667 < 5 * MS


def test_parse() -> None:
    assert parse("A3000R") == (("A", (3000,)), ("R", ()))
    assert parse("Z1,2,9R") == (("Z", (1, 2, 9)), ("R", ()))
    assert Cavro._COMMANDS.keys() == KNOWN
    assert parse("A-1R") is None and parse("l") is None
