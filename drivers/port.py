"""One port: whose turn the wire is, which answer belongs to which question, nothing lost on errors.

Several devices may be chained on one port, and the pacer fires armed commands on the same wire.
An exchange is: take the wire (not while an armed deadline is near), read the answers of fired
commands first and hand them to their checks, throw away what nobody asked for, write, read one
message, give the wire back. After silence or garbage the wire is drained at once and the next
question first proves that question and answer are in step. This file must never sleep on its own
clock, never retry a command that is not a question, never pair an answer with an older question.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from drivers.awaited import Awaited, Awaiting
from drivers.errors import InstrumentError, Kind
from drivers.framing import LF, Framing
from drivers.pacer import Pacer
from drivers.wire import Wire, babble, silence

T = TypeVar("T")
Fired = Callable[[bytes, int], object]  # told what the pacer sent past the wire, and when (ns)

NO_CHANNEL: Final = -1  # the pacer cannot reach this wire: nothing can be armed on it
NANO: Final = 1_000_000_000
WRITE_S: Final = 1.0  # a command is tens of bytes: longer means the peer stopped reading
QUIET_S: Final = 0.05  # silence that counts as drained: nobody pauses so long inside a line
FIRED_ANSWER_S: Final = 0.5  # for the answer of one fired command
TURN_S: Final = 60.0  # longest wait for armed deadlines to pass before a question gives up
GRACE_NS: Final = 1_000_000  # between looks at an entry that is due and has not fired yet
TURNS: Final = 100_000  # looks; bounds the wait for the wire when the clock stands still
READ_MAX: Final = 65_536  # bytes of unasked lines in front of one answer
IN_STEP_TRIES: Final = 8  # messages looked at for the one that proves we are in step
TRIES: Final = 2  # a question is asked once more after silence or garbage
NOTES_MAX: Final = 50
_ASK_AGAIN: Final[tuple[Kind, ...]] = ("no answer", "garbled")


@dataclass(frozen=True, slots=True)
class Sync:
    """A question whose answer cannot be mistaken for another's: proof of being in step again."""

    question: bytes
    recognise: Callable[[bytes], bool]


