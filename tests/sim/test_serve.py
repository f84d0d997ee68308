"""Serving over TCP and pseudo-terminals, driven by plain sockets and descriptors."""

import json
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sim.assembly import Assembly
from sim.motion import Motion
from sim.port import Spec
from sim.serve import CLIENTS_MAX, serve

ARM = "ASRL/dev/lbl/arm::INSTR"
SPECS = (
    Spec("lift", "zaber", ARM, 1, link="arm.z"), Spec("turn", "zaber", ARM, 2),
    Spec("meter", "pm100d", "USB0::0x1313::0x8078::P0012345::INSTR"),
    Spec("feed", "newera", "ASRL/dev/lbl/feed::INSTR", 0),
)  # fmt: skip
PATIENCE_S = 10.0


class Hall:
    """A world that notes one row when a motion ends."""

    def __init__(self) -> None:
        self.ledger: list[dict[str, object]] = []
        self._motion: Motion | None = None

    def link(self, text: str) -> object:
        return self

    def moved(self, motion: Motion) -> None:
        self._motion = motion

    def advance(self, now_ns: int) -> None:
        if self._motion is not None and now_ns >= self._motion.end_ns:
            self.ledger.append({"kind": "exposure", "end_s": self._motion.end_ns / 1e9})
            self._motion = None

    def snapshot(self) -> dict[str, Any]:
        return {}

    def restore(self, state: object) -> None: ...


@contextmanager
def served(transport: str = "tcp", **kwargs: Any) -> Iterator[dict[str, dict[str, Any]]]:
    """Serve SPECS in a thread; gives the announced lines by name."""
    lines: list[dict[str, Any]] = []
    ready, stop = threading.Event(), threading.Event()

    def announce(line: dict[str, object]) -> None:
        lines.append(line)
        if line.get("ready"):
            ready.set()

    assembly = Assembly(SPECS, Hall())
    thread = threading.Thread(
        target=serve,
        args=(assembly,),
        kwargs={
            "transport": transport,
            "announce": announce,
            "stop": stop.is_set,
            **kwargs,
        },  # fmt: skip
    )
    thread.start()
    try:
        assert ready.wait(PATIENCE_S)
        assert lines[-1] == {"ready": True}
        yield {line["name"]: line for line in lines[:-1]}
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


def connected(line: dict[str, Any]) -> socket.socket:
    return socket.create_connection(("127.0.0.1", line["port"]), timeout=PATIENCE_S)


def talk(client: socket.socket, text: bytes, end: bytes = b"\n") -> bytes:
    """Send and receive until `end` comes; an error if it does not come in time."""
    client.sendall(text)
    return heard(client, end)


def heard(client: socket.socket, end: bytes = b"\n") -> bytes:
    data = b""
    while not data.endswith(end):
        more = client.recv(100)
        assert more, data
        data += more
    return data


def until(true: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE_S / 0.01)):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


def test_what_is_announced() -> None:
    with served() as lines:
        assert set(lines) == {"lift", "turn", "meter", "feed"}
        lift, turn = lines["lift"], lines["turn"]
        assert lift["model"] == "Zaber X-series linear stage"
        assert lift["port"] == turn["port"] != lines["meter"]["port"]
        assert lift["resource"] == f"TCPIP::127.0.0.1::{lift['port']}::SOCKET"
        json.dumps(lines)


def test_clients_of_one_port_come_go_and_share_it() -> None:
    with served(speed=100.0) as lines:
        first = connected(lines["lift"])
        assert talk(first, b"/1 1\n") == b"@01 1 OK IDLE WR 0\r\n"
        second = connected(lines["turn"])
        assert talk(second, b"/2 1\n") == b"@02 1 OK IDLE WR 0\r\n"
        assert talk(first, b"/1 1\n") == b"@01 1 OK IDLE WR 0\r\n"
        first.close()
        assert talk(second, b"/2 1\n") == b"@02 1 OK IDLE WR 0\r\n"
        second.close()
        many = [connected(lines["lift"]) for _ in range(CLIENTS_MAX + 2)]
        assert talk(many[0], b"/1 1\n").startswith(b"@01")
        for each in many:
            each.close()


