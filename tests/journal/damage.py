"""Run folders to which something happened: seeded damage of every sort, and what a resume says.

The folders are real: films of the simulated bench, cut short or whole, kept in memory with every
older version of each file. `Verdict` is what taking such a folder up comes to. Must never write to
a disk beyond the empty folder that a run makes.
"""

import random
import re
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from lbl import app as door
from lbl.errors import LblError
from lbl.journal import journal as journals
from lbl.journal.audit import Audit
from lbl.journal.bond import bond_of
from lbl.journal.chain import JOURNAL
from lbl.journal.folder import RunFolder
from lbl.journal.heads import HEADS
from lbl.journal.opening import events, survey
from lbl.journal.storage import MISSING
from lbl.run import launch as launching
from lbl.run.relaunch import damaged, frozen_plan, saved_world
from lbl.run.stage import Stage

Files = dict[str, bytes]
WORLD: Final = "world.json"
FROZEN: Final = ("recipe.yaml", "bench.yaml", "plan.json", "recipe.sig")
OFTEN: Final = 20  # records between checkpoints, so that short films have several
SECTOR: Final = 512
TWICE: Final = 0.1  # how often two things happen at once
# What a refusal names: the file, or the line of the journal, or how far it goes.
NAMED: Final = re.compile(
    r"line \d+|last line|head|journal (ends|is|holds)|[a-z]+\.(json|yaml|sig)"
)
CODES: Final = frozenset(
    {"journal-damaged", "journal-short", "run-damaged", "run-empty", "run-newer", "run-unreadable"}
)


class Cut(BaseException):
    """The process is gone."""


class Memory:
    """A Storage in memory. After `cut_at` records the process is gone."""

    def __init__(self, files: Files, cut_at: int = 0) -> None:
        self.files = files
        self.history: list[Files] = []
        self._left = cut_at

    def append(self, name: str, data: bytes) -> None:
        if name == JOURNAL:
            self.history.append(dict(self.files))
        self.files[name] = self.files.get(name, b"") + data
        if name == JOURNAL:
            self._left -= 1
            if not self._left:
                raise Cut

    def sync(self, name: str) -> None:
        pass

    def write(self, name: str, data: bytes) -> None:
        self.files[name] = data

    def rename(self, old: str, new: str) -> None:
        self.files[new] = self.files.pop(old)

    def remove(self, name: str) -> None:
        self.files.pop(name, None)

    def truncate(self, name: str, size: int) -> None:
        self.files[name] = self.files[name][:size]

    def sync_folder(self) -> None:
        pass

    def read(self, name: str, start: int, length: int) -> bytes:
        if name not in self.files:
            raise FileNotFoundError(name)
        return self.files[name][start : start + length]

    def size(self, name: str) -> int:
        return len(self.files[name]) if name in self.files else MISSING

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Base:
    """A folder as a process left it, its older versions, and the truth of each of its records.

    `truth` maps the number of a record to its hash and the depositions done by then.
    """

    name: str
    files: Files
    history: list[Files]
    truth: dict[int, tuple[str, int]]


# name, bench, seed, run, records after which the process is gone (0: none). Two runs of one id.
FILMS: Final = (
    ("dip", "dip", 0, "film", 70),
    ("dip, later", "dip", 0, "film", 97),
    ("dip, another", "dip", 1, "film", 83),
    ("dip, whole", "dip", 0, "whole", 0),
    ("flow", "flow", 0, "flow", 79),
)


def grown() -> list[Base]:
    """The folders; on a real bench there is no world, so each is there with and without it."""
    made = []
    with tempfile.TemporaryDirectory() as runs, patch.object(journals, "CHECKPOINT_EVERY", OFTEN):
        for number, (name, bench, seed, run, cut) in enumerate(FILMS):
            base = _grow(Path(runs) / str(number), name, bench, seed, run, cut)
            bare = [{k: v for k, v in one.items() if k != WORLD} for one in base.history]
            files = {k: v for k, v in base.files.items() if k != WORLD}
            made += [base, replace(base, name=f"{name}, real", files=files, history=bare)]
    return made


def _grow(runs: Path, name: str, bench: str, seed: int, run: str, cut: int) -> Base:
    memory = Memory({}, cut)
    order = door.Order("demo", bench, {"bilayers": "1", "dwell": "60 s"}, seed=seed, runs=runs)
    what = replace(door.prepare(order).launch, signature='{"a": "signature"}\n')
    with suppress(Cut):
        launching.launch(what, lambda news: None, run, Stage(disk=lambda path: memory))
    kept = (JOURNAL, *HEADS, *FROZEN, WORLD)
    files = {one: memory.files[one] for one in kept}
    history = [{k: v for k, v in one.items() if k in kept} for one in memory.history]
    truth, done = {}, 0
    for event in events(Memory(files), run):
        done = event.payload["deposition"] if event.kind == "deposition-done" else done
        truth[event.seq] = (event.hash, done)
    return Base(name, files, history, truth)


