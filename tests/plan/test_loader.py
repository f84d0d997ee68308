"""Recipes from YAML: what is right is typed, what is wrong is told at once with its place."""

from pathlib import Path

import pytest

from lbl.errors import CODES, BadInput, Problem
from lbl.plan.loader import read_recipe

BASE = """\
lbl: 1
name: film
version: 1.0.0
parameters: {bilayers: 2, dwell: 10 min}
substrate: {area: 2 cm^2, form: flat witness}
solutions:
  PEI: {concentration: 1 mg/mL, pH: 9.0, charge: positive, role: primer}
  PDAC: {concentration: 1 mg/mL, pH: 9.0, charge: positive}
  BR: {concentration: 1 mg/mL, pH: 9.0, charge: negative, keep: dark}
  buffer: {pH: 9.0, role: rinse}
procedure:
  - expose: {to: PEI, for: 20 min}
  - rinse: {with: buffer, for: 1 min, at_least: 3}
  - repeat: $bilayers
    as: bilayer
    steps:
      - expose: {to: PDAC, for: $dwell, at_least: 1 min, at_most: 20 min}
      - rinse: {with: buffer, for: 1 min, at_least: 3}
      - expose: {to: BR, for: $dwell}
      - rinse: {with: buffer, for: 1 min, at_least: 3}
      - measure: {absorbance: 570 nm}
  - park: {in: buffer}
limits: {air: {soft: 20 s, hard: 45 s}, temperature: 15..30 degC, carry_over: 1e-6}
quality: {growth: {target: 1.07 mOD, chart: cusum, on_alarm: hold}}
"""


def wrong(text: str, sets: dict[str, str] | None = None) -> list[Problem]:
    with pytest.raises(BadInput) as raised:
        read_recipe(text, sets or {})
    found = list(raised.value.problems)
    assert found
    assert all(problem.code in CODES and problem.place for problem in found), found
    return found


def test_a_recipe_is_in_base_units() -> None:
    recipe = read_recipe(BASE)
    assert (recipe.name, recipe.version) == ("film", "1.0.0")
    assert recipe.parameters == {"bilayers": 2, "dwell": "10 min"}
    assert recipe.substrate.area == 2.0
    assert recipe.solutions["BR"].concentration == 1.0
    assert recipe.solutions["PEI"].role == "primer"
    primer = recipe.procedure[0].expose
    assert primer is not None
    assert (primer.dwell, primer.window) == (1200.0, (1080.0, 2400.0))
    block = recipe.procedure[2]
    assert (block.repeat, block.counts) == (2, "bilayer")
    assert block.steps is not None
    first = block.steps[0].expose
    assert first is not None
    assert (first.dwell, first.window) == (600.0, (60.0, 1200.0))
    assert recipe.limits.temperature == (15.0, 30.0)
    assert recipe.limits.carry_over == 1e-6
    assert recipe.quality.growth is not None
    assert recipe.quality.growth.target == 0.00107


def test_defaults_are_those_of_the_page() -> None:
    start, end = BASE.index("limits:"), len(BASE)
    recipe = read_recipe(BASE[:start] + BASE[end:])
    assert (recipe.limits.air.soft, recipe.limits.air.hard) == (20.0, 45.0)
    assert recipe.limits.temperature is None
    assert recipe.limits.carry_over == 1e-6
    assert recipe.quality.growth is None


