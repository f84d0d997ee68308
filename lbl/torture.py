"""The fourth door: a fault campaign on a simulated bench, and what it found.

Films are grown until so many faults have struck; each is judged by the world's own ledger. A film
that is not whole is named with the command that repeats it. Must never print, and never import a
face.
"""

import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

from lbl import app
from lbl.bench.card import embedded
from lbl.bench.file import read_bench
from lbl.campaign.film import nominal
from lbl.campaign.judge import judge
from lbl.campaign.strike import STRIKES_MAX, Nominal, drawn
from lbl.campaign.trial import Setup, Verdict, plain, played, ready, tried
from lbl.errors import BadInput, Problem, short
from lbl.run.clock import patience_s
from lbl.shipped import find
from lbl.study.pool import spread

FAULTS_MAX: Final = 100_000_000
NOMINAL: Final = 1  # seed of the film without faults: one for all, or a seed alone repeats nothing
OUR_BUG: Final = 1
INTERRUPTED: Final = 5
MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Question:
    """What a campaign is asked: the film, how many faults, from which seed, and how long at most.

    `only` are the numbers of the strikes of the one film to repeat, empty for all; `minutes` 0 is
    without end.
    """

    recipe: str
    bench: str = "dip"
    sets: Mapping[str, str] = field(default_factory=dict)
    world: Mapping[str, str] = field(default_factory=dict)
    faults: int = 100
    seed: int = 1
    only: tuple[int, ...] = ()
    jobs: int = 0
    minutes: float = 0.0


@dataclass(slots=True)
class Outcome:
    """What a campaign did, and the films that are not whole."""

    question: Question
    films: int = 0
    faults: int = 0
    struck: int = 0
    processes: int = 0
    depositions: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    wrong: list[Verdict] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    def add(self, verdict: Verdict) -> None:
        """Count a film."""
        self.films += 1
        self.faults += len(verdict.strikes)
        self.struck += verdict.struck
        self.processes += verdict.processes
        self.depositions += verdict.depositions
        self.kinds.update(one.kind for one in verdict.strikes)
        self.endings[verdict.ended] += 1
        if verdict.wrong:
            self.wrong.append(verdict)

    @property
    def exit_code(self) -> int:
        """A film that is not whole is a bug of ours."""
        if self.wrong:
            return OUR_BUG
        return INTERRUPTED if self.interrupted else 0

    def repeat(self, verdict: Verdict) -> str:
        """The command that grows this film again, with no more faults than it takes."""
        asked = self.question
        changes = [("--set", asked.sets), ("--world", asked.world)]
        told = [
            word
            for option, pairs in changes
            for name, value in pairs.items()
            for word in (option, f"{name}={value}")
        ]
        words = ["lbl", "torture", asked.recipe, "--bench", asked.bench, *told]
        words += ["--seed", str(verdict.seed), "--faults", str(STRIKES_MAX)]
        words += ["--only", ",".join(map(str, verdict.only))] if verdict.only else []
        return shlex.join(words)

    def as_json(self) -> dict[str, Any]:
        """The object that `lbl torture --json` prints."""
        return {
            "films": self.films,
            "faults": self.faults,
            "struck": self.struck,
            "processes": self.processes,
            "depositions": self.depositions,
            "kinds": dict(sorted(self.kinds.items())),
            "endings": dict(sorted(self.endings.items())),
            "violations": [{**one.as_json(), "repeat": self.repeat(one)} for one in self.wrong],
            "seed": self.question.seed,
            "wall_s": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign that may begin: everything that can be refused has been looked at."""

    question: Question
    setup: Setup
    nominal: Nominal

    def run(self, tell: Callable[[Outcome, Verdict], None]) -> Outcome:
        """Grow the films; `tell` hears of each. Ctrl-C keeps what is known."""
        asked, began = self.question, patience_s()
        outcome = Outcome(asked)
        try:
            with closing(spread(tried, self._films(began), asked.jobs)) as coming:
                for verdict in coming:
                    outcome.add(verdict)
                    outcome.seconds = patience_s() - began
                    tell(outcome, verdict)
        except KeyboardInterrupt:
            outcome.interrupted = True
        outcome.seconds = patience_s() - began
        return outcome

    def _films(self, began: float) -> Iterator[tuple[Setup, int, Nominal, Sequence[int]]]:
        """Seeds and strikes of the films until the faults are used up, or the time is."""
        asked = self.question
        left, seed = asked.faults, asked.seed
        if asked.only:
            yield self.setup, seed, self.nominal, asked.only
            return
        while left > 0:
            if asked.minutes and patience_s() - began > asked.minutes * MINUTE_S:
                return
            count = min(left, len(drawn(seed, self.nominal)))
            yield self.setup, seed, self.nominal, range(1, count + 1)
            left -= count
            seed += 1


def campaign(asked: Question) -> Campaign:
    """Look at everything that can be refused, and grow the film once without faults.

    Raises BadInput with what is wrong, `torture-bench` for a bench that is not simulated in this
    process, `torture-faults` for a number of faults that cannot be, `torture-film` for a film that
    is not whole even when nothing goes wrong.
    """
    if not 1 <= asked.faults <= FAULTS_MAX:
        sentence = f"{asked.faults} faults cannot be dealt out"
        remedy = f"give 1 to {FAULTS_MAX:,}"
        raise BadInput(Problem("torture-faults", sentence, "--faults", remedy))
    bench_path = find(asked.bench, "sim", "bench")
    file = read_bench(bench_path)
    if not file.in_process:
        sentence = f"bench {file.name} is not simulated in this process, and faults would be real"
        raise BadInput(Problem("torture-bench", sentence, "--bench", "use a simulated bench"))
    recipe = find(asked.recipe, "recipes", "recipe").read_bytes().decode("utf-8")
    # Told with the names that the user gave: mistakes of the recipe are refused here.
    app.prepare(app.Order(asked.recipe, asked.bench, asked.sets, asked.world, speed="max"))
    bench = embedded(bench_path.read_text("utf-8"), bench_path.parent)
    setup = Setup(recipe, bench, plain(asked.sets), plain(asked.world))
    whole = played(ready(setup), NOMINAL, ())
    wrong = judge(whole)
    if wrong:
        sentence = f"the film is not whole even when nothing goes wrong: {short(wrong[0])}"
        raise BadInput(Problem("torture-film", sentence, asked.recipe, "run it with lbl run"))
    return Campaign(asked, setup, nominal(whole, file))
