"""stir, refill and prime, grown in virtual time; the world's ledger and vessels are the judge."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbl import app as door
from lbl.errors import Refused
from lbl.journal.folder import CAPTURE, RunFolder
from lbl.run import launch as launching
from lbl.shipped import find
from sim.faults import Fault
from tests.run.test_resume import Cut, cut_when

Grow = Callable[..., Any]
Write = Callable[..., str]
LOOKS = "      - measure: {absorbance: 570 nm}\n"
PRIMER = "  - expose: {to: PEI"
PDAC = "      - expose:  {to: PDAC"
BLOCK = "  - repeat: $bilayers"
SETS = {"bilayers": "2", "dwell": "60 s"}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """The demo with one line more: before a line that it has, or after it."""

    def written(line: str, *, before: str = "", after: str = "") -> str:
        text = Path(find("demo", "recipes", "recipe")).read_text(encoding="utf-8")
        mark = before or after
        assert mark in text
        made = f"{line}\n{mark}" if before else f"{mark}{line}\n"
        path = tmp_path / "cared.yaml"
        path.write_text(text.replace(mark, made), encoding="utf-8")
        return str(path)

    return written


@pytest.fixture
def cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Begin a run whose process vanishes just after a record; the folder of the run."""

    def begun(recipe: str, tells: Callable[[Any], bool], bench: str = "dip") -> Path:
        order = door.Order(recipe, bench, SETS, runs=tmp_path / "runs")
        prepared = door.prepare(order)
        with monkeypatch.context() as patch:
            cut_when(patch, tells)
            with pytest.raises(Cut):
                launching.launch(prepared.launch, lambda news: None, run="film")
        return tmp_path / "runs" / "film"

    return begun


def resume(path: Path) -> Any:
    return door.resume(str(path), path.parent, by="Ada", reason="done").run(lambda news: None)


def world(path: Path) -> dict[str, Any]:
    """The world as it was saved last."""
    made: dict[str, Any] = json.loads((path / "world.json").read_text("utf-8"))
    return made


def level(path: Path, vessel: str) -> float:
    return float(world(path)["world"]["liquids"]["vessels"][vessel][0])


def rows(path: Path, kind: str) -> list[dict[str, Any]]:
    lines = (path / "journal.jsonl").read_text("utf-8").splitlines()
    return [one["payload"] for one in map(json.loads, lines) if one["kind"] == kind]


def exposures(path: Path) -> list[str]:
    folder = RunFolder.open(path)
    try:
        return [row["solution"] for row in folder.read_ledger() if row["kind"] == "exposure"]
    finally:
        folder.close()


def act(kind: str, name: str) -> Callable[[Any], bool]:
    return lambda event: event.kind == kind and event.payload.get("act") == name


# --- stir ----------------------------------------------------------------------------------------


def test_a_film_grows_by_how_its_baths_are_stirred(grow: Grow, write: Write) -> None:
    grown, sets = {}, {"bilayers": "2", "dwell": "10 min"}
    for speed in (0, 200):
        recipe = write(f"  - stir: {{at: {speed} rpm}}", before=PRIMER)
        film = grow(recipe, sets=sets, speed=0.0, place=f"runs-{speed}")
        assert film.states[-1] == "Complete" and not film.kinds("deviation")
        grown[speed] = film.result.film["coverage_per_dip"]
    usual = grow(sets=sets, speed=0.0, place="usual").result.film["coverage_per_dip"]
    still = grow(sets=sets, speed=0.0, place="still", world={"stir": "0"})
    assert grown[0] < 0.97 * grown[200]
    assert grown[200] == pytest.approx(usual, rel=1e-3), "the bench stirs by itself"
    assert grown[0] == pytest.approx(still.result.film["coverage_per_dip"], rel=1e-3)


def test_a_bench_without_a_stirrer_is_as_it_was(grow: Grow, tmp_path: Path, write: Write) -> None:
    text = Path(find("dip", "sim", "bench")).read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if line.startswith("stirring:"))
    kept = [line for line in lines[:first] + lines[first + 3 :] if "role: stirrer" not in line]
    bench = tmp_path / "bare.yaml"
    bench.write_text("".join(kept), encoding="utf-8")
    bare = grow(speed=0.0, bench=str(bench), place="bare").result.film
    ours = grow(speed=0.0, place="ours").result.film
    assert bare["coverage_per_dip"] == pytest.approx(ours["coverage_per_dip"], rel=3e-3)
    for other in (str(bench), "flow"):
        with pytest.raises(Refused, match="plan-stirrer"):
            grow(write("  - stir: {at: 0 rpm}", before=PRIMER), bench=other, place="no")


