"""Plans: the flagship's figures, what is put inside a dwell, and every refusal."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lbl.errors import CODES, BadInput, Problem, Refused
from lbl.plan.equipment import Dosing, Equipment
from lbl.plan.loader import read_recipe
from lbl.plan.planner import plan
from lbl.plan.recipe import Recipe
from lbl.plan.schedule import Plan, Step

FLAGSHIP_TEXT = (Path(__file__).parents[2] / "recipes" / "bacteriorhodopsin-200.yaml").read_text(
    encoding="utf-8"
)
WithBaths = Callable[..., Equipment]
HOUR = 3600.0
MIXED = """\
lbl: 1
name: mixed
version: 1.0.0
substrate: {area: 2 cm^2}
solutions:
  A: {concentration: 1 mg/mL, pH: 6, charge: positive}
  B: {concentration: 1 mg/mL, pH: 6, charge: negative}
  water: {pH: 6, role: rinse}
procedure:
PHASES
"""


def recipe_of(phases: str, extra: str = "") -> Recipe:
    lines = "\n".join(f"  - {line}" for line in phases.strip().splitlines())
    return read_recipe(MIXED.replace("PHASES", lines) + extra)


def refusals(recipe: Recipe, equipment: Equipment) -> tuple[Problem, ...]:
    with pytest.raises(Refused) as raised:
        plan(recipe, equipment)
    assert all(problem.code in CODES for problem in raised.value.problems)
    return raised.value.problems


def kinds(made: Plan) -> list[str]:
    return [f"{step.kind} {step.vessel}".strip() for step in made.steps]


FILM = """
expose: {to: A, for: 2 min}
rinse: {with: water, for: 1 min, at_least: 3}
expose: {to: B, for: 2 min}
rinse: {with: water, for: 1 min, at_least: 3}
park: {in: water}
"""


# The flagship


def test_the_flagship_is_400_depositions_in_93_hours(flagship: Recipe, dip: Equipment) -> None:
    made = plan(flagship, dip)
    assert (made.bilayers, made.depositions) == (200, 400)
    assert made.duration_ns / 1e9 / HOUR == pytest.approx(93.0, rel=0.02)
    summary = made.as_json()
    assert {
        "bilayers", "depositions", "duration_s", "steps", "volumes_ml", "waste_ml",
        "carry_over_worst", "air_s_worst", "plan_hash", "refills", "person_needed_s", "c_over_c0",
    } <= set(summary)  # fmt: skip
    assert summary["steps"] == len(made.steps)
    assert summary["volumes_ml"] == {"PEI": 60.0, "PDAC": 100.0, "buffer": 1200.0, "BR": 60.0}
    assert made.budget.carry_over_worst < 1e-6
    assert made.budget.air_worst < 20.0
    assert len(made.hash) == 64


def test_the_flagship_visits_the_baths_in_order(flagship: Recipe, dip: Equipment) -> None:
    made = plan(flagship, dip)
    assert made.assignments == {
        "primer": "PEI", "polycation": "PDAC", "polyanion": "BR",
        **dict.fromkeys(("P1", "P2", "P3", "N1", "N2", "N3"), "buffer"),
    }  # fmt: skip
    assert kinds(made)[:14] == [
        "expose primer", "rinse P1", "rinse P2", "rinse P3",
        "expose polycation", "rinse P1", "rinse P2", "rinse P3",
        "expose polyanion", "rinse N1", "rinse N2", "zero N3", "rinse N3", "measure N3",
    ]  # fmt: skip
    assert (made.steps[-1].kind, made.steps[-1].vessel, made.steps[-1].legs) == ("park", "N3", ())
    assert (made.up, made.start) == (0.0, 0.0)
    first = made.steps[0]
    assert [(leg.axis, leg.target) for leg in first.legs] == [("z", 24.0)]
    assert (first.deposition, first.bilayer) == (0, 0)


def test_a_bilayer_carries_its_ordinals(flagship: Recipe, dip: Equipment) -> None:
    made = plan(flagship, dip)
    third = [step for step in made.steps if step.bilayer == 3]
    assert [step.deposition for step in third] == [5, 5, 5, 5, 6, 6, 6, 6, 6, 6]
    assert [step.completes for step in third if step.kind == "rinse"] == [0, 0, 5, 0, 0, 6]
    assert [step.exchange for step in third if step.kind == "rinse"] == [(1, 3), (2, 3), (3, 3)] * 2
    looks = [step for step in third if step.kind in ("zero", "measure")]
    assert all(step.detail == {"wavelength_nm": 570.0} for step in looks)
    by_kind = {step.kind: step.cls for step in made.steps}
    assert by_kind == {
        "expose": "extendable", "rinse": "repeatable", "zero": "repeatable",
        "measure": "repeatable", "park": "repeatable",
    }  # fmt: skip


def test_windows_are_those_of_the_recipe(flagship: Recipe, dip: Equipment) -> None:
    made = plan(flagship, dip)
    step = next(step for step in made.steps if step.solution == "BR")
    assert (step.earliest_ns, step.dwell_ns, step.latest_ns) == (
        60 * 10**9,
        600 * 10**9,
        1200 * 10**9,
    )
    rinse = next(step for step in made.steps if step.kind == "rinse")
    assert (rinse.earliest_ns, rinse.dwell_ns) == (54 * 10**9, 60 * 10**9)


def test_planning_the_flagship_is_quick(flagship: Recipe, dip: Equipment) -> None:
    # Against planning ten bilayers: the cost is in proportion, and nothing is quadratic.
    small = flagship.model_copy(update={"procedure": list(flagship.procedure)})
    small.procedure[2] = small.procedure[2].model_copy(update={"repeat": 10})

    def best(recipe: Recipe) -> float:
        times = []
        for _ in range(3):
            began = time.perf_counter()
            plan(recipe, dip)
            times.append(time.perf_counter() - began)
        return min(times)

    assert best(flagship) < 60 * best(small)


# Inside a dwell


def test_the_reference_is_read_while_the_film_is_in_the_bath_before(dip: Equipment) -> None:
    made = plan(recipe_of(FILM.replace("park", "measure: {absorbance: 570 nm}\npark")), dip)
    zero, measure = (next(s for s in made.steps if s.kind == k) for k in ("zero", "measure"))
    before, inside = made.steps[zero.index - 1], made.steps[measure.index - 1]
    assert (before.vessel, inside.vessel, zero.vessel, measure.vessel) == ("N2", "N3", "N3", "N3")
    for look, stop in ((zero, before), (measure, inside)):
        assert stop.offset_ns + stop.transfer_ns < look.offset_ns
        assert look.end_ns + 3 * 10**9 == stop.end_ns


def test_two_measurements_in_one_rinse_share_a_reference(dip: Equipment) -> None:
    two = "measure: {absorbance: 570 nm}\nmeasure: {absorbance: 550 nm}\npark"
    made = plan(recipe_of(FILM.replace("park", two)), dip)
    assert [s.kind for s in made.steps if s.kind in ("zero", "measure")] == ["zero"] + [
        "measure"
    ] * 2


def test_a_short_rinse_is_lengthened_for_the_photometer(dip: Equipment) -> None:
    text = FILM.replace("for: 1 min", "for: 2 s").replace(
        "park", "measure: {absorbance: 570 nm}\npark"
    )
    made = plan(recipe_of(text), dip)
    assert [s.dwell_ns / 1e9 for s in made.steps if s.kind == "rinse"] == [2, 2, 2, 2, 7, 7]


def test_a_wait_prolongs_the_stay_and_a_measurement_comes_before_it(dip: Equipment) -> None:
    phases = "measure: {absorbance: 570 nm}\nwait: {for: 5 min, at_most: 1 h}\npark"
    made = plan(recipe_of(FILM.replace("park", phases)), dip)
    wait = next(step for step in made.steps if step.kind == "wait")
    assert (wait.vessel, wait.legs, wait.dwell_ns, wait.cls) == (
        "N3",
        (),
        300 * 10**9,
        "extendable",
    )
    assert (wait.earliest_ns, wait.latest_ns) == (270 * 10**9, 3600 * 10**9)
    assert made.steps[-1].offset_ns == wait.end_ns


def test_every_and_nested_repetitions(dip: Equipment) -> None:
    phases = """
