"""Results that outlive what wrote them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import StoreError
from assay.core.estimate import Interval
from assay.core.job import Job
from assay.core.predictor import Predicted
from assay.core.result import Cause, Finished, Result, Status
from assay.core.task import InMemoryExamples, LabelKind, Labels, Modality, Split, Task, TaskKind
from assay.run.plan import resolve_tasks
from assay.run.task_facts import task_facts
from assay.store.arrays import Arrays
from assay.store.results import Store, open_existing

TASK = Task(
    "folder:x", TaskKind.REGRESSION, Modality.TEXT, "r2", (),
    *(Split(InMemoryExamples(["a"], ["a"]), Labels(LabelKind.REGRESSION, np.array([1.0]))) for _ in range(3)),
    fingerprint="data",
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def result(key: str = "a1", status: Status = Status.OK, **fields: object) -> Result:
    given = {"value": 0.5} if status is Status.OK else {"reason": "it broke"}
    return Result(Job("zoo:größe", "folder:写真", "knn(k=5)", 0, key, "data"), status, **{**given, **fields})


@pytest.mark.parametrize(
    "kept",
    [
        result(metrics={"accuracy": 0.5}, tuned={"k": 5}, notes=("a note", "ein Hinweis"), seconds=1.5),
        result(interval=Interval(0.4, 0.6), metric="accuracy"),
        result(dtype="bfloat16", val_value=0.25),
        result(status=Status.SKIPPED),
        result(status=Status.FAILED, cause=Cause.TIME_LIMIT, seconds=600.0),
        result(status=Status.FAILED, reason="line one\nline 'two'; DROP TABLE results"),
    ],
)
def test_a_result_comes_back_as_it_went_in(store, kept):
    store.add(Finished(kept))

    assert store.results({"a1"}) == (kept,)


def test_adding_twice_equals_adding_once(store):
    store.add(Finished(result()))
    store.add(Finished(result()))

    assert len(store.results({"a1"})) == 1


def subset(key: str, train_rows: int | None) -> Result:
    whole = result(key, value=0.5 if train_rows is None else train_rows / 1000)
    return replace(whole, job=replace(whole.job, train_rows=train_rows))


def test_a_result_on_a_subset_of_train_is_left_out_unless_asked_for(store):
    task = replace(TASK, address="folder:写真")
    store.add_task(task_facts(task), task)
    for finished in (subset("small", 100), subset("all", None), subset("larger", 200)):
        store.add(Finished(finished))

    assert [kept.job.key for kept in store.results()] == ["all"]
    assert [kept.job.key for kept in store.results({"all", "larger"})] == ["all"]
    assert [kept.job.train_rows for kept in store.results(on_subsets=True)] == [100, None, 200]
    assert store.known(["small", "all"]) == {"small", "all"}


def test_predictions_come_back_by_key(store):
    store.add(Finished(result(), predictions=Predicted(np.array([2, 0, 1]), np.eye(3))))

    np.testing.assert_array_equal(store.predictions(["a1", "b2"])["a1"].values, [2, 0, 1])
    np.testing.assert_array_equal(store.predictions(["a1"])["a1"].probs, np.eye(3))


def test_failures_stand_by_what_caused_them(store):
    store.add(Finished(result("ok")))
    store.add(Finished(result("skipped", Status.SKIPPED)))
    store.add(Finished(result("model", Status.FAILED)))
    store.add(Finished(result("network", Status.FAILED, cause=Cause.ENVIRONMENT)))
    store.add(Finished(result("slow", Status.FAILED, cause=Cause.TIME_LIMIT, seconds=600.0)))
    keys = ["ok", "skipped", "model", "network", "slow"]

    assert store.known(keys, time_limit=600) == {"ok", "skipped", "model", "slow"}
    assert store.known(keys, time_limit=60) == {"ok", "skipped", "model", "slow"}
    assert store.known(keys, time_limit=601) == {"ok", "skipped", "model"}
    assert store.known(keys) == {"ok", "skipped", "model"}
    assert store.known(keys, retry_failed=True) == {"ok", "skipped"}


def test_a_second_writer_is_told_to_wait(store):
    with (
        store.writing(),
        pytest.raises(StoreError, match="Another process writes"),
        Store(store.root).writing(),
    ):
        pass


@pytest.mark.framework
def test_a_writer_that_dies_gives_the_store_back(store):
    dies = (
        "import os, sys; from pathlib import Path; from assay.store.results import Store\n"
        "with Store(Path(sys.argv[1])).writing(): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", dies, str(store.root)], check=False)

    with store.writing():
        store.add(Finished(result()))

    assert store.known(["a1"]) == {"a1"}


def test_reading_a_store_that_is_not_there_says_so(tmp_path):
    with pytest.raises(StoreError, match="There is no store in"):
        open_existing(tmp_path / "nothing")


def test_a_folder_that_cannot_be_made_is_said_clearly(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreError, match="Cannot open the store .*--store other-folder"):
        Store(tmp_path / "file" / "store")


FULL_DISK = """
import resource, sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from assay.core.errors import StoreError
from assay.run.plan import resolve_tasks
from assay.store.arrays import Arrays
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    with Arrays(Path(sys.argv[1])).appending("features", "a1", (1000, 100)) as append:
        for _ in range(1000):
            append(np.zeros((1, 100)))
