"""The splits of a task as one model sees them."""

from __future__ import annotations

import numpy as np
import pytest

from assay.core.address import Address
from assay.core.families import MODELS
from assay.core.task import Kind, Labels
from assay.encoding import Encodings, balanced_rows
from assay.plan import resolve_tasks
from assay.store.arrays import Arrays


@pytest.fixture
def encodings(photos, tmp_path):
    def make(model: str, batch_size: int = 8) -> Encodings:
        source = MODELS.create_from_source(Address.parse(f"zoo:{model}")).plugin
        task = resolve_tasks([str(photos)], 0)[0]
        arrays = Arrays(tmp_path / f"{model}{batch_size}")
        return Encodings(source.open("cpu"), task, arrays, source.identity(), batch_size, lambda *_: None)

    return make


def test_moments_gathered_while_encoding_equal_those_of_kept_features(encodings):
    fresh = encodings("colours")
    fresh.features("train")
    kept = encodings("colours")

    assert kept.seconds == 0
    np.testing.assert_allclose(fresh.moments().total.centred_gram(), kept.moments().total.centred_gram())


@pytest.mark.parametrize("batch_size", [1, 7, 54, 500])
def test_the_batch_size_changes_no_feature(encodings, batch_size):
    whole = encodings("colours", 32).features("train").matrix

    np.testing.assert_allclose(encodings("colours", batch_size).features("train").matrix, whole, rtol=1e-6)


def test_source_probabilities_are_kept_for_train(encodings):
    fresh = encodings("headed").source_probs()
    kept = encodings("headed").source_probs()

    assert fresh.probs.shape == (54, 4)
    np.testing.assert_array_equal(fresh.probs, kept.probs)


def test_a_sample_takes_from_all_classes_alike():
    labels = Labels(Kind.CLASSIFICATION, np.repeat([0, 1, 2], [1000, 1000, 30]), ("a", "b", "c"))

    counts = np.bincount(labels.take(balanced_rows(labels, 330, 0)).values)

    assert counts.tolist() == [150, 150, 30]


def test_a_sample_of_numbers_has_the_size_asked_for():
    labels = Labels(Kind.REGRESSION, np.arange(100.0))

    assert len(set(balanced_rows(labels, 40, 0))) == 40