repeat: 2
    steps:
      - repeat: 3
        as: bilayer
        steps:
          - expose: {to: A, for: 1 min}
          - rinse: {with: water, for: 1 min, at_least: 3}
          - expose: {to: B, for: 1 min}
          - rinse: {with: water, for: 1 min, at_least: 3}
          - measure: {absorbance: 570 nm, every: 3}
      - wait: {for: 1 min, every: 2}
  - park: {in: water}"""
    text = MIXED.replace("PHASES", "  - " + phases.strip())
    made = plan(read_recipe(text), dip)
    assert (made.bilayers, made.depositions) == (6, 12)
    assert [step.bilayer for step in made.steps if step.kind == "measure"] == [3, 6]
    assert [step.kind for step in made.steps].count("wait") == 1


def test_rinse_only_recipes_wash_on_the_negative_side(dip: Equipment) -> None:
    made = plan(recipe_of("rinse: {with: water, for: 1 min, at_least: 2}\npark: {in: water}"), dip)
    assert kinds(made) == ["rinse N2", "rinse N3", "park N3"]
    assert (made.bilayers, made.depositions, made.budget.carry_over_worst) == (0, 0, 0.0)


def test_park_is_the_last_rinse_of_the_own_side(dip: Equipment) -> None:
    made = plan(recipe_of("expose: {to: A, for: 1 min}\npark: {in: water}"), dip)
    assert kinds(made) == ["expose polycation", "park P3"]
    assert made.steps[-1].latest_ns == 12 * 3600 * 10**9


def test_a_fixed_dwell_is_of_class_once(dip: Equipment) -> None:
    fixed = "expose: {to: A, for: 1 min, at_least: 1 min, at_most: 1 min}\npark: {in: water}"
    assert plan(recipe_of(fixed), dip).steps[0].cls == "once"


# Exchanges


def exchanges(made: Plan, side: str) -> set[int]:
    return {s.exchange[1] for s in made.steps if s.kind == "rinse" and s.vessel.startswith(side)}


def test_rinses_are_added_until_the_carry_over_is_met(flagship: Recipe, dip: Equipment) -> None:
    recipe = read_recipe(FLAGSHIP_TEXT.replace("at_least: 3}", "at_least: 1}"))
    made = plan(recipe, dip)
    assert exchanges(made, "P") == exchanges(made, "N") == {3}
    assert plan(flagship, dip).budget.carry_over_worst == made.budget.carry_over_worst


def test_only_the_side_that_needs_it_rinses_more(dip: Equipment, with_baths: WithBaths) -> None:
    huge = {"volume": 1e9}
    bench = with_baths(dip, N1=huge, N2=huge, N3=huge)
    made = plan(read_recipe(FLAGSHIP_TEXT.replace("at_least: 3}", "at_least: 1}")), bench)
    assert (exchanges(made, "P"), exchanges(made, "N")) == ({3}, {1})


def test_at_most_bounds_the_exchanges(dip: Equipment) -> None:
    recipe = read_recipe(FLAGSHIP_TEXT.replace("at_least: 3}", "at_most: 2}"))
    found = refusals(recipe, dip)
    assert [problem.code for problem in found] == ["plan-carry-over"] * 2


# Refusals


def test_opposite_charges_without_a_rinse_are_refused(dip: Equipment) -> None:
    recipe = recipe_of(
        "expose: {to: A, for: 1 min}\nexpose: {to: B, for: 1 min}\npark: {in: water}"
    )
    (found,) = refusals(recipe, dip)
    assert found.code == "plan-carry-over"
    assert "1 of an opposite solution reaches 'B'" in found.sentence
    assert "1e-06" in found.sentence
    assert found.place == "recipe:11:5"


def test_small_rinse_baths_are_refused(
    flagship: Recipe, dip: Equipment, with_baths: WithBaths
) -> None:
    small = {name: {"volume": 5.0} for name in ("P1", "P2", "P3")}
    (found,) = refusals(flagship, with_baths(dip, **small))
    assert found.code == "plan-carry-over"
    assert "'BR'" in found.sentence


def test_a_looser_limit_lets_the_same_plan_through(dip: Equipment) -> None:
    phases = "expose: {to: A, for: 1 min}\nexpose: {to: B, for: 1 min}\npark: {in: water}"
    assert plan(recipe_of(phases, "limits: {carry_over: 1}\n"), dip).budget.carry_over_worst == 1.0


def test_same_charges_may_follow_each_other(dip: Equipment) -> None:
    made = plan(
        recipe_of("expose: {to: A, for: 1 min}\nexpose: {to: A, for: 1 min}\npark: {in: water}"),
        dip,
    )
    assert made.steps[1].legs == ()


def test_too_long_in_air_is_refused_once_per_way(flagship: Recipe, dip: Equipment) -> None:
    slow = replace(dip, arm=replace(dip.arm, withdraw=1.5))
    found = refusals(flagship, slow)
    assert {problem.code for problem in found} == {"plan-air-time"}
    assert len(found) == 1
    assert found[0].sentence.startswith("from N3 to polycation the film is 23.2 s in air")
    assert found[0].place.endswith(":34:15")


def test_air_time_exactly_at_the_limit_is_allowed(dip: Equipment) -> None:
    worst = plan(recipe_of(FILM), dip).budget.air_worst
    near = f"limits: {{air: {{soft: {worst:.12f} s}}}}\n"
    assert plan(recipe_of(FILM, near), dip)
    below = f"limits: {{air: {{soft: {worst * (1 - 1e-6):.12f} s}}}}\n"
    assert refusals(recipe_of(FILM, below), dip)[0].code == "plan-air-time"


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ({"polycation": None, "spare": None}, "no free bath for 'A' (positive)"),
        ({"polyanion": None, "spare": None}, "no free bath for 'B' (negative)"),
        ({"P3": None}, "3 rinse baths with 'water' are needed on the positive side"),
        ({"N1": None, "N2": None}, "needed on the negative side, and the bench has 1"),
    ],
)
def test_a_missing_bath_is_refused(
    dip: Equipment, with_baths: WithBaths, gone: dict[str, None], sentence: str
) -> None:
    bench = replace(with_baths(dip, **gone), dosing=None)
    (found,) = refusals(recipe_of(FILM), bench)
    assert found.code == "plan-no-bath"
    assert sentence in found.sentence
    assert found.place.startswith("recipe:")


def test_a_bath_for_anything_stands_in(dip: Equipment, with_baths: WithBaths) -> None:
    made = plan(recipe_of(FILM), with_baths(dip, polycation=None))
    assert made.assignments["spare"] == "A"


def test_a_pinned_bath_is_taken_first(dip: Equipment, with_baths: WithBaths) -> None:
    made = plan(recipe_of(FILM), with_baths(dip, spare={"holds": "B"}, polyanion={"holds": "C"}))
    assert made.assignments["spare"] == "B"
    assert "polyanion" not in made.assignments


def test_one_rinse_bath_for_both_sides_is_refused(dip: Equipment, with_baths: WithBaths) -> None:
    gone = dict.fromkeys(("P2", "P3", "N1", "N2", "N3"))
    bench = with_baths(dip, P1={"side": ""}, **gone)
    (found,) = refusals(recipe_of(FILM.replace("at_least: 3", "at_least: 1")), bench)
    assert found.code == "plan-shared-rinse"
    assert "P1 would serve both sides" in found.sentence


def test_rinse_baths_without_a_side_are_dealt_to_both(
    dip: Equipment, with_baths: WithBaths
) -> None:
    free = {name: {"side": ""} for name in ("P1", "P2", "P3", "N1", "N2", "N3")}
    made = plan(recipe_of(FILM), with_baths(dip, **free))
    first, second = (
        {s.vessel for s in made.steps if s.kind == "rinse" and (s.index < 4) is early}
        for early in (True, False)
    )
    assert (len(first), len(second)) == (3, 3)
    assert not first & second


@pytest.mark.parametrize("role", ["photometer", "light"])
def test_a_measurement_needs_its_instruments(flagship: Recipe, dip: Equipment, role: str) -> None:
    (found,) = refusals(flagship, replace(dip, roles=dip.roles - {role}))
    assert found.code == "plan-no-role"
    assert f"needs a {role}" in found.sentence
    assert ":30:" in found.place


def test_dosing_needs_a_pump(flagship: Recipe, dip: Equipment) -> None:
    (found,) = refusals(flagship, replace(dip, roles=dip.roles - {"pump"}))
    assert found.code == "plan-no-role"
    assert "polyanion without a pump" in found.sentence


@pytest.mark.parametrize(
    ("readout", "sentence"), [("", "does not say"), ("P3", "looks through P3")]
)
def test_a_light_path_elsewhere_is_refused(
    flagship: Recipe, dip: Equipment, readout: str, sentence: str
) -> None:
    found = refusals(flagship, replace(dip, readout=readout))
    assert [problem.code for problem in found] == ["plan-readout"]
    assert sentence in found[0].sentence


def test_a_film_that_was_only_in_the_light_path_has_no_reference(dip: Equipment) -> None:
    phases = "rinse: {with: water, for: 1 min}\nmeasure: {absorbance: 570 nm}\npark: {in: water}"
    (found,) = refusals(recipe_of(phases), dip)
    assert found.code == "plan-readout"
    assert "no reference" in found.sentence


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("temperature: 4..10 degC", "holds 15..40 degC"),
        ("temperature: 50..60 degC", "asks for 50..60 degC"),
    ],
)
def test_temperatures_out_of_reach_are_refused(dip: Equipment, limit: str, sentence: str) -> None:
    (found,) = refusals(recipe_of(FILM, f"limits: {{{limit}}}\n"), dip)
    assert found.code == "plan-temperature"
    assert sentence in found.sentence
    assert found.place == "recipe:15:23"


def test_temperature_limits_need_a_thermostat(dip: Equipment) -> None:
    bench = replace(dip, roles=dip.roles - {"thermostat"})
    recipe = recipe_of(FILM, "limits: {temperature: 15..30 degC}\n")
    assert refusals(recipe, bench)[0].code == "plan-temperature"
    assert plan(recipe_of(FILM), bench)


def test_an_empty_bath_is_refused(dip: Equipment, with_baths: WithBaths) -> None:
    (found,) = refusals(recipe_of(FILM), with_baths(dip, N2={"volume": 0.0}))
    assert (found.code, "N2" in found.sentence) == ("plan-volume", True)


def test_a_dwell_too_short_for_the_photometer_is_refused(
    dip: Equipment, with_baths: WithBaths
) -> None:
    # With one rinse bath the reference is read while the film is still in B.
    bench = with_baths(dip, N1=None, N2=None)
    text = FILM.replace("at_least: 3", "at_least: 1").replace(
        "to: B, for: 2 min", "to: B, for: 2 s"
    )
    recipe = recipe_of(
        text.replace("park", "measure: {absorbance: 570 nm}\npark"), "limits: {carry_over: 1}\n"
    )
    (found,) = refusals(recipe, bench)
    assert found.code == "plan-dwell"
    assert "expose must take 7 s for the photometer, and at most 4 s are allowed" in found.sentence
    assert found.place == "recipe:12:26"


def test_another_kind_of_bench_is_refused_with_all_else(flagship: Recipe, dip: Equipment) -> None:
    bench = replace(dip, kind="flow", roles=frozenset({"pump"}), temperature=(0.0, 5.0))
    codes = [problem.code for problem in refusals(flagship, bench)]
    assert codes == ["plan-bench-kind", "plan-temperature", "plan-no-role", "plan-no-role"]


# Top-ups


def doses(made: Plan) -> list[Step]:
    return [step for step in made.steps if step.kind == "dose"]


def test_top_ups_come_when_enough_is_lost_and_the_film_is_elsewhere(
    flagship: Recipe, dip: Equipment
) -> None:
    bench = replace(dip, drag_out=0.05)
    recipe = read_recipe(FLAGSHIP_TEXT.replace("carry_over: 1e-6", "carry_over: 1"))
    made = plan(recipe, bench)
    found = doses(made)
    assert len(found) == 10  # 200 dips of 0.05 mL, and 0.3 mL of evaporation
    assert [step.detail["total"] for step in found] == [float(n) for n in range(1, 11)]
    assert all(
        (s.vessel, s.solution, s.cls, s.on_resume) == ("polyanion", "BR", "once", "hold")
        for s in found
    )
    for step in found:
        stop = next(s for s in reversed(made.steps[: step.index]) if s.kind in ("expose", "rinse"))
        assert stop.vessel != "polyanion"
        assert stop.offset_ns + stop.transfer_ns < step.offset_ns
        assert step.end_ns + 3 * 10**9 <= stop.end_ns
    assert made.budget.volumes["BR"] == 70.0
    assert [refill.by for refill in made.budget.refills] == ["pump"] * 10


def test_a_bottle_that_is_too_small_is_refused(dip: Equipment) -> None:
    recipe = read_recipe(FLAGSHIP_TEXT.replace("carry_over: 1e-6", "carry_over: 1"))
    bench = replace(dip, drag_out=0.05, dosing=Dosing("polyanion", 1.0, 5.0, 1.0))
    (found,) = refusals(recipe, bench)
    assert found.code == "plan-volume"
    assert "needs 10 mL of top-up, and the feed bottle holds 5 mL" in found.sentence


def test_a_bath_that_would_overflow_is_refused(dip: Equipment, with_baths: WithBaths) -> None:
    recipe = read_recipe(FLAGSHIP_TEXT.replace("carry_over: 1e-6", "carry_over: 1"))
    bench = with_baths(replace(dip, drag_out=0.05), polyanion={"capacity": 65.0})
    (found,) = refusals(recipe, bench)
    assert found.code == "plan-volume"
    assert "would hold 69.7 mL, and 65 mL fit" in found.sentence


def test_a_pump_too_slow_for_every_dwell_is_refused(dip: Equipment) -> None:
    recipe = read_recipe(FLAGSHIP_TEXT.replace("carry_over: 1e-6", "carry_over: 1"))
    bench = replace(dip, drag_out=0.05, dosing=Dosing("polyanion", 0.05, 50.0, 1.0))
    (found,) = refusals(recipe, bench)
    assert found.code == "plan-dwell"
    assert "no stop outside polyanion" in found.sentence


def test_open_baths_call_a_person(dip: Equipment, with_baths: WithBaths) -> None:
    recipe = read_recipe(FLAGSHIP_TEXT)
    bench = with_baths(dip, polycation={"lidded": False})
    made = plan(recipe, bench)
    by_hand = [refill for refill in made.budget.refills if refill.by == "person"]
    # 10 cm2 open at 0.1 kg/m2/h lose 0.1 mL an hour; a tenth of 100 mL is gone after 100 h.
    assert by_hand == []
    assert made.budget.person == made.duration_ns / 1e9
    hotter = plan(recipe, replace(bench, evaporation=0.3))
    (first, second) = hotter.budget.refills
    assert (first.vessel, first.solution, first.volume) == ("polycation", "PDAC", 10.0)
    assert first.at == pytest.approx(100 / 3 * HOUR)
    assert second.at == pytest.approx(200 / 3 * HOUR)
    assert hotter.budget.person == first.at
    assert hotter.budget.volumes["PDAC"] == 120.0


def test_every_refusal_is_bad_input(dip: Equipment) -> None:
    with pytest.raises(BadInput) as raised:
        plan(recipe_of(FILM), replace(dip, baths=()))
    assert raised.value.exit_code == 2
