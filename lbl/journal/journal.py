"""The journal of a run: append-only truth, one canonical JSON record a line, chained by hashes.

An append returns once the record is on the disk (a run in virtual time skips the sync, and its
first record says so). This file must never change a record, retry a failed sync, or keep events in
memory: record 1,000,000 costs what record 10 does.
"""

import hashlib
from json.encoder import encode_basestring as quoted
from typing import Any, Final, Protocol

from lbl.errors import Fault, LblError, Problem, Refused
from lbl.journal.bond import Bond
from lbl.journal.canonical import SAFE, NotPlain, encode, plain
from lbl.journal.chain import JOURNAL, LINE_MAX, VERSION
from lbl.journal.events import Event, State, fold, initial
from lbl.journal.heads import Head, exists, write_heads
from lbl.journal.kinds import KINDS
from lbl.journal.opening import Opening, survey
from lbl.journal.seal import Signer, message
from lbl.journal.storage import MISSING, Storage

CHECKPOINT_EVERY: Final = 1000  # records; bounds what opening has to read
Place = tuple[str, int, int, int]  # actor, step, attempt, substrate
TORN_SHOWN: Final = 200  # bytes of a torn record that its note quotes


class Stamp(Protocol):
    """What a record needs to know of time; the boot tells which times can be compared."""

    boot: str

    def utc(self) -> str:
        """Calendar time, ISO 8601 in UTC."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds of the run's clock."""


