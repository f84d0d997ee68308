"""The journal: what is appended is there, in canonical form, chained, and folded to one state."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lbl.errors import Fault, LblError, Refused
from lbl.journal.audit import verify
from lbl.journal.canonical import encode
from lbl.journal.chain import JOURNAL, LINE_MAX
from lbl.journal.events import fold, initial, open_intent, seen
from lbl.journal.opening import events, survey

SHARED = [HealthCheck.function_scoped_fixture]  # the patched constant is the same each time
CHOICES = st.lists(st.integers(0, 10), max_size=40)
DATA = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**64), 2**64),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    ),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@pytest.mark.usefixtures("often")
@settings(deadline=None, max_examples=60, suppress_health_check=SHARED)
@given(choices=CHOICES, values=st.lists(DATA, min_size=1, max_size=5), durable=st.booleans())
def test_reopening_gives_the_same_state(
    kit: Any, choices: list[int], values: list[Any], durable: bool
) -> None:
    disk = kit.Disk()
    player = kit.Player(kit.begin(disk, durable=durable))
    for place, choice in enumerate(choices):
        player.act(choice, values[place % len(values)])
    state = player.journal.state
    before = encode(state)
    assert encode(survey(disk, "r1").state) == before
    folded = initial()
    for event in events(disk, "r1"):
        folded = fold(folded, event)
    assert encode(folded) == before
    again = kit.reopen(disk)
    assert again.opening is not None
    assert again.opening.proven
    assert not again.opening.findings
    assert encode(again.state) == before
    opened_at = again.opening.checkpoint_seq or 1
    again.append("note", text="after")
    report = verify(disk, "r1")
    assert report.ok, report.text()
    assert report.complete
    assert report.records == again.state["seq"]
    assert again.state["epoch"] == 2
    again.renew_heads()
    assert survey(disk, "r1").first_line >= opened_at


@pytest.mark.usefixtures("often")
@settings(deadline=None, max_examples=40, suppress_health_check=SHARED)
@given(choices=CHOICES, value=DATA, start=st.integers(0, 2**54), actor=st.text(max_size=5))
def test_every_line_is_the_library_s_text_of_itself(
    kit: Any, choices: list[int], value: Any, start: int, actor: str
) -> None:
    disk = kit.Disk()
    journal = kit.begin(disk, clock=kit.Clock(start, boot='b"\\,"hash":"'))
    player = kit.Player(journal)
    for choice in choices:
        player.act(choice, value)
    try:
        journal.append("note", text=actor, actor=actor)
    except LblError as error:
        assert error.problems[0].code == "journal-value"  # half a character
    for line in disk.names[JOURNAL].data.splitlines():
        record = json.loads(line, parse_int=_number)
        assert rfc8785.dumps(record) == line
        assert isinstance(record["mono_ns"], int | float)
    assert verify(disk, "r1").ok


def _number(digits: str) -> int | float:
    value = int(digits)
    return value if abs(value) < 2**53 else float(value)


@pytest.mark.parametrize("start", [2**53 - 3_000_000, 2**53 + 1, 2**62 + 12345])
def test_mono_ns_around_two_to_the_53(kit: Any, start: int) -> None:
    disk = kit.Disk()
    journal = kit.begin(disk, clock=kit.Clock(start))
    wrote = [journal.append("note", text=str(n)) for n in range(6)]
    read = list(events(disk, "r1"))[1:]
    assert [event.mono_ns for event in read] == [event.mono_ns for event in wrote]
    for place, event in enumerate(read):
        assert type(event.mono_ns) is int
        assert abs(event.mono_ns - (start + (place + 2) * 1_000_000)) < 1000
    for line in disk.names[JOURNAL].data.splitlines():
        assert rfc8785.dumps(json.loads(line, parse_int=_number)) == line
    assert verify(disk, "r1").ok
    assert kit.reopen(disk).state["mono_ns"] == wrote[-1].mono_ns


def test_records_are_chained_and_numbered(kit: Any) -> None:
    disk = kit.Disk()
    journal = kit.begin(disk)
    first = journal.append("note", text="one", actor="Ada", step=3, attempt=2)
    second = journal.append("note", text="two")
    assert (first.seq, second.seq, second.prev) == (2, 3, first.hash)
    assert (first.actor, first.step, first.attempt, first.substrate) == ("Ada", 3, 2, 1)
    record = json.loads(disk.names[JOURNAL].data.splitlines()[0])
    assert record["kind"] == "run-created"
    assert record["payload"]["durable"] is True
    assert record["v"] == 1
    assert sorted(record) == list(record)


def test_durable_records_are_synced_and_others_are_not(kit: Any) -> None:
    for durable, syncs in ((True, 1), (False, 0)):
        disk = kit.Disk()
        journal = kit.begin(disk, durable=durable)
        assert journal.state["durable"] is durable
        disk.calls.clear()
        journal.append("note", text="x")
        assert disk.calls == ["append"] + ["sync"] * syncs
        assert kit.reopen(disk).state["durable"] is durable


@pytest.mark.parametrize(
    ("kind", "payload", "code"),
    [
        ("no-such-kind", {}, "journal-kind"),
        ("note", {}, "journal-kind"),
        ("note", {"text": float("nan")}, "journal-value"),
        ("note", {"text": object()}, "journal-value"),
        ("note", {"text": "x" * LINE_MAX}, "journal-value"),
        ("deposition-done", {"deposition": 1, "bilayer": 1, "solution": "BR"}, "journal-count"),
        ("deposition-done", {"deposition": 2, "bilayer": 1, "solution": "BR"}, "journal-count"),
        ("run-created", {"run": "r2", "durable": True}, "journal-kind"),
    ],
)
def test_what_may_not_be_is_refused_and_nothing_is_written(
    kit: Any, kind: str, payload: dict[str, Any], code: str
) -> None:
    disk = kit.Disk()
    journal = kit.begin(disk)
    before = disk.names[JOURNAL].data
    with pytest.raises(LblError) as refusal:
        journal.append(kind, **payload)
    assert refusal.value.problems[0].code == code
    assert refusal.value.exit_code == 1
    assert disk.names[JOURNAL].data == before
    assert journal.append("note", text="goes on").seq == 2


def test_a_deposition_counts_once_and_in_order(kit: Any) -> None:
    player = kit.Player(kit.begin(kit.Disk()))
    for number in (1, 2):
        player.dip(number, "PDAC")
        player.finish(number, "PDAC")
    state = player.journal.state
    assert (state["depositions"], state["bilayers"]) == (2, 1)
    player.dip(3, "PDAC")
    for number in (2, 4):
        with pytest.raises(LblError, match="journal-count"):
            player.put("deposition-done", deposition=number, solution="BR", bilayer=1)
    with pytest.raises(LblError, match="journal-count"):
        player.dip(4, "BR")
    assert player.journal.state["depositions"] == 2
    player.dip(3, "PDAC")  # the same one again, after a hold, is no skip
    assert player.journal.state["exposure"]["dips"] == 2


def test_more_depositions_than_planned_are_refused(kit: Any) -> None:
    facts = {**kit.FACTS, "bilayers": 0, "depositions": 0}
    from lbl.journal.journal import Journal

    journal = Journal.create(kit.Disk(), "r1", durable=False, clock=kit.Clock(), **facts)
    transfer = {"vessel": "b", "solution": "BR", "immersed": True, "air_s": 1}
    journal.append("transfer-outcome", deposition=1, **transfer)
    with pytest.raises(LblError, match="only 0 are planned"):
        journal.append("deposition-done", deposition=1, solution="BR", bilayer=0)


def test_intents_stay_open_until_their_outcome(kit: Any) -> None:
    journal = kit.begin(kit.Disk())
    assert open_intent(journal.state) is None
    journal.append("step-intent", step=4, attempt=1, act="rinse")
    journal.append("step-intent", step=5, act="measure", leg="z")
    newest = open_intent(journal.state)
    assert newest is not None
    assert (newest["of"], newest["step"], newest["act"], newest["leg"]) == (
        "step",
        5,
        "measure",
        "z",
    )
    journal.append("step-outcome", step=5, act="measure", result="done")
    newest = open_intent(journal.state)
    assert newest is not None
    assert newest["step"] == 4
    assert journal.state["done_step"] == 5
    journal.append("prepare-intent", role="arm.z", moves="homes up")
    journal.append("prepare-outcome", role="arm.z", result="done")
    journal.append("transfer-intent", step=4, vessel="rinse", reason="hold")
    journal.append(
        "transfer-outcome", step=4, vessel="rinse", solution="buffer", immersed=True, air_s=15
    )
    journal.append("safe-intent", reason="abort")
    journal.append("safe-outcome", result="safe")
    assert [one["step"] for one in journal.state["intents"]] == [4]


def test_open_intents_are_bounded(kit: Any) -> None:
    journal = kit.begin(kit.Disk())
    for step in range(16):
        journal.append("step-intent", step=step, act="rinse")
    with pytest.raises(LblError, match="journal-intent"):
        journal.append("step-intent", step=99, act="rinse")


def test_wet_and_air_are_accounted(kit: Any) -> None:
    journal = kit.begin(kit.Disk())
    transfer = {"solution": "BR", "immersed": True}
    journal.append("transfer-outcome", vessel="a", air_s=10, begin_ns=10**9, **transfer)
    journal.append("transfer-outcome", vessel="b", air_s=15.5, begin_ns=101 * 10**9, **transfer)
    state = journal.state
    assert (state["air_s"], state["air_worst_s"], state["wet_s"]) == (25.5, 15.5, 84.5)
    assert state["vessel"] == state["immersion"]["vessel"] == "b"
    journal.append("transfer-outcome", vessel="", solution="", immersed=False, air_s=3)
    assert journal.state["vessel"] == ""
    assert journal.state["immersion"] is None


def test_doses_commands_and_the_rest(kit: Any) -> None:
    journal = kit.begin(kit.Disk())
    player = kit.Player(journal)
    player.dose(1, "BR")
    player.dose(2, "BR")
    assert journal.state["doses"] == {"BR": {"ml": 4.75, "count": 2}}
    journal.append("command", id="000001-ab", verb="hold", reason="lunch", actor="Ada")
    assert seen(journal.state, "000001-ab")
    assert journal.state["commands"]["pending"] == {"000001-ab": "hold"}
    journal.append("command-effect", id="000001-ab", verb="hold", effect="taken")
    assert journal.state["commands"]["pending"] == {}
    journal.append("command", id="", verb="hold", reason="Ctrl-C")
    for number in range(70):
        journal.append("command", id=f"c{number}", verb="hold", reason="")
    commands = journal.state["commands"]
    assert (commands["count"], len(commands["recent"]), len(commands["pending"])) == (72, 64, 64)
    journal.append("measurement", quantity="absorbance", value=5, unit="mOD", growth={"n": 1})
    journal.append("measurement", quantity="dark", value=1e-9, unit="W")
    journal.append("rebase", origin_ns=2**60 + 1, reason="start")
    journal.append("deviation", code="air-soft", sentence="21 s")
    state = journal.state
    assert state["growth"] == {"n": 1}
    assert abs(state["origin_ns"] - 2**60) < 1000
    assert state["deviations"] == 1
    journal.close("left in order")
    assert journal.state["closed"]
    assert survey(journal._storage, "r1").first_line == journal.state["seq"]


def test_fold_leaves_its_argument_alone(kit: Any) -> None:
    disk = kit.Disk()
    player = kit.Player(kit.begin(disk))
    for choice in (*range(11), 2, 3, 4, 5, 6):
        player.act(choice)
    state = initial()
    for event in events(disk, "r1"):
        before = encode(state)
        after = fold(state, event)
        assert encode(state) == before
        state = after


def test_a_second_journal_is_refused(kit: Any) -> None:
    disk = kit.Disk()
    kit.begin(disk)
    with pytest.raises(Refused, match="run-exists"):
        kit.begin(disk)


def test_memory_and_state_do_not_grow(kit: Any) -> None:
    disk = kit.Disk()
    journal = kit.begin(disk, durable=False)
    disk.append = lambda name, data: None
    sizes = []
    for round_ in range(3):
        for step in range(400):
            number = round_ * 400 + step
            journal.append("step-intent", step=number, act="rinse")
            journal.append("step-outcome", step=number, act="rinse", result="done")
            journal.append("command", id=f"{number:08d}", verb="hold", reason="x")
        sizes.append(len(encode(journal.state)))
    assert max(sizes) - min(sizes) < 20


@pytest.mark.fault("A12")
def test_a_broken_disk_is_told_once_and_never_tried_again(kit: Any) -> None:
    disk = kit.Disk()
    journal = kit.begin(disk)
    disk.calls.clear()
    disk.fail_at = 2
    with pytest.raises(Fault, match="run-unwritable"):
        journal.append("note", text="lost?")
    calls = list(disk.calls)
    for act in (lambda: journal.append("note", text="x"), journal.renew_heads, journal.checkpoint):
        with pytest.raises(Fault, match="run-unwritable"):
            act()
    assert disk.calls == calls == ["append", "sync"]
    assert journal.state["seq"] == 1
