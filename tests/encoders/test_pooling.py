from __future__ import annotations

import numpy as np
import pytest
import torch

from assay.core.errors import ModelError, UsageError
from assay.encoders.images import pooled
from assay.encoders.pooling import Pooling, States, pool, real_array, real_tensor

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


@pytest.mark.parametrize("kind", [bool, np.int64, np.float16, np.float64])
def test_whole_numbers_and_truth_values_are_features(kind: type) -> None:
    values = np.array([[0, 1], [1, 1]], kind)

    assert real_array(values).tolist() == [[0, 1], [1, 1]]
    assert pooled(torch.from_numpy(values)[:, :, None, None]).tolist() == [[0, 1], [1, 1]]


def test_sparse_values_become_dense() -> None:
    assert real_tensor(torch.eye(2).to_sparse()).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_complex_values_are_refused_instead_of_cut(dtype: torch.dtype) -> None:
    values = torch.ones(2, 3, dtype=dtype)

    with pytest.raises(ModelError, match="gives complex"):
        pooled(values)
    with pytest.raises(ModelError, match="gives complex"):
        real_array(values.numpy())


def test_text_is_no_feature() -> None:
    with pytest.raises(ModelError, match="gives <U1 values"):
        real_array(["a"])


def test_a_tensor_without_a_row_for_each_example_is_refused() -> None:
    with pytest.raises(ModelError, match=r"shape \(\); examples x width"):
        pooled(torch.tensor(1.0))
