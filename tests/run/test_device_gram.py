"""Grams on a device of torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from assay.core.task import LabelKind, Labels
from assay.moments.scatter import BlasGram
from assay.moments.stream import MomentStream, stratified_folds
from assay.run.device_gram import DeviceGram, grams_on

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")),
]


@pytest.mark.parametrize("device", DEVICES)
def test_moments_on_a_device_equal_those_on_the_processor(device):
    rng = np.random.default_rng(0)
    labels = Labels(LabelKind.CLASSIFICATION, rng.integers(0, 3, 200), ("a", "b", "c"))
    features = rng.standard_normal((200, 6)).astype(np.float32)
    folds = stratified_folds(labels, 5, 0)

    def gathered(new_gram):
        stream = MomentStream(labels, folds, new_gram)
        stream.update(np.arange(200), features)
        return stream.finish().total.scatter.centred_gram()

    found = gathered(lambda width: DeviceGram(width, device))

    np.testing.assert_allclose(found, gathered(BlasGram), rtol=1e-12)


def test_what_was_read_is_not_changed_by_what_is_added_later():
    for gram in (BlasGram(2), DeviceGram(2, "cpu")):
        gram.add(np.eye(2))
        before = gram.total()
        gram.add(np.eye(2))

        assert (before.tolist(), gram.total().tolist()) == ([[1, 0], [0, 1]], [[2, 0], [0, 2]])


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_only_devices_with_double_precision_keep_grams(device):
    assert isinstance(grams_on(device)(3), BlasGram)


@pytest.mark.parametrize("width", [1, 255, 256, 257, 600])
def test_a_gram_is_the_whole_symmetric_product(width):
    rows = np.random.default_rng(0).standard_normal((20, width))
    gram = BlasGram(width)

    gram.add(rows[:12])
    gram.add(rows[12:])

    np.testing.assert_allclose(gram.total(), rows.T @ rows, atol=1e-12)


def test_grams_of_one_device_stay_apart():
    new_gram = grams_on("cpu")
    one, other = new_gram(2), new_gram(2)

    one.add(np.eye(2))
    other.add(2 * np.eye(2))
    one.add(np.eye(2))

    assert (one.total().tolist(), other.total().tolist()) == ([[2, 0], [0, 2]], [[4, 0], [0, 4]])


def test_features_of_a_gpu_have_their_gram_there():
    assert grams_on("cuda:1").keywords == {"device": "cuda:1"}
