"""Scores on arrays."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

import assay
from assay.actions.score import estimate, resolve_score, view_of
from assay.core.errors import NotApplicable, UnknownName, UsageError


def blobs(count: int = 300, width: int = 20, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(count) % classes)
    return rng.standard_normal((count, width)) + rng.standard_normal((classes, width))[labels] / 2, labels


def test_a_score_is_a_number_with_what_is_known_of_it():
    value = assay.score(*blobs(), "ridge_cv")

    assert isinstance(value, float)
    assert value.metric == "accuracy"
    assert value.interval.low < value < value.interval.high


@pytest.mark.parametrize("name", ["ridge_cv", "lda_cv"])
@pytest.mark.parametrize("width", [20, 100, 600])
def test_scores_of_our_own_predict_what_a_probe_reaches_on_other_folds(name, width):
    features, labels = blobs(width=width)

    reached = cross_val_score(LogisticRegression(max_iter=2000, C=0.1), features, labels, cv=5).mean()

    value = assay.score(features, labels, name)
    assert value == pytest.approx(reached, abs=0.06)
    assert value.interval.low - 0.02 < reached < value.interval.high + 0.02


def test_a_column_of_classes_is_the_classes():
    features, labels = blobs()

    assert assay.score(features, labels[:, None], "ridge_cv") == assay.score(features, labels, "ridge_cv")


def test_tensors_that_are_no_arrays_are_refused_in_words():
    torch = pytest.importorskip("torch")

    with pytest.raises(UsageError, match="Features are not an array"):
        assay.score(torch.ones(3, 2, requires_grad=True), [0, 1, 0])


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


@pytest.mark.parametrize("name", ["ridge_cv", "lda_cv", "logistic_cv", "h_score", "label_cka"])
def test_the_order_of_several_labels_changes_nothing(name):
    features, labels = blobs(90)
    other = np.random.default_rng(5).integers(0, 2, 90)

    both = assay.score(features, {"one": labels, "other": other}, name)

    assert both["one"] == pytest.approx(assay.score(features, labels, name), rel=1e-9)
    assert both["other"] == pytest.approx(assay.score(features, other, name), rel=1e-9)


def test_labels_without_a_value_cost_the_others_nothing():
    features, labels = blobs()

    values = assay.score(features, {"good": labels, "constant": np.zeros(300, int)}, "logme")

    assert isinstance(values["constant"], NotApplicable)
    assert values["good"] == pytest.approx(assay.score(features, labels, "logme"), rel=1e-9)


def test_an_interval_of_a_small_sample_holds_what_fresh_examples_give():
    rng, held = np.random.default_rng(0), 0
    for _ in range(60):
        labels = rng.permutation(np.arange(100) % 2)
        features = rng.standard_normal((100, 20)) + 0.35 * labels[:, None]
        fresh = rng.standard_normal((20_000, 20)) + 0.35 * (np.arange(20_000) % 2)[:, None]
        view = view_of(features, labels)
        reached = np.mean(
            [
                np.mean(rule.predict(fresh).argmax(axis=1) == np.arange(20_000) % 2)
                for rule in view.moments().left_out
            ]
        )
        interval = estimate(view, resolve_score("ridge_cv")).interval
        held += interval.low <= reached <= interval.high

    assert held >= 50


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

    value = assay.score(features, labels, "logme", interval=True)

    assert value.interval.high - value == pytest.approx(2.776 * error, rel=1e-6)


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
        ((np.ones((3, 2)), [0, 1, 0]), {"probs": 1}, TypeError, "unexpected keyword argument 'probs'"),
        ((np.ones((3, 2)), [0, 1, 0]), {"kind": "classes"}, UsageError, "kind is 'classes'"),
        ((np.ones((3, 2)), [0, 1, 0]), {"sample": 0}, UsageError, "sample=5000"),
        ((np.ones((3, 2)), {}), {}, UsageError, "No labels"),
        ((None, [0, 1, 0], "leep"), {"source_probs": np.ones((3, 2))}, UsageError, "those of a softmax"),
        ((np.ones((2, 2)), [None, 1]), {}, UsageError, "Labels"),
        ((np.ones((3, 2)), [0, 1, 0], 3), {}, UsageError, "Write one name"),
        ((np.ones((3, 2)), [0, 1, 0], ["logme", "lfc"]), {}, UsageError, "Write one name"),
        ((np.ones((3, 2)), [0, 1, 0]), {"sample": 10.5}, UsageError, "sample=5000"),
        ((np.ones((3, 2)), [0, 1, 0]), {"metric": 3}, UsageError, "Write a name"),
        ((np.ones((3, 2)), np.eye(3, dtype=int)), {"metric": "accuracy"}, UsageError, "several columns"),
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
