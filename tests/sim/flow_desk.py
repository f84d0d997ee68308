"""A flow bench for the tests: by its links (FlowHand), by raw bytes on its models (FlowDesk)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sim.assembly import Assembly
from sim.plunger import Stroke
from sim.port import Spec
from sim.world import FlowGeometry, FlowWorld, Reservoir, Solution

NS = 1_000_000_000
RESERVOIRS = (
    Reservoir("primer", 1, 5.0, True),
    Reservoir("polycation", 2, 20.0, True),
    Reservoir("polyanion", 3, 20.0, True),
    Reservoir("rinse", 4, 700.0),
)
SOLUTIONS = {
    "primer": Solution("PEI", "PEI", 1.0, 9.0, 1),
    "polycation": Solution("PDAC", "PDAC", 1.0, 9.0, 1),
    "polyanion": Solution("BR", "BR", 1.0, 9.0, -1),
    "rinse": Solution("buffer", "buffer", 0.0, 9.0, 0),
}
GEOMETRY = FlowGeometry(bladder=720.0, shares="rinse")
IDEAL = replace(GEOMETRY, line=0.0, dead=0.0, feed=0.0)
# No chance and no errors: what is left is plumbing.
EXACT = {"acc_pump": 0.0, "sig_layer": 0.0, "p_bub": 0.0, "p_bub_degassed": 0.0, "p_valve": 0.0}
SPECIES = ("PEI", "PDAC", "BR")


def flow_world(
    parameters: Mapping[str, float] = {},
    geometry: FlowGeometry = GEOMETRY,
    *,
    seed: int = 1,
    start_ns: int = 0,
    polyanion: float = 20.0,
) -> FlowWorld:
    """A world with every reservoir full; `polyanion` mL of BR."""
    reservoirs = [
        replace(one, volume=polyanion) if one.name == "polyanion" else one for one in RESERVOIRS
    ]
    world = FlowWorld(reservoirs, geometry, parameters, seed=seed, start_ns=start_ns)
    for one in reservoirs:
        world.fill(one.name, SOLUTIONS[one.name], one.volume)
    return world


class FlowHand:
    """Moves pump and selector of a world by hand; `now_ns` is its time."""

    def __init__(self, world: FlowWorld, look_s: float = 0.0) -> None:
        self.world = world
        self.now_ns = world.now_ns
        self._syringe: Any = world.link("syringe")
        self._selector: Any = world.link("selector")
        self._look_ns = round(look_s * NS)
        self.plunger = 0.0

    def turn(self, position: int) -> None:
        self.wait(0.5)
        self._selector.select(position, self.now_ns)

    def stroke(self, port: int, ml: float) -> bool:
        """Push (or draw, below 0) at 12 mL/min; look on the way if told to."""
        pulse = 1.0 / 6000.0
        stroke = Stroke(
            self.now_ns, self.plunger, self.plunger - ml / pulse, 900.0, 1200.0, 900.0, 35_000.0
        )
        self._syringe.begin(str(port), stroke, pulse)
        fine, known = True, self.plunger
        times = range(self.now_ns + self._look_ns, stroke.end_ns, self._look_ns or NS << 20)
        for now_ns in [*(times if self._look_ns else ()), stroke.end_ns]:
            place = stroke.at(now_ns)
            fine = self._syringe.pump(str(port), (known - place) * pulse, now_ns)
            known = place
            if self._look_ns:
                look(self.world, now_ns)
        self.plunger, self.now_ns = stroke.target, stroke.end_ns
        return fine

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS)
        self.world.advance(self.now_ns)

    def prime(self) -> None:
        for position in (1, 2, 3, 4):
            self.turn(position)
            self.move(1, 9, 0.6)

    def move(self, source: int, sink: int, ml: float) -> None:
        self.stroke(source, -ml)
        self.wait(0.5)
        self.stroke(sink, ml)

    def exchange(self, position: int, back: int | None = None, ml: float = 0.285) -> None:
        """Drain the cell (`back` into the reservoir there) and fill it from a position."""
        if back is not None:
            self.turn(back)
        self.move(2, 9 if back is None else 1, ml)
        self.turn(position)
        self.move(1, 2, ml)

    def bilayer(self, dwell: float = 600.0) -> None:
        for position in (2, 3):
            self.exchange(position)
            self.wait(dwell)
            self.exchange(4, position)
            for _ in range(5):
                self.wait(60.0)
                self.exchange(4)


def look(world: FlowWorld, now_ns: int) -> None:
    """Ask everything that can be asked."""
    links: Any = {name: world.link(name) for name in ("sensors", "line", "reference", "photodiode")}
    for channel in range(101, 107):
        links["sensors"].signal(channel, now_ns)
    links["line"].pressure(now_ns), links["line"].flow(now_ns)
    links["reference"].watts(now_ns), links["photodiode"].watts(now_ns)
    world.truth(), world.snapshot(), world.standing()


def total(world: FlowWorld, species: str) -> float:
    """The mg of a species anywhere: vessels, tubing, out of the bench, and on the film."""
    cellar, circuit = world.scene.cellar, world.flow.circuit
    vessels = [*cellar.vessels.values(), *cellar.inner.values()]
    mass = sum(vessel.amounts.get(species, 0.0) for vessel in vessels)
    mass += sum(vessel.sediment for vessel in vessels) if species == "BR" else 0.0
    return mass + circuit.dissolved(species)


PUMP, VALVE = "ASRL/dev/lbl/syringe::INSTR", "ASRL/dev/lbl/selector::INSTR"
LINE, DAQ = "ASRL/dev/lbl/line::INSTR", "TCPIP0::192.0.2.65::5025::SOCKET"
DIODE, BESIDE = "USB0::0x1313::0x8078::P0012345::INSTR", "USB0::0x1313::0x8078::P0012346::INSTR"
LED = "USB0::0x1313::0x80C8::M00960538::INSTR"
COOLER = "TCPIP0::192.0.2.36::7777::SOCKET"
SPECS = (
    Spec("syringe", "cavro", PUMP, 1, link="syringe", options={"ports": 9, "syringe": 1.0}),
    Spec("selector", "vici", VALVE, link="selector", options={"positions": 10}),
    Spec("line", "alicat", LINE, 1, link="line"),
    Spec("sensors", "daq6510", DAQ, link="sensors"),
    Spec("photodiode", "pm100d", DIODE, link="photodiode"),
    Spec("reference", "pm100d", BESIDE, link="reference"),
    Spec("led", "dc2200", LED, link="light"),
    Spec("cooler", "lakeshore336", COOLER, link="thermostat"),
)


class FlowDesk:
    """The models of the flow bench on a world, a clock that only the test moves, raw bytes."""

    def __init__(self, world: FlowWorld) -> None:
        self.world = world
        self.assembly = Assembly(SPECS, world, seed=1)
        self.now_ns = 0

    def ask(self, resource: str, data: bytes) -> bytes:
        port = self.assembly.ports[resource]
        port.write(data, self.now_ns)
        due = port.next_ns()
        assert due is not None, f"no answer to {data!r}"
        self.now_ns = max(self.now_ns, due)
        return port.read(self.now_ns)

    def tell(self, resource: str, data: bytes) -> None:
        self.assembly.ports[resource].write(data, self.now_ns)

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS)
        self.assembly.settle(self.now_ns)

    def pump(self, text: str, poll_s: float = 0.5) -> int:
        """Run a string to its end; return the error number."""
        answer = self.ask(PUMP, b"/1%sR\r" % text.encode())
        while not answer[2] & 0x20 and not answer[2] & 0x0F:
            self.wait(poll_s)
            answer = self.ask(PUMP, b"/1Q\r")
        return answer[2] & 0x0F

    def turn(self, position: int) -> int:
        """Turn the selector; return where it says it is."""
        self.tell(VALVE, b"GO%d\r" % position)
        self.wait(3.0)
        return int(self.ask(VALVE, b"CP\r")[2:4])

    def start(self) -> None:
        """Initialise and prime every feed into the waste."""
        self.pump("Z")
        self.pump("V1200")
        for position in (1, 2, 3, 4):
            self.turn(position)
            self.pump("I1A600I9A0")

    def exchange(self, position: int, back: int | None = None) -> None:
        """One exchange as a controller does it."""
        if back is None:
            self.turn(position)
            assert self.pump("I2A855I9A0I1A855I2A0") == 0
            return
        self.turn(back)
        assert self.pump("I2A855I1A0") == 0
        self.turn(position)
        assert self.pump("I1A855I2A0") == 0