except StoreError as error:
    print(error)
"""


@pytest.mark.framework
def test_a_full_disk_is_an_error_and_leaves_nothing_half_written(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert "What was finished before is kept. Make room" in done.stdout
    assert Arrays(tmp_path).read("features", "a1") is None
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_matrix_appears_when_all_its_rows_are_there(tmp_path):
    arrays = Arrays(tmp_path)
    with arrays.appending("features", "a1", (3, 2)) as append:
        append(np.array([[1.0, 2.0]]))
        assert arrays.read("features", "a1") is None
        append(np.array([[3.0, 4.0], [5.0, 6.0]]))

    np.testing.assert_array_equal(arrays.read("features", "a1"), [[1, 2], [3, 4], [5, 6]])


@pytest.mark.parametrize("key", ["../out", "a/b", "", "A b"])
def test_a_key_cannot_leave_the_folder(tmp_path, key):
    with pytest.raises(ValueError, match="Not a key"):
        Arrays(tmp_path).read("features", key)


def test_a_few_examples_of_a_task_are_kept_to_be_shown(store, photos):
    task = resolve_tasks([str(photos)], seed=0)[0]

    store.add_task(task_facts(task), task)

    shown = store.examples(store.tasks())[task.address]
    assert len(shown) == 12
    assert {example.label for example in shown} == {"blue", "green", "red"}
    assert all(example.picture.startswith("data:image/webp;base64,") for example in shown)


@pytest.mark.parametrize(
    ("texts", "groups"),
    [
        ("abcdefgh", None),
        ("abacaddd", [0, 1, 0, 2, 0, 3, 3, 3]),
    ],
)
def test_groups_of_test_examples_with_the_same_content_are_kept(store, texts, groups):
    digests = np.array([ord(text) << 40 for text in texts], dtype=np.uint64)
    labels = Labels(LabelKind.REGRESSION, np.arange(len(texts)))
    test = Split(InMemoryExamples([*texts], [*texts]), labels, digests)
    task = replace(TASK, test=test)

    store.add_task(task_facts(task), task)

    kept = store.contents(task_facts(task))
    assert (None if kept is None else kept.tolist()) == groups
    assert (store.root / "contents").exists() is (groups is not None)


def test_a_task_without_digests_and_groups_of_other_examples_give_none(store):
    store.add_task(task_facts(TASK), TASK)
    assert store.contents(task_facts(TASK)) is None

    store.arrays.write("contents", TASK.fingerprint, np.zeros(7, dtype=np.int64))

    assert store.contents(task_facts(TASK)) is None
    assert store.arrays.damaged == {"contents/data.npy": "it does not fit the task"}


def test_identical_texts_of_a_table_are_one_group(store, tmp_path):
    rows = "\n".join(f"film {n % 25} was seen,{n % 2}" for n in range(100))
    (tmp_path / "reviews.csv").write_text(f"text,label\n{rows}\n")
    task = resolve_tasks([f"table:{tmp_path / 'reviews.csv'}"], seed=0)[0]
    store.add_task(task_facts(task), task)

    groups = store.contents(task_facts(task))

    texts = [task.test.examples.read(row) for row in range(len(task.test))]
    same = [[one == other for other in texts] for one in texts]
    np.testing.assert_array_equal(groups[:, None] == groups, same)
    assert len(set(texts)) < len(texts)


def _reviews(folder):
    rows = "\n".join(f"film {n} was seen,{n % 2},{'de' if n % 3 else 'en'},{n % 4}" for n in range(40))
    (folder / "reviews.csv").write_text(f"text,label,language,week\n{rows}\n")
    return f"table:{folder / 'reviews.csv'}"


def test_slices_are_kept_beside_those_of_an_earlier_run(store, tmp_path):
    address = _reviews(tmp_path)
    for columns in ("'language'", "('week',)"):
        task = resolve_tasks([f"{address}(slices={columns})"], seed=0)[0]
        store.add_task(task_facts(task), task)

    (kept,) = store.slices(task_facts(task))
    assert (kept.column, kept.names) == ("week", ("0", "1", "2", "3"))
    assert kept.positions.tolist() == task.slices[0].positions.tolist()
    both = replace(task_facts(task), slices=("language", "week", "gone"))
    assert [column.column for column in store.slices(both)] == ["language", "week"]


def test_one_task_under_two_addresses_is_called_as_it_was_last(store, tmp_path):
    plain = resolve_tasks([_reviews(tmp_path)], seed=0)[0]
    store.add_task(task_facts(plain), plain)
    job = Job("m", plain.address, "knn", 0, "k", plain.fingerprint)
    store.add(Finished(Result(job, Status.OK, 0.5)))
    sliced = resolve_tasks([f"{plain.address}(slices='language')"], seed=0)[0]

    store.add_task(task_facts(sliced), sliced)

    assert [facts.address for facts in store.tasks()] == [sliced.address]
    assert [result.job.task for result in store.results()] == [sliced.address]
