"""The sockets into which instrument models plug: one small frozen class for each kind.

They hold no state of their own. A bench file names them: "arm.z", "arm.x", "pump:NAME",
"photodiode", "light", "thermostat", "crystal", "film" of any bench; "balance" and
"stirrer" of a dip bench; "syringe", "selector", "line", "sensors", "reference" of a flow bench.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sim.motion import Motion
from sim.plunger import Stroke


@dataclass(frozen=True, slots=True)
class AxisLink:
    """`moved(motion)`: the axis has begun this move, or stands (Motion.still)."""

    moved: Callable[[Motion], None]


@dataclass(frozen=True, slots=True)
class PumpLink:
    """`transfer(ml, now_ns)`: pump mL from the feed bottle into the vessel (negative: back).

    Returns the mL that truly went; may be called in any number of small parts.
    """

    transfer: Callable[[float, int], float]


@dataclass(frozen=True, slots=True)
class PowerLink:
    """`watts(now_ns)`: the light that falls on the photodiode, noise included."""

    watts: Callable[[int], float]


@dataclass(frozen=True, slots=True)
class LightLink:
    """`current(amps, now_ns)`: the LED is driven with this current from now on."""

    current: Callable[[float, int], None]


@dataclass(frozen=True, slots=True)
class HeatLink:
    """`temperature(now_ns)` of the baths in degC; `drive(on, setpoint, now_ns)`."""

    temperature: Callable[[int], float]
    drive: Callable[[bool, float, int], None]


@dataclass(frozen=True, slots=True)
class StirLink:
    """A plate under the baths: `temperature(now_ns)` of its probe in degC, `stir(rpm, now_ns)`.

    `heat(on, setpoint, now_ns)` warms nothing: the thermostat's jacket holds against it.
    """

    temperature: Callable[[int], float]
    heat: Callable[[bool, float, int], object]
    stir: Callable[[float, int], object]


@dataclass(frozen=True, slots=True)
class MassLink:
    """`grams(now_ns)`: what stands on the balance."""

    grams: Callable[[int], float]


@dataclass(frozen=True, slots=True)
class CrystalLink:
    """`frequency(now_ns)` in Hz and `resistance(now_ns)` in ohm of a crystal beside the film."""

    frequency: Callable[[int], float]
    resistance: Callable[[int], float]


@dataclass(frozen=True, slots=True)
class FilmLink:
    """`circuit(now_ns)`: photovoltage of the film in V and its resistance in ohm."""

    circuit: Callable[[int], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class SyringeLink:
    """`pump(port, ml, now_ns)` out of a port of the valve (below 0: in), in any small parts.

    Returns False when it takes more force than the pump has. `begin(port, stroke, ml)` says how
    the plunger moves from now on, `ml` to a pulse.
    """

    pump: Callable[[str, float, int], bool]
    begin: Callable[[str, Stroke, float], None]


@dataclass(frozen=True, slots=True)
class ValveLink:
    """`select(position, now_ns)`; returns where the valve truly is, None: there."""

    select: Callable[[int, int], int | None]


@dataclass(frozen=True, slots=True)
class LineLink:
    """What a meter in a line feels: kPa absolute, degC, mL/min; `demand(setpoint, now_ns)`."""

    pressure: Callable[[int], float]
    temperature: Callable[[int], float]
    flow: Callable[[int], float]
    demand: Callable[[float, int], None]


@dataclass(frozen=True, slots=True)
class SignalLink:
    """`signal(channel, now_ns)`: V or ohm at a channel of the scanner."""

    signal: Callable[[int, int], float]


Link = (
    AxisLink
    | PumpLink
    | PowerLink
    | LightLink
    | HeatLink
    | MassLink
    | StirLink
    | SyringeLink
    | ValveLink
    | LineLink
    | SignalLink
    | CrystalLink
    | FilmLink
)
