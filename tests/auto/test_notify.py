"""What a service manager hears, and that a program without one does not mind."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lbl.auto.notify import STATUS_MAX, Notify


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    name = f"@lbl-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind("\0" + name[1:] if name.startswith("@") else name)
        made.settimeout(5)
        yield made, name


def test_a_manager_hears_each_word(manager: tuple[socket.socket, str]) -> None:
    heard, name = manager
    notify = Notify({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000"})
    assert notify.watchdog_s == 30.0
    notify.ready()
    notify.status("wait\nfor " + "x" * 500)
    notify.alive()
    notify.stopping()
    words = [heard.recv(4096).decode() for _ in range(4)]
    assert words[0] == "READY=1"
    assert words[1].startswith("STATUS=wait for xxx")
    assert len(words[1]) <= STATUS_MAX + len("STATUS=")
    assert words[2:] == ["WATCHDOG=1", "STOPPING=1"]
    notify.close()


@pytest.mark.fault("A9")
def test_a_manager_that_is_full_or_gone_delays_nothing(manager: tuple[socket.socket, str]) -> None:
    heard, name = manager
    notify = Notify({"NOTIFY_SOCKET": name})
    for _ in range(5000):  # far more than the queue of a socket holds
        notify.alive()
    heard.close()
    notify.alive()
    notify.close()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": "vsock:2:1234", "WATCHDOG_USEC": "x"},
        {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
    ],
)
def test_without_a_manager_nothing_happens(environment: dict[str, str]) -> None:
    notify = Notify(environment)
    notify.ready()
    notify.alive()
    assert notify.watchdog_s == 0.0
    notify.close()
