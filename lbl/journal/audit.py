"""The whole journal, checked from the first record to the last, in pieces of bounded work.

Opening trusts a checkpoint that a head confirms; an audit trusts nothing and names every damaged
line. It can run beside a hold, a few hundred records at a time. This file must never write.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from lbl.journal.canonical import encode
from lbl.journal.chain import JOURNAL, Damage, Walk, find_tail, lines, parse
from lbl.journal.events import Event, State
from lbl.journal.heads import read_heads
from lbl.journal.opening import told
from lbl.journal.seal import holds, message
from lbl.journal.storage import Storage

DAMAGE_MAX: Final = 20  # named places; beyond that the journal is lost anyway
PIECE: Final = 500  # records of one `advance`, about 10 ms


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found. `ok` means no damage; `findings` are worth a note."""

    records: int
    damage: tuple[tuple[int, str], ...]
    findings: tuple[str, ...]
    torn_bytes: int
    checkpoints: int
    sealed: int
    state: State
    complete: bool

    @property
    def ok(self) -> bool:
        """True when every record checks and the end is where the heads say."""
        return not self.damage

    def named(self) -> str:
        """The damage in one line."""
        return "; ".join(f"line {line}: {what}" for line, what in self.damage)

    def text(self) -> str:
        """A few lines for people."""
        first = f"{self.records} records, {self.checkpoints} checkpoints, {self.sealed} sealed: "
        rows = [first + ("every hash checks" if self.ok else "DAMAGED")]
        rows += [f"line {line}: {what}" for line, what in self.damage]
        return "\n".join([*rows, *self.findings])


class Audit:
    """Checks form, hash, chain, vocabulary, fold, checkpoints, seals and heads. Constant memory.

    `public` is the key (64 hexadecimal digits) that every checkpoint must be sealed with, known
    from outside the run folder; without it seals are only counted.
    """

    def __init__(self, storage: Storage, run: str, public: str = "") -> None:
        with told(run):
            self._tail = find_tail(storage)
            self._heads, findings = read_heads(storage)
        self._run = run
        self._public = public
        self._walk = Walk()
        self._lines = lines(storage, 0, self._tail.whole, 1)
        self._lost = False  # the state can no longer be folded
        self._last: Event | None = None
        self._damage: list[tuple[int, str]] = []
        self._findings = findings
        self._records = 0
        self._checkpoints = 0
        self._sealed = 0
        self._done = False

    def advance(self, records: int = PIECE) -> bool:
        """Check up to `records` more; True when there is nothing left to check."""
        for _ in range(records):
            if self._done:
                break
            with told(self._run):
                self._done = not self._next()
            if self._done:
                self._end()
        return self._done

    def report(self) -> Report:
        """What is known so far."""
        return Report(
            records=self._records,
            damage=tuple(self._damage),
            findings=tuple(self._findings),
            torn_bytes=self._tail.torn_bytes,
            checkpoints=self._checkpoints,
            sealed=self._sealed,
            state=self._walk.state,
            complete=self._done,
        )

    def _next(self) -> bool:
        try:
            number, end, data = next(self._lines)
        except StopIteration:
            return False
        except Damage as damage:
            self._damage.append((damage.line, damage.what))
            return False
        self._records += 1
        try:
            event = self._check(number, data)
            self._check_heads(number, end, event)
        except Damage as damage:
            self._damage.append((damage.line, damage.what))
            self._lost = True
        return len(self._damage) < DAMAGE_MAX

    def _check(self, number: int, data: bytes) -> Event:
        if not self._lost:
            event = self._last = self._walk.take(number, data)
        else:
            event = self._take_blind(number, data)
        _check_text(number, data)
        if event.kind == "checkpoint":
            self._check_seal(number, event)
        return event

    def _take_blind(self, number: int, data: bytes) -> Event:
        """After damage the chain is still followed, and nothing is folded."""
        last, self._last = self._last, None
        event = self._last = parse(number, data)
        if last is not None and last.seq + 1 == event.seq and last.hash != event.prev:
            raise Damage(number, "it does not follow the record before it")
        return event

    def _check_seal(self, number: int, event: Event) -> None:
        self._checkpoints += 1
        key = event.payload.get("key", "")
        self._sealed += bool(key)
        if not self._public:
            return
        state = hashlib.sha256(encode(event.payload["state"]).encode()).hexdigest()
        text = message(event.prev, event.seq, state)
        signature = str(event.payload.get("signature", ""))
        if key != self._public or not holds(self._public, signature, text):
            raise Damage(number, "its checkpoint is not sealed with the expected key")

    def _check_heads(self, number: int, end: int, event: Event) -> None:
        for head in self._heads:
            if head.seq == event.seq and (head.hash != event.hash or head.size != end):
                raise Damage(number, "a head names another record at this place")

    def _end(self) -> None:
        last = self._records
        for head in self._heads:
            if head.run != self._run:
                self._damage.append((0, f"a head belongs to the run {head.run}"))
            elif head.seq > last and len(self._damage) < DAMAGE_MAX:
                what = f"{JOURNAL} ends here, and a head names record {head.seq}"
                self._damage.append((last, what))
        if self._tail.torn_bytes:
            self._findings.append(f"{self._tail.torn_bytes} bytes of an unfinished record follow")


def verify(storage: Storage, run: str, public: str = "") -> Report:
    """The whole audit at once."""
    audit = Audit(storage, run, public)
    while not audit.advance():
        pass  # ends: every advance takes records, and a journal has finitely many
    return audit.report()


def _check_text(number: int, data: bytes) -> None:
    try:
        same = encode(json.loads(data)).encode() == data
    except (ValueError, RecursionError):
        same = False
    if not same:
        raise Damage(number, "it is not in canonical form (RFC 8785)")
