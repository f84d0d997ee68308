"""Speaks to a service manager: ready, status, watchdog, stopping, over the socket it names.

The protocol is a datagram of lines and is declared stable by systemd, which shows a version of its
own to be copied (sd_notify(3), Notes); so it is written out here rather than taken from a package
that sleeps. Must never wait, and never fail because nobody listens.
"""

import os
import socket
from collections.abc import Mapping
from typing import Final

SOCKET: Final = "NOTIFY_SOCKET"
WATCHDOG: Final = "WATCHDOG_USEC"
WATCHDOG_PID: Final = "WATCHDOG_PID"
STATUS_MAX: Final = 200  # characters


class Notify:
    """The way to the service manager; without one every call does nothing."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Read where it listens and how often it wants to hear from us."""
        path = environment.get(SOCKET, "")
        # "@" is how an abstract name is written: its first byte is NUL.
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self._socket: socket.socket | None = None
        if path.startswith(("/", "@")):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
        self.watchdog_s = _watchdog_s(environment)

    def ready(self) -> None:
        """Start-up is over: outputs are safe."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={' '.join(text.split())[:STATUS_MAX]}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The process is about to end."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, line: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(line.encode(), self._address)
        except OSError:
            return  # a manager that is gone or slow is its own trouble


def _watchdog_s(environment: Mapping[str, str]) -> float:
    """How often the manager wants to be fed at least; 0 for never."""
    try:
        usec = int(environment.get(WATCHDOG, "0"))
        pid = int(environment.get(WATCHDOG_PID, str(os.getpid())))
    except ValueError:
        return 0.0
    return usec / 1e6 if usec > 0 and pid == os.getpid() else 0.0
