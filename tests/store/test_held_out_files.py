"""Held-out predictions of scores outlive what made them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.core.held_out import HeldOutPredictions
from assay.core.job import Job
from assay.core.predictor import Predicted
from assay.core.result import Finished, Result, Status
from assay.core.task import InMemoryExamples, LabelKind, Labels, Modality, Split, Task, TaskKind
from assay.run.study import task_facts
from assay.store.results import Store, open_existing

ROWS = np.array([0, 2, 5])
LABELS = {
    TaskKind.CLASSIFICATION: Labels(LabelKind.CLASSIFICATION, np.array([0, 1, 2]), ("a", "b", "c")),
    TaskKind.MULTILABEL: Labels(LabelKind.MULTILABEL, np.eye(3, dtype=int), ("a", "b", "c")),
    TaskKind.REGRESSION: Labels(LabelKind.REGRESSION, np.array([0.1, 1 / 3, -2.0])),
    TaskKind.TOKENS: Labels(LabelKind.CLASSIFICATION, np.array([0, 1, 2]), ("a", "b", "c"), np.array([1, 2])),
}


@pytest.fixture(params=TaskKind)
def kind(request: pytest.FixtureRequest) -> TaskKind:
    return request.param


@pytest.fixture
def store(tmp_path: Path, kind: TaskKind) -> Store:
    """A store that knows the task "t" of this kind."""
    labels = LABELS[kind]
    texts = [f"text {number}" for number in range(labels.examples)]
    metric = {TaskKind.REGRESSION: "r2", TaskKind.MULTILABEL: "macro_f1"}.get(kind, "accuracy")
    split = Split(InMemoryExamples(texts, texts), labels)
    task = Task("t", kind, Modality.TEXT, metric, labels.classes, split, split, split, "data")
    store = Store(tmp_path / "store")
    store.add_task(task_facts(task), task)
    return store


def held_out(kind: TaskKind, *, has_probs: bool = False) -> HeldOutPredictions:
    truth = LABELS[kind]
    return HeldOutPredictions(Predicted(truth.values[::-1], np.eye(3) if has_probs else None), truth, ROWS)


def finished(key: str, given: HeldOutPredictions | None) -> Finished:
    return Finished(Result(Job("m", "t", "ridge_cv", 0, key, "data"), Status.OK, 0.5), held_out=given)


@pytest.mark.parametrize("has_probs", [False, True])
def test_held_out_predictions_come_back_with_labels_and_rows(store, kind, has_probs):
    given = held_out(kind, has_probs=has_probs)

    store.add(finished("a1", given))

    kept = open_existing(store.root).held_out({"a1"})["a1"]
    np.testing.assert_array_equal(kept.predicted.values, given.predicted.values)
    assert kept.predicted.values.dtype == given.predicted.values.dtype
    np.testing.assert_array_equal(kept.rows, ROWS)
    np.testing.assert_array_equal(kept.truth.values, given.truth.values)
    assert (kept.truth.kind, kept.truth.classes) == (given.truth.kind, given.truth.classes)
    np.testing.assert_array_equal(kept.truth.lengths, given.truth.lengths)
    if has_probs:
        np.testing.assert_array_equal(kept.predicted.probs, np.eye(3))
    else:
        assert kept.predicted.probs is None


@pytest.mark.parametrize("kind", [TaskKind.CLASSIFICATION], indirect=True)
def test_the_labels_of_the_same_rows_are_kept_once(store, kind):
    for key in ("a1", "b2"):
        store.add(finished(key, held_out(kind)))

    assert store.held_out({"a1", "b2"}).keys() == {"a1", "b2"}
    assert len([*(store.root / "held_out_truths").iterdir()]) == 1


@pytest.mark.parametrize("kind", [TaskKind.CLASSIFICATION], indirect=True)
def test_results_without_held_out_predictions_have_none(store, kind):
    store.add(finished("a1", None))

    assert store.held_out({"a1", "unknown"}) == {}


@pytest.mark.parametrize("kind", [TaskKind.CLASSIFICATION], indirect=True)
@pytest.mark.parametrize("name", ["held_out/a1.npy", "held_out/a1-rows.npy", "held_out_truths/*.npy"])
@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_what_is_damaged_counts_as_absent(store, kind, name, harm):
    store.add(finished("a1", held_out(kind)))
    (path,) = store.root.glob(name)
    path.unlink() if harm == "gone" else path.write_bytes(path.read_bytes()[:-20])

    assert open_existing(store.root).held_out({"a1"}) == {}
