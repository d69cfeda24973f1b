"""A whole study on small models: what it finds, what it keeps, what it survives."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from assay.core.errors import MissingPackage, ModelError, StoreError, Unavailable, UsageError
from assay.core.result import Status
from assay.core.task import Modality
from assay.plugins.families import BUILT_IN
from assay.run.stored_comparison import compare_store
from assay.run.study import Study
from assay.store.results import Store

METHODS = ("linear_probe", "knn", "logme", "h_score_regularised", "ridge_cv", "leep", "nce", "loo_knn")


@pytest.fixture
def study(photos, tmp_path):
    def make(*models, **changes):
        given = {"tasks": [str(photos)], "methods": METHODS, "store": tmp_path / "store", **changes}
        return Study(models=[f"zoo:{model}" for model in models], **given)

    return make


def cell(comparison, model, method="linear_probe"):
    return next(c for c in comparison.cells if c.model == f"zoo:{model}" and c.method == method)


def test_a_model_that_sees_beats_one_that_does_not(study):
    found = study("colours", "blind", "noisy").run().tasks[0]

    assert found.standings[0].model == "zoo:colours"
    assert found.recommended == "zoo:colours"
    assert found.standings[0].interval.low <= found.standings[0].value <= found.standings[0].interval.high


def test_a_broken_model_fails_alone(study):
    comparison = study("broken", "colours").run()

    assert cell(comparison, "colours").status is Status.OK
    assert cell(comparison, "broken").status is Status.FAILED
    assert "checkpoint='weights.safetensors'" in cell(comparison, "broken").reason


def test_features_that_are_not_finite_are_a_row_that_names_the_example(study):
    comparison = study("nan", "colours").run()

    assert cell(comparison, "nan").status is Status.FAILED
    assert ".png' are not finite" in cell(comparison, "nan").reason
    assert cell(comparison, "colours").status is Status.OK


def test_a_score_that_needs_a_head_is_skipped_with_its_reason(study):
    comparison = study("colours", "headed").run()

    assert cell(comparison, "colours", "leep").status is Status.SKIPPED
    assert cell(comparison, "colours", "leep").reason == "the model has no source head"
    assert cell(comparison, "headed", "leep").status is Status.OK


def test_a_model_without_memory_for_a_batch_gets_halves_of_it(study):
    comparison = study("greedy", "colours").run()

    assert cell(comparison, "greedy").value == cell(comparison, "colours").value
    assert "memory did not suffice for batches of" in cell(comparison, "greedy").notes[0]


def test_the_same_command_runs_nothing_again(study, opened):
    first = study("colours", "broken").run()
    opened.clear()

    again = study("colours", "broken").run()

    assert opened == []
    assert again.cells == first.cells  # even the timings are the same


def test_where_nothing_is_left_no_engine_starts(study, monkeypatch):
    first = study("colours").run()
    monkeypatch.setattr("assay.engines.local.Local.run", lambda *_: pytest.fail("it started"))

    assert study("colours").run().cells == first.cells


def test_another_model_or_method_runs_only_what_is_new(study, opened):
    study("colours", methods=("knn",)).run()
    opened.clear()

    comparison = study("colours", "headed", methods=("knn", "logme")).run()

    assert opened == ["colours", "headed"]
    assert cell(comparison, "colours", "logme").encode_seconds == 0  # the features were kept


def test_a_model_opens_once_for_all_methods_of_a_task(study, opened):
    study("colours").run()

    assert opened == ["colours"]


def test_what_failed_runs_again_only_on_request(study, opened):
    study("broken").run()
    opened.clear()

    study("broken").run()
    assert opened == []

    study("broken").run(retry_failed=True)
    assert opened == ["broken"]


@pytest.mark.parametrize(
    "missing",
    [
        ModuleNotFoundError("No module named 'einops'"),
        MissingPackage("timm", "timm"),
        Unavailable("its weights are not in the local cache, and no network is used"),
        FileNotFoundError(2, "No such file", "weights.pt"),
        URLError("no network is used"),
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 20 MiB"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_machine_lacked_runs_again_with_the_same_command(study, opened, monkeypatch, missing):
    def lacks(self, device):
        raise ModelError("Model 'zoo:colours' cannot be opened") from missing

    with monkeypatch.context() as patch:
        patch.setattr(type(study("colours").plan().evaluations[0].model.plugin), "open", lacks)
        failed = study("colours").run()
    healed = study("colours").run()

    assert {c.status for c in failed.cells} == {Status.FAILED}
    assert {c.status for c in healed.cells} == {Status.OK, Status.SKIPPED}
    assert opened == ["colours"]


def test_a_study_stopped_in_the_middle_continues_where_it_was(study, opened):
    def stop(stage):
        if stage.model == "zoo:headed" and stage.what == "knn":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study("colours", "headed", "noisy").run(stop)
    opened.clear()
    continued = study("colours", "headed", "noisy").run()

    assert opened == ["headed", "noisy"]
    assert {c.status for c in continued.cells if c.method in {"knn", "linear_probe"}} == {Status.OK}


def test_the_same_study_elsewhere_gives_the_same_numbers(study, tmp_path):
    here = study("colours", "headed").run()
    again = Study(
        models=["zoo:colours", "zoo:headed"],
        tasks=[here.tasks[0].task.address],
        methods=METHODS,
        store=tmp_path / "elsewhere",
    ).run()
    assert [c.value for c in again.cells] == [c.value for c in here.cells]


@pytest.fixture
def words(tmp_path):
    table = tmp_path / "words.csv"
    table.write_text("text,label\n" + "".join(f"word {i},{'ab'[i % 2]}\n" for i in range(40)))
    return table


def test_a_model_that_reads_something_else_is_not_opened(study, opened, words, photos):
    comparison = study("colours", tasks=[str(words), str(photos)], methods=("knn",)).run()

    assert opened == ["colours"]
    assert comparison.cells[1].reason.startswith("other modality: the model reads images, the task has texts")
    assert [found.task.modality for found in comparison.tasks] == [Modality.TEXT, Modality.IMAGE]


def test_a_study_without_any_model_for_its_tasks_says_what_reads_what(study, words):
    with pytest.raises(UsageError, match=r"zoo:colours reads images, but table:.*words.csv holds texts"):
        study("colours", tasks=[str(words)]).plan()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1.5}, "seed is 1.5. Write a whole number"),
        ({"seed": -1}, "seed is -1. Write 0 or more"),
        ({"batch_size": "8"}, "batch_size is '8'. Write a whole number"),
        ({"store": 5}, "store is 5. Write a string"),
        ({"methods": [1]}, r"methods is \[1\]. Write a list of strings"),
    ],
)
def test_a_field_of_another_type_says_what_to_write(study, changes, message):
    with pytest.raises(UsageError, match=message):
        study("colours", **changes)


def test_damaged_features_are_made_again(study, tmp_path):
    before = study("colours", methods=("knn",)).run()
    for file in (tmp_path / "store" / "features").iterdir():
        file.write_bytes(file.read_bytes()[:40])

    after = study("colours", methods=("knn", "logme")).run()

    assert cell(after, "colours", "knn") == cell(before, "colours", "knn")
    assert cell(after, "colours", "logme").status is Status.OK


def test_the_split_is_stored_by_name_and_the_truth_beside_it(study, tmp_path):
    facts = study("colours").run().tasks[0].task
    store = tmp_path / "store"

    names = json.loads((store / "splits" / f"{facts.fingerprint}.json").read_text())
    assert (
        len(names["test"]) == facts.test_count == len(np.load(store / "truths" / f"{facts.fingerprint}.npy"))
    )
    assert set(names["train"]).isdisjoint(names["test"])


def test_a_store_can_be_compared_without_its_data(study, tmp_path, photos):
    before = study("colours", "noisy").run()
    for image in photos.rglob("*.png"):
        image.unlink()

    after = compare_store(Store(tmp_path / "store"))

    assert after.tasks == before.tasks


def test_results_on_data_that_have_changed_are_not_mixed_with_new_ones(study, tmp_path, photos):
    study("colours", methods=("knn", "logme")).run()
    (photos / "red" / "00.png").unlink()
    study("colours", methods=("knn",)).run()

    assert [c.method for c in compare_store(Store(tmp_path / "store")).cells] == ["knn"]


def test_moving_test_labels_around_changes_nothing_that_is_chosen(study, photos, tmp_path):
    """Only the metric may see the labels of test."""
    official = tmp_path / "official"
    for split, numbers in (("train", range(20)), ("val", range(20, 25)), ("test", range(25, 30))):
        for colour in ("blue", "green", "red"):
            folder = official / split / colour
            folder.mkdir(parents=True)
            for number in numbers:
                (folder / f"{colour}{number}.png").write_bytes(
                    (photos / colour / f"{number:02}.png").read_bytes()
                )
    before = study("colours", tasks=[str(official)]).run()
    moved = official / "test" / "red" / "blue25.png"
    (official / "test" / "blue" / "blue25.png").rename(moved)
    after = study("colours", tasks=[str(official)]).run()

    assert cell(after, "colours").tuned == cell(before, "colours").tuned
    assert cell(after, "colours", "ridge_cv").value == cell(before, "colours", "ridge_cv").value


def test_a_study_file_holds_the_fields_of_a_study(photos, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(f'models = ["zoo:colours"]\ntasks = ["{photos}"]\nmethods = ["knn"]\n')

    study = Study.from_file(path)

    assert study.store == tmp_path / "mine.assay"
    assert study.run().tasks[0].recommended == "zoo:colours"


def test_the_former_name_of_the_control_is_accepted(photos, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(f'tasks = ["{photos}"]\nrandom_floor = false\n')

    assert not Study.from_file(path).control
    assert not Study(tasks=[str(photos)], random_floor=False).control
    assert Study(tasks=[str(photos)]).control


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('model = ["a:b"]', "No field of a study called 'model'. Did you mean: models"),
        ('models = ["zoo:colours"]', "has no tasks. Write tasks ="),
        ("models = [", "is not TOML"),
    ],
)
def test_a_study_file_that_is_wrong_says_what_to_write(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)

    with pytest.raises(UsageError, match=message):
        Study.from_file(path)


def test_one_task_under_two_addresses_is_one_task(study, photos):
    comparison = study("colours", tasks=[str(photos), f"folder:{photos}/"], methods=("knn",)).run()

    assert len(comparison.tasks) == 1
    assert "holds the same data and is left out" in " ".join(comparison.tasks[0].task.notes)


def test_a_tiny_test_is_warned_of(study):
    assert study("colours", methods=("knn",)).run().tasks[0].task.notes == (
        "Only 18 test examples, so one is worth 6 points: expect wide intervals.",
    )


def test_results_keep_the_names_of_this_study_when_data_moved(study, photos):
    before = study("colours", methods=("knn",)).run()
    moved = photos.rename(photos.with_name("moved"))

    after = study("colours", tasks=[str(moved)], methods=("knn",)).run()

    assert after.tasks[0].task.address == f"folder:{moved}"
    assert after.tasks[0].standings == before.tasks[0].standings


def test_a_watcher_that_breaks_is_no_failure_of_a_model(study):
    def broken(stage):
        raise BrokenPipeError

    comparison = study("colours", methods=("knn",)).run(broken)

    assert cell(comparison, "colours", "knn").status is Status.OK


@pytest.mark.parametrize(
    ("model", "words"), [("short", "rows of features for"), ("unsure", "source probabilities of")]
)
def test_a_model_that_returns_something_else_than_it_should_is_a_row(study, model, words):
    comparison = study(model, "colours", methods=("knn", "leep")).run()

    assert cell(comparison, model, "knn").status is Status.FAILED
    assert words in cell(comparison, model, "knn").reason
    assert cell(comparison, "colours", "knn").status is Status.OK


def test_a_model_that_cannot_be_closed_ends_nothing(study):
    comparison = study("stuck", "colours", methods=("knn",)).run()

    assert cell(comparison, "stuck", "knn").status is Status.OK
    assert cell(comparison, "colours", "knn").status is Status.OK


def test_a_model_beyond_the_limits_runs_once_they_are_lifted(study):
    models = ("colours", "noisy(width=40)")  # 36 and 120 weights
    limited = study(*models, max_parameters=100).run()
    free = study(*models).run()

    assert [one.model for one in limited.tasks[0].standings] == ["zoo:colours"]
    assert [cell.reason for cell in limited.tasks[0].missing] == ["left out: more than 100 parameters"]
    assert {cell.model for cell in limited.cells} == {"zoo:colours"}
    assert len(free.tasks[0].standings) == 2


def test_a_limit_that_cannot_be_read_stops_before_any_work(study):
    with pytest.raises(UsageError, match="Write a time, as in 20ms"):
        study("colours", max_latency="fast")


def test_findings_come_again_without_running_anything(study, opened):
    made = study("colours", "noisy")
    first = made.run()
    opened.clear()

    assert made.compare() == first
    assert opened == []


def test_findings_of_what_never_ran_are_an_error(study):
    with pytest.raises(StoreError, match="There is no store"):
        study("colours").compare()


def test_the_queries_of_the_page_on_the_store_run(study, tmp_path):
    page = Path(__file__).resolve().parents[2] / "docs" / "store.md"
    study("colours", "noisy", control=False, seeds=1).run()
    connection = sqlite3.connect(f"file:{tmp_path / 'store' / 'results.sqlite'}?mode=ro", uri=True)

    values, models = [
        connection.execute(query).fetchall()
        for query in re.findall(r"```sql\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]
    columns = {
        table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        for table in ("results", "models", "tasks", "schema_version")
    }
    connection.close()

    assert [row[1] for row in values] == ["zoo:colours", "zoo:noisy"]
    assert {row[0] for row in models} == {"zoo:colours", "zoo:noisy"}
    for table, names in columns.items():
        line = next(line for line in page.read_text("utf-8").splitlines() if line.startswith(f"| `{table}`"))
        assert [name for name in names if f"`{name}`" not in line] == []


def test_two_studies_with_plug_ins_of_one_name_do_not_see_each_other_s(photos, tmp_path):
    studies = []
    for value in (1.0, 2.0):
        folder = tmp_path / f"plug-in {value:g}"
        folder.mkdir()
        (folder / "my_score.py").write_text(f"def my_score(features, labels):\n    return {value}\n")
        study = Study(
            models=["zoo:colours"],
            tasks=[str(photos)],
            methods=["logme"],
            plugins=[folder / "my_score.py"],
            store=folder / "store",
        )
        studies.append(study)

    plans = [study.plan() for study in studies]
    comparisons = [study.run(ready=ready) for study, ready in zip(studies, plans, strict=True)]

    values = [
        cell.value
        for comparison in comparisons
        for cell in comparison.cells
        if (cell.method, cell.model) == ("my_score", "zoo:colours")
    ]
    assert values == [1.0, 2.0]
    assert "my_score" not in BUILT_IN.scores.names()


def test_a_protocol_of_a_plug_in_may_be_named_in_the_settings_of_another(photos, tmp_path):
    (tmp_path / "my_probe.py").write_text(
        "from dataclasses import dataclass\n"
        "from assay.protocols.nearest_mean import NearestMean\n"
        "@dataclass(frozen=True, slots=True)\n"
        "class MyProbe(NearestMean):\n"
        "    pass\n"
    )
    study = Study(
        models=["zoo:colours"],
        tasks=[str(photos)],
        methods=["few_shot(k=3, draws=1, protocol='my_probe')"],
        plugins=[tmp_path / "my_probe.py"],
        engine="isolated",
        store=tmp_path / "store",
    )

    comparison = study.run()

    assert {cell.status.value for cell in comparison.cells} == {"ok"}
