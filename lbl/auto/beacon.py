"""The beacon: where the film is, as one small file and one small datagram.

A datagram has at most SIZE_MAX bytes whatever happens. Must never wait, never look up a name, and
never fail: whoever listens is not needed.
"""

import contextlib
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

SIZE_MAX: Final = 512  # bytes of JSON
VERSION: Final = 1
COUNT_MAX: Final = 10**9  # nothing that is counted here comes near it
# text -> bytes that it may take as JSON writes it; the reason takes what is left
TEXTS: Final[Mapping[str, int]] = MappingProxyType(
    {"mode": 8, "state": 16, "run": 64, "step": 32, "calendar": 8, "utc": 24}
)
ELLIPSIS: Final = "..."


@dataclass(frozen=True, slots=True)
class Status:
    """What is told. `mode` is safe, wait, drive, kernel or done; `up_s` since this start.

    `free_mb` is -1 when nobody can say. `start` counts the starts of the program, so that
    `start` and `seq` together order all beacons.
    """

    mode: str
    state: str = ""
    run: str = ""
    step: str = ""
    reason: str = ""
    bilayers: tuple[int, int] = (0, 0)
    depositions: tuple[int, int] = (0, 0)
    deviations: int = 0
    start: int = 0
    boots: int = 0
    restarts_left: int = 0
    calendar: str = "good"
    free_mb: int = -1
    up_s: int = 0
    utc: str = ""
    seq: int = 0


def encoded(status: Status) -> bytes:
    """The status as JSON of at most SIZE_MAX bytes; texts are shortened, the reason last."""
    body: dict[str, Any] = {"v": VERSION, **asdict(status)}
    for key, value in body.items():
        if isinstance(value, str):
            body[key] = _cut(value, TEXTS.get(key, SIZE_MAX))
        else:
            body[key] = [*map(_count, value)] if isinstance(value, tuple) else _count(value)
    over = len(_json(body)) - SIZE_MAX
    if over > 0:
        body["reason"] = _cut(body["reason"], max(0, _length(body["reason"]) - over))
    return _json(body)


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def _count(value: int) -> int:
    return max(-1, min(int(value), COUNT_MAX))


def _cut(text: str, most: int) -> str:
    """A text that takes at most so many bytes in JSON, which escapes what is not ASCII."""
    if _length(text) <= most:
        return text
    kept = text[: max(0, most - len(ELLIPSIS))]
    while kept and _length(kept) > most - len(ELLIPSIS):
        kept = kept[:-1]
    return kept + ELLIPSIS if most >= len(ELLIPSIS) else ""


def _length(text: str) -> int:
    return len(json.dumps(text)) - 2


class Beacon:
    """Sends a status to a file ("" for none) and to an address and port (None for nobody)."""

    def __init__(self, file: str, udp: str | None) -> None:
        """Open the socket; nothing is sent yet."""
        self._file = Path(file) if file else None
        self._peer: tuple[str, int] | None = None
        self._socket: socket.socket | None = None
        self._seq = 0
        if udp is not None:
            host, _, port = udp.rpartition(":")
            family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
            self._peer = (host.strip("[]"), int(port))
            self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    def send(self, status: Status) -> bytes:
        """Tell it once, with the next number; returns what was told."""
        self._seq += 1
        data = encoded(replace(status, seq=self._seq))
        if self._socket is not None and self._peer is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(data, self._peer)
        if self._file is not None:
            with contextlib.suppress(OSError):
                _put(self._file, data + b"\n")
        return data

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _put(path: Path, data: bytes) -> None:
    """Replace the file as a whole; it is not synced: the next one comes soon."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(data)
    os.replace(draft, path)