# (what is replaced, by what, code, line:col, fragment of the sentence or remedy)
TABLE = [
    # Units and numbers.
    ("10 min}", "10}", "unit-missing", "4:34", "'10' has no unit; write it like '10 s'"),
    ("10 min}", "1:30}", "quantity", "4:34", "hours, minutes or seconds"),
    ("10 min}", "10 mL}", "quantity", "4:34", "is in mL, and s is due"),
    ("10 min}", "no}", "quantity", "4:34", "'no' is not a number with a unit"),
    ("for: 20 min", "for: 010", "unit-missing", "12:28", "has no unit"),
    ("for: 20 min", "for: 0 s", "out-of-range", "12:28", "'0 s' is less than 0.001 s"),
    ("for: 20 min", "for: -5 min", "out-of-range", "12:28", "less than"),
    ("for: 20 min", "for: 60 d", "out-of-range", "12:28", "more than 720 h"),
    ("for: 20 min", "for: {a: 1}", "quantity", "12:28", "a list or mapping"),
    ("for: 20 min}", "for: ~}", "quantity", "12:28", "nothing is not a number"),
    ("2 cm^2", "2 cm", "quantity", "5:19", "cm^2 is due"),
    ("pH: 9.0, role", "pH: nine, role", "wrong-type", "10:16", "'pH' must be a number"),
    ("pH: 9.0, role", "pH: 15, role", "out-of-range", "10:16", "at most 14"),
    ("pH: 9.0, role", "pH: .nan, role", "out-of-range", "10:16", "finite"),
    ("pH: 9.0, role", "pH: true, role", "wrong-type", "10:16", "number, not true"),
    ("15..30 degC", "15..30", "unit-missing", "23:54", "has no unit"),
    ("15..30 degC", "30..15 degC", "quantity", "23:54", "from high to low"),
    ("1e-6", "1e-6 kg", "quantity", "23:79", "plain number"),
    ("1e-6", "0", "out-of-range", "23:79", "less than"),
    ("570 nm", "570 mm", "out-of-range", "21:31", "'570 mm' is more than 1200 nm"),
    ("soft: 20 s", "soft: 50 s", "out-of-range", "23:22", "soft (50 s) is above hard (45 s)"),
    ("at_least: 3}\n  - repeat", "at_least: 010}\n  - repeat", "wrong-type", "13:49", "leading"),
    ("at_least: 3}\n  - repeat", "at_least: 0}\n  - repeat", "out-of-range", "13:49", "least 1"),
    ("at_least: 3}\n  - repeat", "at_least: 2.5}\n  - repeat", "wrong-type", "13:49", "whole"),
    ("at_least: 3}\n  - repeat", "at_least: 3, at_most: 2}\n  - repeat", "window", "13:49", "more"),
    ("bilayers: 2", "bilayers: 0", "out-of-range", "4:24", "at least 1"),
    ("bilayers: 2", "bilayers: two", "wrong-type", "4:24", "whole number, not 'two'"),
    ("bilayers: 2", "bilayers: 2.0", "wrong-type", "4:24", "whole number"),
    ("bilayers: 2", "bilayers: 100000", "too-long", "12:3", "unrolls to 500003 steps"),
    # Windows.
    ("10 min}", "30 s}", "window", "4:34", "30 s is less than at_least, 1 min"),
    ("10 min}", "21 min}", "window", "4:34", "21 min is more than at_most, 20 min"),
    ("at_least: 1 min", "at_least: 30 min", "window", "17:51", "more than at_most"),
    # Words and keys.
    ("charge: negative", "charge: negativ", "wrong-word", "9:49", "did you mean 'negative'?"),
    ("keep: dark", "keep: no", "wrong-word", "9:65", "not 'no'"),
    ("cusum", "cusun", "wrong-word", "24:45", "did you mean 'cusum'?"),
    ("version: 1.0.0", "version: 1.0", "wrong-type", "3:10", "put it in quotes"),
    ("version: 1.0.0", "version: one", "wrong-word", "3:10", "not allowed"),
    ("name: film", "name: a/../b", "wrong-word", "2:7", "not allowed"),
    ("name: film", "name: ", "wrong-type", "2:1", "text, not nothing"),
    ("at_most: 20 min", "at_mots: 20 min", "unknown-key", "17:58", "did you mean 'at_most'?"),
    ("limits:", "limit:", "unknown-key", "23:1", "did you mean 'limits'?"),
    ("to: PEI, ", "", "missing-key", "12:13", "'to' is missing in 'expose'"),
    ("substrate: {area: 2 cm^2, form: flat witness}\n", "", "missing-key", "1:1", "'substrate'"),
    ("lbl: 1", "lbl: 2", "language", "1:6", "this asks for '2'"),
    ("lbl: 1\n", "", "missing-key", "1:1", "'lbl' is missing"),
    ("solutions:\n", "solutions: none\nfoo:\n", "wrong-type", "6:12", "mapping"),
    ("  PEI:", "  ? " + "x" * 70 + "\n  :", "out-of-range", "7:5", "length of at most 64"),
    # Parameters.
    ("$bilayers", "$bilayer", "unknown-parameter", "14:13", "did you mean 'bilayers'?"),
    ("$bilayers", "$bilayers * 2", "unknown-parameter", "14:13", "only a whole value"),
    ("$dwell}", "$}", "unknown-parameter", "19:31", "parameters: bilayers, dwell"),
    ("dwell: 10 min", "dwell: $bilayers", "bad-parameter", "4:34", "another parameter"),
    ("dwell: 10 min", "dwell: [10 min]", "bad-parameter", "4:34", "number, a quantity or text"),
    ("dwell: 10 min", "dwell: yes, b: true", "bad-parameter", "4:42", "'b'"),
    ("dwell: 10 min", "dwell: 10 min, a-b: 1", "bad-parameter", "4:47", "'a-b'"),
    ("parameters: {bilayers: 2, dwell: 10 min}", "parameters: 3", "wrong-type", "4:13", "mapping"),
    # Solutions.
    ("to: PDAC", "to: PDAK", "unknown-solution", "17:22", "did you mean 'PDAC'?"),
    ("in: buffer", "in: water", "unknown-solution", "22:16", "declared: PEI, PDAC, BR, buffer"),
    ("to: PDAC", "to: buffer", "wrong-solution", "17:22", "has role rinse"),
    ("in: buffer", "in: BR", "wrong-solution", "22:16", "has role film"),
    ("role: rinse", "role: rinse, charge: negative", "wrong-solution", "10:42", "not be charged"),
    ("9.0, charge: positive}", "9.0}", "wrong-solution", "8:9", "needs its charge"),
    ("BR: {concentration: 1 mg/mL, ", "BR: {", "wrong-solution", "9:7", "concentration"),
    # Phases and their order.
    ("- park: {in", "- primer: {in", "unknown-phase", "22:5", "not a phase this version knows"),
    ("- park: {in", "- parc: {in", "unknown-phase", "22:5", "did you mean 'park'?"),
    ("- park: {in: buffer}", "- park", "phase-shape", "22:5", "one phase with its options"),
    ("- park: {in: buffer}", "- park:", "phase-shape", "22:5", "'park: {in: buffer}'"),
    ("- park: {in: buffer}", "- []", "phase-shape", "22:5", "one phase with its options"),
    ("- park: {in: buffer}", "- {}", "phase-shape", "22:5", "has none"),
    ("- park: {in", "- wait: {for: 1 s}\n    park: {in", "phase-shape", "22:5", "wait and park"),
    ("- park: {in", "- steps: [wait: {for: 1 s}]\n    park: {in", "phase-shape", "22:5", "belong"),
    ("    steps:\n", "    step:\n", "unknown-phase", "16:5", "did you mean 'steps'?"),
    ("  - park: {in: buffer}\n", "", "order", "12:3", "does not end with a park"),
    ("- park: {in: buffer}", "- park: {in: buffer}\n  - wait: {for: 1 s}", "order", "23:5", "last"),
    ("      - measure: {absorbance", "      - park: {in: buffer}\n      - measure: {absorbance",
     "order", "21:9", "inside a repetition"),
    ("- expose: {to: BR", "- measure: {absorbance: 570 nm}\n      - expose: {to: BR",
     "", "", ""),
    ("      - rinse: {with: buffer, for: 1 min, at_least: 3}\n      - expose: {to: BR",
     "      - expose: {to: BR", "order", "17:9", "not followed by a rinse"),
    ("      - rinse: {with: buffer, for: 1 min, at_least: 3}\n      - measure",
     "      - measure", "order", "20:9", "no rinse comes before"),
    ("  - repeat", "  - expose: {to: PEI, for: 1 min}\n  - wait: {for: 1 s}\n  - repeat",
     "order", "15:5", "lengthen it"),
    ("for: 20 min}", "for: 20 min, every: 2}", "order", "12:43", "not repeated"),
    ("- measure: {absorbance", "- {repeat: 2, as: bilayer, steps: [wait: {for: 1 s}]}\n"
     "      - measure: {absorbance", "order", "21:25", "inside a bilayer"),
    ("1 min, at_least: 3}\n  - repeat", "1 min}\n  - {repeat: 2, as: bilayer, steps: "
     "[wait: {for: 1 s}]}\n  - repeat", "order", "14:5", "to nothing"),
    ("for: $dwell}", "for: $dwell, on_resume: restart}", "wrong-word", "19:50", "'redo'"),
    ("for: $dwell}", "for: $dwell, when: n > 3}", "unknown-key", "19:39", "'when' is not known"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "place", "fragment"), TABLE)
