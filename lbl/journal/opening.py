"""Opening a journal: heads, tail and chain must agree before anybody believes the state.

Reads only. Starts at the newest checkpoint that a head names; the head's own record, reached from
there along the chain, confirms it. This file must never repair anything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from lbl.errors import BadInput, Fault, LblError, Problem
from lbl.journal.bond import Bond
from lbl.journal.chain import JOURNAL, LINE_MAX, Damage, Newer, Tail, Walk, find_tail, lines, parse
from lbl.journal.events import Event, State
from lbl.journal.heads import Head, read_heads
from lbl.journal.storage import MISSING, Storage

RENEWING: Final = frozenset({"run-created", "deposition-done", "checkpoint"})  # then come heads
KEEP: Final = "keep the run folder as it is and look at `lbl verify`"


@dataclass(slots=True)
class Opening:
    """What opening found out. `findings` are sentences worth a note.

    `doubt`, one of them, is why nothing shows that the journal is whole; "" where a head does.
    """

    state: State
    tail: Tail
    doubt: str = ""
    findings: list[str] = field(default_factory=list)
    checkpoint: int = -1  # byte offset of the newest checkpoint record
    checkpoint_seq: int = 0
    first_line: int = 1  # where checking the chain began

    @property
    def proven(self) -> bool:
        """Whether a head confirms how long the journal must at least be."""
        return not self.doubt


def survey(storage: Storage, run: str) -> Opening:
    """Check the end of the journal and fold its state, without changing anything.

    Raises BadInput `run-empty` (never begun), `run-newer`; Fault `journal-damaged`,
    `journal-short`, `run-unreadable`.
    """
    with told(run):
        heads, findings = read_heads(storage)
        _check_run(heads, run)
        size = storage.size(JOURNAL)
        if size <= 0:
            raise _nothing(run, heads[0] if heads else None, size)
        tail = find_tail(storage)
        if heads and tail.whole < heads[0].size:
            raise _short(run, heads[0], tail)
        if tail.whole == 0:
            raise _nothing(run, None, size)
        opening = _follow(storage, heads, tail)
        if opening.state["run"] != run:
            raise Damage(1, f"the journal is that of the run {opening.state['run']!r}")
        opening.findings.extend(findings)
        if not heads:
            opening.doubt = "no head is left, so nothing shows that the journal is whole"
        if opening.doubt:
            opening.findings.append(opening.doubt)
        return opening


def events(storage: Storage, run: str) -> Iterator[Event]:
    """Every event from the first, checked on the way. Raises as `survey`. Constant memory."""
    with told(run):
        end = find_tail(storage).whole
        walk = Walk()
        for number, _, data in lines(storage, 0, end, 1):
            yield walk.take(number, data)


def since(storage: Storage, run: str, opening: Opening, bond: Bond) -> Iterator[Event]:
    """The events written after a bond was made; nothing else may have come before them.

    Raises Fault `journal-damaged` where the journal is not the one that the bond names.
    """
    with told(run):
        last, end = bond.hash, opening.tail.whole
        for number, _, data in lines(storage, bond.size, end, bond.seq + 1):
            event = parse(number, data)
            if event.seq != number or event.prev != last:
                raise Damage(number, "it does not follow the record that a file was written after")
            last = event.hash
            yield event
        if last != opening.state["hash"]:
            raise Damage(opening.state["seq"], "a file was written after another record")


@contextmanager
def told(run: str) -> Iterator[None]:
    """Turn what the chain found into errors for people."""
    try:
        yield
    except Damage as damage:
        where = f"line {damage.line}" if damage.line else "last line"
        text = f"the journal is damaged at its {where}: {damage.what}"
        raise Fault(Problem("journal-damaged", text, f"{run}/{JOURNAL}", KEEP)) from damage
    except Newer as newer:
        text = f"the run was written by a later version of lbl: {newer}"
        raise BadInput(Problem("run-newer", text, run, "read it with that version")) from newer
    except OSError as error:
        text = f"the run folder cannot be read: {error.strerror or error}"
        raise Fault(Problem("run-unreadable", text, run, "check the disk and rights")) from error


def _follow(storage: Storage, heads: list[Head], tail: Tail) -> Opening:
    start = heads[0].checkpoint if heads else -1
    walk = Walk()
    number = 1
    if start >= 0:
        number = _begin(storage, walk, start, tail.whole)
    opening = Opening(walk.state, tail, checkpoint=start, first_line=number)
    opening.checkpoint_seq = number if start >= 0 else 0
    expected = {head.seq: head for head in heads}
    before, due = max(start, 0), 0
    for line, end, data in lines(storage, before, tail.whole, number):
        event = walk.take(line, data)
        if event.kind in RENEWING:
            due = event.seq
        if event.kind == "checkpoint":
            opening.checkpoint, opening.checkpoint_seq = before, event.seq
        if event.seq in expected:
            _confirm(line, end, event, expected[event.seq])
        before = end
    if heads and walk.seq < heads[0].seq:
        raise Damage(walk.seq, f"it is the last, and a head names record {heads[0].seq}")
    opening.state = walk.state
    if heads:
        _judge_age(opening, heads, due)
    return opening


def _judge_age(opening: Opening, heads: list[Head], due: int) -> None:
    """Heads are renewed before the record after `due` is written; a crash cannot make them older.

    Older ones have been put there, and with them the journal may have been shortened.
    """
    newest, last = heads[0].seq, opening.state["seq"]
    if newest < due < last:
        opening.doubt = f"the heads name record {newest}, and were renewed after record {due}"
    elif heads[-1].seq < newest < last:
        opening.findings.append(f"one head names record {heads[-1].seq}, the other {newest}")


def run_of(storage: Storage) -> str:
    """The run's id by its heads, or else by its first record; "" when neither says it.

    A run folder may have been copied under another name.
    """
    with told("run folder"):
        heads, _ = read_heads(storage)
        if heads:
            return heads[0].run
        first = storage.read(JOURNAL, 0, LINE_MAX) if storage.size(JOURNAL) > 0 else b""
        line, newline, _ = first.partition(b"\n")
        return str(parse(1, line).payload.get("run", "")) if newline else ""


def _begin(storage: Storage, walk: Walk, start: int, whole: int) -> int:
    """Start at a checkpoint; returns its line number (one record a line: its seq)."""
    if start > 0 and storage.read(JOURNAL, start - 1, 1) != b"\n":
        raise Damage(_count(storage, start), "a checkpoint should begin here and none does")
    for _, _, data in lines(storage, start, whole, 0):
        try:
            event = parse(0, data)
            walk.begin_at(event)
        except Damage as damage:
            raise Damage(_count(storage, start), damage.what) from damage
        return event.seq
    raise Damage(_count(storage, start), "a checkpoint should begin here and none does")


def _count(storage: Storage, start: int) -> int:
    """The number of the line that begins at `start`; only errors need it."""
    return sum(1 for _ in lines(storage, 0, start, 1)) + 1


def _confirm(line: int, end: int, event: Event, head: Head) -> None:
    if event.hash != head.hash or end != head.size:
        raise Damage(line, "a head names another record at this place")


def _check_run(heads: list[Head], run: str) -> None:
    if len({(head.seq, head.hash) for head in heads}) > len({head.seq for head in heads}):
        raise Damage(0, "the two heads name different records at the same place")
    for head in heads:
        if head.run != run:
            raise Fault(
                Problem(
                    "journal-damaged",
                    f"a head belongs to the run {head.run}",
                    run,
                    "a run folder keeps its name; " + KEEP,
                )
            )


def _nothing(run: str, head: Head | None, size: int) -> LblError:
    if head is not None and head.seq > 0:
        what = "missing" if size == MISSING else "empty"
        text = f"the journal is {what}, and a head names record {head.seq}"
        return Fault(Problem("journal-short", text, f"{run}/{JOURNAL}", KEEP))
    text = "the run was never begun: its journal holds no record"
    return BadInput(Problem("run-empty", text, run, "nothing moved; remove the folder"))


def _short(run: str, head: Head, tail: Tail) -> Fault:
    text = (
        f"the journal ends at byte {tail.whole}, and a head names record {head.seq} "
        f"that ends at byte {head.size}: records are lost"
    )
    return Fault(Problem("journal-short", text, f"{run}/{JOURNAL}", KEEP))
