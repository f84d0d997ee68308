"""The guardian: a controller that is killed or stopped is parked by another process.

The witness is the instrument's end of the line, held by this process.
"""

import contextlib
import fcntl
import os
import pty
import select
import signal
import socket
import subprocess
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lbl._core import Core, Guardian

pytestmark = pytest.mark.timeout(60)

PATIENCE_S = 10.0

CONTROLLER = """
import fcntl, os, socket, sys
from lbl._core import Core, Guardian
kind, where, lock, note, guarded, speed = sys.argv[1:]
if kind == "tcp":
    line = socket.create_connection(("127.0.0.1", int(where)))
    fd = line.fileno()
else:
    fd = os.open(where, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
lock_fd = os.open(lock, os.O_RDWR | os.O_CREAT)
fcntl.flock(lock_fd, fcntl.LOCK_EX)
note_fd = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
core = Core(virtual=False, speed=float(speed))
early = core.add_fd("early", fd)
guardian = Guardian(core)
pid = guardian.start(lock_fd=lock_fd, note_fd=note_fd) if guarded == "yes" else 0
late = core.add_fd("late", fd)
rate = float(speed) or 1.0
core.safe_programme(
    [(0, early, b"STOP\\n"), (int(150_000_000 * rate), late, b"DOWN\\n")]
)
now_ns = core.now_ns()
for n in range(20):
    at_ns = now_ns + int((500_000_000 + n * 1_000_000) * rate)
    core.confirm(core.arm(early, b"stale\\n", at_ns, at_ns + int(60_000_000_000 * rate)))
print(pid, flush=True)
for command in sys.stdin:
    if command == "release\\n":
        guardian.release()
        sys.exit()
    if command == "replace\\n":
        core.safe_programme([(0, late, b"NEW\\n")])
        core.hold()
        core.remove(early)
    print("done", flush=True)
"""


@dataclass
class Stage:
    """A controller at work, the far end of its line, and the files it was given."""

    process: subprocess.Popen[str]
    guardian: int
    far: int
    lock: Path
    note: Path

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def read(self, size: int) -> bytes:
        """What the instrument gets; shorter when the last copy of the line is closed."""
        data = b""
        while len(data) < size and select.select([self.far], [], [], PATIENCE_S)[0]:
            try:
                more = os.read(self.far, size - len(data))
            except OSError:
                break
            if not more:
                break
            data += more
        return data

    def read_to_the_end(self) -> bytes:
        return self.read(1 << 20)

    def locked(self) -> bool:
        with open(self.lock, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


Raise = Callable[..., Stage]


@pytest.fixture
def stage(tmp_path: Path, run_python: Callable[..., subprocess.Popen[str]]) -> Iterator[Raise]:
    with contextlib.ExitStack() as stack:

        def raise_curtain(kind: str = "tcp", *, guarded: bool = True, speed: float = 0.0) -> Stage:
            lock, note = tmp_path / "lock", tmp_path / "note"
            if kind == "tcp":
                server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
                where = str(server.getsockname()[1])
            else:
                far, near = pty.openpty()
                tty.setraw(near)
                where = os.ttyname(near)
                stack.callback(os.close, far)
            words = [kind, where, str(lock), str(note), "yes" if guarded else "no", str(speed)]
            process = run_python(CONTROLLER, *words)
            if kind == "tcp":
                far = stack.enter_context(server.accept()[0]).fileno()
            assert process.stdout is not None
            guardian = int(process.stdout.readline())
            if kind == "pty":
                os.close(near)
            return Stage(process, guardian, far, lock, note)

        yield raise_curtain


@pytest.mark.parametrize("kind", ["tcp", "pty"])
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV])
@pytest.mark.fault("A17")
def test_a_controller_that_dies_or_stops_is_parked(
    stage: Raise, kind: str, blow: signal.Signals
) -> None:
    scene = stage(kind)
    scene.process.send_signal(blow)
    assert scene.read(5) == b"STOP\n"
    assert scene.locked()
    assert scene.read_to_the_end() == b"DOWN\n"
    assert not scene.locked()
    assert scene.note.read_text() == "parked by the guardian: sent 2 lost 0\n"
    expected = signal.SIGSEGV if blow == signal.SIGSEGV else signal.SIGKILL
    assert scene.process.wait(PATIENCE_S) == -expected


def test_it_keeps_the_delays_of_a_scaled_clock(stage: Raise) -> None:
    scene = stage(speed=100_000.0)  # unscaled, the second step would come after four hours
    scene.process.kill()
    assert scene.read_to_the_end() == b"STOP\nDOWN\n"


