"""YAML with marks: places, the traps of YAML, and hostile files in bounded work."""

import os
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lbl import marked, units
from lbl.errors import BadInput, Problem

TEXT = """\
# a comment
name: film
steps:
  - rinse: {for: 1 min, n: 3}
  - park:
      in: buffer
"""


def refused(source: str | Path) -> tuple[Problem, ...]:
    with pytest.raises(BadInput) as raised:
        marked.load(source, "f.yaml")
    return raised.value.problems


def test_data_is_plain_and_every_value_has_its_place() -> None:
    got = marked.load(TEXT, "f.yaml")
    assert got.data == {
        "name": "film",
        "steps": [{"rinse": {"for": "1 min", "n": 3}}, {"park": {"in": "buffer"}}],
    }
    assert type(got.data) is dict
    assert got.place() == "f.yaml:2:1"
    assert got.place(("name",)) == "f.yaml:2:7"
    assert got.place(("steps", 0, "rinse", "n")) == "f.yaml:4:28"
    assert got.key_place(("steps", 0, "rinse", "n")) == "f.yaml:4:25"
    assert got.place(("steps", 1, "park", "in")) == "f.yaml:6:11"
    assert got.place(("steps", 1, "park", "out")) == "f.yaml:6:7"
    assert got.key_place(("steps", 7)) == "f.yaml:4:3"
    assert got.key_place(()) == "f.yaml:2:1"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1:30", "1:30"),
        ("no", "no"),
        ("on", "on"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("1e3", 1000.0),
        ("1e-6", 1e-6),
        (".5", 0.5),
        ("-7", -7),
        ("0", 0),
        ("9" * 30, "9" * 30),
        ("true", True),
        ("~", None),
        ("", None),
        ("2026-11-21", "2026-11-21"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("1.0.0", "1.0.0"),
        ("5.", 5.0),
    ],
)
def test_a_plain_scalar_means_what_yaml_1_2_says(written: str, value: object) -> None:
    got = marked.load(f"a: {written}\n")
    assert got.data == {"a": value}
    assert isinstance(got.data, dict)
    assert type(got.data["a"]) is type(value)
    if not written.startswith(("'", '"')):
        assert marked.scalar(written) == value


@pytest.mark.parametrize(
    ("text", "code", "place", "fragment"),
    [
        ("a: 1\nb: 2\na: 3", "yaml-duplicate-key", "f.yaml:3:1", "'a' stands twice; first on line"),
        ("{a: {b: 1, b: 2}}", "yaml-duplicate-key", "f.yaml:1:12", "first on line 1"),
        ("a: !!python/object/apply:os.system [id]", "yaml-tag", "f.yaml:1:4", "python/object"),
        ("a: !!str 5", "yaml-tag", "f.yaml:1:4", "not allowed"),
        ("a: !mine {b: 1}", "yaml-tag", "f.yaml:1:4", "!mine"),
        ("a: &x {b: 1}\nc:\n  <<: *x", "yaml-merge-key", "f.yaml:3:3", "not YAML 1.2"),
        ("a: &x [*x]", "yaml-alias", "f.yaml:1:8", "contains itself"),
        ("a: *x", "yaml-alias", "f.yaml:1:4", "has no anchor"),
        ("a: &x 1\nb: [" + "*x, " * 300 + "]", "yaml-alias", "f.yaml:2:1029", "256 aliases"),
        ("1: a", "yaml-key", "f.yaml:1:1", "'1' is not text"),
        ("? [a]\n: b", "yaml-key", "f.yaml:1:3", "must be"),
        ("~: a", "yaml-key", "f.yaml:1:1", "must be"),
        ("a: \x00b", "file-encoding", "f.yaml:1:4", "U+0000"),
        ("a: 1\nb: \x1b[2J", "file-encoding", "f.yaml:2:4", "U+001B"),
        ("a: b: c", "yaml-syntax", "f.yaml:1:5", "mapping values"),
        ("a: [1, 2", "yaml-syntax", "f.yaml:1:9", "stream end"),
        ("a: 'x", "yaml-syntax", "f.yaml:1:6", "end of stream"),
        ("a:\n\t- b", "yaml-syntax", "f.yaml:2:1", "'\\t'"),
        ("a: 1\n---\nb: 2", "yaml-syntax", "f.yaml:2:1", "second document"),
        ("%YAML 1.1\n---\na: no", "yaml-syntax", "f.yaml:2:1", "another YAML"),
        ("a: " + "[" * 40 + "]" * 40, "yaml-too-deep", "f.yaml:1:35", "32"),
        ("a: " + "{b: " * 40 + "}" * 40, "yaml-too-deep", "f.yaml:1:128", "32"),
    ],
)
def test_a_trap_is_an_error_with_its_place(text: str, code: str, place: str, fragment: str) -> None:
    found = refused(text)
    assert (found[0].code, found[0].place) == (code, place)
    assert fragment in found[0].sentence


def test_all_problems_of_a_text_are_told_at_once() -> None:
    codes = [problem.code for problem in refused("a: 1\na: !x 2\n<<: {}\n7: 1\nb: [")]
    assert codes == [
        "yaml-tag", "yaml-duplicate-key", "yaml-merge-key", "yaml-key", "yaml-syntax",
    ]  # fmt: skip


def test_aliases_inside_the_cap_are_values_and_point_to_where_they_are_written() -> None:
    got = marked.load("a: &x {n: 1}\nb: *x\n", "f.yaml")
    assert got.data == {"a": {"n": 1}, "b": {"n": 1}}
    assert got.place(("b", "n")) == "f.yaml:1:11"


