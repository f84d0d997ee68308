"""An instrument's card: what a conformance test learnt of one device, kept beside the bench file.

Driver, identity, day, how long each verb took, which checks it passed. A planner may take time-outs
from it. Must never touch an instrument; a card is read as data and never believed over an answer.
"""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML

from lbl.errors import BadInput, Problem
from lbl.marked import load, problems_of

_STRICT: Final = ConfigDict(extra="forbid", frozen=True)
Outcome = Literal["passed", "failed", "skipped"]


class Latency(BaseModel):
    """How long a verb took, in s, over `count` calls."""

    model_config = _STRICT
    count: int = Field(ge=1)
    p50: float = Field(ge=0)
    p99: float = Field(ge=0)
    max: float = Field(ge=0)

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Latency":
        """The distribution of some measured times, at least one; nearest-rank percentiles."""
        ranked = sorted(seconds)

        def rank(share: float) -> float:
            return ranked[max(0, math.ceil(share * len(ranked)) - 1)]

        return cls(count=len(ranked), p50=rank(0.5), p99=rank(0.99), max=ranked[-1])


class Check(BaseModel):
    """One check of the conformance kit and how it ended, in a sentence."""

    model_config = _STRICT
    name: str
    outcome: Outcome
    sentence: str = ""


class Card(BaseModel):
    """One device as it was tested. `serial` is empty where the device tells none."""

    model_config = _STRICT
    card: Literal[1] = 1
    driver: str
    resource: str
    address: str = ""
    maker: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    simulated: bool = False
    date: str
    latency: Mapping[str, Latency] = {}
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.outcome != "failed" for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """Plain data; `Card.model_validate` is the way back."""
        return self.model_dump(mode="json")


def read_card(path: Path) -> Card:
    """Read a card; raises BadInput with every problem of the file (JSON is YAML)."""
    marked = load(path)
    try:
        return Card.model_validate(marked.data, strict=False)
    except ValidationError as error:
        raise BadInput(*problems_of(error, marked, "bench", Card)) from None


def write_card(path: Path, card: Card) -> None:
    """Write a card for people and programs; raises BadInput when the file cannot be written."""
    try:
        path.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        sentence = f"the card cannot be written: {error.strerror or error}"
        raise BadInput(Problem("card-unwritable", sentence, str(path))) from error


def embedded(bench_text: str, folder: Path) -> str:
    """A bench file's text with the cards that it names put in their place; the rest stays.

    So that a copy of it needs no other file. The text as it is when it names none; raises BadInput
    for a card that cannot be read. `folder` is where the bench file lies.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    data: Any = yaml.load(bench_text)
    named = [one for one in data["instruments"].values() if isinstance(one.get("card"), str)]
    if not named:
        return bench_text
    for one in named:
        one["card"] = read_card(folder / one["card"]).as_json()
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()
