"""Scores on arrays."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

import assay
from assay.core.errors import NotApplicable, UnknownName, UsageError
from assay.scoring import estimate, resolve_score, view_of


def blobs(count: int = 300, width: int = 20, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(count) % classes)
    return rng.standard_normal((count, width)) + rng.standard_normal((classes, width))[labels] / 2, labels


def test_a_score_is_a_number_with_what_is_known_of_it():
    found = assay.score(*blobs(), "ridge_cv")

    assert isinstance(found, float)
    assert found.metric == "accuracy"
    assert found.interval.low < found < found.interval.high


@pytest.mark.parametrize("name", ["ridge_cv", "lda_cv"])
@pytest.mark.parametrize("width", [20, 100, 600])
def test_scores_of_our_own_foretell_what_a_probe_reaches_on_other_folds(name, width):
    features, labels = blobs(width=width)

    reached = cross_val_score(LogisticRegression(max_iter=2000, C=0.1), features, labels, cv=5).mean()

    found = assay.score(features, labels, name)
    assert found == pytest.approx(reached, abs=0.06)
    assert found.interval.low - 0.02 < reached < found.interval.high + 0.02


def test_texts_and_numbers_as_labels_give_the_same():
    features, labels = blobs()
    names = np.array(["ant", "bee", "cat"])[labels]

    assert assay.score(features, names, "logme") == pytest.approx(assay.score(features, labels + 5, "logme"))


def test_several_labels_of_the_same_examples_give_what_each_alone_gives():
    features, labels = blobs()
    other = features[:, 0] + 0.1 * np.random.default_rng(1).standard_normal(len(features))

    both = assay.score(features, {"kind": labels, "size": other}, "logme")

    assert both["kind"] == pytest.approx(assay.score(features, labels, "logme"), rel=1e-9)
    assert both["size"] == pytest.approx(assay.score(features, other, "logme"), rel=1e-9)


def test_labels_of_tokens_are_those_of_examples():
    features, labels = blobs()
    sentences, tokens = features.reshape(30, 10, 20), labels.reshape(30, 10)
    padded = np.concatenate([tokens, np.full((30, 2), -100)], axis=1)
    wide = np.concatenate([sentences, np.ones((30, 2, 20))], axis=1)

    assert assay.score(wide, padded, "logme") == assay.score(features, labels, "logme")


def test_several_labels_at_once_are_scored():
    features, _ = blobs()
    labels = (features[:, :4] > 0).astype(int)

    assert assay.score(features, labels, "logme") > assay.score(features[:, 4:], labels, "logme")


def test_probabilities_may_stand_first_for_scores_that_read_nothing_else():
    rng = np.random.default_rng(0)
    probs, labels = rng.dirichlet(np.ones(5), 60), rng.integers(0, 3, 60)

    assert assay.score(probs, labels, "leep") == assay.score(None, labels, "leep", source_probs=probs)


def test_features_are_not_taken_for_probabilities():
    with pytest.raises(NotApplicable, match="give them as source_probs"):
        assay.score(*blobs(), "leep")


def test_an_interval_on_request_is_that_of_the_jackknife():
    features, labels = blobs()
    view = view_of(features, labels)
    values = [
        float(assay.score(features[view.folds != k], labels[view.folds != k], "logme")) for k in range(5)
    ]
    error = np.sqrt(4 / 5 * np.square(values - np.mean(values)).sum())

    found = assay.score(features, labels, "logme", interval=True)

    assert found.interval.high - found == pytest.approx(1.96 * error, rel=1e-6)


def test_where_examples_are_few_the_estimate_says_so():
    features, labels = blobs(40, 60)
    labels = np.where(np.arange(40) == 0, 9, labels)

    notes = assay.score(features, labels, "logme").notes

    assert notes == (
        "fewer examples (40) than features (60)",
        "1 of 4 classes have fewer than 3 examples",
    )


def test_the_sample_bounds_what_scores_of_examples_see():
    features, labels = blobs(3000)

    assert assay.score(features, labels, "loo_knn", sample=200) != assay.score(features, labels, "loo_knn")


def test_a_score_for_other_labels_is_refused_with_the_reason():
    features, _ = blobs()

    with pytest.raises(NotApplicable, match="classification labels, not regression"):
        assay.score(features, features[:, 0], "h_score")


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "message"),
    [
        ((np.ones((3, 2)), [0, 1]), {}, UsageError, "3 rows and there are 2 labels"),
        ((np.ones((3, 2)), [0, 1, 0], "logm"), {}, UnknownName, "Did you mean: logme"),
        ((np.ones((3, 2)), [0, 1, 0]), {"metric": "rmse"}, UsageError, "does not judge classification"),
        ((np.ones((3, 2)), [0, 1, 0]), {"probs": 1}, UsageError, "Write source_probs"),
        ((np.ones((3, 2)), [0, 1, 0]), {"kind": "classes"}, UsageError, "kind is 'classes'"),
        ((np.ones((3, 2)), [0, 1, 0]), {"sample": 0}, UsageError, "sample=5000"),
        ((np.ones((3, 2)), {}), {}, UsageError, "No labels"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(arguments, keywords, error, message):
    with pytest.raises(error, match=message):
        assay.score(*arguments, **keywords)


def test_nothing_is_computed_twice_for_one_view():
    view = view_of(*blobs())

    estimate(view, resolve_score("logme"))

    assert view.moments().total.scatter.basis is view.moments().total.scatter.basis
    assert view.moments() is view.moments()
