"""The run record: the readable proof made from the journal (a batch record, 21 CFR 211.188).

Pure: events in, plain JSON data out. It must never say anything that no event says.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from lbl.journal.events import Event, State, fold, initial

VERSION: Final = 1
LIST_MAX: Final = 2000  # commands, verdicts and notes kept in the record; the counts go on
ROUND: Final = 6
HOLDS: Final = "Held"

Row = dict[str, Any]


def make_record(events: Iterable[Event]) -> Row:
    """The record of a run, finished or not.

    Keys: `v run recipe bench plan software state closed began_utc ended_utc totals depositions
    measurements deviations states outages commands verdicts doses film solutions timing materials
    instruments environment signatures notes head`. Times in seconds, volumes in mL, lateness in
    nanoseconds.
    """
    maker = _Maker()
    for event in events:
        maker.take(event)
    return maker.record()


def text(record: Mapping[str, Any]) -> str:
    """The record on half a page, for terminals."""
    totals = record["totals"]
    recipe, bench = record["recipe"], record["bench"]
    rows = [
        f"run         {record['run']}  {record['state']}",
        f"recipe      {recipe['name']} {recipe['version']}  file {recipe['hash'][:12]}"
        f"  content {recipe['content'][:12]}",
        f"bench       {bench['name']}{' (simulated)' if bench['simulated'] else ''}",
        f"time        {record['began_utc']} .. {record['ended_utc']}"
        f"  ({totals['duration_s'] / 3600:.2f} h, {totals['outages']} outages)",
        f"depositions {totals['depositions']} of {totals['depositions_planned']}"
        f"  ({totals['bilayers']} bilayers)",
        f"air         {totals['air_s']:.0f} s in all, longest {totals['air_worst_s']:.1f} s",
        f"lateness    at most {totals['lateness_worst_ns'] / 1e6:.3f} ms",
        f"deviations  {totals['deviations']}, holds {totals['holds']}",
        f"records     {totals['records']}, ending with {record['head'][:16]}",
    ]
    if recipe["signed"]:
        signed = recipe["signed"]
        rows.insert(2, f"signed      {signed['name']}  {signed['utc']}  key {signed['key']}")
    rows += [f"dosed       {name}: {dose['ml']:.2f} mL" for name, dose in record["doses"].items()]
    rows += [f"deviation   {row['utc']}  {row['sentence']}" for row in record["deviations"][:10]]
    return "\n".join(rows)


class _Maker:
    """Gathers a record event by event; memory grows with depositions, not with records."""

    def __init__(self) -> None:
        self.state: State = initial()
        self.lists: dict[str, list[Row]] = {
            name: []
            for name in (
                "depositions", "measurements", "deviations", "states", "outages", "commands",
                "verdicts", "signatures", "notes",
            )
        }  # fmt: skip
        self.materials: dict[str, Row] = {}
        self.instruments: dict[str, Row] = {}
        self.environment: list[Row] = []
        self.created: Row = {}
        self.closing: Row = {}
        self.first: Event | None = None
        self.last: Event | None = None
        self.duration = 0.0
        self.counts = {"holds": 0, "commands": 0, "verdicts": 0, "lateness_worst_ns": 0}

    def take(self, event: Event) -> None:
        """Add one event."""
        self.state = fold(self.state, event)
        if self.last is not None:
            step = seconds(self.last, event)
            self.duration += step
            if event.epoch != self.last.epoch:
                self._add("outages", event, {"epoch": event.epoch, "seconds": round(step, ROUND)})
            if self.lists["states"]:
                ledger = self.lists["states"][-1]
                ledger["seconds"] = round(ledger["seconds"] + step, ROUND)
        else:
            self.first = event
        self.last = event
        change = _TAKES.get(event.kind)
        if change is not None:
            change(self, event, event.payload)

    def record(self) -> Row:
        """What was gathered so far."""
        first, last, state = self.first, self.last, self.state
        return {
            "v": VERSION,
            "run": state["run"],
            "recipe": {
                "name": state["recipe"],
                "version": self.created.get("version", ""),
                "hash": state["recipe_hash"],
                "content": self.created.get("content_hash", ""),
                "signed": self.created.get("signed"),
            },
            "bench": {
                "name": state["bench"],
                "hash": self.created.get("bench_hash", ""),
                "simulated": bool(self.created.get("simulated", False)),
            },
            "plan": {"hash": state["plan_hash"], **state["planned"]},
            "software": self.created.get("software", ""),
            "state": state["state"],
            "closed": state["closed"],
            "began_utc": "" if first is None else first.utc,
            "ended_utc": "" if last is None else last.utc,
            "totals": self._totals(),
            **self.lists,
            "doses": state["doses"],
            "film": self.closing.get("film"),
            "solutions": self.closing.get("solutions"),
            "timing": self.closing.get("timing"),
            "materials": list(self.materials.values()),
            "instruments": list(self.instruments.values()),
            "environment": self.environment,
            "head": state["hash"],
        }

    def _totals(self) -> Row:
        state = self.state
        return {
            "depositions": state["depositions"],
            "depositions_planned": state["planned"]["depositions"],
            "bilayers": state["bilayers"],
            "duration_s": round(self.duration, ROUND),
            "wet_s": state["wet_s"],
            "air_s": state["air_s"],
            "air_worst_s": state["air_worst_s"],
            "deviations": state["deviations"],
            "outages": max(0, state["epoch"] - 1),
            "torn": state["torn"],
            "records": state["seq"],
            "states_s": self._state_seconds(),
            **self.counts,
        }

    def _state_seconds(self) -> dict[str, float]:
        sums: dict[str, float] = {}
        for row in self.lists["states"]:
            sums[row["state"]] = round(sums.get(row["state"], 0) + row["seconds"], ROUND)
        return sums

    def _add(self, name: str, event: Event, row: Row) -> None:
        if len(self.lists[name]) < LIST_MAX or name in ("depositions", "measurements"):
            self.lists[name].append({"utc": event.utc, **row})

    def created_by(self, event: Event, payload: Row) -> None:
        self.created = payload

    def closed_by(self, event: Event, payload: Row) -> None:
        self.closing = payload

    def entered(self, event: Event, payload: Row) -> None:
        cause = payload.get("cause", "")
        self._add("states", event, {"state": payload["to"], "cause": cause, "seconds": 0})
        self.counts["holds"] += payload["to"] == HOLDS

    def moved(self, event: Event, payload: Row) -> None:
        number = payload.get("deposition", 0)
        rows = self.lists["depositions"]
        if number and payload["immersed"] and (not rows or rows[-1]["deposition"] != number):
            self._add("depositions", event, _deposition(number, payload))
        if not rows:
            return
        row = rows[-1]
        if not row["done_utc"]:
            row["air_s"] = round(row["air_s"] + payload["air_s"], ROUND)
            row["air_worst_s"] = max(row["air_worst_s"], payload["air_s"])
        if number:
            row["dips"] += 1
        self._late(row, payload)

    def ended(self, event: Event, payload: Row) -> None:
        rows = self.lists["depositions"]
        if not rows:
            return
        row = rows[-1]
        self._late(row, payload)
        _warmth(row, payload.get("temperature"))
        if payload["act"] == "expose" and not row["done_utc"]:
            row["actual_s"] = round(row["actual_s"] + payload.get("dwell_s", 0), ROUND)
            row["planned_s"] = payload.get("planned_s", row["planned_s"])
            row["ended"] = payload.get("reason", payload["result"])
        elif payload["act"] == "rinse" and not row["done_utc"]:
            row["rinses"] += 1
            row["rinse_s"] = round(row["rinse_s"] + payload.get("dwell_s", 0), ROUND)

    def done(self, event: Event, payload: Row) -> None:
        row = self.lists["depositions"][-1]
        row["bilayer"] = payload["bilayer"]
        row["done_utc"] = event.utc

    def sampled(self, event: Event, payload: Row) -> None:
        rows = self.lists["depositions"]
        if rows and payload["name"].startswith("temperature"):
            for key in ("low", "high", "value"):
                _warmth(rows[-1], payload.get(key))

    def measured(self, event: Event, payload: Row) -> None:
        kept = {key: value for key, value in payload.items() if key != "growth"}
        self._add("measurements", event, kept)

    def deviated(self, event: Event, payload: Row) -> None:
        rows = self.lists["depositions"]
        number = payload.get("deposition", rows[-1]["deposition"] if rows else 0)
        self._add("deviations", event, {**payload, "deposition": number, "step": event.step})
        if rows and rows[-1]["deposition"] == number:
            rows[-1]["deviations"].append(payload["code"])

    def commanded(self, event: Event, payload: Row) -> None:
        self.counts["commands"] += 1
        self._add("commands", event, {"by": event.actor, "effect": "", **payload})

    def took_effect(self, event: Event, payload: Row) -> None:
        for row in reversed(self.lists["commands"]):
            if row["id"] == payload["id"] and not row["effect"]:
                row["effect"] = payload["effect"]
                return

    def judged(self, event: Event, payload: Row) -> None:
        self.counts["verdicts"] += 1
        self._add("verdicts", event, payload)

    def material(self, event: Event, payload: Row) -> None:
        self.materials[f"{payload['solution']}/{payload['lot']}"] = payload

    def instrument(self, event: Event, payload: Row) -> None:
        self.instruments[f"{payload['role']}/{payload['serial']}"] = payload

    def hosted(self, event: Event, payload: Row) -> None:
        if payload["facts"] not in self.environment:
            self.environment.append(payload["facts"])

    def signed(self, event: Event, payload: Row) -> None:
        self._add("signatures", event, {"by": event.actor, "record": event.prev, **payload})

    def noted(self, event: Event, payload: Row) -> None:
        self._add("notes", event, {"kind": event.kind, **payload})

    def _late(self, row: Row, payload: Row) -> None:
        late = payload.get("lateness_ns", 0)
        row["lateness_ns"] = max(row["lateness_ns"], late)
        self.counts["lateness_worst_ns"] = max(self.counts["lateness_worst_ns"], late)


def seconds(before: Event, after: Event) -> float:
    """Time between two events: by the monotonic clock within one boot, else by the calendar."""
    if before.boot == after.boot:
        return max(0.0, (after.mono_ns - before.mono_ns) / 1e9)
    try:
        span = datetime.fromisoformat(after.utc) - datetime.fromisoformat(before.utc)
    except (ValueError, TypeError):
        return 0.0
    return max(0.0, span.total_seconds())


def _deposition(number: int, payload: Row) -> Row:
    return {
        "deposition": number,
        "bilayer": 0,
        "solution": payload["solution"],
        "vessel": payload["vessel"],
        "planned_s": 0,
        "actual_s": 0,
        "ended": "",
        "rinses": 0,
        "rinse_s": 0,
        "air_s": 0,
        "air_worst_s": 0,
        "temperature": None,
        "lateness_ns": 0,
        "dips": 0,
        "deviations": [],
        "done_utc": "",
    }


def _warmth(row: Row, value: float | None) -> None:
    """Widen the row's temperature span [lowest, highest] in degC."""
    if value is None:
        return
    low, high = row["temperature"] or (value, value)
    row["temperature"] = [min(low, value), max(high, value)]


_TAKES: Final[Mapping[str, Callable[[_Maker, Event, Row], None]]] = MappingProxyType(
    {
        "run-created": _Maker.created_by,
        "run-closed": _Maker.closed_by,
        "state": _Maker.entered,
        "transfer-outcome": _Maker.moved,
        "step-outcome": _Maker.ended,
        "deposition-done": _Maker.done,
        "sample-note": _Maker.sampled,
        "measurement": _Maker.measured,
        "deviation": _Maker.deviated,
        "command": _Maker.commanded,
        "command-effect": _Maker.took_effect,
        "verdict": _Maker.judged,
        "material": _Maker.material,
        "instrument": _Maker.instrument,
        "environment": _Maker.hosted,
        "signature": _Maker.signed,
        "note": _Maker.noted,
        "torn-tail": _Maker.noted,
    }
)