def test_the_speed_goes_over_the_wire_and_is_read_back(tmp_path: Path, write: Write) -> None:
    recipe = write("      - stir: {at: 450 rpm, every: 2}", after=LOOKS)
    order = door.Order(recipe, sets=SETS, runs=tmp_path / "runs", capture=True)
    result = door.prepare(order).run(lambda news: None)
    told = [json.loads(line) for line in (result.folder / CAPTURE).read_text("utf-8").splitlines()]
    sent = [bytes.fromhex(row["hex"]) for row in told if "plate" in row["resource"]]
    assert sent.count(b"OUT_SP_4 450 \r\n") == 1 and sent.count(b"OUT_SP_4 300 \r\n") == 1
    after = sent[sent.index(b"OUT_SP_4 450 \r\n") :]
    assert after[1:4] == [b"IN_SP_4 \r\n", b"450.0 4 \r\n", b"START_4 \r\n"]
    assert b"STOP_4 \r\n" in after, "the bars rest when the film is done"
    assert world(result.folder)["world"]["substrate"]["rpm"] == 0.0


@pytest.mark.parametrize(("verb", "rpm"), [("hold", 120.0), ("stop", 0.0), ("abort", 0.0)])
def test_the_bars_turn_in_a_hold_and_rest_at_every_end(
    grow: Grow, write: Write, verb: str, rpm: float
) -> None:
    recipe = write("  - stir: {at: 120 rpm}", before=BLOCK)
    film = grow(recipe, speed=0.0, place="runs", at=[(700, verb)])
    assert world(film.result.folder)["world"]["substrate"]["rpm"] == rpm


@pytest.mark.parametrize("record", ["step-intent", "step-outcome"])
def test_a_resumed_run_stirs_as_its_recipe_says(cut: Any, write: Write, record: str) -> None:
    path = cut(write("  - stir: {at: 120 rpm}", before=BLOCK), act(record, "stir"))
    result = resume(path)
    assert result.state == "Complete"
    moves = [row["moves"] for row in rows(path, "prepare-intent") if row["role"] == "plate"]
    told = "120" if record == "step-outcome" else "300"
    assert [text.rpartition(" at ")[2] for text in moves] == ["300 rpm", f"{told} rpm"]
    done = [row for row in rows(path, "step-outcome") if row["act"] == "stir"]
    assert len(done) == 1
    assert world(path)["devices"]["plate"]["values"]["stir"] == 120.0


def test_bars_that_do_not_turn_hold_the_run(grow: Grow, write: Write) -> None:
    recipe = write("  - stir: {at: 500 rpm}", before=BLOCK)
    film = grow(recipe, speed=0.0, place="runs", faults={"plate": Fault("stall", 60 * 10**9)})
    assert film.states[-1] == "Held" and "does not reach 500 rpm" in film.result.reason


# --- refill --------------------------------------------------------------------------------------


def test_the_pump_refills_the_bath_that_it_feeds(grow: Grow, write: Write) -> None:
    recipe = write("      - refill: {of: BR, volume: 2 mL, every: 2}", after=LOOKS)
    plain = grow(sets={**SETS, "bilayers": "4"}, speed=0.0, place="plain")
    film = grow(recipe, sets={**SETS, "bilayers": "4"}, speed=0.0, place="runs")
    assert film.states[-1] == "Complete" and not film.kinds("deviation")
    moved = [event.payload["volume_ml"] for event in film.kinds("dose-outcome")]
    assert moved == pytest.approx([2.0, 2.0], rel=0.02)
    more = level(film.result.folder, "polyanion") - level(plain.result.folder, "polyanion")
    assert more == pytest.approx(4.0, rel=0.03)
    assert len(film.exposures) == len(plain.exposures)


@pytest.mark.parametrize("bench", ["dip", "flow"])
def test_a_person_pours_what_the_pump_cannot(grow: Grow, write: Write, bench: str) -> None:
    recipe = write("      - refill: {of: PDAC, volume: 2 mL, every: 2}", after=LOOKS)
    plain = grow(speed=0.0, place="plain", bench=bench)
    film = grow(recipe, bench=bench, place="runs", at=[(4000, "unhold")])
    assert film.states.count("Held") == 1 and film.states[-1] == "Complete"
    (asked,) = film.kinds("verdict")
    assert asked.payload["reason"] == "add 2 mL of PDAC to polycation"
    (told,) = film.kinds("dose-outcome")
    assert told.payload["volume_ml"] == 2.0 and told.payload["source"].startswith("a person")
    more = level(film.result.folder, "polycation") - level(plain.result.folder, "polycation")
    assert more == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize("place", [{"before": PRIMER}, {"before": BLOCK}])
