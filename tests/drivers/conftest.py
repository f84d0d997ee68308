"""A VISA library that follows a script of (sent, answered) pairs, on the virtual clock.

It must never answer anything the script does not say, and never accept other bytes.
"""

import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pyvisa import constants, highlevel
from pyvisa.constants import ResourceAttribute, StatusCode

from drivers.bus import Bus
from drivers.link import Link
from drivers.port import Port
from lbl._core import Core
from sim.assembly import Assembly
from sim.port import Spec
from sim.serve import serve
from sim.world import Geometry, VesselSpec, World

Pair = tuple[bytes, bytes]
_NUMBERS = count(1)
_RESOURCE = "ASRL/dev/script::INSTR"


class ScriptLibrary(highlevel.VisaLibraryBase):
    """Expects the writes of the script in order and answers them; silence is b""."""

    def _init(self) -> None:
        self.script: deque[Pair] = deque()
        self.sent: list[bytes] = []
        self.waiting = b""
        self.answer_ns = 1_000_000
        self.portion = 1 << 20  # bytes a read gives at most
        self.counts = True  # whether the library can say how many bytes wait
        self.broken = False
        self.core: Core | None = None
        self._attributes: dict[int, Any] = {}

    def open_default_resource_manager(self) -> tuple[Any, StatusCode]:
        return 1, StatusCode.success

    def open(
        self, session: Any, resource_name: str, access_mode: Any = 0, open_timeout: int = 0
    ) -> tuple[Any, StatusCode]:
        if "absent" in resource_name:
            return 0, self.handle_return_value(None, StatusCode.error_resource_not_found)
        return 2, StatusCode.success

    def close(self, session: Any) -> StatusCode:
        return StatusCode.success

    def disable_event(self, *_: Any) -> StatusCode:
        return StatusCode.success

    def discard_events(self, *_: Any) -> StatusCode:
        return StatusCode.success

    def set_attribute(self, session: Any, attribute: Any, state: Any) -> StatusCode:
        self._attributes[int(attribute)] = state
        return StatusCode.success

    def get_attribute(self, session: Any, attribute: Any) -> tuple[Any, StatusCode]:
        if int(attribute) == constants.VI_ATTR_ASRL_AVAIL_NUM:
            if not self.counts:
                return 0, self.handle_return_value(session, StatusCode.error_nonsupported_attribute)
            return len(self.waiting), StatusCode.success
        return self._attributes.get(int(attribute), 0), StatusCode.success

    def write(self, session: Any, data: bytes) -> tuple[int, StatusCode]:
        if self.broken:
            return 0, self.handle_return_value(session, StatusCode.error_connection_lost)
        self.sent.append(data)
        assert self.script, f"{data!r} was sent and the script has ended"
        wanted, answer = self.script.popleft()
        assert data == wanted
        self.waiting += answer
        return len(data), StatusCode.success

    def read(self, session: Any, size: int) -> tuple[bytes, StatusCode]:
        assert self.core is not None
        if not self.waiting:
            timeout_ms = self._attributes[int(ResourceAttribute.timeout_value)]
            self._pass(timeout_ms * 1_000_000)
            return b"", self.handle_return_value(session, StatusCode.error_timeout)
        self._pass(self.answer_ns)
        end = 0
        if self._attributes[int(ResourceAttribute.termchar_enabled)]:
            end = self.waiting.find(self._attributes[int(ResourceAttribute.termchar)]) + 1
        size = min(size, self.portion, end or len(self.waiting))
        data, self.waiting = self.waiting[:size], self.waiting[size:]
        full = StatusCode.success_max_count_read
        return data, self.handle_return_value(session, full if self.waiting else StatusCode.success)

    def _pass(self, duration_ns: int) -> None:
        assert self.core is not None
        deadline_ns = self.core.now_ns() + duration_ns
        while not self.core.wait_until_ns(deadline_ns):
            pass


class Script:
    """One scripted port; `left` is what was not sent yet."""

    def __init__(self, core: Core, library: ScriptLibrary, bus: Bus) -> None:
        self.core = core
        self.library = library
        self.bus = bus

    def port(self, pairs: Sequence[Pair] = (), link: Link | None = None) -> Port:
        self.library.script.extend(pairs)
        return self.bus.port(_RESOURCE, link=link or Link())

    def then(self, *pairs: Pair) -> None:
        self.library.script.extend(pairs)

    @property
    def left(self) -> list[Pair]:
        return list(self.library.script)

    @property
    def sent(self) -> list[bytes]:
        return self.library.sent


@pytest.fixture
def script() -> Iterator[Script]:
    """A scripted port on a fresh virtual clock; everything scripted must have been sent."""
    core = Core(virtual=True)
    library = ScriptLibrary(f"script-{next(_NUMBERS)}")
    library.core = core
    bus = Bus(core, library)
    made = Script(core, library, bus)
    yield made
    bus.close()
    assert made.left == []


@pytest.fixture
def zaber_line() -> Callable[[str], bytes]:
    """Seal a Zaber line with its checksum, computed here by the manual's rule."""

    def seal(text: str) -> bytes:
        total = sum(text[1:].encode()) & 0xFF
        return f"{text}:{(256 - total) & 0xFF:02X}".encode()

    return seal


@pytest.fixture
def served_zaber(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Serve one Zaber stage on TCP, fast; gives its resource."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    stop, servers = threading.Event(), list[threading.Thread]()

    def serve_it() -> str:
        options = {"microstep": 0.001, "high": 60.0}
        spec = Spec("axis", "zaber", "ASRL1::INSTR", 1, link="arm.z", options=options)
        world = World([VesselSpec("bath", 0.0, 60.0, 6.0, True, 200.0)], Geometry(90.0, 95.0, 1.0))
        ready, resource = threading.Event(), list[str]()

        def announce(line: dict[str, object]) -> None:
            if "ready" in line:
                ready.set()
            else:
                resource.append(str(line["resource"]))

        how: dict[str, Any] = {"transport": "tcp", "announce": announce, "stop": stop.is_set}
        server = threading.Thread(
            target=serve, args=(Assembly((spec,), world),), kwargs={**how, "speed": 200.0}
        )
        server.start()
        servers.append(server)
        assert ready.wait(10)
        return resource[0]

    yield serve_it
    stop.set()
    for server in servers:
        server.join(10)
