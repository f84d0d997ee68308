"""A PyVISA query through our in-process library beside the simplest library that could serve it.

Both have the same echo model behind them; they take turns.
"""

import statistics
import time
from typing import Any

import pyvisa
from pyvisa import constants, highlevel
from pyvisa.util import LibraryPath

from sim.assembly import Assembly, Spec
from sim.port import Device, Port
from sim.visa import SimLibrary

ROUNDS = 9
QUERIES = 4000
RESOURCE = "ASRL/dev/lbl/echo::INSTR"
SUCCESS = constants.StatusCode.success


class Clock:
    """Virtual time that stands still unless somebody waits."""

    def __init__(self) -> None:
        self.now = 0

    def now_ns(self) -> int:
        return self.now

    def wait_until_ns(self, deadline_ns: int) -> bool:
        self.now = max(self.now, deadline_ns)
        return True

    def wake(self) -> None:
        """Nobody else waits here."""


class Echo:
    """Answers a line with itself, at once."""

    def receive(self, data: bytes, now_ns: int) -> list[tuple[int, bytes]]:
        return [(now_ns, data)]

    def poll(self, now_ns: int) -> list[tuple[int, bytes]]:
        return []

    def next_ns(self) -> int | None:
        return None

    def power_cycle(self, now_ns: int) -> None:
        """Nothing to forget."""

    def fail(self, now_ns: int, argument: float) -> bool:
        return False

    def snapshot(self) -> dict[str, object]:
        return {}

    def restore(self, state: Any) -> None:
        """Nothing to remember."""


class Simplest(highlevel.VisaLibraryBase):
    """The least that a query needs: one session, one port, no rules."""

    @staticmethod
    def get_library_paths() -> tuple[LibraryPath, ...]:
        return (LibraryPath("simplest"),)

    def _init(self) -> None:
        self.clock = Clock()
        device: Device = Echo()
        self.port = Port(RESOURCE, [device], [])
        self.rest = b""

    def open_default_resource_manager(self) -> Any:
        return 1, SUCCESS

    def open(self, *given: Any) -> Any:
        self._last_status_in_session[2] = SUCCESS
        return 2, SUCCESS

    def close(self, session: Any) -> Any:
        return SUCCESS

    def disable_event(self, *given: Any) -> Any:
        return SUCCESS

    def discard_events(self, *given: Any) -> Any:
        return SUCCESS

    def set_attribute(self, *given: Any) -> Any:
        return SUCCESS

    def get_attribute(self, session: Any, attribute: Any) -> Any:
        return 0, SUCCESS

    def write(self, session: Any, data: bytes) -> Any:
        self.port.write(bytes(data), self.clock.now_ns())
        return len(data), self.handle_return_value(session, SUCCESS)

    def read(self, session: Any, count: int) -> Any:
        data = self.port.read(self.clock.now_ns())
        return data, self.handle_return_value(session, SUCCESS)


class World:
    """A world without anything in it."""

    ledger: list[dict[str, object]] = []

    def link(self, text: str) -> object:
        return None

    def advance(self, now_ns: int) -> None:
        """Nothing happens."""

    def snapshot(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Any) -> None:
        """Nothing was."""


def per_query(resource: Any) -> float:
    start = time.process_time()
    for _ in range(QUERIES):
        resource.write_raw(b"hello\n")
        resource.read_raw()
    return (time.process_time() - start) / QUERIES


def ours() -> Any:
    import sim.assembly

    plain = sim.assembly.MODELS
    sim.assembly.MODELS = {"echo": lambda spec, link: Echo()}  # type: ignore[assignment]
    try:
        assembly = Assembly([Spec("echo", "echo", RESOURCE)], World())
    finally:
        sim.assembly.MODELS = plain  # type: ignore[misc]
    return pyvisa.ResourceManager(SimLibrary.over(assembly, Clock())).open_resource(RESOURCE)


def main() -> None:
    mine = ours()
    simplest = pyvisa.ResourceManager(Simplest("simplest")).open_resource(RESOURCE)
    pairs = [(per_query(mine), per_query(simplest)) for _ in range(ROUNDS)]
    ratio = statistics.median(one / other for one, other in pairs)
    cost = statistics.median(one for one, _ in pairs) * 1e6
    print(f"query through our library {cost:.1f} us, beside the simplest: {ratio:.2f}  (<= 1.5)")


if __name__ == "__main__":
    main()
