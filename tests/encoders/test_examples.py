"""Examples of another kind than a model reads are refused in words."""

from __future__ import annotations

import numpy as np
import pytest

from assay.core.errors import ModelError, NotApplicable
from assay.core.task import Sound, Words
from assay.encoders.examples import are_words, as_images, as_sounds, as_texts, as_words

IMAGE = np.zeros((2, 2, 3), np.uint8)
SOUND = Sound(np.zeros(4, np.float32), 16_000)
WORDS = Words(("two", "words"))


def test_examples_of_the_right_kind_come_back_in_order() -> None:
    assert as_texts(["b", "a"]) == ["b", "a"]
    assert as_words([WORDS]) == [WORDS]
    assert as_sounds([SOUND]) == [SOUND]
    np.testing.assert_array_equal(as_images([IMAGE]), [IMAGE])


def test_the_first_example_says_whether_a_batch_is_of_words() -> None:
    assert are_words([WORDS])
    assert not are_words(["text"])
    assert not are_words([])


def test_another_kind_of_example_is_named() -> None:
    with pytest.raises(ModelError, match=r"This model reads images; it was given a str\."):
        as_images([IMAGE, "text"])
    with pytest.raises(ModelError, match=r"This model reads sounds; it was given a ndarray\."):
        as_sounds([IMAGE])
    with pytest.raises(ModelError, match=r"This model reads texts; it was given a Sound\."):
        as_texts([SOUND])


def test_mixed_batches_are_refused() -> None:
    with pytest.raises(ModelError, match="mixes single texts and pairs"):
        as_texts(["a", ("a", "b")])
    with pytest.raises(ModelError, match="mixes texts of words and others"):
        as_words([WORDS, "a"])


def test_features_of_whole_texts_are_no_features_of_words() -> None:
    with pytest.raises(NotApplicable, match="not of their words"):
        as_texts([WORDS])
