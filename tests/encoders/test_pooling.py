from __future__ import annotations

import pytest
import torch

from assay.core.errors import ModelError, UsageError
from assay.encoders.pooling import Pooling, States, pool

TOKENS = torch.arange(12, dtype=torch.float32).reshape(2, 3, 2)
RIGHT = torch.tensor([[1, 1, 0], [1, 1, 1]])  # padding stands on the right
LEFT = torch.tensor([[0, 1, 1], [1, 1, 1]])


@pytest.mark.parametrize(
    ("mask", "pooling", "expected"),
    [
        (RIGHT, Pooling.MEAN, [1.0, 2.0]),
        (LEFT, Pooling.MEAN, [3.0, 4.0]),
        (RIGHT, Pooling.CLS, [0.0, 1.0]),
        (LEFT, Pooling.CLS, [2.0, 3.0]),
        (RIGHT, Pooling.LAST, [2.0, 3.0]),
        (LEFT, Pooling.LAST, [4.0, 5.0]),
    ],
)
def test_padding_on_either_side_does_not_count(
    mask: torch.Tensor, pooling: Pooling, expected: list[float]
) -> None:
    assert pool(States(TOKENS), mask, pooling)[0].tolist() == expected


def test_the_pooling_layer_of_the_model_is_used() -> None:
    pooled = torch.ones(2, 5)

    assert pool(States(TOKENS, pooled), RIGHT, Pooling.POOLER) is pooled


def test_a_model_without_pooling_layer_says_so() -> None:
    with pytest.raises(ModelError, match="pooling='mean'"):
        pool(States(TOKENS), RIGHT, Pooling.POOLER)


def test_an_unknown_pooling_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="mean, cls, last, pooler"):
        Pooling.named("max")
