"""The conformance kit: what every driver must do with its instrument, simulated or real.

One list of checks, used by the tests on models and by `lbl driver test` on metal; its result is the
instrument's card. Must never move substrate or liquid, and never heat or light anything: it asks,
it gives orders that must be refused, and it makes safe.
"""

import os
import socket
import stat
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

from drivers.bus import Bus, Port
from drivers.errors import InstrumentError
from drivers.framing import Line
from lbl.bench.card import Card, Check, Latency, Outcome
from lbl.bench.opening import open_one
from lbl.bench.trials import TRIALS, Trial

NS: Final = 1e9
HEARD_MAX: Final = 4096  # pieces of bytes that are remembered
SILENCE_S: Final = 0.3
SLACK_S: Final = 2.0  # for draining, and for a host that is busy
REOPEN_PAUSE_S: Final = 0.2
COUNT: Final = 20  # calls of each verb for its latency
NOTES_MAX: Final = 20
FAULT_KINDS: Final = ("no answer", "garbled", "refused", "fault", "busy", "lost")

Ask = Callable[[str], bool]
"""Tells a person what to do and says whether it was done."""


class Heard:
    """Remembers the last pieces that crossed the wire, from a bus's capture."""

    def __init__(self) -> None:
        self._sent: deque[bytes] = deque(maxlen=HEARD_MAX)

    def __call__(self, line: str) -> None:
        """One line of a capture."""
        head, _, data = line.rpartition('"hex": "')
        if '"dir": "out"' in head:
            self._sent.append(bytes.fromhex(data.rstrip('"}')))

    def clear(self) -> None:
        """Forget everything."""
        self._sent.clear()

    @property
    def sent(self) -> list[bytes]:
        """What was sent since `clear`."""
        return list(self._sent)


class Subject:
    """One instrument under test, open; `library` is None where PyVISA's own ports are meant."""

    def __init__(
        self, name: str, spec: Any, pacer: Any, library: Any = None, ask: Ask | None = None
    ) -> None:
        """Open it. Raises InstrumentError when it does not answer."""
        self.name = name
        self.spec = spec
        self.ask = ask
        self.pacer = pacer
        self.in_process = library is not None
        self.trial: Trial = TRIALS[spec.driver]
        self.heard = Heard()
        self.bus = Bus(pacer, library or "@py", capture=self.heard)
        self.latency: dict[str, list[float]] = {}
        self.notes: list[str] = []
        if "127.0.0.1" in spec.resource:
            self.notes.append("the resource is on this machine: a simulator or a gateway")
        self.port: Port
        self.made: Any
        try:
            self.port, self.made = open_one(self.bus, name, spec, f"driver test {spec.driver}")
            self.identity = self.made.identify()
        except BaseException:
            self.bus.close()
            raise

    def timed(self, verb: str, act: Callable[[], Any]) -> tuple[Any, float]:
        """What `act` returns and how long it took (s); kept for the card."""
        start_ns = self.pacer.now_ns()
        value = act()
        took = (self.pacer.now_ns() - start_ns) / NS
        self.latency.setdefault(verb, []).append(took)
        return value, took

    def close(self) -> None:
        """Let go of it."""
        self.made.close()
        self.bus.close()


def identifies(subject: Subject, count: int) -> Check:
    """It says who it is, and the same each time."""
    for _ in range(count):
        again, _ = subject.timed("identify", subject.made.identify)
        if again != subject.identity:
            return _failed("identify", f"it was {subject.identity}, then {again}")
    who = subject.identity
    if not (who.maker and who.model):
        return _failed("identify", "it names neither maker nor model")
    wanted = subject.spec.serial
    if wanted and who.serial and wanted != who.serial:
        return _failed("identify", f"serial {who.serial} answers where {wanted} is due")
    return _passed("identify", f"{who.maker} {who.model}, serial {who.serial or 'untold'}")


def refuses(subject: Subject) -> Check:
    """An order beyond its limits is refused before anything is sent."""
    if subject.trial.refused is None:
        return _skipped("limits", "it takes no order that has a limit")
    subject.heard.clear()
    try:
        subject.trial.refused(subject.made)
    except InstrumentError as error:
        sent = subject.heard.sent
        if error.kind != "limit":
            return _failed("limits", f"not refused as a limit: {error}")
        if sent:
            return _failed("limits", f"refused after {b''.join(sent)[:80]!r} was sent")
        return _passed("limits", error.cause)
    return _failed("limits", "an order beyond the limits was taken")


def reads(subject: Subject, count: int) -> Check:
    """A reading is a number that can be, within the bound."""
    trial = subject.trial
    for _ in range(count):
        value, took = subject.timed("sense", lambda: trial.read(subject.made))
        if not trial.low <= value <= trial.high:
            span = f"{trial.low:g}..{trial.high:g} {trial.unit}"
            return _failed("units", f"{value:g} {trial.unit} is outside {span}: which unit is set?")
        if took > trial.bound:
            return _failed("units", f"a reading took {took:.3g} s, the bound is {trial.bound:g} s")
    return _passed("units", f"{value:.6g} {trial.unit}")


def gives_up(subject: Subject) -> Check:
    """Nothing is asked and nothing comes: the wait for an answer ends in time."""
    start_ns = subject.pacer.now_ns()
    try:
        said = subject.port.query(b"", Line(), SILENCE_S, who=subject.name)
    except InstrumentError as error:
        took = (subject.pacer.now_ns() - start_ns) / NS
        if took > SILENCE_S + SLACK_S:
            return _failed("time-out", f"{took:.3g} s passed, {SILENCE_S:g} s were allowed")
        if error.kind not in ("no answer", "garbled"):
            return _failed("time-out", str(error))
        return _passed("time-out", f"gave up after {took:.3g} s")
    subject.notes.append(f"it speaks unasked: {said[:40]!r}")
    return _passed("time-out", "it speaks unasked")


