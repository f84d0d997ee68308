"""Serves simulated instruments to anyone: over TCP on loopback, or over pseudo-terminals.

One loop, one thread; the world's time runs at `speed` from the start of serving. Must never
listen anywhere but on 127.0.0.1, and never block on a peer that does not read.
"""

import json
import os
import selectors
import socket
import tty
from collections import deque
from collections.abc import Callable, Collection
from contextlib import ExitStack
from typing import Any, Final, Protocol, TextIO

from sim import TITLES
from sim.assembly import Assembly
from sim.port import Port, Spec
from sim.visa import RealClock

HOST: Final = "127.0.0.1"
TRANSPORTS: Final = ("tcp", "pty")
CLIENTS_MAX: Final = 8  # connections to one port; answers go to the one that wrote last
LISTEN: Final = 64  # connections that may wait to be accepted
CHUNK: Final = 4096  # bytes read at once
BACKLOG_MAX: Final = 4096  # answers that wait for their second half
SLICE_S: Final = 0.05  # at least so often `stop` is asked and the ledger looked at
SPLIT_NS: Final = 3_000_000  # real time between the two parts of a split answer


class _Ends(Protocol):
    """The far side of a port: descriptors to listen on, and a way to send."""

    address: dict[str, object]  # {"port": n} or {"pty": path}
    resource: str

    def open(self, watch: Callable[[Any], None], forget: Callable[[Any], None]) -> None: ...
    def receive(self, source: Any) -> bytes: ...
    def send(self, data: bytes) -> None: ...
    def close(self) -> None: ...


class _Tcp:
    """A listening socket on loopback and its connections."""

    def __init__(self) -> None:
        self._listener = socket.create_server((HOST, 0), backlog=LISTEN)
        self._listener.setblocking(False)
        number = self._listener.getsockname()[1]
        self.address: dict[str, object] = {"port": number}
        self.resource = f"TCPIP::{HOST}::{number}::SOCKET"
        self._clients: list[socket.socket] = []  # oldest first
        self._talker: socket.socket | None = None  # the one that wrote last

    def open(self, watch: Callable[[Any], None], forget: Callable[[Any], None]) -> None:
        """Begin to listen; `watch` and `forget` say what to wait for."""
        self._watch, self._forget = watch, forget
        watch(self._listener)

    def receive(self, source: Any) -> bytes:
        """Accept a connection, or return what one sent; b"" when there is nothing."""
        if source is self._listener:
            self._accept()
            return b""
        try:
            data = bytes(source.recv(CHUNK))
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if data:
            self._talker = source
        else:
            self._drop(source)
        return data

    def _drop(self, client: socket.socket) -> None:
        self._clients.remove(client)
        if client is self._talker:
            self._talker = None
        self._forget(client)
        client.close()

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        if len(self._clients) >= CLIENTS_MAX:
            client.close()
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients.append(client)
        self._watch(client)

    def send(self, data: bytes) -> None:
        """Send to whoever wrote last, else to whoever came last.

        Bytes that do not fit are lost, as on a serial line.
        """
        client = self._talker or (self._clients[-1] if self._clients else None)
        if client is not None:
            try:
                client.send(data)
            except OSError:
                return

    def close(self) -> None:
        """Close every socket."""
        for each in [*self._clients, self._listener]:
            each.close()


class _Pty:
    """A pseudo-terminal; its far end is the serial port that a client opens."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        path = os.ttyname(self._slave)
        self.address: dict[str, object] = {"pty": path}
        self.resource = f"ASRL{path}::INSTR"

    def open(self, watch: Callable[[Any], None], forget: Callable[[Any], None]) -> None:
        """Begin to listen. The far end stays open here, so that clients may come and go."""
        watch(self._master)

    def receive(self, source: Any) -> bytes:
        """Return what a client sent."""
        try:
            return os.read(self._master, CHUNK)
        except OSError:
            return b""

    def send(self, data: bytes) -> None:
        """Send; bytes that do not fit are lost, as on a serial line."""
        try:
            os.write(self._master, data)
        except OSError:
            return

    def close(self) -> None:
        """Close both ends."""
        os.close(self._master)
        os.close(self._slave)


class _Outlet:
    """One simulated port, what leads to it, and the answers on their way out."""

    def __init__(self, port: Port, ends: _Ends, split_ns: int) -> None:
        self.ends = ends
        self._port = port
        self._split_ns = split_ns
        self._ready: deque[tuple[int, bytes]] = deque()

    def hear(self, source: Any, now_ns: int) -> None:
        """Pass on what came in."""
        data = self.ends.receive(source)
        if data:
            self._port.write(data, now_ns)

    def speak(self, now_ns: int) -> None:
        """Send every answer that is due."""
        while len(self._ready) < BACKLOG_MAX and (data := self._port.take(now_ns)):
            half = len(data) // 2 if self._split_ns else 0
            if half:
                self._ready.append((now_ns, data[:half]))
                self._ready.append((now_ns + self._split_ns, data[half:]))
            else:
                self._ready.append((now_ns, data))
        while self._ready and self._ready[0][0] <= now_ns:
            self.ends.send(self._ready.popleft()[1])

    def next_ns(self) -> int | None:
        """Return when there is something to send."""
        due = self._port.next_ns()
        if not self._ready:
            return due
        return self._ready[0][0] if due is None else min(due, self._ready[0][0])


class _Ledger:
    """Appends completed rows of the world's ledger to a file, one JSON object a line."""

    def __init__(self, assembly: Assembly, file: TextIO | None) -> None:
        self._assembly = assembly
        self._file = file
        self._written = 0

    def catch_up(self) -> None:
        """Write the rows that are new; one without its end waits, and those after it."""
        rows = self._assembly.world.ledger
        if self._file is None or self._written >= len(rows):
            return
        for row in rows[self._written :]:
            if row.get("end_s", 0.0) is None:
                break
            self._file.write(json.dumps(row) + "\n")
            self._written += 1
        self._file.flush()


