"""The C itself: no warnings, no races or bad memory under load, both ways to wait, true stubs."""

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(120)

SANITIZERS = {
    "address": ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    "thread": ["-g", "-O1", "-fsanitize=thread"],
}


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("flags", [["-O2"], ["-O2", "-DLBL_NO_FUTEX"]], ids=["futex", "condition"])
def test_hammered(compile_c: Callable[..., Path], flags: list[str]) -> None:
    done = run([str(compile_c("hammer", *flags))])
    assert done.returncode == 0, done.stdout + done.stderr


def test_late_steps(compile_c: Callable[..., Path]) -> None:
    done = run([str(compile_c("late", "-O1"))])
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", sorted(SANITIZERS))
def test_hammered_under_a_sanitizer(compile_c: Callable[..., Path], kind: str) -> None:
    program = str(compile_c("hammer", *SANITIZERS[kind]))
    done = run(["setarch", platform.machine(), "-R", program])
    if "unexpected memory mapping" in done.stderr or "setarch:" in done.stderr:
        pytest.skip(f"the {kind} sanitizer does not start here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr and "runtime error" not in done.stderr, done.stderr


def test_the_whole_module_without_futexes(tmp_path: Path) -> None:
    build = [sys.executable, "-W", "ignore", "setup.py", "-q", "build_ext"]
    folders = ["--build-lib", str(tmp_path / "lib"), "--build-temp", str(tmp_path / "temp")]
    made = run([*build, *folders], CFLAGS="-O0 -DLBL_NO_FUTEX")
    assert made.returncode == 0, made.stderr
    code = """
import signal, threading
from lbl._core import Core
core = Core(virtual=False)
threading.Timer(0.02, core.wake).start()
print(core.wait_until_ns(core.now_ns() + 10**12), core.wait_until_ns(core.now_ns() + 10**6))
signal.setitimer(signal.ITIMER_REAL, 0.02)
signal.signal(signal.SIGALRM, signal.default_int_handler)
try:
    core.wait_until_ns(core.now_ns() + 10**12)
except KeyboardInterrupt:
    print("interrupted")
"""
    done = run([sys.executable, "-P", "-c", code], PYTHONPATH=str(tmp_path / "lib"))
    assert done.stdout == "False True\ninterrupted\n", done.stderr


def test_the_stub_is_true() -> None:
    done = run([sys.executable, "-m", "mypy.stubtest", "lbl._core"])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_cython_is_clean() -> None:
    folder = str(Path(sys.executable).parent)
    sources = [str(path) for kind in ("pyx", "pxd", "pxi") for path in ROOT.glob(f"ext/*.{kind}")]
    lint = [f"{folder}/cython-lint", "--max-line-length", "100", *sources]
    done = run(lint, PATH=folder + os.pathsep + os.environ["PATH"])
    assert done.returncode == 0, done.stdout + done.stderr
