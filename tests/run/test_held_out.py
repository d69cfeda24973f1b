"""A study keeps what its scores predicted for held-out examples, on the same rows for every model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.core.result import Result
from assay.metrics.accuracy import Accuracy
from assay.run.plan import resolve_tasks
from assay.run.study import Study
from assay.store.results import Store, open_existing

SCORES = ("ridge_cv", "lda_cv", "logistic_cv", "loo_knn")
WRONG_ROWS = '''"""Hands back predictions for rows that train does not have."""

import numpy as np
from dataclasses import replace

from assay.plugins import Score
from assay.scores.ridge_cv import RidgeCV


class WrongRows(Score):
    """Ridge regression, whose rows are shifted."""

    def estimate(self, train, metric):
        estimate = RidgeCV().estimate(train, metric)
        estimate.held_out = replace(estimate.held_out, rows=estimate.held_out.rows + 1)
        return estimate
'''


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    """A task of texts, beside features of two models and a score with an error."""
    folder = tmp_path_factory.mktemp("held_out")
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 120)
    rows = "\n".join(f"text {row},class {label}" for row, label in enumerate(labels))
    (folder / "texts.csv").write_text(f"text,label\n{rows}\n")
    for name, noise in (("good", 0.5), ("bad", 1.5)):
        features = (noise * rng.standard_normal((120, 8)) + np.eye(3, 8)[labels]).astype(np.float32)
        np.savez(folder / f"{name}.npz", features=features, names=[f"row {row + 1}" for row in range(120)])
    (folder / "wrong_rows.py").write_text(WRONG_ROWS)
    return f"table:{folder / 'texts.csv'}"


@pytest.fixture(scope="module")
def store(address: str) -> Store:
    """The store of a study of them."""
    folder = Path(address.partition(":")[2]).parent
    Study(
        models=[f"features:{folder / name}.npz" for name in ("good", "bad")],
        tasks=[address],
        methods=(*SCORES, "logme", "knn"),
        plugins=[folder / "wrong_rows.py"],
        store=folder / "store",
        control=False,
    ).run()
    return open_existing(folder / "store")


def by_method(store: Store) -> dict[str, list[Result]]:
    results: dict[str, list[Result]] = {}
    for result in store.results():
        results.setdefault(result.job.method, []).append(result)
    return results


@pytest.mark.parametrize("method", SCORES)
def test_held_out_predictions_are_kept_with_the_labels_of_train(store, address, method):
    train = resolve_tasks([address], seed=0)[0].train.labels
    good, bad = by_method(store)[method]

    kept = store.held_out({good.job.key, bad.job.key})

    for result in (good, bad):
        held_out = kept[result.job.key]
        judged = held_out.predicted.judged(Accuracy(), held_out.truth)
        if method == "loo_knn":
            assert judged == result.value
        else:  # extended along the learning curve, from four folds of train to all of train and val
            assert 0.8 * (1 - judged) <= 1 - result.value <= 1 - judged
        np.testing.assert_array_equal(held_out.truth.values, train.values[held_out.rows])
    np.testing.assert_array_equal(kept[good.job.key].rows, kept[bad.job.key].rows)


def test_other_methods_keep_none(store):
    results = by_method(store)

    assert store.held_out({result.job.key for name in ("logme", "knn") for result in results[name]}) == {}


def test_predictions_for_other_rows_than_they_say_are_not_kept_and_the_value_is(store):
    results = by_method(store)

    for wrong, right in zip(results["wrong_rows"], results["ridge_cv"], strict=True):
        assert wrong.value == right.value
        assert any("its held-out predictions" in note and "not kept" in note for note in wrong.notes)
        assert store.held_out({wrong.job.key}) == {}
