"""Films of fault campaigns for the tests: planned once in a process, grown under chosen strikes.

A test that fails says the command that grows its film again. Must never look into the product:
what is judged is the world's ledger and the journal.
"""

from collections.abc import Sequence
from functools import cache

from lbl.campaign.film import Evidence
from lbl.campaign.judge import judge
from lbl.campaign.strike import Strike
from lbl.campaign.trial import Verdict, played, ready, tried
from lbl.torture import Campaign, Outcome, Question, campaign

DURABLE = 1  # any odd seed: every record is synced, and a power cut loses what is not
ALL = range(1, 100)  # the strikes of a film, by number


@cache
def of(recipe: str, bench: str, bilayers: int) -> Campaign:
    """The campaign on a film of so many bilayers; grows it once without faults."""
    return campaign(Question(recipe, bench, sets={"bilayers": str(bilayers)}, jobs=1))


def grown(what: Campaign, strikes: Sequence[Strike], seed: int = DURABLE) -> Evidence:
    """What is left of a film under these strikes."""
    return played(ready(what.setup), seed, strikes)


def wrong(what: Campaign, strikes: Sequence[Strike], seed: int = DURABLE) -> list[str]:
    """What the judge has against a film under these strikes."""
    return judge(grown(what, strikes, seed))


def verdict(what: Campaign, seed: int) -> Verdict:
    """What came of the film of a seed."""
    return tried(what.setup, seed, what.nominal, ALL)


def told(what: Campaign, one: Verdict) -> str:
    """What is wrong with a film, and how to grow it again."""
    return f"{'; '.join(one.wrong)}\nagain: {Outcome(what.question).repeat(one)}"
