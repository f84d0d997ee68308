"""The vocabulary of the journal: every kind of event, what it must carry and what it means.

The manual's table is made from KINDS. This file must never hold behaviour: what an event changes
is in events.py.

Units are in the names: `_s` seconds, `_ns` nanoseconds of the run's monotonic clock, `_ml` mL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event: required payload keys, keys it may also carry, one sentence."""

    required: frozenset[str]
    also: tuple[str, ...]
    sentence: str


def _kind(required: str, also: str, sentence: str) -> Kind:
    return Kind(frozenset(required.split()), tuple(also.split()), sentence)


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "run-created": _kind(
            "run durable recipe recipe_hash plan_hash bench bilayers depositions",
            "version content_hash bench_hash simulated seed speed duration_s software sets signed "
            "files",
            "First record: what was planned, on which bench, and whether records are synced.",
        ),
        "run-opened": _kind(
            "purpose",
            "pid outage_s findings",
            "A process took the run up; it begins a new epoch.",
        ),
        "run-closed": _kind(
            "reason", "film solutions timing", "The process let go of the run in order."
        ),
        "state": _kind("to", "before cause by", "The run's state changed."),
        "command": _kind("id verb reason", "origin", "Somebody (the actor) asked for something."),
        "command-effect": _kind("id verb effect", "", "A command took effect or was refused."),
        "prepare-intent": _kind("role moves", "", "An instrument is about to be made ready."),
        "prepare-outcome": _kind("role result", "reason", "An instrument is ready, or is not."),
        "condition": _kind(
            "text holds values",
            "to",
            "The recipe's condition before a step was asked; false: the plan goes on at step `to`.",
        ),
        "step-intent": _kind(
            "act",
            "leg vessel solution deposition at_ns",
            "A step is about to begin; until its outcome it is uncertain whether it happened.",
        ),
        "transfer-intent": _kind(
            "vessel reason",
            "origin at_ns",
            "A transfer that is not in the plan is about to begin: a hold, the way back, a rescue.",
        ),
        "transfer-outcome": _kind(
            "vessel solution immersed air_s",
            "deposition begin_ns lateness_ns position source",
            "The substrate arrived in a vessel, or stayed in air.",
        ),
        "step-outcome": _kind(
            "act result",
            "reason dwell_s stays planned_s lateness_ns temperature exchange",
            "A step ended: `done`, or why not.",
        ),
        "deposition-done": _kind(
            "deposition bilayer solution",
            "vessel",
            "The last rinse after an exposure is done: the deposition counts, once.",
        ),
        "dose-intent": _kind("solution vessel volume_ml", "total_ml", "Liquid is about to move."),
        "dose-outcome": _kind(
            "solution volume_ml source",
            "vessel total_ml reason",
            "The volume that moved, and whether counter, balance or level says so.",
        ),
        "sample-note": _kind(
            "name value",
            "unit low high mean count bilayer stale",
            "A slow sensor changed or its period ended.",
        ),
        "measurement": _kind(
            "quantity value unit",
            "bilayer side zero reference deposition growth",
            "A value read for the film; `growth` carries the chart's running sums.",
        ),
        "verdict": _kind("response code reason", "value", "The watch judged a sample."),
        "deviation": _kind(
            "code sentence",
            "deposition value limit disposition",
            "Something went otherwise than planned.",
        ),
        "rebase": _kind("origin_ns reason", "shift_s", "The plan's time zero was set or moved."),
        "instrument": _kind(
            "role maker model serial",
            "firmware resource calibration due",
            "An instrument said what it is.",
        ),
        "material": _kind("solution lot", "expiry volume_ml vessel", "A material lot in use."),
        "environment": _kind("facts", "", "The computer and program that ran this."),
        "safe-intent": _kind("reason", "roles", "Outputs are about to be made harmless."),
        "safe-outcome": _kind("result", "roles reason", "Outputs are harmless, or which are not."),
        "checkpoint": _kind(
            "state", "key signature", "The folded state so far; signed when a key is given."
        ),
        "torn-tail": _kind(
            "line bytes sha256",
            "text",
            "The last record was cut short by a crash; it was never acknowledged and was removed.",
        ),
        "signature": _kind("name meaning", "record", "A person signs the record up to here."),
        "note": _kind("text", "", "Free text for people."),
    }
)


def rows() -> list[tuple[str, str, str, str]]:
    """The manual's table: kind, required keys, keys it may carry, meaning."""
    return [
        (name, " ".join(sorted(kind.required)), " ".join(kind.also), kind.sentence)
        for name, kind in KINDS.items()
    ]
