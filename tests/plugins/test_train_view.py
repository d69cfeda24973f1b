"""Samples of train."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.core.task import LabelKind, Labels
from assay.plugins.array_view import ArrayView
from assay.plugins.method import EVERY_KIND
from assay.plugins.train_view import proportional_examples


def labels_of(kind: LabelKind, count: int) -> Labels:
    rng = np.random.default_rng(0)
    if kind is LabelKind.CLASSIFICATION:
        return Labels(kind, rng.choice(4, count, p=[0.5, 0.3, 0.15, 0.05]), tuple("abcd"))
    if kind is LabelKind.MULTILABEL:
        return Labels(kind, rng.integers(0, 2, (count, 2)), ("a", "b"))
    return Labels(kind, rng.standard_normal(count))


@pytest.mark.parametrize("kind", sorted(EVERY_KIND))
@pytest.mark.parametrize("count", [1003, 3000, 10_000])
def test_a_held_out_sample_has_examples_of_every_fold_alike(kind: LabelKind, count: int) -> None:
    view = ArrayView(labels_of(kind, count), np.ones((count, 2)), limit=1000)

    sizes = np.bincount(view.held_out().folds, minlength=5)

    assert sizes.sum() == 1000
    assert sizes.min() > 150


@pytest.mark.parametrize("count", [5000, 10_000, 50_000])
def test_every_class_of_a_held_out_sample_lies_in_every_fold(count: int) -> None:
    labels = Labels(LabelKind.CLASSIFICATION, np.arange(count) % 10, tuple("abcdefghij"))
    held_out = ArrayView(labels, np.ones((count, 1)), limit=1000).held_out()

    pairs = np.zeros((10, 5), dtype=int)
    np.add.at(pairs, (held_out.examples.labels.values, held_out.folds), 1)

    assert pairs.min() > 5


def test_a_proportional_sample_keeps_the_shares_of_classes() -> None:
    labels = labels_of(LabelKind.CLASSIFICATION, 20_000)

    chosen = labels.values[proportional_examples(labels, 2000, 0)]

    np.testing.assert_allclose(np.bincount(chosen) / 2000, np.bincount(labels.values) / 20_000, atol=0.002)


@pytest.mark.parametrize(
    "name", ["ridge_cv", "lda_cv", pytest.param("logistic_cv", marks=pytest.mark.framework)]
)
def test_a_sample_predicts_what_all_examples_do(name: str) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 4000)
    features = rng.standard_normal((4000, 12)) + rng.standard_normal((4, 12))[labels]

    assert assay.score(features, labels, name, sample=800) == pytest.approx(
        assay.score(features, labels, name), abs=0.06
    )
