"""Studies through the real stack: small films, whole runs, one table whatever happens."""

import csv
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbl import app, runs, studies
from lbl.errors import BadInput, Fault
from lbl.study.case import Film
from lbl.study.pool import grown

SHORT = {"bilayers": "2", "dwell": "60 s"}
DIP = Path(__file__).parent.parent / "sim/dip.yaml"


def silent(film: Film) -> None:
    pass


def asked(folder: Path, name: str = "t.csv", **more: Any) -> studies.Question:
    return studies.Question("demo", **{"sets": SHORT, "jobs": 1, "table": folder / name, **more})


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- twin ----------------------------------------------------------------------------------------


def test_two_films_of_one_seed_differ_in_what_was_changed(tmp_path: Path) -> None:
    both = studies.twin(asked(tmp_path, seed=7), ["gravity=0"])
    assert any("open bath" in note for note in both.study.notes)
    outcome = both.study.run(silent)
    assert outcome.states == {"Complete": 2}
    by_name = {one.name: one for one in both.contrasts(outcome)}
    assert by_name["duration_s"].difference == 0.0
    assert by_name["BR_used_ml"].difference > 0.0  # more drag-out at 0 g
    a, b = rows(tmp_path / "t.csv")
    assert (a["side"], a["gravity"], a["seed"]) == ("a", "", "7")
    assert (b["side"], b["gravity"], b["seed"]) == ("b", "0.0", "7")
    curves = both.curves(outcome)
    assert [bilayer for bilayer, _, _ in curves["a"]] == [1, 2]
    assert all(mean > 0.0 for _, mean, _ in curves["b"])


def test_recipe_parameters_and_other_recipes_make_a_side_too(tmp_path: Path) -> None:
    one = studies.twin(asked(tmp_path), ["rinses=1", "carry_over=1e-4"])
    few = {row.name: row for row in one.contrasts(one.study.run(silent))}
    assert few["duration_s"].difference < 0.0
    assert few["buffer_used_ml"].difference < 0.0
    other = studies.twin(asked(tmp_path, sets={}), [], recipe_b="pdac-pss")
    assert other.labels == ("demo on dip", "pdac-pss on dip")


def test_several_seeds_give_the_noise(tmp_path: Path) -> None:
    both = studies.twin(asked(tmp_path, seeds=3), ["dwell=2min"])
    outcome = both.study.run(silent)
    assert [row["seed"] for row in rows(tmp_path / "t.csv")] == ["0", "0", "1", "1", "2", "2"]
    thickness = next(one for one in both.contrasts(outcome) if one.name == "thickness_nm")
    assert thickness.noise is not None
    assert thickness.noise > 0.0
    assert thickness.in_noise is not None
    assert thickness.in_noise > 3.0


def test_a_side_that_cannot_be_grown_is_refused_before_the_other(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="recipe-window"):
        studies.twin(asked(tmp_path), ["dwell=1s"])
    with pytest.raises(BadInput, match="both sides are the same"):
        studies.twin(asked(tmp_path), [])
    assert list(tmp_path.iterdir()) == []


# --- sweep ---------------------------------------------------------------------------------------


def test_a_grid_is_one_table_and_a_refused_film_one_row(tmp_path: Path) -> None:
    vary = ["dwell=1s,1min,2min", "gravity=0,1"]
    grid = studies.sweep(asked(tmp_path, sets={"bilayers": "1"}), vary)
    outcome = grid.study.run(silent)
    assert outcome.exit_code == 0
    assert outcome.states == {"Refused": 2, "Complete": 4}
    assert list(outcome.failures.values()) == [2]
    table = rows(tmp_path / "t.csv")
    assert [(row["dwell_s"], row["gravity"]) for row in table] == [
        ("1.0", "0.0"), ("1.0", "1.0"), ("60.0", "0.0"), ("60.0", "1.0"), ("120.0", "0.0"),
        ("120.0", "1.0"),
    ]  # fmt: skip
    assert table[0]["state"] == "Refused"
    assert "recipe-window" in table[0]["reason"]
    assert table[0]["thickness_nm"] == ""
    assert float(table[5]["thickness_nm"]) > float(table[3]["thickness_nm"]) > 0.0
    conditions = grid.conditions(outcome)
    assert [one.complete for one in conditions] == [0, 0, 1, 1, 1, 1]
    assert grid.shown(outcome) == ["thickness_nm", "lateral_cv", "nm_per_h"]
    with pytest.raises(BadInput, match="thickness_nm"):
        grid.shown(outcome, ["thicknes_nm"])


