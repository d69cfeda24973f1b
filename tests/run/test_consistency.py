from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.model import Model, ModelFacts
from assay.core.task import Example, Modality
from assay.run.consistency import must_be_consistent

Change = Callable[[np.ndarray], np.ndarray]


class Mean(Model):
    """The mean colours of images, changed as a batch."""

    facts = ModelFacts(3, 0, None, 0, "", "", 0, "", "")

    def __init__(self, change: Change) -> None:
        self._change = change

    def encode(self, examples: Sequence[Example]) -> Encoded:
        return Encoded(self._change(np.stack([np.mean(image, (0, 1)) for image in examples])), None)

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda batch: batch[::-1], "in another order"),
        (lambda batch: np.sort(batch, axis=0), "depend on the others"),
        (lambda batch: batch - batch.mean(0), "depend on the others"),
        (lambda batch: batch + 50 * np.random.default_rng().random(batch.shape), "or on chance"),
    ],
)
def test_features_that_are_not_of_one_example_fail_the_model(change: Change, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        must_be_consistent(Mean(change), Modality.IMAGE)


def failing(batch: np.ndarray) -> np.ndarray:
    raise ValueError(batch.shape)


@pytest.mark.parametrize(
    "change",
    [
        lambda batch: batch,
        lambda batch: batch * (1 + 1e-4 * len(batch)),  # sums in another order
        lambda batch: batch[:, :0],
        lambda batch: batch[:1],
        lambda batch: batch * np.nan,
        failing,
    ],
)
def test_what_is_right_passes_and_what_recurs_later_is_left_to_the_evaluation(change: Change) -> None:
    must_be_consistent(Mean(change), Modality.IMAGE)
