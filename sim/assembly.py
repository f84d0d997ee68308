"""The simulated instruments of one bench, on one world.

Builds the models a bench asks for, puts chained ones on one wire, and keeps the whole dynamic
state as plain data. Must never know a clock, a socket or PyVISA.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from sim import MODELS
from sim.faults import HEALTHY, Fault, Faulty
from sim.mains import Mains
from sim.mishaps import Mishap
from sim.port import Device, Port, Settles, Spec

__all__ = ["Assembly", "Spec", "Surroundings"]

DEVICES_MAX: Final = 256


class Surroundings(Protocol):
    """What the instruments need of a world."""

    @property
    def ledger(self) -> list[dict[str, object]]:
        """What truly happened to the substrate, oldest first."""

    def link(self, text: str, /) -> object:
        """Return the socket of that name."""

    def befall(self, mishap: Mishap, /) -> None:
        """Let a mishap happen at its instant."""

    def advance(self, now_ns: int, /) -> None:
        """Bring the world up to `now_ns`."""

    def snapshot(self) -> dict[str, Any]:
        """Return the world's state as plain data."""

    def restore(self, state: Mapping[str, Any], /) -> None:
        """Take a state that `snapshot` gave."""


class Assembly:
    """The instruments of one bench: `devices` by name, `ports` by resource.

    `seed` decides what corrupting faults do. Raises ValueError for two instruments of one name,
    an unknown model, or a link that the world does not have.
    """

    def __init__(self, specs: Sequence[Spec], world: Surroundings, *, seed: int = 0) -> None:
        if len(specs) > DEVICES_MAX:
            raise ValueError(f"at most {DEVICES_MAX} simulated instruments, got {len(specs)}")
        self.specs = tuple(specs)
        self.world = world
        self.devices: dict[str, Device] = {}
        self._faulty: dict[str, Faulty] = {}
        self._seed = seed
        chains: dict[str, list[Device]] = {}
        for spec in specs:
            device = self._build(spec)
            self.devices[spec.name] = device
            chains.setdefault(spec.resource, []).append(device)
        # Whoever looks at the world must find it up to date: pumps settle before any exchange.
        self._settlers = [
            device.settle for device in self.devices.values() if isinstance(device, Settles)
        ]
        self._mains: Mains | None = None
        self.ports: dict[str, Port] = {
            resource: Port(resource, chain, self._settlers) for resource, chain in chains.items()
        }

    def _build(self, spec: Spec) -> Device:
        if spec.name in self.devices:
            raise ValueError(f"two simulated instruments are called {spec.name}")
        if spec.model not in MODELS:
            raise ValueError(f"{spec.name}: no model '{spec.model}'; there are {', '.join(MODELS)}")
        return MODELS[spec.model](spec, self.world.link(spec.link) if spec.link else None)

    def inject(self, name: str, fault: Fault) -> None:
        """Let `fault` happen to the instrument `name`; raises KeyError for an unknown one."""
        self._wrap(name).add(fault)

    def befall(self, mishap: Mishap) -> None:
        """Let a mishap happen to the world; one of the power happens to every instrument.

        Raises ValueError for one that this world cannot have.
        """
        self.world.befall(mishap)
        if mishap.kind == "power":
            self._powered().add(mishap.at_ns, mishap.at_ns + (mishap.lasts_ns or 0))

    def _powered(self) -> Mains:
        """Return the power of the bench, put in front of everything when first asked for."""
        if self._mains is None:
            self._mains = Mains(self._outage)
            self._settlers.insert(0, self._mains.settle)
            for port in self.ports.values():
                port.precede(self._mains)
        return self._mains

    def _outage(self, at_ns: int, until_ns: int) -> None:
        """Cut the power; while it is off, no instrument answers."""
        self.power_cycle(at_ns)
        if until_ns > at_ns:
            for name in self.devices:
                self._wrap(name).outage(at_ns, until_ns)

    def _wrap(self, name: str) -> Faulty:
        if name not in self.devices:
            raise KeyError(f"no instrument {name}; there are {', '.join(self.devices)}")
        faulty = self._faulty.get(name)
        if faulty is None:
            place = list(self.devices).index(name)
            faulty = Faulty(self.devices[name], self._seed * DEVICES_MAX + place)
            self._faulty[name] = faulty
            spec = self.specs[place]
            self.ports[spec.resource].exchange(self.devices[name], faulty)
        return faulty

    def settle(self, now_ns: int) -> None:
        """Bring the world up to date: liquid pumped, surfaces crossed."""
        for settle in self._settlers:
            settle(now_ns)
        self.world.advance(now_ns)

    def power_cycle(self, now_ns: int) -> None:
        """Cut the power of the whole bench and give it back; answers on their way are lost."""
        self.settle(now_ns)
        for port in self.ports.values():
            port.discard()
        for name, device in self.devices.items():
            self._faulty.get(name, device).power_cycle(now_ns)

    def snapshot(self) -> dict[str, Any]:
        """Return every device, every pending fault and the world as plain JSON data.

        Times are those of the clock that drove the bench: go on with a clock that stands there.
        """
        return {
            "devices": {name: device.snapshot() for name, device in self.devices.items()},
            "faults": {
                name: faulty.snapshot() for name, faulty in self._faulty.items() if faulty.ill
            },
            "mains": None if self._mains is None else self._mains.snapshot(),
            "world": self.world.snapshot(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave; raises ValueError if it is of another bench."""
        if state["devices"].keys() != self.devices.keys():
            raise ValueError(
                f"the state is of {', '.join(state['devices'])}; this bench has "
                f"{', '.join(self.devices)}"
            )
        self.world.restore(state["world"])
        for name, device in self.devices.items():
            device.restore(state["devices"][name])
        for name in self.devices:
            plain = state["faults"].get(name)
            if plain is not None or name in self._faulty:
                self._wrap(name).restore(plain or HEALTHY)
        if state["mains"] is not None or self._mains is not None:
            self._powered().restore(state["mains"] or {"coming": []})
        for port in self.ports.values():
            port.discard()
