"""Switches a bench off as fast as its wires allow, before anything else is known of it.

The bytes that make each instrument harmless go to all of them at once, unasked; only then is each
one spoken to, and what it says is believed. Must never move substrate or liquid: axes are left
alone, and one under way arrives.
"""

from collections.abc import Callable
from typing import Any, Final

from drivers.bus import Bus, Port
from drivers.errors import InstrumentError
from lbl.bench.file import AnyBench, DipFile
from lbl.bench.opening import attach

SECOND: Final = 1_000_000_000
PLAYED_NS: Final = 10 * SECOND  # the longest pauses that instruments ask for, all together
TURN_NS: Final = SECOND // 100


def shut_off(file: AnyBench, core: Any, purpose: str, sent: Callable[[], None]) -> list[str]:
    """Outputs off; returns what could not be switched off or did not say so, in words.

    `sent` is called once the bytes have left for every instrument that could be reached. Never
    raises for what an instrument does.
    """
    axes = {file.arm.lift, file.arm.turn} if isinstance(file, DipFile) else set[str]()
    failed, made, ports = [], {}, {}
    bus = Bus(core)
    try:
        for name, spec in file.instruments.items():
            if name in axes:
                continue
            try:
                ports[name], made[name] = attach(bus, name, spec, purpose)
            except InstrumentError as error:
                failed.append(str(error.at(name, spec.resource)))
        _send(core, made, ports)
        sent()
        for one in made.values():
            try:
                one.connect()
                one.safe()
            except InstrumentError as error:
                failed.append(str(error))
    finally:
        bus.close()
    return failed


def _send(core: Any, made: dict[str, Any], ports: dict[str, Port]) -> None:
    """What a dead-man would send; an instrument that the core cannot reach waits for its turn."""
    core.safe_programme(
        (round(number * one.SAFE_GAP_S * SECOND), ports[name].channel, data)
        for name, one in made.items()
        if ports[name].channel >= 0
        for number, data in enumerate(one.safe_bytes())
    )
    core.park()
    end_ns = core.now_ns() + PLAYED_NS
    while core.parking and core.now_ns() < end_ns:
        core.wait_until_ns(min(end_ns, core.now_ns() + TURN_NS))
    core.clear()
