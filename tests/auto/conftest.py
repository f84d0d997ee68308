"""A folder in which autonomous mode runs on the simulated bench, and a judge of its film."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lbl.auto.config import read_config
from lbl.auto.memory import ask_to_clear
from lbl.auto.program import start

TEXT = """\
lbl: 1
recipe: {recipe}
bench: {bench}
sets: {{{sets}}}
speed: {speed}
backoff: {{first: 10 ms, longest: 20 ms}}
holds: {{after: 10 ms}}
beacon: {{file: beacon.json, every: 100 ms}}
"""


@dataclass
class Box:
    """One configuration, and everything that it leaves behind."""

    folder: Path
    said: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / "auto.yaml"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def write(self, more: str = "", **given: str) -> Path:
        values = {
            "recipe": "demo", "bench": "dip", "sets": "bilayers: 2, dwell: 60 s", "speed": "max",
        }  # fmt: skip
        text = TEXT.format(**{**values, **given})
        # A key that `more` writes anew replaces the one above.
        new = {line.partition(":")[0] for line in more.splitlines()}
        kept = [line for line in text.splitlines() if line.partition(":")[0] not in new]
        self.path.write_text("\n".join([*kept, more, ""]))
        return self.path

    def auto(self, *, once: bool = True) -> int:
        """One start of the program, in this process."""
        return start(read_config(self.path), self.said.append, once=once)

    def clear(self, by: str = "ada") -> None:
        ask_to_clear(self.runs, by, "looked at it")

    @property
    def run(self) -> Path:
        (found,) = [path for path in self.runs.iterdir() if path.name != ".auto"]
        return found

    @property
    def beacon(self) -> dict[str, Any]:
        told = json.loads((self.folder / "beacon.json").read_text())
        assert isinstance(told, dict)
        return told

    @property
    def events(self) -> list[dict[str, Any]]:
        text = (self.run / "journal.jsonl").read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    @property
    def ledger(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.run / "ledger.jsonl").read_text().splitlines()]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    made = Box(tmp_path)
    made.write()
    return made


@pytest.fixture
def whole() -> Callable[[Box, int], None]:
    """The world's word: each deposition once, in order, for its dwell; nothing collided."""

    def verdict(box: Box, bilayers: int) -> None:
        rows = box.ledger
        assert not [row for row in rows if row["kind"] == "collision"]
        stays: list[tuple[str, float]] = []
        for row in rows:
            if row["kind"] == "exposure" and row["solution"] in ("PDAC", "BR"):
                seconds = row["end_s"] - row["start_s"]
                if stays and stays[-1][0] == row["solution"]:
                    seconds += stays.pop()[1]
                stays.append((row["solution"], seconds))
        assert [name for name, _ in stays] == ["PDAC", "BR"] * bilayers
        assert all(seconds > 58.0 for _, seconds in stays)
        done = [
            event["payload"]["deposition"]
            for event in box.events
            if event["kind"] == "deposition-done"
        ]
        assert done == [*range(1, 2 * bilayers + 1)]

    return verdict
