"""A plan as a JSON document and back, exactly; its hash.

Times are whole microseconds: a JSON number of RFC 8785 is a double, and nanoseconds of a film
that takes half a year would not fit. Must never repair a document: it is right or refused.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import rfc8785

from lbl.errors import BadInput, Problem
from lbl.plan.schedule import (
    Ask,
    Budget,
    Leg,
    Legs,
    Limits,
    Liquid,
    Plan,
    Pumping,
    Quality,
    Refill,
    Step,
    Substrate,
)

FORMAT: Final = 1
_US: Final = 1000  # ns


def hashed(plan: Plan) -> Plan:
    """Return the plan with its hash: SHA-256 of the RFC 8785 form of its document without it."""
    return replace(plan, hash=_digest(_body(plan)))


def document(plan: Plan) -> dict[str, object]:
    """Return the whole plan as plain JSON data; a step leaves out what is nothing."""
    return {**_body(plan), "plan_hash": plan.hash}


def from_document(data: Mapping[str, Any]) -> Plan:
    """Return the plan of a document; raises BadInput if its shape or its hash is wrong."""
    try:
        body = {key: value for key, value in data.items() if key != "plan_hash"}
        plan = _plan(body, str(data["plan_hash"]))
        digest = _digest(body)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise _damaged(f"a plan document has not the shape of one: {error}") from None
    if digest != plan.hash:
        raise _damaged("the hash of a plan document is not that of its content")
    return plan


def _damaged(sentence: str) -> BadInput:
    return BadInput(Problem("plan-damaged", sentence, remedy="plan the recipe again"))


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(rfc8785.dumps(dict(body))).hexdigest()


def _body(plan: Plan) -> dict[str, Any]:
    ways: dict[Legs, int] = {}
    steps = [_step_row(step, ways) for step in plan.steps]
    return {
        "plan_format": FORMAT,
        "recipe": plan.recipe,
        "version": plan.version,
        "bench": plan.bench,
        "bilayers": plan.bilayers,
        "depositions": plan.depositions,
        "duration_us": _us(plan.duration_ns),
        "up": plan.up,
        "start": plan.start,
        "assignments": dict(plan.assignments),
        "solutions": {name: asdict(liquid) for name, liquid in plan.solutions.items()},
        "substrate": asdict(plan.substrate),
        "parameters": dict(plan.parameters),
        "limits": asdict(plan.limits),
        "quality": asdict(plan.quality),
        "budget": asdict(plan.budget),
        "transfers": [[_leg_row(leg) for leg in way] for way in ways],
        "steps": steps,
        **({"overridden": list(plan.overridden)} if plan.overridden else {}),
    }


def _us(ns: int) -> int:
    whole, rest = divmod(ns, _US)
    if rest:
        raise ValueError(f"{ns} ns is not a whole number of microseconds")
    return whole


def _leg_row(leg: Leg | Pumping) -> dict[str, Any]:
    if isinstance(leg, Pumping):
        return {
            "position": leg.position,
            "strokes": [list(stroke) for stroke in leg.strokes],
            "rate": leg.rate,
            "duration_us": _us(leg.duration_ns),
        }
    return {
        "axis": leg.axis,
        "target": leg.target,
        "speed": leg.speed,
        "duration_us": _us(leg.duration_ns),
    }


def _step_row(step: Step, ways: dict[Legs, int]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "kind": step.kind,
        "offset_us": _us(step.offset_ns),
        "duration_us": _us(step.duration_ns),
        "cls": step.cls,
        "vessel": step.vessel,
        "on_resume": step.on_resume,
    }
    if step.legs:
        row["transfer"] = ways.setdefault(step.legs, len(ways))
    if step.latest_ns:
        row["dwell_us"] = _us(step.dwell_ns)
        row["earliest_us"] = _us(step.earliest_ns)
        row["latest_us"] = _us(step.latest_ns)
    for key, value in (
        ("solution", step.solution),
        ("bilayer", step.bilayer),
        ("deposition", step.deposition),
        ("completes", step.completes),
    ):
        if value:
            row[key] = value
    if step.exchange[1]:
        row["exchange"] = list(step.exchange)
    if step.detail:
        row["detail"] = dict(step.detail)
    if step.ask is not None:
        row["ask"] = asdict(step.ask)
    return row


def _plan(body: Mapping[str, Any], digest: str) -> Plan:
    if body["plan_format"] != FORMAT:
        raise ValueError(f"format {body['plan_format']}")
    ways = [_way(rows) for rows in body["transfers"]]
    return Plan(
        recipe=body["recipe"],
        version=body["version"],
        bench=body["bench"],
        steps=tuple(_step(number, row, ways) for number, row in enumerate(body["steps"])),
        bilayers=int(body["bilayers"]),
        depositions=int(body["depositions"]),
        duration_ns=int(body["duration_us"]) * _US,
        assignments=dict(body["assignments"]),
        solutions={name: Liquid(**made) for name, made in body["solutions"].items()},
        substrate=Substrate(**body["substrate"]),
        parameters=dict(body["parameters"]),
        limits=Limits(**body["limits"]),
        quality=Quality(**body["quality"]),
        budget=_budget(body["budget"]),
        up=float(body["up"]),
        start=float(body["start"]),
        hash=digest,
        overridden=tuple(body.get("overridden", ())),
    )


def _budget(row: Mapping[str, Any]) -> Budget:
    return Budget(**{**row, "refills": tuple(Refill(**refill) for refill in row["refills"])})


def _way(rows: Sequence[Mapping[str, Any]]) -> Legs:
    if any("strokes" in row for row in rows):
        return tuple(_pumping(row) for row in rows)
    return tuple(_leg(row) for row in rows)


def _pumping(row: Mapping[str, Any]) -> Pumping:
    strokes = tuple((int(port), float(volume)) for port, volume in row["strokes"])
    return Pumping(row["position"], strokes, float(row["rate"]), row["duration_us"] * _US)


def _leg(row: Mapping[str, Any]) -> Leg:
    return Leg(row["axis"], float(row["target"]), float(row["speed"]), row["duration_us"] * _US)


def _step(number: int, row: Mapping[str, Any], ways: Sequence[Legs]) -> Step:
    exchange = row.get("exchange", (0, 0))
    return Step(
        index=number,
        kind=row["kind"],
        offset_ns=row["offset_us"] * _US,
        duration_ns=row["duration_us"] * _US,
        legs=ways[row["transfer"]] if "transfer" in row else (),
        dwell_ns=row.get("dwell_us", 0) * _US,
        earliest_ns=row.get("earliest_us", 0) * _US,
        latest_ns=row.get("latest_us", 0) * _US,
        cls=row["cls"],
        vessel=row["vessel"],
        solution=row.get("solution", ""),
        bilayer=row.get("bilayer", 0),
        deposition=row.get("deposition", 0),
        completes=row.get("completes", 0),
        exchange=(exchange[0], exchange[1]),
        detail=row.get("detail", {}),
        on_resume=row["on_resume"],
        ask=Ask(**row["ask"]) if "ask" in row else None,
    )