def serve(
    assembly: Assembly,
    *,
    transport: str,
    announce: Callable[[dict[str, object]], None],
    stop: Callable[[], bool],
    speed: float = 1.0,
    latency_ms: float = 0.0,
    split: bool = False,
    only: Collection[str] | None = None,
    ledger: str | os.PathLike[str] | None = None,
) -> None:
    """Serve until `stop()` says so; it is asked at least every 50 ms.

    `announce` gets {name, model, resource, port or pty} for each instrument and then
    {"ready": True}. `transport` is "tcp" or "pty"; `speed` simulated seconds a real second;
    `latency_ms` real milliseconds added to each answer; `split` cuts each answer in two;
    `only` names the instruments to serve; `ledger` is the file that gets the exposures as they
    complete. Raises ValueError for a transport, speed, latency or name that cannot be.
    """
    specs = _chosen(assembly, transport, latency_ms, only)
    clock = RealClock(speed)
    with ExitStack() as stack:
        file = stack.enter_context(open(ledger, "a", encoding="utf-8")) if ledger else None
        selector = stack.enter_context(selectors.SelectSelector())  # us, not ms
        outlets: dict[str, _Outlet] = {}
        for resource in dict.fromkeys(spec.resource for spec in specs):
            ends: _Ends = _Tcp() if transport == "tcp" else _Pty()
            stack.callback(ends.close)
            port = assembly.ports[resource]
            port.latency_ns = int(latency_ms * 1e6 * speed)
            outlet = _Outlet(port, ends, int(SPLIT_NS * speed) if split else 0)
            outlets[resource] = outlet
            _attach(selector, outlet)
        for spec in specs:
            announce(_line(spec, outlets[spec.resource].ends))
        announce({"ready": True})
        _loop(assembly, clock, selector, list(outlets.values()), _Ledger(assembly, file), stop)


def _attach(selector: selectors.BaseSelector, outlet: _Outlet) -> None:
    outlet.ends.open(
        lambda source: _register(selector, source, outlet),
        lambda source: _unregister(selector, source),
    )


def _register(selector: selectors.BaseSelector, source: Any, outlet: _Outlet) -> None:
    selector.register(source, selectors.EVENT_READ, outlet)


def _unregister(selector: selectors.BaseSelector, source: Any) -> None:
    selector.unregister(source)


def _loop(
    assembly: Assembly,
    clock: RealClock,
    selector: selectors.BaseSelector,
    outlets: list[_Outlet],
    ledger: _Ledger,
    stop: Callable[[], bool],
) -> None:
    while not stop():
        now_ns = clock.now_ns()
        assembly.settle(now_ns)
        ledger.catch_up()
        for outlet in outlets:
            outlet.speak(now_ns)
        times = [due for outlet in outlets if (due := outlet.next_ns()) is not None]
        wait_s = min(SLICE_S, clock.real_s(min(times))) if times else SLICE_S
        for key, _ in selector.select(wait_s):
            key.data.hear(key.fileobj, clock.now_ns())
    assembly.settle(clock.now_ns())
    ledger.catch_up()


def _chosen(
    assembly: Assembly, transport: str, latency_ms: float, only: Collection[str] | None
) -> list[Spec]:
    """Return what to serve; raises ValueError for what cannot be meant."""
    if transport not in TRANSPORTS:
        raise ValueError(f"no transport '{transport}'; one of {', '.join(TRANSPORTS)}")
    if not 0.0 <= latency_ms <= 60_000.0:
        raise ValueError(f"latency is 0 to 60000 ms, got {latency_ms}")
    wanted = {only} if isinstance(only, str) else only
    known = [spec.name for spec in assembly.specs]
    if wanted is None:
        return list(assembly.specs)
    unknown = sorted(set(wanted) - set(known))
    if unknown or not wanted:
        raise ValueError(
            f"no instrument {', '.join(unknown) or '(none given)'}; there are {', '.join(known)}"
        )
    return [spec for spec in assembly.specs if spec.name in wanted]


def _line(spec: Spec, ends: _Ends) -> dict[str, object]:
    return {
        "name": spec.name,
        "model": TITLES[spec.model],
        "resource": ends.resource,
        **ends.address,
    }