def test_a_mistake_is_told_with_its_place(
    old: str, new: str, code: str, place: str, fragment: str
) -> None:
    assert old in BASE
    text = BASE.replace(old, new, 1)
    if not code:
        read_recipe(text)
        return
    found = wrong(text)
    match = [p for p in found if p.code == f"recipe-{code}" and p.place == f"recipe:{place}"]
    assert match, "\n".join(map(str, found))
    assert fragment in f"{match[0].sentence}; {match[0].remedy}"


def test_every_mistake_of_a_recipe_is_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        BASE.replace("cm^2", "cm").replace("charge: negative", "charge: minus")
        .replace("to: PEI", "to: PIE").replace("  - park: {in: buffer}\n", "")
        .replace("1e-6", "lots").replace("$dwell}", "$dwel}")
    )  # fmt: skip
    found = wrong(text)
    assert [(problem.code, problem.place) for problem in found] == [
        ("recipe-quantity", "recipe:5:19"),
        ("recipe-wrong-word", "recipe:9:49"),
        ("recipe-unknown-solution", "recipe:12:18"),
        ("recipe-unknown-parameter", "recipe:19:31"),
        ("recipe-quantity", "recipe:22:79"),
    ]


def test_the_order_is_judged_although_something_else_is_wrong() -> None:
    text = BASE.replace("cm^2", "cm").replace("  - park: {in: buffer}\n", "")
    assert [problem.code for problem in wrong(text)] == ["recipe-quantity", "recipe-order"]