def test_a_film_of_a_study_is_the_film_that_run_grows(tmp_path: Path) -> None:
    study = studies.sweep(asked(tmp_path, seed=5, keep=tmp_path / "kept"), ["c_BR=0.5"]).study
    (film,) = study.run(silent).films
    order = app.Order("demo", sets=SHORT, world={"c_BR": "0.5"}, seed=5, runs=tmp_path / "runs")
    alone = app.prepare(order).run(lambda news: None)
    assert {name: film.row[name] for name in alone.film} == dict(alone.film)
    assert film.row["duration_s"] == alone.duration
    record, _ = runs.show("film-00001", tmp_path / "kept")
    read = [row for row in record["measurements"] if row["quantity"] == "absorbance"]
    measured = [row["value"] / 2 for row in read]
    assert [value for _, value in film.curve] == measured
    assert "Complete" in runs.why("film-00001", tmp_path / "kept")


def test_run_folders_are_kept_only_when_asked(tmp_path: Path, monkeypatch: Any) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.chdir(tmp_path)
    studies.sweep(asked(tmp_path), ["gravity=1"]).study.run(silent)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scratch", "t.csv"]
    assert list(scratch.iterdir()) == []


def test_the_same_call_gives_the_same_bytes_with_any_number_of_processes(tmp_path: Path) -> None:
    for name, jobs in (("one.csv", 1), ("two.csv", 2), ("again.csv", 2)):
        question = asked(tmp_path, name, seeds=2, jobs=jobs)
        studies.sweep(question, ["rinses=3,99", "gravity=0,1"]).study.run(silent)
    first = (tmp_path / "one.csv").read_bytes()
    assert first == (tmp_path / "two.csv").read_bytes() == (tmp_path / "again.csv").read_bytes()
    assert len(first.splitlines()) == 9


def test_ctrl_c_keeps_what_is_grown(tmp_path: Path) -> None:
    for jobs in (1, 2):
        seen: list[Film] = []

        def stop(film: Film, seen: list[Film] = seen) -> None:
            seen.append(film)
            if len(seen) == 3:
                raise KeyboardInterrupt

        study = studies.sweep(asked(tmp_path, seeds=40, jobs=jobs), ["gravity=1"]).study
        outcome = study.run(stop)
        assert outcome.interrupted
        assert outcome.exit_code == studies.INTERRUPTED
        assert len(rows(tmp_path / "t.csv")) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_our_own_bug_in_one_film_loses_no_other(tmp_path: Path, monkeypatch: Any) -> None:
    run = app.Prepared.run

    def break_one(self: app.Prepared, *words: Any) -> Any:
        if self.launch.seed == 1:
            raise RuntimeError("a bug")
        return run(self, *words)

    monkeypatch.setattr(app.Prepared, "run", break_one)
    outcome = studies.sweep(asked(tmp_path, seeds=3), ["gravity=1"]).study.run(silent)
    assert outcome.states == {"Complete": 2, "Failed": 1}
    assert "RuntimeError: a bug" in rows(tmp_path / "t.csv")[1]["reason"]


def test_a_film_that_is_held_is_told_and_not_averaged(tmp_path: Path) -> None:
    bench = tmp_path / "ailing.yaml"
    fault = "{instrument: lift, kind: drop, at: 20 min, count: 100000}"
    text = DIP.read_text("utf-8").replace("simulated: {}", f"simulated: {{faults: [{fault}]}}")
    bench.write_text(text)
    grid = studies.sweep(asked(tmp_path, bench=str(bench), seeds=1), ["c_BR=0.5,1"])
    outcome = grid.study.run(silent)
    assert "Complete" not in outcome.states
    assert outcome.exit_code in (3, 4)
    assert grid.conditions(outcome)[0].mean == {}
    assert all(row["reason"] for row in rows(tmp_path / "t.csv"))