def test_a_continued_controller_sends_nothing_stale(stage: Raise) -> None:
    scene = stage()
    scene.process.send_signal(signal.SIGSTOP)
    assert scene.read(5) == b"STOP\n"
    scene.process.send_signal(signal.SIGCONT)
    assert scene.read_to_the_end() == b"DOWN\n"
    assert scene.process.wait(PATIENCE_S) == -signal.SIGKILL


def test_without_a_guardian_it_would(stage: Raise) -> None:
    scene = stage(guarded=False)
    scene.process.send_signal(signal.SIGSTOP)
    select.select([], [], [], 0.7)
    scene.process.send_signal(signal.SIGCONT)
    assert scene.read(20 * 6) == b"stale\n" * 20


def test_it_can_be_asked_directly(stage: Raise) -> None:
    scene = stage()
    os.kill(scene.guardian, signal.SIGUSR1)
    assert scene.read_to_the_end() == b"STOP\nDOWN\n"
    assert scene.process.wait(PATIENCE_S) == -signal.SIGKILL


def test_it_survives_what_ends_others(stage: Raise) -> None:
    scene = stage()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
        os.kill(scene.guardian, number)
    scene.process.kill()
    assert scene.read_to_the_end() == b"STOP\nDOWN\n"


def test_it_plays_the_newest_programme(stage: Raise) -> None:
    scene = stage()
    scene.tell("replace")
    scene.process.kill()
    assert scene.read_to_the_end() == b"NEW\n"


def test_an_orderly_close_parks_nothing(stage: Raise) -> None:
    scene = stage()
    with contextlib.suppress(OSError):
        scene.tell("release")
    assert scene.process.wait(PATIENCE_S) == 0
    assert scene.read_to_the_end() == b""
    assert not scene.locked()
    assert scene.note.read_text() == ""


def test_it_stands_apart(stage: Raise) -> None:
    scene = stage()
    assert os.getsid(scene.guardian) == scene.guardian
    assert os.readlink(f"/proc/{scene.guardian}/cwd") == "/"
    names = [
        os.readlink(f"/proc/{scene.guardian}/fd/{fd}")
        for fd in os.listdir(f"/proc/{scene.guardian}/fd")
    ]
    assert names.count("/dev/null") == 3
    assert not [name for name in names if name.startswith(("pipe:", "/dev/pts", "/dev/tty"))]


def test_start_and_release(wire: Any) -> None:
    core = Core(virtual=False)
    guardian = Guardian(core)
    assert (guardian.pid, guardian.alive) == (0, False)
    guardian.release()
    pid = guardian.start()
    assert (guardian.pid, guardian.alive) == (pid, True)
    with pytest.raises(RuntimeError, match="has a guardian"):
        guardian.start()
    guardian.release()
    assert (guardian.pid, guardian.alive) == (0, False)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert guardian.start() != 0
    guardian.release()


def test_closing_a_channel_closes_its_copy(wire: Any, two_wires: Any) -> None:
    with two_wires() as wires:
        core = Core(virtual=False)
        guardian = Guardian(core)
        guardian.start()
        copy = os.dup(wires[0].ours)
        channel = core.add_fd("pump", copy)
        core.safe_programme([(0, channel, b"STP")])

        def copies() -> int:
            inode = f"socket:[{os.fstat(copy).st_ino}]"
            folder = f"/proc/{guardian.pid}/fd"
            return sum(os.readlink(f"{folder}/{fd}") == inode for fd in os.listdir(folder))

        assert copies() == 1
        core.remove(channel)
        assert copies() == 0
        guardian.release()
        os.close(copy)


def test_a_lost_guardian_is_told(wire: Any, until: Callable[..., None]) -> None:
    core = Core(virtual=False)
    guardian = Guardian(core)
    os.kill(guardian.start(), signal.SIGKILL)
    until(lambda: not guardian.alive, "the guardian to be gone")
    with pytest.raises(OSError, match="guardian did not take a descriptor"):
        core.add_fd("pump", wire.ours)
    with pytest.raises(OSError, match="guardian did not take the safe programme"):
        core.safe_programme([])
    with pytest.raises(OSError, match="guardian did not let go"):
        guardian.release()
    core.safe_programme([])


def test_a_virtual_clock_needs_none() -> None:
    with pytest.raises(ValueError, match="virtual"):
        Guardian(Core(virtual=True))
