"""Damage of every sort is detected or named; a count is never wrong."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lbl.errors import BadInput, Fault, LblError
from lbl.journal.audit import Audit, verify
from lbl.journal.canonical import encode
from lbl.journal.chain import JOURNAL, LINE_MAX
from lbl.journal.heads import HEADS
from lbl.journal.opening import events, run_of, survey

TRANSFER = {"vessel": "b", "solution": "BR", "immersed": True, "air_s": "long"}
DONE = {"deposition": 9, "bilayer": 5, "solution": "BR"}
SHARED = [HealthCheck.function_scoped_fixture]
SCRIPT = (0, 2, 7, 3, 1, 2, 4, 3, 5, 2, 3, 10, 6, 2, 3, 9, 8, 7)


@pytest.fixture
def disk(kit: Any, often: None) -> Any:
    """A run of some 20 records with checkpoints; a few records follow the newest head."""
    disk = kit.Disk()
    player = kit.Player(kit.begin(disk))
    for choice in SCRIPT:
        player.act(choice)
    return disk


@pytest.mark.fault("A4")
def test_truncation_at_every_byte_of_the_last_record(kit: Any, disk: Any) -> None:
    data = disk.names[JOURNAL].data
    last = data[:-1].rfind(b"\n") + 1
    whole = disk.copy()
    whole.names[JOURNAL].data = data[:last]
    before = survey(whole, "r1").state
    for size in range(last, len(data)):
        torn = disk.copy()
        torn.names[JOURNAL].data = data[:size]
        journal = kit.reopen(torn)
        assert journal.state["depositions"] == before["depositions"]
        notes = [event for event in events(torn, "r1") if event.kind == "torn-tail"]
        assert [event.payload["bytes"] for event in notes] == ([size - last] if size > last else [])
        assert journal.state["seq"] == before["seq"] + len(notes)
        assert journal.state["torn"] == len(notes)
        assert verify(torn, "r1").ok


@pytest.mark.parametrize("nuls", [1, 4096, 70_000, 300_000])
@pytest.mark.parametrize("cut", [0, 1, 100])
def test_a_tail_of_nuls_is_torn(kit: Any, disk: Any, nuls: int, cut: int) -> None:
    data = disk.names[JOURNAL].data
    state = survey(disk, "r1").state
    disk.names[JOURNAL].data = data[: len(data) - cut] + b"\0" * nuls
    journal = kit.reopen(disk)
    assert journal.state["torn"] == 1
    assert journal.state["depositions"] == state["depositions"]
    assert verify(disk, "r1").ok


def test_cutting_below_a_head_is_refused(disk: Any) -> None:
    data = disk.names[JOURNAL].data
    size = json.loads(disk.names["head.a"].data)["size"]
    for end in (*range(0, size, 211), size - 1):
        disk.names[JOURNAL].data = data[:end]
        with pytest.raises(Fault, match="journal-short"):
            survey(disk, "r1")
        assert not verify(disk, "r1").ok
    disk.names[JOURNAL].data = data[:size]
    assert survey(disk, "r1").proven
    del disk.names[JOURNAL]
    with pytest.raises(Fault, match="missing"):
        survey(disk, "r1")


@pytest.mark.fault("A4")
def test_a_flipped_bit_in_any_byte_is_named(disk: Any) -> None:
    good = survey(disk, "r1").state
    data = disk.names[JOURNAL].data
    for place in range(0, len(data), 5):
        _flip(disk, data, place, place // 5 % 8, good["depositions"])


@settings(deadline=None, max_examples=80, suppress_health_check=SHARED)
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere(disk: Any, place: int, bit: int) -> None:
    twin = disk.copy()
    good = survey(twin, "r1").state
    data = twin.names[JOURNAL].data
    _flip(twin, data, place % len(data), bit, good["depositions"])


def _flip(disk: Any, data: bytes, place: int, bit: int, depositions: int) -> None:
    broken = bytearray(data)
    broken[place] ^= 1 << bit
    disk.names[JOURNAL].data = bytes(broken)
    line = data[:place].count(b"\n") + 1
    last = data.count(b"\n")
    try:
        assert survey(disk, "r1").state["depositions"] == depositions
    except LblError as error:
        assert error.problems[0].code in ("journal-damaged", "run-newer")
    try:
        report = verify(disk, "r1")
    except LblError as error:
        assert error.problems[0].code in ("journal-damaged", "run-newer")
        assert "line" in str(error)
        return
    assert not report.ok
    assert report.damage[0][0] in (line, last)


@settings(deadline=None, max_examples=60, suppress_health_check=SHARED)
@given(
    st.lists(
        st.tuples(st.sampled_from(["cut", "swap", "drop", "twice", "edit"]), st.integers(0, 99)),
        min_size=1,
        max_size=2,
    )
)
def test_records_moved_removed_doubled_or_edited(disk: Any, acts: list[tuple[str, int]]) -> None:
    twin = disk.copy()
    good = survey(twin, "r1").state
    lines = twin.names[JOURNAL].data.splitlines(keepends=True)
    before = list(lines)
    for act, at in acts:
        _spoil(lines, act, at % len(lines))
    if lines == before:
        return
    twin.names[JOURNAL].data = b"".join(lines)
    try:
        state = survey(twin, "r1").state
    except LblError as error:
        assert error.problems[0].code in ("journal-damaged", "journal-short")
    else:
        assert state["depositions"] == good["depositions"]
    report = verify(twin, "r1")
    assert not report.ok or lines == before[: len(lines)]


def _spoil(lines: list[bytes], act: str, at: int) -> None:
    if act == "cut":
        del lines[at + 1 :]
    elif act == "swap":
        lines[at], lines[-1] = lines[-1], lines[at]
    elif act == "drop" and len(lines) > 1:
        del lines[at]
    elif act == "twice":
        lines.insert(at, lines[at])
    elif act == "edit":
        lines[at] = lines[at].replace(b'"v":1', b'"v": 1')


def test_lost_and_damaged_heads(kit: Any, disk: Any) -> None:
    state = encode(survey(disk, "r1").state)
    one = disk.copy()
    del one.names["head.a"]
    found = survey(one, "r1")
    assert found.proven
    assert found.findings == ["head.a is missing"]
    both = disk.copy()
    for name in HEADS:
        both.names[name].data = both.names[name].data[:-2]
    found = survey(both, "r1")
    assert not found.proven
    assert len(found.findings) == 3
    assert found.first_line == 1
    for opening in (one, both):
        assert encode(survey(opening, "r1").state) == state
    journal = kit.reopen(both)
    journal.renew_heads()
    assert survey(both, "r1").proven


def test_every_flipped_bit_of_a_head_is_noticed(disk: Any) -> None:
    state = encode(survey(disk, "r1").state)
    data = disk.names["head.b"].data
    for place in range(len(data)):
        for bit in (0, 3, 7):
            broken = bytearray(data)
            broken[place] ^= 1 << bit
            disk.names["head.b"].data = bytes(broken)
            found = survey(disk, "r1")
            assert found.findings == ["head.b is damaged"]
            assert encode(found.state) == state


@pytest.mark.fault("A4")
def test_swapped_and_stale_heads_still_hold(kit: Any, often: None) -> None:
    disk = kit.Disk()
    player = kit.Player(kit.begin(disk))
    for choice in (2, 3):
        player.act(choice)
    old = disk.names["head.a"].data
    for choice in (2, 3, 7):
        player.act(choice)
    state = encode(player.journal.state)
    disk.names["head.a"].data = old
    assert encode(survey(disk, "r1").state) == state
    disk.names["head.a"], disk.names["head.b"] = disk.names["head.b"], disk.names["head.a"]
    assert encode(survey(disk, "r1").state) == state
    disk.names["head.b"].data = disk.names["head.a"].data = old
    assert encode(survey(disk, "r1").state) == state
    assert verify(disk, "r1").ok


def test_heads_of_another_run_or_history_are_damage(kit: Any, disk: Any) -> None:
    other = kit.Disk()
    player = kit.Player(kit.begin(other, clock=kit.Clock(77)))
    for choice in SCRIPT:
        player.act(choice)
    good = disk.names["head.a"].data
    disk.names["head.a"].data = other.names["head.a"].data
    with pytest.raises(Fault, match="different records"):
        survey(disk, "r1")
    disk.names["head.b"].data = other.names["head.a"].data
    with pytest.raises(Fault, match="journal-damaged"):
        survey(disk, "r1")
    assert not verify(disk, "r1").ok
    disk.names["head.a"].data = disk.names["head.b"].data = good
    with pytest.raises(Fault, match="belongs to the run r1"):
        survey(disk, "r2")
    for name in HEADS:
        del disk.names[name]
    with pytest.raises(Fault, match="that of the run 'r1'"):
        survey(disk, "r2")
    assert run_of(disk) == "r1"


def test_a_later_format_is_told_apart_from_damage(disk: Any) -> None:
    lines = disk.names[JOURNAL].data.splitlines(keepends=True)
    lines[-1] = lines[-1].replace(b'"v":1}', b'"v":2}')
    disk.names[JOURNAL].data = b"".join(lines)
    with pytest.raises(BadInput, match="run-newer"):
        survey(disk, "r1")


def test_garbage_is_damage(disk: Any) -> None:
    data = disk.names[JOURNAL].data
    for junk in (b"\n", b"[]\n", b"{}\n", b'{"v":1}\n', b"\0\0\n", b"\xff\n", b"[" * 5000 + b"\n"):
        disk.names[JOURNAL].data = data + junk
        with pytest.raises(Fault, match="journal-damaged"):
            survey(disk, "r1")
        assert not verify(disk, "r1").ok
    disk.names[JOURNAL].data = data + b"x" * (LINE_MAX + 2) + b"\n"
    with pytest.raises(Fault, match="longer than"):
        survey(disk, "r1")
    assert not verify(disk, "r1").ok


def forged(line: bytes, **changes: Any) -> bytes:
    """A record with a hash of its own that checks: what somebody with a text editor could make."""
    record = {**json.loads(line), **changes}
    del record["hash"]
    text = encode(record)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return text.replace(',"kind"', f',"hash":"{digest}","kind"', 1).encode() + b"\n"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"prev": "0" * 64}, "does not follow"),
        ({"seq": 99}, "it is record 99 where"),
        ({"kind": "magic"}, "not in the vocabulary"),
        ({"payload": {}}, "lacks a payload key"),
        ({"payload": 1}, "wrong type"),
        ({"actor": 1}, "wrong type"),
        ({"step": True}, "wrong type"),
        ({"more": 1}, "does not have the members"),
        ({"kind": "run-created"}, "lacks a payload key"),
        ({"kind": "transfer-outcome", "payload": TRANSFER}, "wrong form"),
        ({"kind": "deposition-done", "payload": DONE}, "recorded as done after"),
        ({"kind": "checkpoint", "payload": {"state": {}}}, "is not the state"),
    ],
)
def test_forged_records_are_named(disk: Any, changes: dict[str, Any], what: str) -> None:
    lines = disk.names[JOURNAL].data.splitlines(keepends=True)
    lines[-1] = forged(lines[-1], **changes)
    disk.names[JOURNAL].data = b"".join(lines)
    with pytest.raises(Fault, match=f"line {len(lines)}: .*{what}"):
        survey(disk, "r1")
    assert verify(disk, "r1").damage[0][0] == len(lines)


def test_a_journal_begins_with_its_creation_once(kit: Any) -> None:
    disk = kit.Disk()
    kit.begin(disk).append("note", text="x")
    first, second = disk.names[JOURNAL].data.splitlines(keepends=True)
    for name in HEADS:
        del disk.names[name]
    disk.names[JOURNAL].data = forged(second, seq=1, prev="0" * 64)
    with pytest.raises(Fault, match="line 1: a journal begins with run-created"):
        survey(disk, "r1")
    again = forged(first, seq=2, prev=json.loads(first)["hash"])
    disk.names[JOURNAL].data = first + again
    with pytest.raises(Fault, match="line 2: a journal begins with run-created"):
        survey(disk, "r1")


def test_a_record_in_another_form_is_named_by_the_audit(disk: Any) -> None:
    lines = disk.names[JOURNAL].data.splitlines(keepends=True)
    body = lines[-1].replace(b'{"actor"', b'{ "actor"')
    at = body.find(b',"hash":"')
    digest = hashlib.sha256(body[:at] + body[at + 74 : -1]).hexdigest().encode()
    lines[-1] = body[:at] + b',"hash":"' + digest + b'"' + body[at + 74 :]
    disk.names[JOURNAL].data = b"".join(lines)
    assert survey(disk, "r1").proven
    report = verify(disk, "r1")
    assert [what for _, what in report.damage] == ["it is not in canonical form (RFC 8785)"]


def test_a_line_that_goes_on_after_its_record_is_no_torn_tail(disk: Any) -> None:
    data = disk.names[JOURNAL].data
    disk.names[JOURNAL].data = data[:-1] + b"*"
    with pytest.raises(Fault, match="goes on after its record"):
        survey(disk, "r1")


def test_all_damage_is_named_in_one_audit(disk: Any) -> None:
    lines = disk.names[JOURNAL].data.splitlines(keepends=True)
    for at in (3, 9, 14):
        lines[at] = lines[at].replace(b'"attempt":0', b'"attempt":1')
    lines[17] = b"not a record\n"
    disk.names[JOURNAL].data = b"".join(lines)
    report = verify(disk, "r1")
    assert [line for line, _ in report.damage] == [4, 10, 15, 18]
    assert "line 18: it is not JSON" in report.text()
    assert report.records == len(lines)


def test_an_audit_goes_in_pieces_beside_other_work(disk: Any) -> None:
    audit = Audit(disk, "r1")
    rounds = 1
    while not audit.advance(4):
        rounds += 1
        assert not audit.report().complete
    report = audit.report()
    assert rounds == report.records // 4 + 1
    assert report.ok
    assert report.checkpoints == 2
    assert report.state == survey(disk, "r1").state
