"""Somebody else's editor server: what it underlines in texts, over the Language Server Protocol.

One process for all texts, bounded. It is only ever asked; nothing of it is imported.
"""

import json
import os
import selectors
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.thirdparty.conftest import END_S, ROOT

SERVER = ROOT / ".venv-thirdparty" / "node_modules" / ".bin" / "yaml-language-server"
WAIT_S = 60.0
QUIET_S = 2.0  # a text is first published without its schema; what comes last counts


class Editor:
    """Opens texts, and hears where the server sees mistakes."""

    def __init__(self, folder: Path) -> None:
        """Start it, with what an editor that knows nothing of recipes would tell it."""
        self._folder = folder
        self._process = subprocess.Popen(
            [SERVER, "--stdio"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._pending = b""
        about = {"processId": os.getpid(), "rootUri": folder.as_uri(), "capabilities": {}}
        self._send("initialize", about, number=1)
        self._until(lambda message: message.get("id") == 1 and "result" in message)
        self._send("initialized", {})

    def underlined(self, texts: Mapping[str, str]) -> dict[str, list[tuple[int, str]]]:
        """For each text the lines (from 0) that are underlined, each with what is said."""
        uris = {
            (self._folder / f"{number}.yaml").as_uri(): name for number, name in enumerate(texts)
        }
        for uri, name in uris.items():
            item = {"uri": uri, "languageId": "yaml", "version": 1, "text": texts[name]}
            self._send("textDocument/didOpen", {"textDocument": item})
        found: dict[str, list[tuple[int, str]]] = {}

        def hear(message: Mapping[str, Any]) -> bool:
            if message.get("method") == "textDocument/publishDiagnostics":
                params = message["params"]
                found[uris[params["uri"]]] = [
                    (one["range"]["start"]["line"], one["message"]) for one in params["diagnostics"]
                ]
            return False

        self._until(hear, lambda: len(found) == len(texts))
        return found

    def close(self) -> None:
        """End the process, by its own id."""
        self._process.kill()
        self._process.communicate(timeout=END_S)

    def _send(self, method: str, params: Any, number: int = 0) -> None:
        self._write({"method": method, "params": params, **({"id": number} if number else {})})

    def _write(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _until(self, ends: Any, enough: Any = lambda: False) -> None:
        """Hear messages until one ends it, or enough was heard and nothing comes any more."""
        give_up = time.monotonic() + WAIT_S
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while (left := give_up - time.monotonic()) > 0:
                while (message := self._message()) is not None:
                    if "id" in message and "method" in message:  # it asks for settings: none
                        items = message.get("params", {}).get("items", ())
                        self._write({"id": message["id"], "result": [None for _ in items]})
                    if ends(message):
                        return
                if not selector.select(QUIET_S if enough() else left):
                    if enough():
                        return
                    continue
                data = os.read(self._process.stdout.fileno(), 65536)
                assert data, "the server has ended"
                self._pending += data
        raise TimeoutError(f"not heard within {WAIT_S:g} s")

    def _message(self) -> Any:
        head, mark, rest = self._pending.partition(b"\r\n\r\n")
        if not mark:
            return None
        size = next(
            int(line[15:]) for line in head.split(b"\r\n") if line[:15] == b"Content-Length:"
        )
        if len(rest) < size:
            return None
        self._pending = rest[size:]
        return json.loads(rest[:size])