def test_a_wrong_parameter_is_told_once_where_it_was_written() -> None:
    found = wrong(BASE.replace("10 min}", "10}"))
    assert [problem.place for problem in found] == ["recipe:4:34"]


def test_a_brace_in_a_name_does_no_harm() -> None:
    found = wrong(BASE.replace("to: PDAC", "to: '{0}{x}%s'"))
    assert "'{0}{x}%s'" in found[0].sentence


# --set


def test_an_override_replaces_a_parameter() -> None:
    recipe = read_recipe(BASE, {"dwell": "60s", "bilayers": "7"})
    assert recipe.parameters == {"dwell": "60s", "bilayers": 7}
    assert recipe.procedure[2].repeat == 7


@pytest.mark.parametrize(
    ("sets", "code", "place", "fragment"),
    [
        ({"dwell": "30s"}, "window", "--set dwell=30s", "30 s is less than at_least, 1 min"),
        ({"dwell": "21 min"}, "window", "--set dwell=21 min", "more than at_most"),
        ({"dwell": "60"}, "unit-missing", "--set dwell=60", "has no unit"),
        ({"dwel": "60s"}, "unknown-parameter", "--set dwel=60s", "did you mean 'dwell'?"),
        ({"bilayers": "many"}, "wrong-type", "--set bilayers=many", "whole number"),
        ({"bilayers": ""}, "bad-parameter", "--set bilayers=", "cannot be the value"),
        ({"bilayers": "$dwell"}, "bad-parameter", "--set bilayers=$dwell", "cannot be"),
        ({"bilayers": "1e9"}, "wrong-type", "--set bilayers=1e9", "whole number"),
        ({"bilayers": "999999999999"}, "out-of-range", "--set bilayers=999999999999", "100000"),
    ],
)
def test_an_override_is_checked_like_what_it_replaces(
    sets: dict[str, str], code: str, place: str, fragment: str
) -> None:
    found = wrong(BASE, sets)
    match = [p for p in found if p.code == f"recipe-{code}" and p.place == place]
    assert match, "\n".join(map(str, found))
    assert fragment in f"{match[0].sentence}; {match[0].remedy}"


def test_comparisons_have_a_relative_tolerance() -> None:
    read_recipe(BASE, {"dwell": "59.99999999999 s"})
    read_recipe(BASE, {"dwell": "1200.0000001 s"})
    assert wrong(BASE, {"dwell": "59.9999 s"})


# Files


def test_a_file_gives_its_path_as_place(tmp_path: Path) -> None:
    path = tmp_path / "film.yaml"
    path.write_text(BASE.replace("lbl: 1", "lbl: 3"), encoding="utf-8")
    with pytest.raises(BadInput) as raised:
        read_recipe(path)
    assert raised.value.problems[0].place == f"{path}:1:6"
    path.write_text(BASE, encoding="utf-8")
    assert read_recipe(path).model_dump() == read_recipe(BASE).model_dump()
    assert read_recipe(path).place(("procedure", 0, "expose", "for")) == f"{path}:12:28"


@pytest.mark.parametrize("text", ["", "# nothing\n", "- 1\n", "film\n", "3\n"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert wrong(text)[0].code == "recipe-not-mapping"


def test_yaml_problems_reach_the_user_unchanged() -> None:
    found = wrong(BASE.replace("name: film", "name: film\nname: b\nx: !!python/name:os.system a"))
    assert [problem.code for problem in found] == ["yaml-duplicate-key", "yaml-tag"]
