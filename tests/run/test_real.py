"""Real processes: `lbl run` against `lbl sim serve`, over TCP and pty, killed, stopped, resumed.

The peer is the witness: after the controller has gone, its instruments are asked by somebody else,
and the served world's own ledger judges the film.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

LBL = [sys.executable, "-m", "lbl.cli"]
SPEED = "60"
SHORT = ["--set", "bilayers=1", "--set", "dwell=60 s"]
QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

pytestmark = pytest.mark.timeout(150)


@dataclass
class Bench:
    """A served bench: its file, its ledger, and where each instrument answers."""

    folder: Path
    where: dict[str, dict[str, Any]]

    @property
    def exposures(self) -> list[dict[str, Any]]:
        return [row for row in self.ledger if row["kind"] == "exposure"]

    @property
    def ledger(self) -> list[dict[str, Any]]:
        text = (self.folder / "ledger.jsonl").read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def ask(self, name: str, question: bytes) -> bytes:
        """What an instrument answers to somebody who is not the controller."""
        place = self.where[name]
        if "pty" in place:
            fd = os.open(str(place["pty"]), os.O_RDWR | os.O_NOCTTY)
            try:
                os.write(fd, question)
                return line(fd)
            finally:
                os.close(fd)
        with socket.create_connection(("127.0.0.1", place["port"]), timeout=5) as peer:
            peer.sendall(question)
            return line(peer.fileno())


def line(fd: int) -> bytes:
    answer = b""
    while not answer.endswith(b"\n") and select.select([fd], [], [], 2.0)[0]:
        answer += os.read(fd, 256)
    return answer.strip()


@pytest.fixture(params=["dip-tcp", "dip-pty", "flow-tcp", "flow-pty"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    kind, transport = request.param.split("-")
    words = ["sim", "serve", kind, f"--{transport}", "--speed", SPEED, "--recipe", "demo"]
    files = ["--ledger", "ledger.jsonl", "--write-bench", "served.yaml"]
    with subprocess.Popen(
        [*LBL, *words, *files], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        where: dict[str, dict[str, Any]] = {}
        for text in server.stdout:
            fact = json.loads(text)
            if "ready" in fact:
                break
            where[fact["name"]] = fact
        yield Bench(tmp_path, where)
        server.send_signal(signal.SIGINT)
        server.wait(10)


def start(bench: Bench, *words: str) -> subprocess.Popen[bytes]:
    given = words or ("run", "demo", "--bench", "served.yaml", *SHORT)
    return subprocess.Popen([*LBL, *given], cwd=bench.folder, start_new_session=True, **QUIET)


def events(bench: Bench) -> list[dict[str, Any]]:
    found = list(bench.folder.glob("runs/*/journal.jsonl"))
    if not found:
        return []
    text = found[0].read_text()
    return [json.loads(one) for one in text[: text.rfind("\n") + 1].splitlines()]


def until(what: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that must happen; the bound only ends a test that has failed."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def landed(bench: Bench, vessel: str) -> bool:
    return any(
        event["kind"] == "transfer-outcome" and event["payload"]["vessel"] == vessel
        for event in events(bench)
    )


def film(bench: Bench) -> list[str]:
    names = [r["solution"] for r in bench.exposures if r["solution"] in ("PDAC", "BR")]
    return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]


def whole(bench: Bench) -> None:
    assert film(bench) == ["PDAC", "BR"]
    assert not [row for row in bench.ledger if row["kind"] == "collision"]
    done = [e["payload"]["deposition"] for e in events(bench) if e["kind"] == "deposition-done"]
    assert done == [1, 2]


def test_a_film_over_the_wire(bench: Bench) -> None:
    run = start(bench)
    assert run.wait(100) == 0
    whole(bench)
    closed = next(e for e in events(bench) if e["kind"] == "run-closed")
    assert closed["payload"]["timing"]["all"]["missed"] == 0


@pytest.mark.parametrize(
    ("bench", "how"),
    [("dip-tcp", signal.SIGKILL), ("dip-pty", signal.SIGSTOP)],
    indirect=["bench"],
)
@pytest.mark.fault("A1")
def test_a_dead_controller_leaves_the_outputs_off_and_is_resumed(
    bench: Bench, how: signal.Signals
) -> None:
    run = start(bench)
    try:
        until(lambda: landed(bench, "polycation"))
        run.send_signal(how)
        until(lambda: bench.ask("bath", b"in_mode_05\r") == b"0", 20.0)
        assert bench.ask("led", b"OUTPUT1:STATE?\n") in (b"0", b"OFF")
        # A stopped controller is killed before its bench is parked: it must never come back.
        assert run.wait(20) == -signal.SIGKILL
    finally:
        run.kill()
        run.wait(10)
    resumed = start(bench, "resume", "last")
    assert resumed.wait(100) == 0
    whole(bench)


@pytest.mark.parametrize("bench", ["flow-tcp"], indirect=True)
@pytest.mark.fault("A17")
def test_a_pump_ends_its_exchange_without_its_controller(bench: Bench) -> None:
    run = start(bench)
    try:
        until(lambda: landed(bench, "polycation"))
        until(lambda: any(exposed(event) for event in events(bench)))
        run.send_signal(signal.SIGKILL)
        until(lambda: bench.ask("led", b"OUTPUT1:STATE?\n") in (b"0", b"OFF"), 20.0)
        # Whether by the string under way or by the dead-man's: the cell is full of rinse again.
        until(lambda: bench.ledger[-1].get("entered") == "rinse", 20.0)
    finally:
        run.kill()
        run.wait(10)
    resumed = start(bench, "resume", "last")
    assert resumed.wait(100) == 0
    whole(bench)
    assert not [row for row in bench.ledger if row["kind"] == "air" and row["dried"]]


def exposed(event: dict[str, Any]) -> bool:
    """Whether the first counted exposure has just ended: the pump is at it."""
    ended = event["kind"] == "step-outcome" and event["payload"]["act"] == "expose"
    return bool(ended and event["step"] > 0)


class Cable:
    """A TCP line to an instrument that can be pulled and plugged in again."""

    def __init__(self, port: int) -> None:
        self._far = port
        self._plugged = True
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def pull(self) -> None:
        self._plugged = False

    def plug(self) -> None:
        self._plugged = True

    def end(self) -> None:
        self._ended.set()
        self._thread.join(10)
        self._listener.close()

    def _carry(self) -> None:
        while not self._ended.is_set():
            if not self._plugged:
                self._drop()
                time.sleep(0.01)
                continue
            self._accept()
            for near, far in list(self._pairs):
                self._pass(near, far)
        self._drop()

    def _accept(self) -> None:
        if select.select([self._listener], [], [], 0)[0]:
            near, _ = self._listener.accept()
            self._pairs.append((near, socket.create_connection(("127.0.0.1", self._far))))

    def _pass(self, near: socket.socket, far: socket.socket) -> None:
        for ready in select.select([near, far], [], [], 0.002)[0]:
            data = ready.recv(4096)
            if not data:
                self._pairs.remove((near, far))
                near.close()
                far.close()
                return
            (far if ready is near else near).sendall(data)

    def _drop(self) -> None:
        for pair in self._pairs:
            for one in pair:
                one.close()
        self._pairs.clear()


@pytest.mark.parametrize("bench", ["dip-tcp"], indirect=True)
@pytest.mark.fault("A10")
def test_a_pulled_cable_is_a_hold_and_unhold_takes_it_up_again(bench: Bench) -> None:
    cable = Cable(bench.where["bath"]["port"])
    served = bench.folder / "served.yaml"
    here, there = (f"127.0.0.1::{port}::" for port in (bench.where["bath"]["port"], cable.port))
    served.write_text(served.read_text().replace(here, there))
    run = start(bench)

    def state() -> str:
        found = [event["payload"]["to"] for event in events(bench) if event["kind"] == "state"]
        return found[-1] if found else ""

    try:
        until(lambda: landed(bench, "polycation"))
        cable.pull()
        until(lambda: state() == "Held")
        cable.plug()
        done = subprocess.run([*LBL, "unhold", "last"], cwd=bench.folder, timeout=30, **QUIET)
        assert done.returncode == 0
        assert run.wait(100) == 0
    finally:
        run.kill()
        run.wait(10)
        cable.end()
    whole(bench)
    notes = [event["payload"].get("text", "") for event in events(bench)]
    assert "connected again: bath" in notes
