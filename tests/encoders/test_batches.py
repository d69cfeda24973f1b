"""What a model returns for a batch is checked, and kept as float32 in memory of its own."""

from __future__ import annotations

import numpy as np
import pytest
from tests.training.pictures import Pictures

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.task import LabelKind, Labels, Split
from assay.encoders.batches import Batches

NUMBERS = np.arange(6, dtype=np.float32)


class Given:
    """A model that returns what a function makes of the numbers of a batch."""

    names = None
    pixels = None

    def __init__(self, function):
        self._function = function

    def encode(self, examples):
        return self._function(np.float32([[example[0, 0, 0]] for example in examples]))


def encoded(function):
    """Return the features of all batches, once all of them are encoded."""
    images = [np.full((1, 1, 3), number, np.uint8) for number in NUMBERS]
    split = Split(Pictures(images), Labels(LabelKind.CLASSIFICATION, np.zeros(len(images)), ("a", "b")))
    batches = list(Batches(2, lambda *_: None).encoded(Given(function), split, "encode"))
    return np.concatenate([batch.features for _, batch in batches])


def test_a_model_may_write_every_batch_to_the_same_memory():
    memory = np.empty((2, 1), np.float32)

    def reuse(numbers):
        memory[:] = numbers
        return Encoded(memory, None)

    np.testing.assert_array_equal(encoded(reuse)[:, 0], NUMBERS)


def test_what_has_more_digits_becomes_what_is_stored():
    features = encoded(lambda numbers: Encoded(numbers.astype(np.float64) / 3, None))

    assert features.dtype == np.float32
    np.testing.assert_array_equal(features[:, 0], (NUMBERS.astype(np.float64) / 3).astype(np.float32))


def test_numbers_beyond_float32_are_not_finite():
    with pytest.raises(ModelError, match="the features of '.+' are not finite"):
        encoded(lambda numbers: Encoded(numbers.astype(np.float64) + 1e39, None))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda numbers: numbers.astype(np.complex64),
        lambda numbers: numbers.astype(object),
        lambda numbers: numbers.astype(str),
        lambda numbers: numbers[:, 0],
        lambda numbers: None,
    ],
)
def test_what_is_no_matrix_of_real_numbers_is_refused(wrong):
    with pytest.raises(ModelError, match="the model returned features of the type"):
        encoded(lambda numbers: Encoded(wrong(numbers), None))
    with pytest.raises(ModelError, match="the model returned source probabilities of the type"):
        encoded(lambda numbers: Encoded(numbers, np.asarray(wrong(numbers))))


def test_a_size_for_which_memory_did_not_suffice_is_tried_once() -> None:
    tried = []

    def encode(numbers):
        tried.append(len(numbers))
        if len(numbers) > 2:
            raise MemoryError
        return Encoded(numbers, None)

    images = [np.full((1, 1, 3), number % 256, np.uint8) for number in range(1024)]
    split = Split(Pictures(images), Labels(LabelKind.CLASSIFICATION, np.zeros(len(images)), ("a", "b")))
    batches = Batches(8, lambda *_: None)
    found = np.concatenate([batch.features for _, batch in batches.encoded(Given(encode), split, "encode")])

    assert sorted(tried, reverse=True) == [8, 4, *[2] * 512]
    assert batches.notes == [
        f"memory did not suffice for batches of {size}: they were halved" for size in (8, 4)
    ]
    np.testing.assert_array_equal(found[:, 0], np.arange(1024) % 256)
