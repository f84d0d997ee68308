"""`lbl torture`: what it prints, what it refuses, and that a seed repeats its film."""

import json

import pytest
from typer.testing import CliRunner

from lbl.campaign.strike import KINDS, STRIKES_MAX, drawn
from lbl.cli import app
from lbl.errors import BadInput
from lbl.torture import OUR_BUG, Question, campaign
from tests.campaign import films
from tests.campaign.test_wrong_products import WRONG

SHORT = ["--set", "bilayers=1", "--jobs", "1"]


def asked(*words: str) -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(app, ["torture", "demo", *SHORT, "--json", *words])
    return done.exit_code, json.loads(done.stdout.splitlines()[-1])


def test_a_campaign_tells_what_it_did_and_repeats_it() -> None:
    code, first = asked("--faults", "9", "--seed", "5")
    assert code == 0
    assert first["faults"] == 9
    assert first["violations"] == []
    assert first["endings"] == {"Complete": first["films"]}
    _, second = asked("--faults", "9", "--seed", "5")
    assert {**first, "wall_s": 0} == {**second, "wall_s": 0}


def test_one_film_is_grown_again_with_some_of_its_faults() -> None:
    code, told = asked("--faults", "5", "--seed", "4", "--only", "1")
    assert (code, told["films"], told["faults"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (Question("demo", faults=0), "torture-faults"),
        (Question("demo", bench="catalog"), "plan-bench-kind"),
    ],
)
def test_what_cannot_be_tried_is_refused(question: Question, code: str) -> None:
    with pytest.raises(Exception, match=code):
        campaign(question)


@pytest.mark.parametrize("only", ["0", "one", "1,,2"])
def test_faults_are_numbered_from_one(only: str) -> None:
    done = CliRunner().invoke(app, ["torture", "demo", *SHORT, "--only", only])
    assert isinstance(done.exception, BadInput)
    assert done.exception.problems[0].code == "torture-faults"


def test_every_kind_of_strike_is_drawn() -> None:
    nominal = films.of("demo", "dip", 1).nominal
    strikes = [one for seed in range(300) for one in drawn(seed, nominal)]
    assert {one.kind for one in strikes} == set(KINDS)
    assert max(len(drawn(seed, nominal)) for seed in range(300)) == STRIKES_MAX


def test_the_same_seed_gives_the_same_film_to_the_last_record() -> None:
    film = films.of("demo", "flow", 1)
    strikes = drawn(12, film.nominal)
    first, second = (films.grown(film, strikes, 12) for _ in range(2))
    assert first.events == second.events
    assert first.rows == second.rows
    assert first.endings == second.endings


def test_a_film_that_fails_is_made_simpler_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    spoil = WRONG["hides a stay in air"][0]
    spoil(monkeypatch)
    film = films.of("demo", "dip", 1)
    seeds = (seed for seed in range(1, 80) if len(drawn(seed, film.nominal)) > 1)
    wrong = next(one for seed in seeds if (one := films.verdict(film, seed)).wrong)
    assert 1 <= len(wrong.only) <= len(wrong.strikes)
    words = films.told(film, wrong)
    again = f"--seed {wrong.seed} --faults {STRIKES_MAX} --only {','.join(map(str, wrong.only))}"
    assert again in words
    only = ",".join(map(str, wrong.only))
    code, told = asked("--seed", str(wrong.seed), "--faults", "5", "--only", only)
    assert code == OUR_BUG
    assert len(told["violations"]) == 1  # type: ignore[arg-type]