# What may happen: each changes some files and says what it did.
Harm = Callable[[random.Random, Base, Files, list[Base]], str]


def _pick(chance: random.Random, files: Mapping[str, bytes]) -> str:
    """The journal half of the time, else any file."""
    return JOURNAL if chance.random() < 0.5 and JOURNAL in files else chance.choice(sorted(files))


def flip(chance: random.Random, base: Base, files: Files, others: list[Base]) -> str:
    name = _pick(chance, files)
    data = bytearray(files[name])
    for _ in range(chance.choice((1, 1, 1, 2, 5)) if data else 0):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    files[name] = bytes(data)
    return f"bits of {name}"


def alter(chance: random.Random, base: Base, files: Files, others: list[Base]) -> str:
    """A byte replaced, put in or taken out."""
    name = _pick(chance, files)
    data = files[name]
    at, to = chance.randrange(len(data) + 1), bytes([chance.randrange(256)])
    gone = chance.randrange(2)
    files[name] = data[:at] + (to if chance.randrange(2) else b"") + data[at + gone :]
    return f"a byte of {name}"


def shorten(chance: random.Random, base: Base, files: Files, others: list[Base]) -> str:
    name = _pick(chance, files)
    data, last = files[name], files[name][:-1].rfind(b"\n") + 1
    near = chance.randrange(last, len(data) + 1)  # inside the last line
    files[name] = data[: chance.choice((near, chance.randrange(len(data) + 1)))]
    return f"the end of {name}"


