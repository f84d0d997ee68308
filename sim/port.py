"""One wire of the simulated bench: bytes from the controller to every chained device and back.

Holds the contract of a device model (`Device`) and what a bench file says about one (`Spec`).
Must never know a clock, a socket or PyVISA: the caller says what time it is, in simulated
nanoseconds, and asks when there will be something to read.
"""

from bisect import insort
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, Protocol, runtime_checkable

Reply = tuple[int, bytes]
"""When the last byte of an answer arrives (ns), and the answer."""

PENDING_MAX: Final = 1024  # answers on their way; a real receive buffer would overflow as well


@dataclass(frozen=True, slots=True)
class Spec:
    """What the bench says about one instrument.

    `model` is a key of `sim.MODELS`; `address` matters on shared wires; `serial` is the serial
    number it reports; `link` names what it touches in the world ("" = nothing); `options` are
    the model's own (each model's docstring lists them).
    """

    name: str
    model: str
    resource: str
    address: int = 1
    serial: str = ""
    link: str = ""
    options: Mapping[str, float | str] = field(default_factory=dict)


class Device(Protocol):
    """A simulated instrument: bytes in, bytes out, next event time; no I/O and no clock."""

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes, in any portions, and return the answers they cause."""

    def poll(self, now_ns: int) -> list[Reply]:
        """Return what the device says unasked and is due by now."""

    def next_ns(self) -> int | None:
        """Return when `poll` will next have something to say, or None."""

    def power_cycle(self, now_ns: int) -> None:
        """Lose power and get it back: outputs off, motion ended, power-on state."""

    def fail(self, now_ns: int, argument: float) -> bool:
        """Fail in the device's own way (stall, blockage); False: it does nothing that can fail."""

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""

    def restore(self, state: Mapping[str, object]) -> None:
        """Take a state that `snapshot` gave."""


@runtime_checkable
class Settles(Protocol):
    """A device whose effect on the world is continuous and must be brought up to date."""

    def settle(self, now_ns: int) -> None:
        """Apply to the world everything done until `now_ns`."""


class Port:
    """The wire behind one VISA resource.

    Every chained device hears every byte; answers come back in the order in which they arrive.
    `latency_ns` is added to each answer. Answers in flight are no part of a snapshot: bytes on a
    wire do not survive the program that would have read them.
    """

    __slots__ = ("resource", "latency_ns", "_devices", "_settlers", "_queue")

    def __init__(
        self,
        resource: str,
        devices: Sequence[Device],
        settlers: Sequence[Callable[[int], None]] = (),
    ) -> None:
        self.resource = resource
        self.latency_ns = 0
        self._devices = list(devices)
        self._settlers = settlers
        self._queue: deque[Reply] = deque()

    def write(self, data: bytes, now_ns: int) -> None:
        """Give `data` to every device on the wire."""
        for settle in self._settlers:
            settle(now_ns)
        for device in self._devices:
            replies = device.receive(data, now_ns)
            if replies:
                self._enqueue(replies)

    def take(self, now_ns: int) -> bytes:
        """Return the oldest answer that has arrived by now, or b""."""
        self._poll(now_ns)
        if self._queue and self._queue[0][0] <= now_ns:
            return self._queue.popleft()[1]
        return b""

    def read(self, now_ns: int) -> bytes:
        """Return every byte that has arrived by now."""
        parts = []
        while part := self.take(now_ns):
            parts.append(part)
        return b"".join(parts)

    def next_ns(self) -> int | None:
        """Return when the next answer or unasked message arrives, or None if none is known."""
        soonest = self._queue[0][0] if self._queue else None
        for device in self._devices:
            due = device.next_ns()
            if due is not None and (soonest is None or due < soonest):
                soonest = due
        return soonest

    def waiting(self, now_ns: int) -> int:
        """Return how many bytes have arrived and are not yet read."""
        self._poll(now_ns)
        return sum(len(data) for due, data in self._queue if due <= now_ns)

    def discard(self) -> None:
        """Forget every answer that was not read, arrived or on its way."""
        self._queue.clear()

    def exchange(self, old: Device, new: Device) -> None:
        """Put `new` in the place of `old`."""
        self._devices[self._devices.index(old)] = new

    def precede(self, device: Device) -> None:
        """Put a device in front of all others."""
        self._devices.insert(0, device)

    def _poll(self, now_ns: int) -> None:
        for device in self._devices:
            due = device.next_ns()
            if due is not None and due <= now_ns:
                self._enqueue(device.poll(now_ns))

    def _enqueue(self, replies: Sequence[Reply]) -> None:
        queue = self._queue
        for due, data in replies:
            if len(queue) >= PENDING_MAX:
                return
            reply = (due + self.latency_ns, data)
            if queue and reply[0] < queue[-1][0]:
                insort(queue, reply, key=itemgetter(0))
            else:
                queue.append(reply)
