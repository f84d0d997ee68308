"""The bus on real descriptors: TCP and pty peers that answer, vanish, refuse or stop reading."""

import contextlib
import os
import pty
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers import lock
from drivers.bus import Bus, Sync
from drivers.errors import InstrumentError
from drivers.framing import CR, Line
from drivers.link import Link
from lbl._core import Core

LINE = Line()
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def lock_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path


@pytest.fixture
def bus() -> Iterator[Bus]:
    core = Core(virtual=False)
    with Bus(core) as made:
        yield made


@contextlib.contextmanager
def tcp_peer(serve: Callable[[socket.socket], object]) -> Iterator[str]:
    """A server for one client; yields its resource."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            client, _ = server.accept()
            with client, contextlib.suppress(OSError):
                serve(client)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"TCPIP::127.0.0.1::{server.getsockname()[1]}::SOCKET"
        thread.join(5)


def echo(client: socket.socket) -> None:
    while data := client.recv(100):
        client.sendall(data)


def test_a_socket_answers(bus: Bus) -> None:
    with tcp_peer(echo) as resource:
        port = bus.port(resource, link=Link())
        assert port.fd >= 0 and port.channel >= 0
        for word in (b"one", b"two"):
            assert port.query(word + b"\n", LINE, 2.0, who="x") == word
        peer = socket.socket(fileno=os.dup(port.fd))
        assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        peer.close()
        bus.close()


def test_armed_bytes_go_over_the_same_descriptor(bus: Bus) -> None:
    with tcp_peer(echo) as resource:
        port = bus.port(resource, link=Link())
        seen: list[bytes] = []
        now = port.clock.now_ns()
        entry = port.arm(b"go\n", LINE, now + 10_000_000, now + 10**9, check=seen.append)
        port.clock.confirm(entry)  # type: ignore[attr-defined]
        assert port.query(b"q?\n", LINE, 2.0, who="x") == b"q?"
        assert seen == [b"go"]
        bus.close()


def test_a_refused_port_is_lost_at_once(bus: Bus) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    with pytest.raises(InstrumentError, match="refused") as caught:
        bus.port(f"TCPIP::127.0.0.1::{number}::SOCKET", link=Link())
    assert caught.value.kind == "lost"


def test_a_peer_that_closes_is_noticed_at_once(bus: Bus) -> None:
    with tcp_peer(lambda client: client.recv(10) and None) as resource:
        port = bus.port(resource, link=Link())
        with pytest.raises(InstrumentError, match="closed|reset") as caught:
            port.query(b"q?\n", LINE, 20.0, who="x")
        assert caught.value.kind == "lost"
        bus.close()


def test_a_peer_that_stops_reading_blocks_nobody(bus: Bus) -> None:
    stop = threading.Event()
    with tcp_peer(lambda client: stop.wait(10) and None) as resource:
        port = bus.port(resource, link=Link())
        with pytest.raises(InstrumentError, match="took no bytes"):
            port.write(bytes(30_000_000), who="x")
        stop.set()
        bus.close()


def test_silence_on_a_socket(bus: Bus) -> None:
    stop = threading.Event()
    with tcp_peer(lambda client: stop.wait(10) and None) as resource:
        port = bus.port(resource, link=Link())
        with pytest.raises(InstrumentError) as caught:
            port.query(b"q?\n", LINE, 0.05, who="x")
        assert caught.value.kind == "no answer"
        stop.set()
        bus.close()


def test_a_late_answer_on_a_socket_is_thrown_away(bus: Bus) -> None:
    gate = threading.Event()

    def serve(client: socket.socket) -> None:
        client.recv(100)
        gate.wait(5)
        client.sendall(b"late\n")
        echo(client)

    with tcp_peer(serve) as resource:
        port = bus.port(resource, link=Link())
        with pytest.raises(InstrumentError):
            port.query(b"q?\n", LINE, 0.05, who="x")
        gate.set()
        sync = Sync(b"who\n", lambda message: message == b"who")
        assert port.query(b"new\n", LINE, 2.0, who="x", sync=sync) == b"new"
        bus.close()


def test_a_pty_takes_no_parity_and_says_so(bus: Bus) -> None:
    master, slave = pty.openpty()
    link = Link(baud=4800, data_bits=7, parity="even", flow="rtscts")
    port = bus.port(f"ASRL{os.ttyname(slave)}::INSTR", link=link)
    assert len(port.notes) <= 1  # kernels differ in what a pty refuses
    answer = threading.Thread(target=lambda: os.write(master, os.read(master, 10) and b"22.07\r"))
    answer.start()
    assert port.query(b"in_pv_00\r", Line(end=CR), 2.0, who="x") == b"22.07"
    answer.join()
    os.close(slave)
    os.close(master)
    with pytest.raises(InstrumentError) as caught:
        port.query(b"in_pv_00\r", Line(end=CR), 2.0, who="x")
    assert caught.value.kind == "lost"


def test_a_serial_resource_over_tcp(bus: Bus) -> None:
    with tcp_peer(echo) as resource:
        number = resource.split("::")[2]
        link = Link(data_bits=7, parity="even")
        port = bus.port(f"ASRLsocket://127.0.0.1:{number}::INSTR", link=link)
        assert port.query(b"one\n", LINE, 2.0, who="x") == b"one"
        bus.close()


def test_one_port_a_resource_and_one_setting(bus: Bus) -> None:
    with tcp_peer(echo) as resource:
        port = bus.port(resource, link=Link())
        assert bus.port(resource.lower().replace("socket", "SOCKET"), link=Link()) is port
        with pytest.raises(InstrumentError, match="already open with"):
            bus.port(resource, link=Link(baud=300))
        bus.close()


def test_an_in_process_library_needs_no_lock(script: Any, lock_folder: Path) -> None:
    script.port()
    assert list(lock_folder.iterdir()) == []


def test_an_absent_instrument_is_named(script: Any) -> None:
    with pytest.raises(InstrumentError, match="does not open") as caught:
        script.bus.port("ASRL/dev/absent::INSTR", link=Link())
    assert caught.value.kind == "lost"
    assert caught.value.resource == "ASRL/dev/absent::INSTR"


def test_a_library_that_cannot_count_is_asked_without(script: Any) -> None:
    script.library.counts = False
    port = script.port([(b"q?\n", b"1\n2\n"), (b"r?\n", b"3\n")])
    assert port.query(b"q?\n", LINE, 0.5, who="x") == b"1"
    assert port.query(b"r?\n", LINE, 0.5, who="x") == b"2"  # why drivers give a Sync


def test_a_library_that_fails_is_a_lost_port(script: Any) -> None:
    port = script.port()
    script.library.broken = True
    with pytest.raises(InstrumentError) as caught:
        port.query(b"q?\n", LINE, 0.5, who="x")
    assert caught.value.kind == "lost"


HOLDER = """
import sys, tempfile
tempfile.gettempdir = lambda: sys.argv[1]
from drivers.lock import PortLock
held = PortLock(sys.argv[2], "run demo-7")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_by_pid_and_purpose(lock_folder: Path, bus: Bus) -> None:
    with tcp_peer(echo) as resource:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(lock_folder), resource],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(InstrumentError, match=f"process {holder.pid} .run demo-7.") as caught:
            bus.port(resource, link=Link(), purpose="second")
        assert caught.value.kind == "locked"
        holder.kill()
        holder.communicate()
        bus.port(resource, link=Link(), purpose="second")  # the kernel dropped the lock
        assert lock.holder(resource) == lock.Holder(os.getpid(), "second")
        bus.close()