def recovers(subject: Subject) -> Check:
    """An answer that comes too late is never taken for the next question's."""
    subject.heard.clear()
    subject.made.identify()
    question = subject.heard.sent[0]
    with suppress(InstrumentError):  # its answer is not waited for
        subject.port.query(question, Line(), 0.0, who=subject.name)
    again = subject.made.identify()
    if again != subject.identity:
        return _failed("recovery", f"after a late answer it was {again}")
    return _passed("recovery", "question and answer were in step again")


def is_made_safe(subject: Subject) -> Check:
    """`safe` ends within its bound, twice, having read back that it is."""
    bound = subject.made.SAFE_S + SLACK_S
    for _ in range(2):
        _, took = subject.timed("safe", subject.made.safe)
        if took > bound:
            return _failed("safe", f"it took {took:.3g} s, the bound is {bound:g} s")
    return _passed("safe", f"safe and read back within {took:.3g} s")


def excludes(subject: Subject) -> Check:
    """A second client is kept out and told who is in."""
    if subject.in_process:
        return _skipped("two clients", "it is a model in this process: nobody else reaches it")
    other = Bus(subject.pacer)
    try:
        other.port(subject.spec.resource, link=subject.made.LINK, purpose="a second client")
    except InstrumentError as error:
        if error.kind == "locked" and str(os.getpid()) in error.cause:
            return _passed("two clients", error.cause)
        return _failed("two clients", str(error))
    finally:
        other.close()
    return _failed("two clients", "two clients had the port at the same time")


def returns(subject: Subject) -> Check:
    """Unplugged, it is lost at once and stays so; plugged in again it is the same instrument."""
    if not _unplug(subject):
        sentence = "nobody was there to unplug it, and this transport cannot be cut from here"
        return _skipped("unplug", sentence)
    start_ns = subject.pacer.now_ns()
    try:
        subject.made.identify()
        return _failed("unplug", "it answered although it was unplugged")
    except InstrumentError as error:
        took = (subject.pacer.now_ns() - start_ns) / NS
        if took > subject.trial.bound:
            return _failed("unplug", f"the loss was noticed after {took:.3g} s")
        noticed = error.kind
    if subject.ask is not None:
        subject.ask(f"Plug {subject.name} in again and switch it on, then press Enter")
    if subject.port.lost:
        subject.bus.reopen(subject.spec.resource, pause_s=REOPEN_PAUSE_S)
    subject.made.close()
    subject.made.connect()
    if subject.made.identify() != subject.identity:
        return _failed("unplug", "another instrument answers after it was plugged in again")
    return _passed("unplug", f"noticed as '{noticed}', opened again and identified")


def _unplug(subject: Subject) -> bool:
    """By a person, or by cutting the connection where it is one."""
    if subject.ask is not None:
        return subject.ask(f"Unplug {subject.name} ({subject.spec.resource}), then press Enter")
    fd = subject.port.fd
    if fd < 0 or not stat.S_ISSOCK(os.fstat(fd).st_mode):
        return False
    with socket.socket(fileno=os.dup(fd)) as cut:
        cut.shutdown(socket.SHUT_RDWR)
    return True


def examine(subject: Subject, count: int = COUNT) -> Iterator[Check]:
    """Every check, in an order that leaves the instrument safe; an error is a check that failed."""
    acts: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("identify", lambda: identifies(subject, count)),
        ("limits", lambda: refuses(subject)),
        ("units", lambda: reads(subject, count)),
        ("time-out", lambda: gives_up(subject)),
        ("recovery", lambda: recovers(subject)),
        ("safe", lambda: is_made_safe(subject)),
        ("two clients", lambda: excludes(subject)),
        ("unplug", lambda: returns(subject)),
    )
    for name, act in acts:
        try:
            yield act()
        except InstrumentError as error:
            yield _failed(name, str(error))


def card_of(subject: Subject, checks: tuple[Check, ...], date: str) -> Card:
    """What the checks learnt."""
    who, spec = subject.identity, subject.spec
    return Card(
        driver=spec.driver,
        resource=spec.resource,
        address=str(spec.options().get("address", "")),
        maker=who.maker,
        model=who.model,
        serial=who.serial,
        firmware=who.firmware,
        simulated=subject.in_process,
        date=date,
        latency={verb: Latency.of(times) for verb, times in subject.latency.items()},
        checks=checks,
        notes=tuple([*subject.notes, *subject.port.notes][:NOTES_MAX]),
    )


def withstands(
    subject: Subject, truth: float, calls: int, near: Callable[[float, float], bool]
) -> tuple[list[str], int]:
    """Read `calls` times while something goes wrong: complaints, and how many values were wrong.

    Each call must return within the trial's bound, with a value or an error of a known kind.
    """
    complaints, wrong = [], 0
    for number in range(calls):
        start_ns = subject.pacer.now_ns()
        try:
            wrong += not near(subject.trial.read(subject.made), truth)
        except InstrumentError as error:
            if error.kind not in FAULT_KINDS:
                complaints.append(f"call {number}: {error.kind}: {error}")
        took = (subject.pacer.now_ns() - start_ns) / NS
        if took > subject.trial.bound:
            complaints.append(f"call {number} took {took:.3g} s")
    return complaints, wrong


def _check(name: str, outcome: Outcome, sentence: str) -> Check:
    return Check(name=name, outcome=outcome, sentence=sentence)


def _passed(name: str, sentence: str) -> Check:
    return _check(name, "passed", sentence)


def _failed(name: str, sentence: str) -> Check:
    return _check(name, "failed", sentence)


def _skipped(name: str, sentence: str) -> Check:
    return _check(name, "skipped", sentence)
