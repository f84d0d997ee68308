"""A product that is wrong is found out: mistakes are put into the run's own code, one at a time.

Each of these would lose, double or hide something if nobody looked; the campaign must. The same
strikes on the code as it is give a whole film.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from lbl.campaign import disk
from lbl.campaign.strike import NS, Strike
from lbl.run import finding, procedure
from lbl.run.procedure import Procedure
from lbl.run.resume import Recovery
from tests.campaign import films

Patch = pytest.MonkeyPatch
# Seconds into a film of `demo` on the dip bench: what happens there when nothing goes wrong.
IN_RINSE_S = 665.0  # the second rinse of the first deposition
IN_DWELL_S = 840.0  # a hundred seconds into BR
IN_AIR_S = 1005.0  # a transfer between the bilayers


def decided(patch: Patch, change: Callable[[Any, Recovery], Recovery]) -> None:
    """What is decided on a resume is changed."""
    plain = procedure.decide

    def other(plan: Any, *given: Any) -> Recovery:
        return change(plan, plain(plan, *given))

    patch.setattr(procedure, "decide", other)


def repeats(plan: Any, found: Recovery) -> Recovery:
    """The deposition whose rinse was interrupted is exposed once more."""
    if found.step is None or found.step.kind != "rinse":
        return found
    before = plan.steps[: found.step.index]
    last = [step for step in before if step.kind == "expose"][-1]
    return replace(found, step=last, position=last.index + 1, had_ns=0, reason="")


def forgets(plan: Any, found: Recovery) -> Recovery:
    """What a dwell has had already does not count."""
    return replace(found, had_ns=0, stay_ns=0)


def skips(plan: Any, found: Recovery) -> Recovery:
    """The next bath is left out."""
    return replace(found, position=found.position + 1)


def hides(patch: Patch) -> None:
    """Nobody says that the film was in air."""
    for module in (procedure, finding):
        patch.setattr(module, "judge_air", lambda *given: [])


def lies(patch: Patch) -> None:
    """Nothing is really on the disk when its sync returns."""
    patch.setattr(disk.Disk, "sync", lambda self, name: None)
    patch.setattr(disk.Disk, "sync_folder", lambda self: None)


def counts_early(patch: Patch) -> None:
    """A deposition is done when its exposure is over."""
    plain = Procedure._count

    def count(self: Procedure, step: Any) -> None:
        following = self.plan.steps[step.index :]
        if step.kind == "expose" and step.deposition:
            step = next(one for one in following if one.completes == step.deposition)
        plain(self, step)

    patch.setattr(Procedure, "_count", count)


def struck(kind: str, at_s: float, outage_s: float = 1.0) -> list[Strike]:
    return [Strike(kind, int(at_s * NS), 1, outage_s=outage_s)]


WRONG: dict[str, tuple[Callable[[Patch], None], Sequence[Strike], str]] = {
    "repeats a deposition": (
        partial(decided, change=repeats),
        struck("kill", IN_RINSE_S),
        "under control where 120 s were due",
    ),
    "gives a dwell anew": (
        partial(decided, change=forgets),
        struck("kill", IN_DWELL_S),
        "under control where 120 s were due",
    ),
    "leaves a bath out": (partial(decided, change=skips), struck("kill", IN_RINSE_S), "no end"),
    "hides a stay in air": (hides, struck("kill", IN_AIR_S, 100.0), "and nobody said so"),
    "believes a lying disk": (lies, struck("power", IN_AIR_S, 100.0), ""),
    "counts before the rinses": (counts_early, (), "before its last rinse"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_product_is_found_out(monkeypatch: Patch, what: str) -> None:
    spoil, strikes, words = WRONG[what]
    film = films.of("demo", "dip", 2)
    assert films.wrong(film, strikes) == []
    with monkeypatch.context() as patch:
        spoil(patch)
        told = films.wrong(film, strikes)
    assert told and any(words in one for one in told), told