def test_all_refused_is_bad_input(tmp_path: Path) -> None:
    outcome = studies.sweep(asked(tmp_path), ["rinses=99,100"]).study.run(silent)
    assert outcome.states == {"Refused": 2}
    assert outcome.exit_code == 2


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "a name twice": (lambda at: studies.sweep(asked(at), ["dwell=1min"]), "study-name"),
    "too many": (
        lambda at: studies.sweep(asked(at, seeds=101), ["c_BR=0.1..1:100"]),
        "study-size",
    ),
    "no films": (lambda at: studies.sweep(asked(at, seeds=0), ["c_BR=1"]), "study-size"),
    "no such recipe": (lambda at: studies.twin(studies.Question("demi"), []), "recipe-unknown"),
    "world": (lambda at: studies.twin(asked(at), ["gravity=7"]), "world-parameter"),
    "kept elsewhere": (
        lambda at: studies.sweep(asked(at, keep=DIP.parent), ["c_BR=1"]).study.run(silent),
        "study-output",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused_before_anything_grows(tmp_path: Path, case: str) -> None:
    act, code = BAD[case]
    with pytest.raises(BadInput) as refused:
        act(tmp_path)
    assert [problem.code for problem in refused.value.problems] == [code]
    assert list(tmp_path.iterdir()) == []


def test_a_bench_in_another_process_is_refused(tmp_path: Path) -> None:
    bench = tmp_path / "served.yaml"
    bench.write_text(DIP.read_text("utf-8").replace("simulated: {}", "simulated: {served: true}"))
    with pytest.raises(BadInput, match="study-bench"):
        studies.sweep(asked(tmp_path, bench=str(bench)), ["gravity=1"])


# --- workers -------------------------------------------------------------------------------------


def test_without_joblib_one_process_still_grows(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "joblib", None)
    grid = studies.sweep(asked(tmp_path), ["gravity=1"])
    assert grid.study.run(silent).states == {"Complete": 1}
    with pytest.raises(BadInput, match=r"lbl\[study\]"):
        next(grown(grid.study.cases, jobs=2))


def test_a_worker_that_dies_loses_no_grown_film(tmp_path: Path) -> None:
    from joblib.externals.loky import reusable_executor

    seen: list[Film] = []

    def kill(film: Film) -> None:
        seen.append(film)
        if len(seen) == 3:
            os.kill(next(iter(reusable_executor._executor._processes)), signal.SIGKILL)

    study = studies.sweep(asked(tmp_path, seeds=60, jobs=2), ["gravity=1"]).study
    with pytest.raises(Fault, match="study-worker"):
        study.run(kill)
    assert len(rows(tmp_path / "t.csv")) == len(seen)
    assert 3 <= len(seen) < 60


def test_a_dask_cluster_grows_the_same_table_by_the_same_call(tmp_path: Path) -> None:
    distributed = pytest.importorskip(
        "distributed", reason="NO CLUSTER TEST: pip install 'lbl[cluster]'"
    )
    vary = ["rinses=3,99", "gravity=0,1"]
    studies.sweep(asked(tmp_path, "here.csv"), vary).study.run(silent)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, protocol="tcp://", host="127.0.0.1",
        scheduler_port=0, dashboard_address=None,
    ) as cluster:  # fmt: skip
        question = asked(tmp_path, "there.csv", cluster=cluster.scheduler_address)
        outcome = studies.sweep(question, vary).study.run(silent)
    assert outcome.states == {"Refused": 2, "Complete": 2}
    assert (tmp_path / "there.csv").read_bytes() == (tmp_path / "here.csv").read_bytes()


def test_a_cluster_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    pytest.importorskip("distributed", reason="NO CLUSTER TEST: pip install 'lbl[cluster]'")
    monkeypatch.setattr("lbl.study.pool.PATIENCE_S", 0.2)
    question = asked(tmp_path, cluster="tcp://127.0.0.1:9")
    with pytest.raises(BadInput, match="study-cluster"):
        studies.sweep(question, ["gravity=1"]).study.run(silent)
    assert list(tmp_path.iterdir()) == []
