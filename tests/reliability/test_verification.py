"""What `assay verify` finds in a store that was damaged, and that it changes nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from assay.actions.merge import merge
from assay.actions.verify import verify
from assay.run.study import Study
from assay.store.arrays import Arrays
from assay.wording.verification import verification_lines


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished store of one model by a protocol and a score."""
    store = tmp_path_factory.mktemp("verified") / "store"
    tasks, methods = ["sklearn:digits(limit=150)"], ["knn", "logme"]
    Study(models=["zoo:colours"], tasks=tasks, methods=methods, store=store, seeds=1, control=False).run()
    return store


@pytest.fixture
def store(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "store"))


def changed(store: Path, statement: str) -> None:
    with sqlite3.connect(store / "results.sqlite") as connection:
        connection.executescript(statement)
    connection.close()


def files(store: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in (store, *store.rglob("*"))}


def test_a_sound_store_has_no_problem_and_is_left_as_it_is(store):
    before = files(store)

    found = verify(store, reruns=2)

    assert found.is_sound
    assert (found.results, found.judged, len(found.reruns)) == (2, 1, 2)
    assert [rerun.again for rerun in found.reruns] == [rerun.stored for rerun in found.reruns]
    assert files(store) == before


def test_every_file_of_which_a_bit_is_flipped_is_a_problem(store):
    paths = [path for suffix in ("npy", "json") for path in store.glob(f"*/*.{suffix}")]
    for path in paths:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    assert len(verify(store).problems) == len(paths) > 4


@pytest.fixture
def merged(store: Path, tmp_path: Path) -> Path:
    """The results of the store in another one, with packs."""
    list(merge(tmp_path / "merged", [str(store)]))
    return tmp_path / "merged"


def test_a_sound_merged_store_has_no_problem_and_is_left_as_it_is(store, merged):
    before = files(merged)

    found = verify(merged, reruns=2)

    assert found.is_sound
    assert (found.results, found.judged, len(found.reruns)) == (2, 1, 2)
    assert files(merged) == before
    assert [path.name[:7] for path in merged.glob("predictions/*")] == ["merged-"]


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7, 0.95])
def test_a_bit_of_a_pack_that_is_flipped_is_a_problem_of_its_job(merged, place):
    (pack,) = merged.glob("predictions/*")
    content = bytearray(pack.read_bytes())
    content[int(len(content) * place)] ^= 4
    pack.write_bytes(content)

    (problem, *others) = verify(merged).problems

    listed = "list of members" in problem.reason
    assert problem.of.startswith(
        "predictions of merged jobs" if listed else "predictions of knn of zoo:colours"
    )
    assert [other.reason for other in others] == (["its predictions are missing"] if listed else [])