def test_a_second_bus_in_this_process_is_refused_too(bus: Bus) -> None:
    with tcp_peer(echo) as resource:
        bus.port(resource, link=Link(), purpose="first")
        other = Bus(Core(virtual=False))
        with pytest.raises(InstrumentError, match="first"):
            other.port(resource, link=Link())
        other.close()
        bus.close()


def test_links_of_a_serial_device_share_one_lock(tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to("/dev/null")
    assert lock.lock_path(f"ASRL{link}::INSTR") == lock.lock_path("ASRL/dev/null::INSTR")
    assert lock.lock_path("TCPIP::host::1::SOCKET") == lock.lock_path("tcpip::HOST::1::SOCKET")
    assert lock.lock_path("TCPIP::a::1::SOCKET") != lock.lock_path("TCPIP::b::1::SOCKET")


def test_a_lock_folder_of_somebody_else_is_refused(lock_folder: Path) -> None:
    (lock_folder / f"lbl-locks-{os.getuid()}").symlink_to(lock_folder)
    with pytest.raises(InstrumentError, match="not a folder of ours"):
        lock.PortLock("TCPIP::a::1::SOCKET", "x")


def test_a_damaged_note_is_only_words(lock_folder: Path) -> None:
    held = lock.PortLock("TCPIP::a::1::SOCKET", "x")
    path = lock.lock_path("TCPIP::a::1::SOCKET")
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.with_suffix(".json").write_text("{")
    with pytest.raises(InstrumentError, match="another process"):
        lock.PortLock("TCPIP::a::1::SOCKET", "y")
    held.release()
    held.release()


def test_importing_the_drivers_loads_no_pyvisa() -> None:
    code = "import drivers, sys; sys.exit('pyvisa' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_what_is_late_on_a_librarys_socket_is_no_answer(script: Any) -> None:
    """A socket cannot say how many bytes wait: it is read without waiting instead."""
    port = script.bus.port("TCPIP0::127.0.0.1::5025::SOCKET", link=Link())
    script.library.counts = False
    script.then((b"A?\n", b"1\n"), (b"B?\n", b"2\n"))
    assert port.query(b"A?\n", Line(), 1.0, who="x") == b"1"
    script.library.waiting = b"0\n"
    assert port.query(b"B?\n", Line(), 1.0, who="x") == b"2"
    assert port.unasked == 2
