"""The file of autonomous mode: what to grow, and what may be done when nobody is there.

Turns YAML into typed, frozen data; every mistake at once, each with file:line:col. Must never look
at a bench or a run.
"""

import datetime
import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from lbl.bench.instruments import STRICT, quantity
from lbl.errors import BadInput, Problem
from lbl.marked import load, problems_of
from lbl.watch.host import LEAST_DAY
from lbl.watch.ladder import LADDER, asks_for_a_person

SIZES: Final[Mapping[str, int]] = {"kB": 10**3, "MB": 10**6, "GB": 10**9}
_SIZE: Final = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")
_PEER: Final = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<four>[0-9.]+)):(?P<port>[0-9]{1,5})")
WATCHDOG_MIN_S: Final = 10.0  # a start reads a whole journal before its loop turns again


def _bytes(value: object) -> int:
    """A size of files or disks, in bytes."""
    match = _SIZE.fullmatch(str(value))
    words = "write it like '20 MB'"
    if match is None or isinstance(value, bool):
        raise ValueError(f"'{value}' is not a size; {words}")
    if not match[2]:
        raise ValueError(f"'{value}' has no unit; {words}")
    if match[2] not in SIZES:
        raise ValueError(f"'{match[2]}' is not one of {', '.join(SIZES)}; {words}")
    return round(float(match[1]) * SIZES[match[2]])


def _peer(value: object) -> str:
    """An address and a port; a name would have to be looked up, and that can take for ever."""
    match = _PEER.fullmatch(str(value))
    try:
        if match is None or not 0 < int(match["port"]) < 1 << 16:
            raise ValueError
        ipaddress.ip_address(match["six"] or match["four"])
    except ValueError:
        raise ValueError(
            f"'{value}' is not an address and a port; write it like '127.0.0.1:9750'"
        ) from None
    return str(value)


def _day(value: object) -> str:
    """A day of the calendar."""
    try:
        return datetime.date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError(f"'{value}' is no day; write it like '2026-01-31'") from None


def _texts(value: object) -> object:
    """Values as `--set` takes them: text, and numbers as they are written."""
    if not isinstance(value, dict):
        return value
    return {key: str(one) if isinstance(one, (int, float)) else one for key, one in value.items()}


Seconds = Annotated[float, quantity("s"), Field(ge=0)]
Period = Annotated[float, quantity("s"), Field(gt=0)]
Bytes = Annotated[int, BeforeValidator(_bytes)]
Words = Annotated[Mapping[str, str], BeforeValidator(_texts)]
Times = Annotated[int, Field(ge=1, le=100)]


class Restarts(BaseModel):
    """How often a process may die, or fail to take the run up, before the film is left alone."""

    model_config = STRICT
    times: Times = 5
    within: Period = 3600.0


class Boots(BaseModel):
    """How many boots in how short a time are a supply that flaps."""

    model_config = STRICT
    times: Times = 3
    within: Period = 600.0


class Backoff(BaseModel):
    """How long to wait before trying again: the first time, and at most; it doubles between."""

    model_config = STRICT
    first: Seconds = 30.0
    longest: Seconds = 900.0

    @model_validator(mode="after")
    def _in_order(self) -> "Backoff":
        if self.first > self.longest:
            raise ValueError("'first' is longer than 'longest'; swap them")
        return self


def _alone(value: object) -> object:
    """Codes of the ladder that somebody may want undone without a person."""
    for code in value if isinstance(value, (list, tuple)) else ():
        if code not in LADDER:
            raise ValueError(f"'{code}' is not on the ladder; docs/journal.md shows it")
        if asks_for_a_person(str(code)):
            raise ValueError(f"'{code}' asks for a person; leave it out")
    return value


class Holds(BaseModel):
    """Which holds are undone without a person, after how long, and how often."""

    model_config = STRICT
    codes: Annotated[tuple[str, ...], BeforeValidator(_alone)] = (
        "instrument-silent", "sensor-stale", "temperature-band", "late", "power-low",
    )  # fmt: skip
    after: Seconds = 600.0
    times: Times = 3
    within: Period = 86400.0


class Disk(BaseModel):
    """What is kept free for bad times, and below what nothing is begun."""

    model_config = STRICT
    reserve: Bytes = 1_000_000
    least: Bytes = 20_000_000
    look: Period = 30.0

    @model_validator(mode="after")
    def _room(self) -> "Disk":
        if self.least <= self.reserve:
            raise ValueError("'least' must be more than 'reserve', which is given back; raise it")
        return self


class Calendar(BaseModel):
    """From which day on the calendar is believed, and what counts as a jump."""

    model_config = STRICT
    least: Annotated[str, BeforeValidator(_day)] = LEAST_DAY
    step: Period = 2.0

    @property
    def least_s(self) -> float:
        """The day's beginning in seconds of the calendar (Unix time)."""
        day = datetime.date.fromisoformat(self.least)
        return (day - datetime.date(1970, 1, 1)).total_seconds()


class Beacon(BaseModel):
    """Where the state is told, and how often."""

    model_config = STRICT
    file: str = ""
    every: Period = 10.0
    udp: Annotated[str, BeforeValidator(_peer)] | None = None


class Config(BaseModel):
    """What `lbl auto` is told. Units: s, bytes. Paths are as read_config left them: absolute."""

    model_config = STRICT
    lbl: Literal[1]
    recipe: str
    bench: str = "dip"
    runs: str = "runs"
    sets: Words = {}
    lots: Words = {}
    seed: int = 0
    speed: Annotated[str, BeforeValidator(lambda value: str(value))] = ""
    signed: bool = False
    trust: str = ""
    restarts: Restarts = Restarts()
    boots: Boots = Boots()
    backoff: Backoff = Backoff()
    holds: Holds = Holds()
    disk: Disk = Disk()
    calendar: Calendar = Calendar()
    beacon: Beacon = Beacon()
    watchdog: Annotated[float, quantity("s"), Field(ge=WATCHDOG_MIN_S)] = 60.0


def read_config(path: Path) -> Config:
    """Read the file; raises BadInput with every problem at once.

    Files that it names are taken from beside it: a service manager starts programs anywhere.
    """
    marked = load(path)
    if not isinstance(marked.data, dict):
        sentence, remedy = "this is not a mapping of keys to values", "begin it with 'lbl: 1'"
        raise BadInput(Problem("auto-wrong-type", sentence, marked.place(), remedy))
    try:
        config = Config.model_validate(marked.data)
    except ValidationError as error:
        raise BadInput(*problems_of(error, marked, "auto", Config)) from None
    beside = path.resolve().parent
    changes: dict[str, Any] = {"runs": str(beside / config.runs)}
    for key in ("recipe", "bench"):  # a file, or else the name of one that ships
        given = beside / getattr(config, key)
        if given.is_file():
            changes[key] = str(given)
    if config.trust:
        changes["trust"] = str(beside / config.trust)
    if config.beacon.file:
        file = str(beside / config.beacon.file)
        changes["beacon"] = config.beacon.model_copy(update={"file": file})
    return config.model_copy(update=changes)