def test_binary_packets_and_other_instruments() -> None:
    with served(speed=100.0) as lines, connected(lines["feed"]) as pump:
        assert talk(pump, b"\r", b"\x03") == b"\x0200A?R\x03"
        assert talk(pump, b"\x02\x08SAF0\x55\x43\x03", b"\x03") == b"\x0200S\x03"
        with connected(lines["meter"]) as meter:
            assert talk(meter, b"*IDN?\n") == b"THORLABS,PM100D,P0012345,2.8.0\n"


def test_speed_latency_split_and_unasked_messages() -> None:
    with (
        served(speed=200.0, latency_ms=20.0, split=True) as lines,
        connected(lines["lift"]) as client,
    ):
        begun = time.monotonic()
        assert talk(client, b"/1 1\n") == b"@01 1 OK IDLE WR 0\r\n"
        assert time.monotonic() - begun >= 0.02
        client.sendall(b"/1 1 home\n/1 set comm.alert 1\n/1 1 move abs 40000\n")
        rest = heard(client, b"!01 1 IDLE --\r\n")
        assert b"@01 1 OK BUSY -- 0\r\n" in rest


def test_a_split_answer_is_two_writes() -> None:
    with served(split=True) as lines, connected(lines["lift"]) as client:
        for _ in range(100):  # a busy machine may read both parts at once
            client.sendall(b"/1 1\n")
            first = client.recv(100)
            if first == b"@01 1 OK I":
                break
        assert first == b"@01 1 OK I"
        assert heard(client) == b"DLE WR 0\r\n"


def test_only_serves_what_is_named() -> None:
    with served(only=["turn"]) as lines:
        assert set(lines) == {"turn"}
        with connected(lines["turn"]) as client:
            assert talk(client, b"/1\n").startswith(b"@01")


def test_the_ledger_grows_as_exposures_complete(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    with (
        served(speed=100.0, ledger=file) as lines,
        connected(lines["lift"]) as client,
    ):
        talk(client, b"/1 1 move abs 20000\n")
        until(lambda: file.read_text() != "")
        talk(client, b"/1 1 move abs 0\n")
        until(lambda: len(file.read_text().splitlines()) == 2)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["kind"] for row in rows] == ["exposure", "exposure"]


def test_a_peer_that_does_not_read_blocks_nobody() -> None:
    with served(speed=100.0) as lines, connected(lines["lift"]) as deaf:
        deaf.setblocking(False)
        try:
            for _ in range(200):
                deaf.send(b"/\n" * 2000)
        except BlockingIOError:
            pass
        with connected(lines["meter"]) as meter:
            assert talk(meter, b"*OPC?\n") == b"1\n"


def test_a_pty_is_a_serial_port() -> None:
    with served("pty", speed=100.0) as lines:
        path = lines["lift"]["pty"]
        assert lines["turn"]["pty"] == path
        assert lines["lift"]["resource"] == f"ASRL{path}::INSTR"
        for _ in range(2):  # a client may come back
            line = os.open(path, os.O_RDWR | os.O_NOCTTY)
            os.write(line, b"/2 1\n")
            data = b""
            while not data.endswith(b"\n"):
                assert select.select([line], [], [], PATIENCE_S)[0]
                data += os.read(line, 100)
            assert data == b"@02 1 OK IDLE WR 0\r\n"
            os.close(line)


@pytest.mark.parametrize(
    "wrong",
    [
        {"transport": "pigeon"}, {"speed": 0.0}, {"latency_ms": -1.0}, {"only": ["nobody"]},
        {"only": []},
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        serve(
            Assembly(SPECS, Hall()),
            announce=lambda line: None,
            stop=lambda: True,
            **{"transport": "tcp", **wrong},
        )
