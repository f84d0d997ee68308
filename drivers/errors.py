"""The one error of the drivers: which instrument, where, what was asked, why it failed, what to do.

This file must never print, retry or decide; it only carries words.
"""

from typing import Final, Literal

SHOWN_MAX: Final = 80  # bytes of a wrong answer that a message shows

Kind = Literal[
    "limit",  # we refused before anything was sent
    "locked",  # another process has the port
    "lost",  # the port is gone: refused, closed, unplugged
    "no answer",  # the port is there and nobody spoke in time
    "garbled",  # somebody spoke and it made no sense
    "refused",  # the instrument understood and said no
    "busy",  # it did not finish within its bound, or the wire was never free
    "fault",  # the instrument reports that something is wrong with it
]


class InstrumentError(Exception):
    """An instrument did not do, or could not be asked, what was wanted.

    `kind` says whose turn it is: "no answer" and "garbled" may be retried when the command is a
    question; the others need the cure. Whoever raises deep down knows only cause and cure; `at`
    fills in the rest on the way up.
    """

    def __init__(
        self,
        cause: str,
        *,
        cure: str = "",
        kind: Kind = "fault",
        instrument: str = "",
        resource: str = "",
        command: str = "",
    ) -> None:
        """Keep the words; only `cause` must be known here."""
        super().__init__(cause)
        self.cause = cause
        self.cure = cure
        self.kind: Kind = kind
        self.instrument = instrument
        self.resource = resource
        self.command = command

    def at(self, instrument: str, resource: str, command: bytes = b"") -> "InstrumentError":
        """Fill in the fields that are still empty; returns the same error, for `raise e.at()`."""
        self.instrument = self.instrument or instrument
        self.resource = self.resource or resource
        self.command = self.command or command.decode("ascii", "backslashreplace").strip()
        return self

    def __str__(self) -> str:
        """One sentence with all of it."""
        where = " at ".join(part for part in (self.instrument, self.resource) if part)
        asked = f" (sent {self.command!r})" if self.command else ""
        cure = f"; {self.cure}" if self.cure else ""
        return f"{where}{': ' if where else ''}{self.cause}{asked}{cure}"


def garbled(data: bytes, wanted: str) -> InstrumentError:
    """The error for an answer that is not what was asked for; the bytes are shown, cut short."""
    return InstrumentError(
        f"{data[:SHOWN_MAX]!r} is not {wanted}",
        kind="garbled",
        cure="check cable, address and serial settings",
    )
