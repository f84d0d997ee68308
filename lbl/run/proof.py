"""The rest of a long journal, checked beside the run that goes on from its end.

Opening trusts a checkpoint that a head confirms; before anything is exposed, every record before
it has been read as well. Must never let a doubt pass without a person.
"""

from typing import Final

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

    def through(self) -> Waits[None]:
        """Read on to the end. Raises Trouble for a doubt, and as long as there is damage."""
        if self._doubt:
            doubt, self._doubt = self._doubt, ""
            raise Trouble("journal-doubt", doubt)
        while self._audit is not None:
            done = self._audit.advance()
            report = self._audit.report()
            if not report.ok:
                raise Trouble("journal-damaged", f"the journal is damaged: {report.named()}")
            if done:
                self._audit = None
            else:
                yield self._clock.now_ns() + PAUSE_NS