def test_nobody_has_poured_until_somebody_resumes(
    grow: Grow, write: Write, place: dict[str, str]
) -> None:
    film = grow(write("  - refill: {of: PDAC, volume: 2 mL}", **place), speed=0.0, place="runs")
    path = film.result.folder
    assert (film.states[-1], film.result.exit_code) == ("Held", 3)
    assert level(path, "polycation") == pytest.approx(100.0, abs=0.01)
    again = resume(path)
    assert again.state == "Complete" and level(path, "polycation") > 101.9
    assert len(rows(path, "dose-outcome")) == 1


def test_who_died_before_the_hold_asks_once_more(cut: Any, write: Write) -> None:
    recipe = write("  - refill: {of: PDAC, volume: 2 mL}", before=BLOCK)
    path = cut(recipe, lambda event: event.kind == "dose-intent")
    again = resume(path)
    assert again.state == "Held" and "unless somebody has" in again.reason
    assert level(path, "polycation") == pytest.approx(100.0, abs=0.01)
    assert resume(path).state == "Complete"
    assert level(path, "polycation") == pytest.approx(102.0, abs=0.01)
    assert len(rows(path, "dose-outcome")) == 1


def test_who_died_after_the_pouring_does_not_pour_again(cut: Any, write: Write) -> None:
    recipe = write("  - refill: {of: PDAC, volume: 2 mL}", before=BLOCK)
    path = cut(recipe, lambda event: event.kind == "state" and event.payload["to"] == "Held")

    def poured(event: Any) -> bool:
        return bool(event.kind == "dose-outcome")

    with pytest.MonkeyPatch.context() as patch:
        cut_when(patch, poured)
        with pytest.raises(Cut):
            resume(path)
    assert resume(path).state == "Complete"
    assert level(path, "polycation") == pytest.approx(102.0, abs=0.01)


def test_a_refill_that_the_pump_had_begun_is_a_persons_affair(cut: Any, write: Write) -> None:
    recipe = write("  - refill: {of: BR, volume: 2 mL}", before=BLOCK)
    path = cut(recipe, lambda event: event.kind == "dose-intent")
    again = resume(path)
    assert again.state == "Held" and "did its liquid move?" in again.reason


# --- prime ---------------------------------------------------------------------------------------


def test_a_prime_goes_to_waste_and_not_to_the_film(grow: Grow, write: Write) -> None:
    plain = grow(speed=0.0, place="plain", bench="flow")
    film = grow(write("      - prime: {with: PDAC}", before=PDAC), speed=0.0, place="runs",
                bench="flow")  # fmt: skip
    assert film.states[-1] == "Complete" and not film.kinds("deviation")
    assert [row["solution"] for row in film.exposures] == [
        row["solution"] for row in plain.exposures
    ]
    before, after = (one.result.folder for one in (plain, film))
    assert level(before, "polycation") - level(after, "polycation") == pytest.approx(
        2 * 0.195, abs=0.01
    )
    assert film.result.film["coverage_per_dip"] == pytest.approx(
        plain.result.film["coverage_per_dip"], rel=0.02
    )


def test_nothing_of_a_prime_is_in_the_cell(cut: Any, write: Write) -> None:
    recipe = write("      - prime: {with: PDAC}", before=PDAC)
    cells = []
    for record in ("step-intent", "step-outcome"):
        path = cut(recipe, act(record, "prime"), "flow")
        cells.append(world(path)["world"]["liquids"]["inner"]["cell"][3])
        path.rename(path.with_name(record))
    before, after = cells
    for name, amount in before.items():
        assert after[name] == pytest.approx(amount, rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("bench", ["dip", "flow"])
@pytest.mark.parametrize("after", [1, 2])
def test_killed_in_a_prime_the_film_goes_on(cut: Any, write: Write, bench: str, after: int) -> None:
    recipe = write("      - prime: {with: PDAC}", before=PDAC)
    kind = "prepare-intent" if after == 1 else "prepare-outcome"
    if bench == "dip":  # where it means nothing, no instrument is told anything
        kind = "step-intent" if after == 1 else "step-outcome"
    seen: list[str] = []

    def tells(event: Any) -> bool:
        seen.append(event.payload.get("act", ""))
        return "prime" in seen and event.kind == kind

    path = cut(recipe, tells, bench)
    assert resume(path).state == "Complete"
    film = [name for name in exposures(path) if name in ("PDAC", "BR")]
    assert film == ["PDAC", "BR"] * 2
