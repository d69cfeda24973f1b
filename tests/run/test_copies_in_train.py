"""Copies of an example with small changes, as of augmentation, do not flatter estimates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.core.task import Task
from assay.moments.stream import stratified_folds
from assay.plugins.train_view import FOLDS, SEED
from assay.run.plan import resolve_tasks
from assay.run.study import Study
from assay.run.train_subset import TrainSubset
from assay.store.results import open_existing

SCORES = ("ridge_cv", "lda_cv", "logistic_cv")
BASES, COPIES, WIDTH = 50, 10, 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A task whose labels no model can know, with four copies of each text of train, and features of it."""
    folder = tmp_path_factory.mktemp("copies")
    rng = np.random.default_rng(0)
    labels, lines, features = rng.integers(0, 2, 2 * BASES), ["text,label,split"], []
    for base, label in enumerate(labels):
        words = " ".join(f"w{word}" for word in rng.integers(0, 1000, 12))
        vector, is_train = rng.standard_normal(WIDTH), base < BASES
        for copy in range(COPIES if is_train else 1):
            part = "train" if is_train else ("val", "test")[base % 2]
            lines.append(f"{words}{' !' * copy},class {label},{part}")
            features.append(vector + 0.1 * rng.standard_normal(WIDTH))
    (folder / "copies.csv").write_text("\n".join(lines) + "\n")
    names = [f"row {row}" for row in range(1, len(lines))]
    np.savez(folder / "model.npz", features=np.array(features, np.float32), names=names)
    return folder


@pytest.fixture(scope="module")
def task(folder: Path) -> Task:
    """The task."""
    return resolve_tasks([f"table:{folder / 'copies.csv'}"], seed=0)[0]


def test_all_copies_of_an_example_are_in_one_fold_and_folds_stay_even(task):
    folds = TrainSubset(task.train).folds
    texts = [str(task.train.examples.read(row)).rstrip(" !") for row in range(len(task.train))]

    assert len(set(zip(texts, folds.tolist(), strict=True))) == BASES
    assert np.bincount(folds).tolist() == [BASES * COPIES // FOLDS] * FOLDS


@pytest.fixture(scope="module")
def values(folder: Path, task: Task) -> dict[str, float]:
    """What estimates say where the store has Moments whose folds do not know of copies, as earlier ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assay.readers.assembly.near_duplicate_groups", lambda *_: None)
        run(folder, task.address, "logme")
    run(folder, task.address, *SCORES)
    return {result.job.method: result.value for result in open_existing(folder / "store").results()}


def run(folder: Path, address: str, *methods: str) -> None:
    """Run scores of the features."""
    models = [f"features:{folder / 'model.npz'}"]
    Study(models=models, tasks=[address], methods=methods, store=folder / "store", control=False).run()


@pytest.mark.parametrize("method", SCORES)
def test_an_estimate_from_copies_is_no_better_than_what_can_be_known(values, folder, method):
    assert values[method] == pytest.approx(0.5, abs=0.15)  # .95 to 1.00 where copies are in several folds
    assert len(list((folder / "store" / "moments").glob("*"))) == 2


def test_folds_without_copies_are_named_and_dealt_as_before(task):
    without = TrainSubset(type(task.train)(task.train.examples, task.train.labels, task.train.digests))

    assert TrainSubset(task.train).regrouped
    assert without.regrouped == ""
    of_contents = stratified_folds(task.train.labels, FOLDS, SEED, task.train.digests)
    np.testing.assert_array_equal(without.folds, of_contents)