def blank(chance: random.Random, base: Base, files: Files, others: list[Base]) -> str:
    """A sector of zeros, or of what stood elsewhere in the file."""
    name = _pick(chance, files)
    data = files[name]
    at = chance.randrange(len(data) // SECTOR + 1) * SECTOR
    size = min(SECTOR * chance.choice((1, 8)), len(data) - at)
    wrong = chance.randrange(len(data) - size + 1)
    fill = chance.choice((b"\0" * size, b"\xff" * size, data[wrong : wrong + size]))
    files[name] = data[:at] + fill + data[at + size :]
    return f"a sector of {name}"


def shuffle(chance: random.Random, base: Base, files: Files, others: list[Base]) -> str:
    """Lines of the journal swapped, dropped, doubled, moved."""
    rows = files.get(JOURNAL, b"").splitlines(keepends=True)
    if len(rows) < 2:
        return "nothing"
    one, two = chance.randrange(len(rows)), chance.randrange(len(rows))
    what = chance.choice(("swapped", "dropped", "doubled", "moved"))
    if what == "swapped":
        rows[one], rows[two] = rows[two], rows[one]
    elif what == "doubled":
        rows.insert(two, rows[one])
    else:
        row = rows.pop(one)
        if what == "moved":
            rows.insert(two, row)
    files[JOURNAL] = b"".join(rows)
    return f"lines {what}"


def age(chance: random.Random, base: Base, files: Files, others: list[Base]) -> str:
    """A file, or both heads, as they were earlier."""
    then = chance.choice(base.history)
    name = chance.choice(sorted(then.keys() & files.keys()) or [JOURNAL])
    for one in HEADS if name in HEADS and chance.randrange(2) else (name,):
        if one in then:
            files[one] = then[one]
    return f"an older {'head' if name in HEADS else name}"


def exchange(chance: random.Random, base: Base, files: Files, others: list[Base]) -> str:
    """A file of another run, or another file of this one."""
    name = chance.choice(sorted(files))
    other = chance.choice(others)
    theirs = other.files if chance.randrange(3) else base.files
    there = name if theirs is other.files else chance.choice(sorted(base.files))
    for one in HEADS if name in HEADS and chance.randrange(2) else (name,):
        source = one if theirs is other.files else there
        if source in theirs:
            files[one] = theirs[source]
    return f"another's {name}" if theirs is other.files else f"{there} as {name}"


def lose(chance: random.Random, base: Base, files: Files, others: list[Base]) -> str:
    name = chance.choice(sorted(files))
    for one in HEADS if name in HEADS and chance.randrange(2) else (name,):
        files.pop(one, None)
    return f"no {name}"


def lengthen(chance: random.Random, base: Base, files: Files, others: list[Base]) -> str:
    name = _pick(chance, files)
    piece = files[name][: chance.randrange(1, 400)]
    junk = (b"\n", b" ", b"\0" * 700, b"{}\n", chance.randbytes(9), piece)
    files[name] += chance.choice(junk)
    return f"more in {name}"


HARMS: Final[tuple[Harm, ...]] = (
    flip, flip, alter, shorten, blank, shuffle, age, exchange, lose, lengthen,
)  # fmt: skip


@dataclass
class Verdict:
    """What a damaged folder came to: `how` in a word, `why` in the program's own."""

    base: str
    harm: str
    how: str
    why: str = ""
    wrong: str = ""


def struck(seed: int, number: int, bases: list[Base]) -> Verdict:
    """Damage number `number` and its verdict; what changes nothing is tried again."""
    chance = random.Random(f"{seed}/{number}")
    base = bases[number % len(bases)]
    others = [one for one in bases if one.files[JOURNAL] != base.files[JOURNAL]]
    while True:  # ends: most harms change something
        files, times = dict(base.files), 2 if chance.random() < TWICE else 1
        harms = [chance.choice(HARMS)(chance, base, files, others) for _ in range(times)]
        if files != base.files and not any(_is(files, other) for other in others):
            break
    verdict = Verdict(base.name, " and ".join(harms), "")
    try:
        return judged(base, files, verdict)
    except Exception as error:  # a bug of ours, and the worst verdict
        verdict.how, verdict.wrong = "bug", f"{type(error).__name__}: {error}"
        return verdict


def _is(files: Files, other: Base) -> bool:
    """Whether this is another run altogether, of the same name and plan: that is no damage."""
    return all(files.get(name) == other.files[name] for name in other.files)


def judged(base: Base, files: Files, verdict: Verdict) -> Verdict:
    """Take the folder up as `lbl resume` does, as far as anything may be believed."""
    try:
        findings, state, torn = _believed(base, files, verdict)
    except LblError as error:
        code, text = error.problems[0].code, str(error)
        verdict.how, verdict.why = code, text
        if code not in CODES or not NAMED.search(text):
            verdict.wrong = verdict.wrong or f"it names nothing: {text}"
        return verdict
    if "so nothing shows" in "".join(findings) or "were renewed after" in "".join(findings):
        verdict.how, verdict.why = "journal-doubt", findings[-1]
        return verdict  # a person looks before anything is believed
    if base.truth.get(state["seq"]) != (state["hash"], state["depositions"]):
        verdict.wrong = f"record {state['seq']}: {state['depositions']} depositions"
    if torn or findings:
        verdict.how = "torn tail" if torn else "a head told of"
    elif _shorter(base, files):
        heads = any(files.get(name) != base.files[name] for name in HEADS)
        verdict.how = "an older copy of all" if heads else "as after a crash"
        last = base.truth[max(base.truth)][1]
        if not heads and state["depositions"] != last:
            verdict.wrong = f"{state['depositions']} depositions where {last} were done"
    elif _younger(base, files):
        verdict.how = "as after a crash"
    else:
        verdict.how, verdict.wrong = "unnoticed", "nobody noticed"
    return verdict


def _believed(
    base: Base, files: Files, verdict: Verdict
) -> tuple[list[str], Mapping[str, Any], int]:
    """Findings, state, torn bytes of a folder in which nothing is refused."""
    storage = Memory(files)
    folder = RunFolder(Path("film"), "", disk=lambda path: storage)
    opening = survey(storage, folder.id)
    frozen_plan(folder)
    if WORLD in base.files:
        world = saved_world(folder, opening)
        if bond_of(files[WORLD]) is None and world.keys() != {
            "devices",
            "faults",
            "mains",
            "world",
        }:
            raise damaged(folder.id, "world.json has other members")
    state = opening.state
    truth = base.truth.get(state["seq"])
    if opening.proven and truth != (state["hash"], state["depositions"]):
        # A long journal is resumed with this, before all of it is read.
        verdict.wrong = f"opened with {state['depositions']} depositions"
    audit = Audit(storage, folder.id)
    while not audit.advance():
        pass
    if not audit.report().ok:
        raise damaged(folder.id, audit.report().named())
    return opening.findings, opening.state, opening.tail.torn_bytes


def _shorter(base: Base, files: Files) -> bool:
    """Whether whole records at the end are gone, and nothing else has changed but heads.

    Without a world nothing can tell that from a crash before they were written.
    """
    whole, kept = base.files[JOURNAL], files.get(JOURNAL, b"")
    same = all(files.get(name) == base.files.get(name) for name in (*FROZEN, WORLD))
    return same and len(kept) < len(whole) and whole.startswith(kept) and kept.endswith(b"\n")


def _younger(base: Base, files: Files) -> bool:
    """Whether only heads are older, as by a crash just before they were renewed."""
    return all(files.get(name) == data for name, data in base.files.items() if name not in HEADS)
