"""The rest of a long journal, checked beside the run that goes on from its end.

Opening trusts a checkpoint that a head confirms; before anything is exposed, every record before
it has been read as well. Must never let a doubt pass without a person, nor damage with one.
"""

from typing import Final

from lbl.errors import LblError
from lbl.journal.audit import Audit
from lbl.run.acts import Waits
from lbl.run.clock import RunClock
from lbl.run.trouble import Trouble

PAUSE_NS: Final = 1_000_000  # between two pieces: wishes are heard, the lease is renewed


class Proof:
    """What is still to be known of the journal. A new run has nothing to prove."""

    def __init__(self, clock: RunClock, audit: Audit | None = None, doubt: str = "") -> None:
        """`doubt` is what a person must see, once, before the run goes on."""
        self._clock = clock
        self._audit = audit
        self._doubt = doubt
        self._damage = ""

    def through(self) -> Waits[None]:
        """Read on to the end. Raises Trouble for a doubt, and as long as there is damage."""
        if self._doubt:
            doubt, self._doubt = self._doubt, ""
            raise Trouble("journal-doubt", doubt)
        while self._audit is not None and not self._damage:
            if self._advance(self._audit):
                self._audit = None
            else:
                yield self._clock.now_ns() + PAUSE_NS
        if self._damage:
            raise Trouble("journal-damaged", self._damage)

    def _advance(self, audit: Audit) -> bool:
        """One piece; True when all of it is read and good.

        A part that cannot be read (a worn flash disk says so long after writing) is damage too:
        the film goes into its safe liquid, and is not left where the process would die.
        """
        try:
            done = audit.advance()
        except LblError as error:
            self._damage = error.problems[0].sentence
            return False
        report = audit.report()
        if not report.ok:
            self._damage = f"the journal is damaged: {report.named()}"
        return done and report.ok