def test_members_of_a_pack_for_which_there_is_a_file_are_not_verified(store, merged):
    (pack,) = merged.glob("predictions/*")
    content = bytearray(pack.read_bytes())
    content[len(content) // 3] ^= 4
    pack.write_bytes(content)
    (path,) = store.glob("predictions/*.npy")
    shutil.copy(path, merged / "predictions")

    assert verify(merged).is_sound


def test_a_value_that_its_predictions_do_not_have_is_a_problem(store):
    changed(store, "UPDATE results SET metrics = replace(metrics, '\"accuracy\": 0.', '\"accuracy\": 0.0')")

    (problem, *others) = verify(store).problems

    assert problem.of.startswith("knn of zoo:colours on sklearn:digits")
    assert "its accuracy is stored as 0.0" in problem.reason
    assert [other.reason.partition(",")[0] for other in others] == ["its value"]


@pytest.mark.parametrize("what", ["missing", "others"])
def test_predictions_that_are_missing_or_those_of_another_job_are_a_problem(store, what):
    (path,) = store.glob("predictions/*.npy")
    path.unlink()
    if what == "others":
        (truths,) = store.glob("truths/*.npy")
        Arrays(store).write("predictions", path.stem, np.array(Arrays(store).read("truths", truths.stem)))

    assert any("predictions" in problem.reason for problem in verify(store).problems)


@pytest.mark.parametrize("column", ["metrics", "tuned", "notes", "cost", "interval"])
def test_a_damaged_row_is_an_error_in_one_line(store, assay, column):
    changed(store, f"UPDATE results SET {column} = '{{half'")

    code, _, said = assay("verify", str(store))

    assert code == 1
    assert said.startswith("assay: The result '")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("results", "seed = x'41'"),
        ("results", "key = '../' || key"),
        ("results", "value = 'high'"),
        ("results", """metrics = '{"accuracy": [1]}'"""),
        ("results", "metrics = printf('%.*c', 9000, '[')"),
        ("latencies", "latency_seconds = '{}'"),
        ("models", """facts = json_set(facts, '$.parameters', 'many')"""),
        ("tasks", """facts = json_set(facts, '$.classes[0]', json('[3]'))"""),
        ("tasks", """facts = json_set(facts, '$.fingerprint', '../../etc')"""),
        ("results", "seconds = -1"),
        ("results", "seconds = 9e999"),
        ("results", "encode_seconds = -9e999"),
        ("results", "value = 1e308"),
        ("results", "fingerprint = '../' || fingerprint"),
        ("tasks", """facts = json_set(facts, '$.fingerprint', 'Ý')"""),
        ("results", "seed = -1"),
        ("results", "train_rows = -5"),
        ("results", "value = 9e999"),
        ("results", "val_value = -9e999"),
        ("results", """cost = '{"tune_seconds": -1.5}'"""),
        ("results", """cost = '{"peak_bytes": -1}'"""),
        ("results", """cost = '{"device_bytes": 1e999}'"""),
        ("results", """metrics = '{"accuracy": NaN}'"""),
        ("results", """interval = '{"low": 0.9, "high": 0.1, "level": 0.95}'"""),
        ("results", """interval = '{"low": 0.1, "high": 0.9, "level": -1}'"""),
        ("latencies", "latency_seconds = -0.01"),
        ("latencies", "throughput = 9e999"),
        ("latencies", "spread = -1"),
        ("latencies", "load = -1"),
        ("models", """facts = json_set(facts, '$.parameters', -1)"""),
        ("models", """facts = json_set(facts, '$.macs', -1)"""),
        ("models", """facts = json_set(facts, '$.bytes', -1)"""),
        ("models", """facts = json_set(facts, '$.width', -1)"""),
        ("models", """facts = replace(facts, '"source_accuracy": null', '"source_accuracy": Infinity')"""),
        ("tasks", """facts = json_set(facts, '$.test_count', -1)"""),
    ],
)
def test_a_cell_of_another_type_or_an_impossible_number_is_an_error_in_one_line(store, assay, table, change):
    changed(
        store,
        f"INSERT INTO latencies (model, identity) VALUES ('zoo:colours', 'a'); UPDATE {table} SET {change}",
    )

    code, _, said = assay("report", str(store))

    assert code == 1
    assert "is damaged" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_file_of_results_that_is_cut_short_is_a_problem(store, keep):
    path = store / "results.sqlite"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])

    (problem,) = verify(store).problems

    assert problem.of == "results.sqlite"


def test_a_result_that_is_another_when_it_runs_again_is_drift(store, assay, tmp_path):
    changed(store, "UPDATE results SET value = value + 0.01 WHERE method = 'logme'")

    code, out, _ = assay("verify", str(store), "--rerun", "2", "--json", str(tmp_path / "found.json"))

    found = json.loads((tmp_path / "found.json").read_text())
    assert code == 1
    assert "Drift: logme of zoo:colours on sklearn:digits" in out
    assert out.endswith("2 jobs run again: 1 problem.\n")
    assert sum(rerun["again"] != rerun["stored"] for rerun in found["reruns"]) == 1


def test_files_that_results_need_are_missed_and_those_of_a_cache_are_counted(store):
    assert "The features" not in " ".join(verification_lines(verify(store)))
    for shelf in ("probs", "features"):
        shutil.rmtree(store / shelf)

    found = verify(store)
    (problem,) = found.problems
    *_, cached, last = verification_lines(found)

    assert problem.of.startswith("knn of zoo:colours on sklearn:digits")
    assert problem.reason.startswith("its probabilities are missing, which its auroc")
    assert cached.startswith(
        "The features of 1 of 1 pair of a model and a task are not stored. Nothing is lost"
    )
    assert last.endswith(
        "1 of 2 results computed again from their predictions (the others: 1 of scores, which make no "
        "predictions): 1 problem."
    )


def test_missing_test_labels_are_a_problem_and_no_result_counts_as_computed_again(store):
    shutil.rmtree(store / "truths")

    found = verify(store)

    assert [(problem.of[:22], problem.reason) for problem in found.problems] == [
        ("test labels of sklearn", "they are missing")
    ]
    assert "0 of 2 results" in verification_lines(found)[-1]
    assert "1 without the predictions or test labels): 1 problem." in verification_lines(found)[-1]