class Port:
    """One resource, shared by the devices chained on it. Made by `Bus.port`.

    `clock` is the pacer; `channel` its id for this wire (NO_CHANNEL when it has none); `fd` the
    descriptor or -1; `notes` what was odd at opening; `retries` counts questions asked twice and
    `unasked` the bytes that came without a question. `lost` says why the port is gone ("" while it
    is there) and is raised again until `Bus.reopen`.
    """

    def __init__(
        self,
        resource: str,
        wire: Wire,
        clock: Pacer,
        channel: int,
        notes: tuple[str, ...] = (),
        fired: Fired | None = None,
    ) -> None:
        """`Bus.port` does this; `fired` is told what the pacer sent past the wire."""
        self.name = self.resource = resource
        self.clock = clock
        self.channel = channel
        self.notes: list[str] = list(notes)
        self.retries = 0
        self.unasked = 0
        self.lost = ""
        self._wire = wire
        self._told = fired
        self._lock = threading.RLock()
        self._rest = b""  # read and not yet used
        self._in_step = True
        self._awaited = Awaiting(clock)
        self._end = LF  # last framing's end, for a drain that has no framing of its own

    @property
    def fd(self) -> int:
        """The descriptor underneath, or -1."""
        return self._wire.fd

    def query(
        self,
        data: bytes,
        framing: Framing,
        timeout_s: float,
        *,
        who: str,
        sync: Sync | None = None,
    ) -> bytes:
        """Send `data` and return the one message that answers it, without its envelope.

        Raises InstrumentError: "no answer", "garbled", "lost", "busy" (armed commands never left
        room), or whatever the check of a fired command found; then `data` was not sent.
        """
        return self.ask(data, framing, timeout_s, bytes, who=who, sync=sync, tries=1)

    def ask(
        self,
        data: bytes,
        framing: Framing,
        timeout_s: float,
        parse: Callable[[bytes], T],
        *,
        who: str,
        sync: Sync | None = None,
        tries: int = TRIES,
    ) -> T:
        """The parsed answer to a question; silence and garbage are asked again, `tries` in all.

        Only for what may be sent twice; `tries=1` for a command that must not be repeated. `parse`
        asks nothing itself. A complaint about a fired command is never taken for this question's.
        """
        for left in range(tries - 1, -1, -1):
            told = self._attempt(data, framing, timeout_s, parse, who, sync, last=left == 0)
            if told is not None:
                return told[0]
            self.retries += 1
        raise ValueError(f"tries must be at least 1, not {tries}")

    def write(self, data: bytes, *, who: str) -> None:
        """Send `data`, which has no answer. Raises InstrumentError ("lost", "busy")."""
        with self._lock, self._turn(WRITE_S):
            try:
                self._wire.write(data, WRITE_S)
            except InstrumentError as error:
                raise self._after(error).at(who, self.resource, data) from None

    def arm(
        self,
        data: bytes,
        framing: Framing,
        deadline_ns: int,
        latest_ns: int,
        *,
        check: Callable[[bytes], None],
        replies: int = 1,
        tag: int = 0,
        who: str = "",
    ) -> int:
        """Have the pacer send `data` in [deadline, latest] once it is confirmed; returns its entry.

        Its answers are read by the next exchange on this port, or by `collect`, in the order in
        which commands fired, and handed to `check`, which raises InstrumentError and asks nothing.
        """
        with self._lock:
            if self.channel < 0:
                raise InstrumentError(
                    "this port cannot be reached by the pacer",
                    kind="limit",
                    cure="use a serial or TCPIP SOCKET resource for what must be timed",
                ).at(who, self.resource, data)
            if self.lost:
                raise self._gone().at(who, self.resource, data)
            try:
                self._awaited.make_room()
            except InstrumentError as error:
                raise error.at(who, self.resource, data) from None
            entry = self.clock.arm(self.channel, data, deadline_ns, latest_ns, replies, tag)
            if replies:
                self._awaited.add(Awaited(entry, data, framing, check, replies, who))
            return entry

    def collect(self, timeout_s: float) -> None:
        """Read the answers of commands that have fired; nothing to read is no error."""
        with self._lock, self._turn(timeout_s):
            pass

    def drain(self) -> None:
        """Throw away what is on the wire until it is quiet; bounded."""
        with self._lock, self._turn(QUIET_S):
            try:
                self._drain()
            except InstrumentError as error:
                if error.kind == "lost":
                    self.lost = error.cause
                raise error.at("", self.resource) from None

    def pause(self, duration_s: float) -> None:
        """Let `duration_s` of the run's time pass; being woken early shortens nothing."""
        self.pause_until(self.clock.now_ns() + round(duration_s * NANO))

    def pause_until(self, deadline_ns: int) -> None:
        """Wait for a moment of the run's clock; ends by time, a wake is only looked past."""
        while self.clock.now_ns() < deadline_ns:
            self.clock.wait_until_ns(deadline_ns)

    def note(self, text: str) -> None:
        """Keep something odd for the instrument's card; the list is bounded."""
        if len(self.notes) < NOTES_MAX:
            self.notes.append(text)

    def close(self) -> None:
        """Close the wire underneath."""
        self._wire.close()

    def reopen(self, wire: Wire, channel: int, fired: Fired | None = None) -> None:
        """Go on over a new wire and channel; `Bus.reopen` does this.

        What was armed on the old channel is awaited no more; question and answer are proved first.
        """
        with self._lock:
            self._wire, self.channel, self._told = wire, channel, fired
            self._rest, self._in_step, self.lost = b"", False, ""
            self._awaited.clear()

    def _attempt(
        self,
        data: bytes,
        framing: Framing,
        timeout_s: float,
        parse: Callable[[bytes], T],
        who: str,
        sync: Sync | None,
        *,
        last: bool,
    ) -> tuple[T] | None:
        """One exchange; None when its question may be asked again."""
        with self._lock:
            if self.lost:
                raise self._gone().at(who, self.resource, data)
            self._take_turn(timeout_s if self._in_step else 2 * timeout_s + QUIET_S)
            try:
                if not self._in_step:
                    self._resynchronise(framing, timeout_s, sync)
                return (parse(self._exchange(data, framing, timeout_s)),)
            except InstrumentError as error:
                trouble = self._after(error).at(who, self.resource, data)
                if last or trouble.kind not in _ASK_AGAIN:
                    raise trouble from None
                return None
            finally:
                if self.channel >= 0:
                    self.clock.release(self.channel)

    # --- turns ---------------------------------------------------------------------------------

    @contextmanager
    def _turn(self, hold_s: float) -> Iterator[None]:
        """The wire, for what is not worth the speed of `query`."""
        self._take_turn(hold_s)
        try:
            yield
        finally:
            if self.channel >= 0:
                self.clock.release(self.channel)

    def _take_turn(self, hold_s: float) -> None:
        """Own the wire with all answers of fired commands read; releases it again on an error."""
        if self.lost:
            raise self._gone()
        if self.channel < 0:
            return
        hold_s += QUIET_S  # a failed exchange is drained before the wire is given back
        owed = self.clock.acquire(self.channel, int(hold_s * NANO))
        if owed < 0:
            owed = self._wait_for_turn(int(hold_s * NANO))
        if owed:
            try:
                self._collect(owed)
            except BaseException:
                self.clock.release(self.channel)
                raise

    def _wait_for_turn(self, hold_ns: int) -> int:
        """Let armed deadlines that are too near pass; number of uncollected answers then."""
        give_up_ns = self.clock.now_ns() + int(TURN_S * NANO)
        for _ in range(TURNS):
            now_ns = self.clock.now_ns()
            if now_ns > give_up_ns:
                break
            due_ns = self.clock.next_deadline_ns(self.channel)
            self.clock.wait_until_ns(max(due_ns, now_ns + GRACE_NS))
            owed = self.clock.acquire(self.channel, hold_ns)
            if owed >= 0:
                return owed
        raise InstrumentError(
            f"armed commands left the wire no gap of {hold_ns / NANO:g} s",
            kind="busy",
            cure="arm fewer commands on this port, or move an instrument to its own port",
            resource=self.resource,
        )

    # --- answers of fired commands -------------------------------------------------------------

    def _collect(self, owed: int) -> None:
        """Read `owed` answers in firing order; the first complaint is raised when all are read."""
        trouble: InstrumentError | None = None
        for fired_ns, awaited in self._awaited.fired():
            if self._told is not None:
                self._told(awaited.command, fired_ns)
            for _ in range(awaited.replies):
                owed -= 1
                error = self._hear(awaited)
                trouble = trouble or error
            self.clock.collected(self.channel, awaited.replies)
        if owed > 0:  # fired by somebody who registered no check: nobody can judge the answers
            self.clock.collected(self.channel, owed)
            self._drain()
        if trouble is not None:
            raise trouble

    def _hear(self, awaited: Awaited) -> InstrumentError | None:
        """One answer of a fired command, judged by its own check."""
        try:
            awaited.check(self._message(awaited.framing, FIRED_ANSWER_S))
        except InstrumentError as error:
            return self._after(error).at(awaited.who, self.resource, awaited.command)
        return None

    # --- bytes ---------------------------------------------------------------------------------

    def _exchange(self, data: bytes, framing: Framing, timeout_s: float) -> bytes:
        """Write and read one message; what had arrived before is nobody's answer."""
        wire = self._wire
        self.unasked += wire.purge() + len(self._rest)
        self._rest = b""
        wire.write(data, WRITE_S)
        return self._message(framing, timeout_s)

    def _message(self, framing: Framing, timeout_s: float) -> bytes:
        """The next message; raises "no answer" when it does not come in time."""
        self._end = framing.end
        message: bytes | None = None
        if self._rest:
            message, self._rest = framing.take(self._rest)
            if message is not None:
                return message
        start_ns, left_s, seen = self.clock.now_ns(), timeout_s, 0
        while seen < READ_MAX:
            try:
                chunk = self._wire.read(framing.end, left_s)
            except InstrumentError as error:
                raise self._cut_short(error, timeout_s) from None
            message, self._rest = framing.take(self._rest + chunk)
            if message is not None:
                return message
            seen += len(chunk) + 1
            spent_s = (self.clock.now_ns() - start_ns) / NANO
            left_s = max(0.0, timeout_s - spent_s)  # 0: one last look without waiting
        raise babble(seen)

    def _cut_short(self, error: InstrumentError, timeout_s: float) -> InstrumentError:
        """The same error in the words of the whole message instead of its last piece."""
        if error.kind != "no answer":
            return error
        if not self._rest:
            return silence(timeout_s)
        return InstrumentError(
            f"only {self._rest[:80]!r} came within {timeout_s:g} s",
            kind="no answer",
            cure="check the cable and the serial settings",
        )

    def _resynchronise(self, framing: Framing, timeout_s: float, sync: Sync | None) -> None:
        """Drain, then ask until the answer is surely that of the question."""
        self._drain()
        if sync is not None:
            self._wire.write(sync.question, WRITE_S)
            for _ in range(IN_STEP_TRIES):
                if sync.recognise(self._message(framing, timeout_s)):
                    break
            else:
                raise InstrumentError(
                    "question and answer are out of step",
                    kind="garbled",
                    cure="switch the instrument off and on",
                )
        self._in_step = True

    def _after(self, error: InstrumentError) -> InstrumentError:
        """What to raise; the wire is drained now, and must be proved before it is used again."""
        if error.kind in _ASK_AGAIN:
            self._in_step = False
            try:
                self._drain()
            except InstrumentError as worse:
                error = worse
        if error.kind == "lost":
            self.lost = self.lost or error.cause
        return error

    def _gone(self) -> InstrumentError:
        """The error of a port that was lost before and not opened again."""
        return InstrumentError(
            f"the port was lost ({self.lost})",
            kind="lost",
            cure="check power and cable, then resume the run",
            resource=self.resource,
        )

    def _drain(self) -> None:
        self._rest = b""
        self.unasked += self._wire.drain(self._end, QUIET_S)
