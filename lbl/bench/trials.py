"""What a conformance test does with each driver: a reading, an order it must refuse, what is due.

One row a driver, beside the register of drivers. Nothing here may move substrate or liquid: the
orders are refused before the wire, and readings only look.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Act = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Trial:
    """`read` gives a number in `unit`, plausible inside `low`..`high`, within `bound` seconds.

    `refused` must raise InstrumentError "limit" and send nothing; None: it takes no such order.
    `checked`: its answers carry a checksum, so that no spoiled one is ever believed.
    """

    read: Callable[[Any], float]
    unit: str
    low: float
    high: float
    refused: Act | None = None
    bound: float = 8.0
    checked: bool = False


def _anew(made: Any, **options: object) -> object:
    """The same driver with other options: refused where it is made."""
    return type(made)(made.port, made.name, **options)


TRIALS: Final[Mapping[str, Trial]] = {
    "zaber": Trial(
        lambda one: one.sense().position, "mm or deg", -1e3, 1e4,
        lambda one: one.move(one.high + 1e3), checked=True,
    ),
    "newera": Trial(
        lambda one: one.sense().infused, "mL", 0.0, 1e4,
        lambda one: one.start("INF", 1.0, 1e6),
    ),
    "cavro": Trial(
        lambda one: one.position(), "mL", 0.0, 50.0,
        lambda one: one.aspirate(2 * one.syringe, 1),
    ),
    "vici": Trial(
        lambda one: one.position(), "port", 1.0, 96.0,
        lambda one: one.go(one.positions + 1),
    ),
    "pm100d": Trial(
        lambda one: one.power(), "W", -0.1, 100.0,
        lambda one: one.prepare(570.0, 10**6),
    ),
    "dc2200": Trial(
        lambda one: one.sense().amps, "A", 0.0, 10.0,
        lambda one: one.on(2 * one.limit),
    ),
    "qcm200": Trial(
        lambda one: one.frequency(), "Hz", 4.5e6, 5.5e6,
        lambda one: _anew(one, gate=3.0),
    ),
    "sqm160": Trial(
        lambda one: one.frequency(one.sensor), "Hz", 4.0e6, 6.5e6,
        lambda one: one.frequency(99), checked=True,
    ),
    "julabo": Trial(
        lambda one: one.temperature(), "degC", -100.0, 400.0,
        lambda one: one.start(one.high + 1e3),
    ),
    "lakeshore336": Trial(
        lambda one: one.temperature(), "degC", -100.0, 400.0,
        lambda one: one.start(one.high + 1e3),
    ),
    "huber": Trial(
        lambda one: one.temperature(), "degC", -100.0, 400.0,
        lambda one: one.start(one.high + 1e3),
    ),
    "alicat": Trial(
        lambda one: one.reading().pressure, "kPa", -100.0, 1e4,
        lambda one: _anew(one, unit="?"),
    ),
    "daq6510": Trial(
        lambda one: one.sense()[one.channels[0]], "V", -100.0, 100.0,
        lambda one: one.volts((9999,)), bound=15.0,
    ),
    "keithley2450": Trial(
        lambda one: one.sense().limit, "V", 0.0, 210.0,
        lambda one: _anew(one, limit=1e4),
    ),
    "ika": Trial(
        lambda one: one.temperature(), "degC", -50.0, 400.0,
        lambda one: one.stir(one.rpm_max + 1e3),
    ),
    "mettler": Trial(lambda one: one.grams(), "g", -1e4, 1e5),
}  # fmt: skip

# What must be said of an instrument and is no matter to a test that moves nothing.
USUAL: Final[Mapping[str, Mapping[str, str]]] = {
    "zaber": {
        "travel": "0..1 mm",
        "microstep": "0.49609375 um",
        "acceleration": "50 mm/s^2",
    },
    "newera": {"diameter": "14.43 mm"},
    "cavro": {"syringe": "1 mL"},
    "dc2200": {"limit": "1 mA"},
}