class Journal:
    """The one writer of a run's journal. Made by `create` or `open`.

    `state` is the folded state (plain data, see events.initial; treat it as read-only). After any
    OSError every later append raises the same Fault: open the journal again to go on.
    """

    __slots__ = (
        "_broken", "_checkpoint", "_checkpoint_seq", "_clock", "_durable", "_epoch", "_hash",
        "_quoted_boot", "_seq", "_signer", "_size", "_storage", "opening", "run", "state",
    )  # fmt: skip

    def __init__(self, storage: Storage, run: str, clock: Stamp, signer: Signer | None) -> None:
        self._storage = storage
        self._clock = clock
        self._signer = signer
        self._broken: Problem | None = None
        self._quoted_boot = quoted(clock.boot)
        self.run = run
        self.opening: Opening | None = None
        self._load(initial(), 0, durable=True)
        self._checkpoint = -1
        self._checkpoint_seq = 0
        self._epoch = 1

    @classmethod
    def create(
        cls,
        storage: Storage,
        run: str,
        *,
        durable: bool,
        clock: Stamp,
        signer: Signer | None = None,
        **facts: Any,
    ) -> "Journal":
        """Begin a journal; `facts` are the payload of `run-created` besides run and durable.

        Raises Refused `run-exists` when there is one already, Fault `run-unwritable`.
        """
        if storage.size(JOURNAL) != MISSING or exists(storage):
            text = "the folder already holds a journal"
            raise Refused(Problem("run-exists", text, run, "resume it, or use another id"))
        journal = cls(storage, run, clock, signer)
        journal._load(initial(), 0, durable=durable)
        journal.renew_heads()  # from here on a missing head is a lost head
        journal.append("run-created", run=run, durable=durable, **facts)
        journal.renew_heads()  # which syncs the folder, and with it the journal's name
        return journal

    @classmethod
    def open(
        cls, storage: Storage, run: str, *, clock: Stamp, signer: Signer | None = None
    ) -> "Journal":
        """Take up a journal where it ends; a torn last record is cut and noted.

        `opening` says what was found: `doubt` means that nobody can say whether records are
        missing. Otherwise the heads are renewed: a crash may have come before that. Raises as
        `opening.survey`; Fault `run-unwritable`.
        """
        found = survey(storage, run)
        journal = cls(storage, run, clock, signer)
        journal.opening = found
        journal._load(found.state, found.tail.whole, durable=found.state["durable"])
        journal._epoch = found.state["epoch"] + 1
        journal._checkpoint = found.checkpoint
        journal._checkpoint_seq = found.checkpoint_seq
        if found.proven:  # else the heads stay as they are until a person has looked
            journal.renew_heads()
        if found.tail.torn_bytes:
            journal._cut(found)
        return journal

    def append(
        self,
        kind: str,
        *,
        actor: str = "engine",
        step: int = -1,
        attempt: int = 0,
        substrate: int = 1,
        **payload: Any,
    ) -> Event:
        """Write one record and return it, once it is on the disk if the run is durable.

        Raises LblError `journal-kind`, `journal-value`, `journal-count`, `journal-intent` before
        anything is written (our own bugs); Fault `run-unwritable`.
        """
        event = self._add(kind, (actor, step, attempt, substrate), payload)
        if self._seq - self._checkpoint_seq >= CHECKPOINT_EVERY:
            self.checkpoint()
        return event

    def checkpoint(self) -> Event:
        """Write the folded state as a record, signed when there is a key, and renew the heads."""
        payload: dict[str, Any] = {"state": self.state}
        if self._signer is not None:
            digest = hashlib.sha256(encode(plain(self.state)).encode()).hexdigest()
            payload["key"] = self._signer.public
            payload["signature"] = self._signer.sign(message(self._hash, self._seq + 1, digest))
        start = self._size
        event = self._add("checkpoint", ("engine", -1, 0, 1), payload)
        self._checkpoint = start
        self._checkpoint_seq = event.seq
        self.renew_heads()
        return event

    def renew_heads(self) -> None:
        """Say in both heads how long the journal is by now. Raises Fault `run-unwritable`."""
        self._refuse_if_broken()
        head = Head(self.run, self._seq, self._hash, self._size, self._checkpoint)
        try:
            write_heads(self._storage, head, durable=self._durable)
        except OSError as error:
            raise self._break(error) from error

    def bond(self, at_ns: int) -> Bond:
        """The place that the journal has come to, for a file that is written now."""
        return Bond(self.run, self._seq, self._hash, self._size, at_ns)

    def close(self, reason: str, **facts: Any) -> None:
        """Let go in order: `run-closed`, a checkpoint (so that looking back is cheap), heads."""
        self._add("run-closed", ("engine", -1, 0, 1), {"reason": reason, **facts})
        self.checkpoint()

    def _load(self, state: State, size: int, *, durable: bool) -> None:
        self.state = state
        self._seq: int = state["seq"]
        self._hash: str = state["hash"]
        self._size = size
        self._durable = durable

    def _add(self, kind: str, place: Place, payload: dict[str, Any]) -> Event:
        self._refuse_if_broken()
        known = KINDS.get(kind)
        if known is None:
            raise _ours("journal-kind", f"{kind!r} is not a kind of event")
        if not known.required <= payload.keys():
            lacking = ", ".join(sorted(known.required - payload.keys()))
            raise _ours("journal-kind", f"a {kind} event lacks {lacking}")
        event, line = self._compose(kind, place, payload)
        state = fold(self.state, event)
        try:
            self._storage.append(JOURNAL, line)
            if self._durable:
                self._storage.sync(JOURNAL)
        except OSError as error:
            raise self._break(error) from error
        self.state = state
        self._seq = event.seq
        self._hash = event.hash
        self._size += len(line)
        return event

    def _compose(self, kind: str, place: Place, payload: dict[str, Any]) -> tuple[Event, bytes]:
        """The event and its line: RFC 8785 text with the members in their sorted order."""
        actor, step, attempt, substrate = place
        seq = self._seq + 1
        utc = self._clock.utc()
        now = self._clock.now_ns()
        try:
            data = plain(payload)
            now = now if now < SAFE else plain(now)
            front = (
                f'{{"actor":{quoted(actor)},"attempt":{attempt:d},"boot":{self._quoted_boot},'
                f'"epoch":{self._epoch:d}'
            ).encode()
            back = (
                f',"kind":"{kind}","mono_ns":{now:d},"payload":{encode(data)},'
                f'"prev":"{self._hash}","seq":{seq:d},"step":{step:d},'
                f'"substrate":{substrate:d},"utc":{quoted(utc)},"v":{VERSION}}}'
            ).encode()
        except (NotPlain, UnicodeEncodeError) as error:
            raise _ours("journal-value", f"a {kind} event cannot be written: {error}") from error
        digest = hashlib.sha256(front + back).hexdigest()
        line = b'%s,"hash":"%s"%s\n' % (front, digest.encode(), back)
        if len(line) > LINE_MAX:
            raise _ours("journal-value", f"a {kind} event is longer than {LINE_MAX} bytes")
        event = Event(
            seq, utc, now, self._clock.boot, self._epoch, kind, actor, substrate, step, attempt,
            data, self._hash, digest,
        )  # fmt: skip
        return event, line

    def _cut(self, found: Opening) -> None:
        """Remove a torn tail; what it held goes into the note, so that nothing is obscured."""
        tail = found.tail
        try:
            self._storage.truncate(JOURNAL, tail.whole)
        except OSError as error:
            raise self._break(error) from error
        self.append(
            "torn-tail",
            line=self._seq + 1,
            bytes=tail.torn_bytes,
            sha256=hashlib.sha256(tail.torn).hexdigest(),
            text=tail.torn[:TORN_SHOWN].decode("utf-8", "replace"),
        )

    def _break(self, error: OSError) -> Fault:
        self._broken = Problem(
            "run-unwritable",
            f"the journal cannot be written: {error.strerror or error}",
            f"{self.run}/{JOURNAL}",
            "free or replace the disk, then resume the run",
        )
        return Fault(self._broken)

    def _refuse_if_broken(self) -> None:
        if self._broken is not None:
            raise Fault(self._broken)


def _ours(code: str, text: str) -> LblError:
    return LblError(Problem(code, text, remedy="this is a fault of the program: report it"))
