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


@pytest.fixture(params=["tcp", "pty"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    words = ["sim", "serve", "dip", f"--{request.param}", "--speed", SPEED, "--recipe", "demo"]
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
    ("bench", "how"), [("tcp", signal.SIGKILL), ("pty", signal.SIGSTOP)], indirect=["bench"]
)
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
