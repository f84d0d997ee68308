"""A port that is lost stays lost until it is opened anew; then it is the same port."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drivers.bus import Bus
from drivers.errors import InstrumentError
from drivers.framing import Line
from drivers.link import Link
from drivers.lock import holder
from drivers.zaber import Zaber
from lbl._core import Core

LINE = Line()


class Peer:
    """Echoes lines over TCP; `drop` closes what is open, `down` stops listening too."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.number = self.listener.getsockname()[1]
        self.resource = f"TCPIP::127.0.0.1::{self.number}::SOCKET"
        self.clients: list[socket.socket] = []
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.clients.append(client)
            threading.Thread(target=self._echo, args=(client,), daemon=True).start()

    def _echo(self, client: socket.socket) -> None:
        try:
            while data := client.recv(4096):
                client.sendall(data)
        except OSError:
            return

    def drop(self) -> None:
        for client in self.clients:
            client.shutdown(socket.SHUT_RDWR)
            client.close()
        self.clients = []

    def down(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop()


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    try:
        made.down()
    except OSError:
        return


def say(port: Any, words: bytes = b"hello\n") -> bytes:
    return bytes(port.query(words, LINE, 2.0, who="one"))


def test_lost_until_reopened(peer: Peer) -> None:
    core = Core(virtual=False)
    with Bus(core) as bus:
        port = bus.port(peer.resource, link=Link(), purpose="test")
        assert say(port) == b"hello"
        channel = port.channel
        peer.drop()
        for act in (
            lambda: say(port),
            lambda: say(port),
            lambda: port.write(b"x\n", who="one"),
            port.drain,
            lambda: port.arm(b"x\n", LINE, 1, 2, check=lambda _: None, who="one"),
        ):
            with pytest.raises(InstrumentError) as caught:
                act()
            assert caught.value.kind == "lost"
            assert caught.value.resource == peer.resource
        assert port.lost
        assert bus.reopen(peer.resource, pause_s=0.01) is port
        assert port.lost == "" and port.channel >= 0
        assert say(port) == b"hello"
        assert port.channel != channel
        with pytest.raises(ValueError, match="not open"):  # the pacer forgot the old one
            core.next_deadline_ns(channel)
        assert holder(peer.resource) is not None
        assert bus.port(peer.resource, link=Link()) is port


def test_tries_are_bounded_and_a_later_one_succeeds(peer: Peer) -> None:
    with Bus(Core(virtual=False)) as bus:
        port = bus.port(peer.resource, link=Link())
        assert say(port) == b"hello"
        peer.down()
        with pytest.raises(InstrumentError, match="no|clos|lost"):
            say(port)
        with pytest.raises(InstrumentError) as caught:
            bus.reopen(peer.resource, tries=3, pause_s=0.01)
        assert caught.value.kind == "lost"
        with pytest.raises(InstrumentError, match="was lost"):
            say(port)
        peer.listener = socket.create_server(("127.0.0.1", peer.number), reuse_port=False)
        threading.Thread(target=peer._accept, args=(peer.listener,), daemon=True).start()
        bus.reopen(peer.resource, tries=3, pause_s=0.01)
        assert say(port) == b"hello"


def test_not_while_something_is_armed_on_it(peer: Peer) -> None:
    core = Core(virtual=False)
    with Bus(core) as bus:
        port = bus.port(peer.resource, link=Link())
        far_ns = core.now_ns() + 3_600_000_000_000
        port.arm(b"x\n", LINE, far_ns, far_ns + 1, check=lambda _: None)
        with pytest.raises(InstrumentError) as caught:
            bus.reopen(peer.resource, pause_s=0.0)
        assert caught.value.kind == "busy" and "hold" in caught.value.cure
        core.hold()
        core.clear()
        bus.reopen(peer.resource, pause_s=0.0)
        assert say(port) == b"hello"


def test_what_was_never_open_cannot_be_reopened() -> None:
    with Bus(Core(virtual=False)) as bus, pytest.raises(InstrumentError, match="never open"):
        bus.reopen("ASRL/dev/none::INSTR")


def test_a_driver_goes_on_over_the_new_connection(served_zaber: Callable[[], str]) -> None:
    resource = served_zaber()
    with Bus(Core(virtual=False)) as bus:
        port = bus.port(resource, link=Zaber.LINK)
        axis = Zaber(port, "axis", microstep=0.001, low=0, high=60, accel=50)
        axis.connect()
        who = axis.identify()
        with socket.socket(fileno=os.dup(port.fd)) as cut:
            cut.shutdown(socket.SHUT_RDWR)
        for _ in range(2):
            with pytest.raises(InstrumentError) as caught:
                axis.position()
            assert (caught.value.kind, caught.value.instrument) == ("lost", "axis")
        bus.reopen(resource, pause_s=0.01)
        axis.close()
        axis.connect()
        assert axis.identify() == who
        assert axis.sense().position == 0.0


def test_in_process_too(script: Any) -> None:
    """Through a VISA library, on the virtual clock: closed, waited, opened, proved in step."""
    port = script.port([(b"a\n", b"1\n")])
    assert port.query(b"a\n", LINE, 1.0, who="one") == b"1"
    script.library.broken = True
    for _ in range(2):
        with pytest.raises(InstrumentError, match="lost") as caught:
            port.query(b"b\n", LINE, 1.0, who="one")
        assert caught.value.kind == "lost"
    script.library.broken = False
    before_ns = script.core.now_ns()
    script.bus.reopen(port.resource, pause_s=2.0)
    assert script.core.now_ns() - before_ns >= 2_000_000_000
    script.then((b"b\n", b"2\n"))
    assert port.query(b"b\n", LINE, 1.0, who="one") == b"2"
