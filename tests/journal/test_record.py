"""The run record and the vocabulary: everything in them comes from events."""

import json
from typing import Any

from lbl.journal import events as events_module
from lbl.journal.canonical import encode, plain
from lbl.journal.events import Event
from lbl.journal.kinds import KINDS, rows
from lbl.journal.opening import events
from lbl.journal.record import make_record, seconds, text


def film(kit: Any) -> Any:
    """One bilayer with a hold, a deviation and a power cut."""
    disk = kit.Disk()
    journal = kit.begin(disk, simulated=True, version="1.0.0", bench_hash="cc", software="lbl 0.1")
    put = journal.append
    put("environment", facts={"python": "3.11"})
    put("instrument", role="arm.z", maker="Zaber", model="X-LSM", serial="1")
    put("material", solution="BR", lot="L7", expiry="2027-01-01")
    put("command", id="000001-aa", verb="hold", reason="lunch", actor="Ada")
    put("command-effect", id="000001-aa", verb="hold", effect="taken")
    for state in ("Execute", "Holding", "Held", "Execute"):
        put("state", to=state, cause="test")
    bath = {"immersed": True, "air_s": 15.0, "lateness_ns": 2000}
    for number, solution in ((1, "PDAC"), (2, "BR")):
        step = number * 10
        put("step-intent", step=step, act="expose")
        put("transfer-outcome", step=step, vessel="v", solution=solution, deposition=number, **bath)
        put("sample-note", name="temperature", value=22.5, low=22.0, high=23.0)
        put("step-outcome", step=step, act="expose", result="done", dwell_s=600.5, planned_s=600.0)
        for rinse in (1, 2, 3):
            put("transfer-outcome", step=step + rinse, vessel="r", solution="buffer", **bath)
            put("step-outcome", step=step + rinse, act="rinse", result="done", dwell_s=60.0)
        put("deviation", code="air-soft", sentence="21 s in air", deposition=number)
        put("deposition-done", deposition=number, bilayer=1, solution=solution)
        if number == 1:
            journal = kit.reopen(disk)
            put = journal.append
            put("run-opened", purpose="resume")
    put("measurement", quantity="absorbance", value=1.07, unit="mOD", bilayer=1, growth={"a": 1})
    put("verdict", response="note", code="growth", reason="fine")
    put("signature", name="Ada L.", meaning="review", actor="Ada")
    put("note", text="done", kind_of="x")
    put("dose-intent", solution="BR", vessel="b", volume_ml=1)
    put("dose-outcome", solution="BR", volume_ml=1.01, source="counter")
    journal.close("complete", film={"thickness_nm": 5.5})
    return disk


def test_the_record_says_what_was_done(kit: Any) -> None:
    record = make_record(events(film(kit), "r1"))
    assert json.loads(json.dumps(record)) == record
    first, second = record["depositions"]
    assert first["solution"] == "PDAC"
    assert second == {
        "utc": second["utc"],
        "deposition": 2,
        "bilayer": 1,
        "solution": "BR",
        "vessel": "v",
        "planned_s": 600,
        "actual_s": 600.5,
        "ended": "done",
        "rinses": 3,
        "rinse_s": 180,
        "air_s": 60,
        "air_worst_s": 15,
        "temperature": [22, 23],
        "lateness_ns": 2000,
        "dips": 1,
        "deviations": ["air-soft"],
        "done_utc": second["utc"],
    }
    totals = record["totals"]
    assert (totals["depositions"], totals["bilayers"], totals["holds"]) == (2, 1, 1)
    assert (totals["outages"], totals["deviations"], totals["commands"]) == (1, 2, 1)
    assert totals["air_worst_s"] == 15
    assert set(totals["states_s"]) == {"Execute", "Holding", "Held"}
    assert record["measurements"][0]["value"] == 1.07
    assert "growth" not in record["measurements"][0]
    assert record["commands"][0]["effect"] == "taken"
    assert record["commands"][0]["by"] == "Ada"
    assert record["instruments"][0]["serial"] == "1"
    assert record["materials"][0]["lot"] == "L7"
    assert record["signatures"][0]["meaning"] == "review"
    assert record["film"] == {"thickness_nm": 5.5}
    assert record["bench"] == {"name": "dip", "hash": "cc", "simulated": True}
    assert record["closed"]
    assert len(record["outages"]) == 1


def test_the_text_is_half_a_page(kit: Any) -> None:
    words = text(make_record(events(film(kit), "r1")))
    assert len(words.splitlines()) < 30
    for part in ("demo 1.0.0", "dip (simulated)", "2 of 100", "1 outages", "BR: 1.01 mL"):
        assert part in words


def test_an_empty_record_is_one(kit: Any) -> None:
    record = make_record([])
    assert record["totals"]["records"] == 0
    assert text(record)


def test_time_between_events(kit: Any) -> None:
    def at(utc: str, mono: int, boot: str) -> Event:
        return Event(1, utc, mono, boot, 1, "note", "a", 1, -1, 0, {}, "", "")

    one = at("2026-01-01T00:00:00.000Z", 10**9, "a")
    assert seconds(one, at("2026-01-01T09:00:00.000Z", 3 * 10**9, "a")) == 2
    assert seconds(one, at("2026-01-01T00:01:00.000Z", 5, "b")) == 60
    assert seconds(one, at("2025-01-01T00:01:00.000Z", 5, "b")) == 0
    assert seconds(one, at("yesterday", 5, "b")) == 0


def test_every_kind_is_described_and_every_fold_has_a_kind() -> None:
    assert set(events_module._CHANGES) <= set(KINDS)
    for name, required, also, sentence in rows():
        assert name == name.lower()
        assert sentence.endswith(".")
        assert not set(required.split()) & set(also.split())
    assert len(rows()) == len(KINDS)


def test_the_initial_state_is_plain(kit: Any) -> None:
    state = events_module.initial()
    assert plain(state) == state
    assert json.loads(encode(state)) == state
    journal = kit.begin(kit.Disk())
    player = kit.Player(journal)
    for choice in range(9):
        player.act(choice)
    assert encode(plain(journal.state)) == encode(journal.state)
