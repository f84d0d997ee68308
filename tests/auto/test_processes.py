"""Real processes: power cuts, a service manager, and a bench behind wires that somebody left on."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.auto.conftest import Box

LBL = [sys.executable, "-m", "lbl.cli"]
QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
BILAYERS = 20
KILLS = 4
Whole = Callable[[Box, int], None]


def until(what: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that must happen; the bound only ends a test that has failed."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.002)


def start(box: Box, *words: str, **given: Any) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([*LBL, "auto", str(box.path), *words], **{**QUIET, **given})


def records(box: Box) -> int:
    """How much journal there is, in bytes; 0 without a run."""
    return sum(path.stat().st_size for path in box.runs.glob("*/journal.jsonl"))


def test_a_film_through_power_cuts_has_every_deposition_once(box: Box, whole: Whole) -> None:
    box.write("restarts: {times: 100, within: 1 h}", sets=f"bilayers: {BILAYERS}")
    chance, cuts = random.Random(7), 0
    for _ in range(KILLS):
        with start(box) as process:
            end = records(box) + chance.randrange(1, 100_000)
            until(lambda end=end, process=process: records(box) > end or process.poll() is not None)  # type: ignore[misc]
            cuts += process.poll() is None
            process.kill()
    with start(box) as process:
        assert process.wait(60) == 0
    assert cuts >= KILLS // 2
    assert box.beacon["start"] > cuts
    whole(box, BILAYERS)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.settimeout(30)
        yield made


def told(manager: socket.socket, tmp_path: Path, watchdog_s: float = 0.3) -> dict[str, str]:
    return {
        **os.environ,
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": str(int(watchdog_s * 1e6)),
    }


def test_a_service_manager_is_told_and_a_stop_is_a_hold(
    box: Box, tmp_path: Path, manager: socket.socket
) -> None:
    """At 600 times real time the film lasts seconds: long enough to be fed, and to be stopped."""
    box.write(speed="600")
    words: list[str] = []
    with start(box, env=told(manager, tmp_path)) as process:
        while words.count("WATCHDOG=1") < 5:
            words.append(manager.recv(4096).decode())
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 5
    assert words[0].startswith("STATUS=safe")
    assert words.index("READY=1") < [word[:12] for word in words].index("STATUS=drive")
    assert any(word.startswith("STATUS=drive") for word in words)
    states = [event["payload"].get("to") for event in box.events if event["kind"] == "state"]
    assert states[-1] == "Held"
    box.write()
    with start(box) as process:
        assert process.wait(60) == 0
    assert box.beacon["restarts_left"] == 5, "a stop is no crash"


@pytest.fixture
def served(box: Box) -> Iterator[dict[str, Any]]:
    """A bench behind TCP; name -> what was announced of it."""
    words = ["sim", "serve", "dip", "--tcp", "--speed", "240", "--recipe", "demo"]
    files = ["--ledger", "ledger.jsonl", "--write-bench", "served.yaml"]
    with subprocess.Popen(
        [*LBL, *words, *files], cwd=box.folder, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        where: dict[str, Any] = {}
        for line in server.stdout:
            fact = json.loads(line)
            if "ready" in fact:
                break
            where[fact["name"]] = fact
        yield where
        server.send_signal(signal.SIGINT)
        server.wait(10)


def ask(port: int, question: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
        peer.sendall(question)
        return peer.recv(256).strip()


def order(port: int, command: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
        peer.sendall(command)
        time.sleep(0.1)  # the model takes what has arrived before the line is closed


def test_outputs_that_were_left_on_are_off_before_anything_else(
    box: Box, served: dict[str, Any]
) -> None:
    """The recipe cannot even be read: that needs a person, and outputs do not wait for one."""
    led, bath = served["led"]["port"], served["bath"]["port"]
    order(led, b"OUTPUT1:STATE ON\n")
    order(bath, b"out_mode_05 1\r")
    assert ask(led, b"OUTPUT1:STATE?\n") in (b"1", b"ON")
    assert ask(bath, b"in_mode_05\r") == b"1"
    (box.folder / "broken.yaml").write_text("lbl: [")
    box.write(recipe="broken.yaml", bench="served.yaml", speed="''")
    with start(box, "--once") as process:
        assert process.wait(60) == 2
    assert ask(led, b"OUTPUT1:STATE?\n") in (b"0", b"OFF")
    assert ask(bath, b"in_mode_05\r") == b"0"
    ledger = box.folder / "ledger.jsonl"
    assert not ledger.exists() or not ledger.read_text(), "nothing moved"


def test_a_killed_controller_is_followed_up_over_wires(box: Box, served: dict[str, Any]) -> None:
    """Its guardian parks the bench, and the next start waits for that, then goes on."""
    box.write(bench="served.yaml", sets="bilayers: 1, dwell: 60 s", speed="''")
    with start(box) as process:
        until(lambda: b'"solution":"PDAC"' in journal(box) and b"transfer-outcome" in journal(box))
        process.kill()
    with start(box) as process:
        assert process.wait(90) == 0
    rows = [json.loads(line) for line in (box.folder / "ledger.jsonl").read_text().splitlines()]
    film = [row["solution"] for row in rows if row.get("solution") in ("PDAC", "BR")]
    assert [one for n, one in enumerate(film) if not n or film[n - 1] != one] == ["PDAC", "BR"]
    done = [e["payload"]["deposition"] for e in box.events if e["kind"] == "deposition-done"]
    assert done == [1, 2]
    assert box.beacon["restarts_left"] == 4


def journal(box: Box) -> bytes:
    return b"".join(path.read_bytes() for path in box.runs.glob("*/journal.jsonl"))
