"""What the tests of the timing core share: wires with both ends, controllers to kill, C compilers.

Absolute times are never asserted: other programs share the machine.
"""

import contextlib
import os
import pty
import select
import shutil
import socket
import subprocess
import sys
import time
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lbl._core import Core

ROOT = Path(__file__).parents[2]
PATIENCE_S = 10.0


@dataclass
class Wire:
    """Both ends of one line: `ours` is given to the core, `theirs` is the instrument's."""

    ours: int
    theirs: int

    def read(self, size: int, patience_s: float = PATIENCE_S) -> bytes:
        """Up to `size` bytes the instrument got; fewer at end of file or when patience ends."""
        data = b""
        while len(data) < size and select.select([self.theirs], [], [], patience_s)[0]:
            try:
                more = os.read(self.theirs, size - len(data))
            except OSError:  # a pty whose other end is closed
                more = b""
            if not more:
                break
            data += more
        return data

    def waiting(self) -> bytes:
        """What the instrument got so far."""
        return self.read(1 << 20, 0.0)


def open_wire(kind: str, stack: contextlib.ExitStack) -> Wire:
    if kind == "pty":
        master, slave = pty.openpty()
        tty.setraw(slave)
        stack.callback(os.close, master)
        stack.callback(close_quietly, slave)
        return Wire(slave, master)
    ours, theirs = socket.socketpair()
    stack.callback(ours.close)
    stack.callback(theirs.close)
    return Wire(ours.fileno(), theirs.fileno())


def close_quietly(fd: int) -> None:
    with contextlib.suppress(OSError):
        os.close(fd)


@pytest.fixture
def wire() -> Iterator[Wire]:
    with contextlib.ExitStack() as stack:
        yield open_wire("socket", stack)


@pytest.fixture(params=["socket", "pty"])
def any_wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    with contextlib.ExitStack() as stack:
        yield open_wire(request.param, stack)


@pytest.fixture(params=[True, False], ids=["virtual", "real"])
def core(request: pytest.FixtureRequest) -> Core:
    return Core(virtual=request.param)


def _reach(core: Core, deadline_ns: int) -> None:
    while not core.wait_until_ns(deadline_ns):
        pass


def _until(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    give_up = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < give_up, f"not within {patience_s} s: {what}"
        time.sleep(0.001)


@pytest.fixture
def reach() -> Callable[[Core, int], None]:
    """Wait as callers do: woken early, look and wait again."""
    return _reach


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait for a condition, with an end to patience."""
    return _until


@pytest.fixture
def compile_c(tmp_path: Path) -> Callable[..., Path]:
    """Compiles our C, without the Cython layer, into one program."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")

    def build(name: str, *flags: str) -> Path:
        program = tmp_path / name
        sources = [*sorted((ROOT / "ext").glob("*.c")), ROOT / f"tests/ext/{name}.c"]
        strict = ["-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-I", "ext"]
        command = [compiler, *strict, *flags, *map(str, sources), "-o", str(program), "-pthread"]
        made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        if made.returncode and "cannot find" in made.stderr and "san" in made.stderr:
            pytest.skip(f"this machine has no runtime for {flags}: {made.stderr.splitlines()[-1]}")
        assert made.returncode == 0, made.stderr
        return program

    return build


@pytest.fixture
def run_python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts Python processes with this tree on their path, and ends them."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: str, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=pass_fds,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=PATIENCE_S)


@pytest.fixture
def two_wires() -> Callable[[], contextlib.AbstractContextManager[list[Wire]]]:
    """A fresh pair of socket wires for each example."""

    @contextlib.contextmanager
    def opened() -> Iterator[list[Wire]]:
        with contextlib.ExitStack() as stack:
            yield [open_wire("socket", stack) for _ in range(2)]

    return opened