BILLION = "a: &a [" + "x," * 9 + "x]\n"
for before, after in zip("abcdefg", "bcdefgh", strict=True):
    BILLION += f"{after}: &{after} [" + f"*{before}," * 9 + f"*{before}]\n"


@pytest.mark.parametrize(
    "text",
    [
        BILLION,
        "[" * 100_000,
        "{" * 100_000,
        "- " * 100_000,
        "? " * 20_000,
        "[a, " * 20_000,
        "\n".join(f"k{n}: {n}" for n in range(20_000)),
        "a: [" + "x," * 60_000 + "]",
        "&a " * 30_000,
        "!" * 100_000,
        "a: '" + "\n" * 200_000,
        "a: " + "*" * 1000,
        "x" * 300_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_a_bomb_is_refused_or_read_and_never_another_exception(text: str) -> None:
    try:
        marked.load(text, "f.yaml")
    except BadInput as error:
        assert 1 <= len(error.problems) <= 101
        assert all(len(str(problem)) < 400 for problem in error.problems)


def test_a_file_is_read_and_what_is_no_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\n")
    assert marked.load(path).data == {"a": "é"}
    assert marked.load(path).name == str(path)
    path.write_bytes(b"a: 1\nb: \xff\n")
    found = refused(path)[0]
    assert (found.code, found.place) == ("file-encoding", "f.yaml:2:4")
    assert "0xff" in found.sentence
    path.write_bytes(b"a" * (marked.MAX_BYTES + 1))
    assert refused(path)[0].code == "file-too-large"
    assert refused(tmp_path)[0].code == "file-unreadable"
    assert refused(tmp_path / "none")[0].code == "file-unreadable"
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe")[0].code == "file-unreadable"
    assert refused(Path("a\x00b"))[0].code == "file-unreadable"


def test_a_text_too_large_in_bytes_is_refused() -> None:
    assert refused("é" * (marked.MAX_BYTES // 2 + 1))[0].code == "file-too-large"


def test_an_empty_text_is_nothing() -> None:
    assert marked.load("# only a comment\n").data is None


@given(st.text(alphabet=st.sampled_from("ab:-[]{},&*!?'\"|>%#\n \t0<~"), max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        marked.load(text)
    except BadInput as error:
        assert error.problems


def test_the_nearest_word_is_suggested() -> None:
    assert marked.suggest("PDAK", ["BR", "PDAC"]) == "did you mean 'PDAC'?"
    assert marked.suggest("dwel", ["Dwell"]) == "did you mean 'Dwell'?"
    assert marked.suggest("prime", ["rinse", "expose"]) == ""


class Axis(BaseModel):
    model_config = ConfigDict(extra="forbid")
    driver: Literal["zaber"]
    travel: Annotated[float, BeforeValidator(lambda v: units.number(v, "mm"))]


class Pump(BaseModel):
    model_config = ConfigDict(extra="forbid")
    driver: Literal["newera"]
    address: int = Field(ge=0, le=99)


class Bench(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(pattern="^[a-z]+$", max_length=8)
    lidded: bool = True
    instruments: dict[str, Annotated[Axis | Pump, Field(discriminator="driver")]]


@pytest.mark.parametrize(
    ("line", "code", "place", "fragment", "remedy"),
    [
        ("lift: {driver: zaber, travel: 60}", "unit-missing", ":4:33", "no unit", "'60 mm'"),
        ("lift: {driver: zaber, travel: 6 s}", "quantity", ":4:33", "mm is due", "'10 mm'"),
        ("lift: {driver: zaber}", "missing-key", ":4:9", "'travel' is missing in 'lift'", ""),
        ("lift: {driver: zabr}", "wrong-word", ":4:18", "'zaber'", "'zaber'?"),
        ("lift: {travel: 3 mm}", "missing-key", ":4:9", "'driver' is missing in 'lift'", ""),
        ("feed: {driver: newera, adress: 1}", "unknown-key", ":4:26", "'adress'", "'address'?"),
        ("feed: {driver: newera, address: 100}", "out-of-range", ":4:35", "at most 99", ""),
        ("feed: {driver: newera, address: x}", "wrong-type", ":4:35", "whole number", ""),
        ("feed: [1]", "wrong-type", ":4:9", "mapping", ""),
    ],
)
def test_what_pydantic_finds_is_told_with_place_and_cure(
    line: str, code: str, place: str, fragment: str, remedy: str
) -> None:
    got = marked.load(f"name: dip\nlidded: true\ninstruments:\n  {line}\n", "f.yaml")
    with pytest.raises(ValidationError) as raised:
        Bench.model_validate(got.data)
    found = marked.problems_of(raised.value, got, "bench", Bench)
    match = [p for p in found if p.code == f"bench-{code}" and p.place == f"f.yaml{place}"]
    assert match, [str(p) for p in found]
    assert fragment in match[0].sentence
    assert remedy in match[0].remedy


def test_problems_come_in_the_order_of_the_file() -> None:
    got = marked.load("instruments: 3\nname: 1.0\nlidded: no\nfoo: 1\n", "f.yaml")
    with pytest.raises(ValidationError) as raised:
        Bench.model_validate(got.data, strict=True)
    found = marked.problems_of(raised.value, got, "bench")
    assert [problem.place for problem in found] == [
        "f.yaml:1:14", "f.yaml:2:7", "f.yaml:3:9", "f.yaml:4:1",
    ]  # fmt: skip
    assert "put it in quotes" in found[1].remedy
    assert "true and false only" in found[2].remedy
