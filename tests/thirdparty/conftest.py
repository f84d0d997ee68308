"""Other people's programs beside ours: their environment, our simulated instruments, both bounded.

Every process is started here, ends by its own pid or by its own alarm, and listens on loopback
only. Nothing of the other environment is ever imported into this one.
"""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

ROOT = Path(__file__).parents[2]
CLIENTS = Path(__file__).parent / "clients"
PYTHON = ROOT / ".venv-thirdparty" / "bin" / "python"
READY = PYTHON.parent.parent / "ready"  # written last by `make thirdparty`
LBL = Path(sys.executable).parent / "lbl"
MISSING = "other people's clients are not tested here: run `make thirdparty`"
LOUD = "test_the_other_environment_is_there"  # the one test that says why
CLIENT_S = 60  # a client that takes longer hangs
SERVER_S = 110  # nothing that was started outlives this, whatever happens to pytest
START_S = 30.0
END_S = 10.0
# An alarm is kept by the kernel, so it ends the process even when nobody is left to do it.
BOUNDED = (
    "import runpy, signal, sys; sys.argv.pop(0); signal.alarm(int(sys.argv.pop(0)));"
    " sys.path[0] = ''; runpy.run_path(sys.argv[0], run_name='__main__')"
)

Serve = Callable[..., dict[str, Any]]
Client = Callable[..., Any]


def bounded(python: Path | str, seconds: int, script: Path, *words: object) -> list[str]:
    """The words that run `script` with an alarm set."""
    return [str(python), "-c", BOUNDED, str(seconds), str(script), *map(str, words)]


def environment() -> dict[str, str]:
    """What the other environment sees of ours: nothing."""
    ours = ("PYTHON", "PYVISA", "VIRTUAL_ENV", "COV_")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)}


@contextmanager
def running(words: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that is gone when the block ends."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(END_S)
        assert process.stdout is not None
        process.stdout.close()


def lines(stream: IO[str], limit_s: float) -> Iterator[str]:
    """Lines as they come; raises TimeoutError when they do not come, and ends with the stream."""
    give_up = time.monotonic() + limit_s
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while selector.select(max(0.0, give_up - time.monotonic())):
            data = os.read(stream.fileno(), 4096)
            if not data:
                return
            *whole, pending = (pending + data).split(b"\n")
            yield from (line.decode() for line in whole)
    raise TimeoutError(f"not ready within {limit_s:g} s")


@pytest.fixture(autouse=True)
def asked_for(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:
    """Skip unless the environment is there and this folder was named: these tests take seconds."""
    if READY.exists() and any("thirdparty" in word for word in request.config.args):
        return
    if request.node.name == LOUD:
        with capsys.disabled():  # a lone "s" would go unseen
            print(f"\n{MISSING}", file=sys.stderr)
    pytest.skip(MISSING)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start `lbl sim serve`; returns {name: TCP port number or pty path}."""
    with ExitStack() as stack:

        def start(transport: str, *names: str, bench: str = "catalog", speed: float = 1.0) -> Any:
            only = [word for name in names for word in ("--only", name)]
            words = ("sim", "serve", bench, f"--{transport}", "--speed", speed, *only)
            command = bounded(sys.executable, SERVER_S, LBL, *words)
            process = stack.enter_context(running(command, cwd=tmp_path))
            assert process.stdout is not None
            found: dict[str, Any] = {}
            for text in lines(process.stdout, START_S):
                line = json.loads(text)
                if "ready" in line:
                    return found
                found[line["name"]] = line["port" if transport == "tcp" else "pty"]
            raise AssertionError("the server ended before it was ready")

        yield start


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Somebody else's balance, in the other environment; what it announced."""
    command = bounded(PYTHON, SERVER_S, CLIENTS / "mtsics_balance.py")
    with running(command, cwd=tmp_path, env=environment()) as process:
        assert process.stdout is not None
        yield json.loads(next(lines(process.stdout, START_S)))


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """Run a script of clients/ with the other environment's python; returns what it printed."""

    def run(name: str, *words: object) -> Mapping[str, Any]:
        done = subprocess.run(
            bounded(PYTHON, CLIENT_S, CLIENTS / f"{name}.py", *words),
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=CLIENT_S + END_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        value = json.loads(done.stdout.splitlines()[-1])
        assert isinstance(value, dict)
        return value

    return run
