"""What the sensors of a flow bench feel: pressure, flow, gas in the path, conductivity.

Reads the circuit and the pump's speed; looking changes nothing. Noise is drawn by time.
"""

from collections.abc import Callable

from sim import chance
from sim.circuit import Circuit
from sim.links import LineLink, Link, SignalLink
from sim.reservoirs import FlowGeometry
from sim.scene import Scene
from sim.trapped import Trapped

AIR_KPA = 101.325
# Channels of the scanner.
PRESSURE, BUBBLE, CONDUCTIVITY, HUMIDITY, PT100 = 101, 102, 103, 104, 105
_ZERO_V, _V_PER_KPA = 0.5, 0.04
_RANGE_V = 5.0
_GAS_V = 5.0
# A rinse, and what 1 mg/mL of something charged adds (guesses); a dry cell does not conduct.
_RINSE_V, _SOLUTE_V = 0.05, 0.05
_HUMID_V = 0.4
_OHM, _PER_K = 100.0, 0.00385

Moving = Callable[[int], tuple[int, float]]


class Gauges:
    """Pressure at the pump's head, flow and pressure in the cell's line, sensors at the cell.

    `moving(now_ns)` settles the bench and returns the pump's port and mL/min out of it.
    """

    def __init__(
        self,
        scene: Scene,
        circuit: Circuit,
        trapped: Trapped,
        geometry: FlowGeometry,
        moving: Moving,
    ) -> None:
        """Wire the sensors up."""
        self._scene = scene
        self._circuit = circuit
        self._trapped = trapped
        self._geometry = geometry
        self._moving = moving
        self._resistance = scene.parameters["R_tube"]
        self._noise = scene.parameters["sig_p"]
        self.links: dict[str, Link] = {
            "line": LineLink(self._absolute, self._warmth, self._flow, self._demand),
            "sensors": SignalLink(self.signal),
        }

    def signal(self, channel: int, now_ns: int) -> float:
        """Return V or ohm at a channel; 0 where nothing is wired."""
        port, flow = self._moving(now_ns)
        if channel == PRESSURE:
            gauge = self.head(port, flow) + self._flutter()
            return min(max(_ZERO_V + _V_PER_KPA * gauge, 0.0), _RANGE_V)
        if channel == BUBBLE:
            gas = self._trapped.size > 0.0 or self._circuit.gassy()
            return _GAS_V if gas else 0.0
        if channel == CONDUCTIVITY:
            return self._conductivity()
        if channel == HUMIDITY:
            return _HUMID_V
        if channel == PT100:
            return _OHM * (1.0 + _PER_K * self._scene.heat.temperature(self._scene.now_ns))
        return 0.0

    def head(self, port: int, flow: float) -> float:
        """Return the gauge pressure in kPa where the pump is connected."""
        geometry, circuit = self._geometry, self._circuit
        if port == geometry.inlet:
            return self._line(port, flow)
        shared = port == geometry.source and circuit.selected == geometry.shares
        back = circuit.squeezed() if port == geometry.waste or shared else 0.0
        return self._resistance * flow + back

    def _line(self, port: int, flow: float) -> float:
        """Return the gauge pressure in kPa in the line to the cell.

        Hagen and Poiseuille: pressure goes with flow; what is left open of a blocked line
        resists in proportion (a guess).
        """
        circuit = self._circuit
        if port != self._geometry.inlet or circuit.blocked >= 1.0:
            return circuit.strained()
        return circuit.strained() + self._resistance * flow / (1.0 - circuit.blocked)

    def _flutter(self) -> float:
        """Return the noise of a pressure reading in kPa."""
        since_ns = self._scene.now_ns - self._scene.start_ns
        return self._noise * chance.normal(self._scene.seed, chance.PRESSURE, since_ns)

    def _conductivity(self) -> float:
        """Return the V of the conductivity cell."""
        circuit = self._circuit
        if circuit.cell.volume <= circuit.residual:
            return 0.0
        dissolved = sum(circuit.cell.amounts.values()) / circuit.cell.volume
        return _RINSE_V + _SOLUTE_V * dissolved

    def _absolute(self, now_ns: int) -> float:
        """Return the absolute pressure in kPa at the meter."""
        port, flow = self._moving(now_ns)
        return AIR_KPA + self._line(port, flow) + self._flutter()

    def _warmth(self, now_ns: int) -> float:
        """Return the liquid's temperature in degC."""
        self._moving(now_ns)
        return self._scene.heat.temperature(self._scene.now_ns)

    def _flow(self, now_ns: int) -> float:
        """Return mL/min toward the cell, below 0 out of it; a leak lies before the meter."""
        port, flow = self._moving(now_ns)
        circuit = self._circuit
        if port != self._geometry.inlet or circuit.blocked >= 1.0:
            return 0.0
        return flow * (1.0 - circuit.leaking)

    def _demand(self, setpoint: float, now_ns: int) -> None:
        """Nothing: the meter in this line controls no valve."""
