"""Which weights of a module are matrices."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn

from assay.encoders.weight_matrices import weight_matrices


def shapes(module: nn.Module) -> list[tuple[int, ...]]:
    return [matrix.shape for matrix in weight_matrices(module)]


def test_a_linear_layer_is_outputs_by_inputs():
    layer = nn.Linear(5, 3)

    (matrix,) = weight_matrices(layer)

    np.testing.assert_array_equal(matrix, layer.weight.detach().numpy())


def test_a_convolution_is_outputs_by_inputs_and_places():
    layer = nn.Conv2d(4, 6, (3, 2)).to(memory_format=torch.channels_last)

    (matrix,) = weight_matrices(layer)

    weights = layer.weight.detach().numpy()
    assert matrix.shape == (6, 24)
    assert matrix[5, 3 * 6 + 2 * 2 + 1] == weights[5, 3, 2, 1]


def test_a_transposed_convolution_is_turned():
    assert shapes(nn.ConvTranspose2d(4, 6, 3)) == [(6, 36)]


def test_a_linear_layer_of_gpt_is_turned():
    pytest.importorskip("transformers")
    from transformers.pytorch_utils import Conv1D

    assert shapes(Conv1D(nf=7, nx=5)) == [(7, 5)]


@pytest.mark.parametrize(
    "layer", [nn.BatchNorm2d(4), nn.LayerNorm(4), nn.Linear(1, 9), nn.Linear(9, 1), nn.Embedding(9, 4)]
)
def test_what_is_no_matrix_is_left_out(layer):
    assert shapes(layer) == []


def test_tables_are_left_out_and_projections_kept():
    class Part(nn.Module):
        def __init__(self):
            super().__init__()
            self.pos_embed = nn.Parameter(torch.zeros(4, 8))
            self.relative_position_bias_table = nn.Parameter(torch.zeros(9, 2))
            self.cls_token = nn.Parameter(torch.zeros(2, 8))
            self.patch_embed = nn.Conv2d(3, 8, 4)

    assert shapes(Part()) == [(8, 48)]


def test_weights_that_are_shared_count_once():
    words, head, twice = nn.Embedding(9, 4), nn.Linear(4, 9, bias=False), nn.Linear(3, 4)
    head.weight = words.weight

    assert shapes(nn.ModuleList([words, head, twice, twice])) == [(4, 3)]


def test_half_precision_becomes_single():
    (matrix,) = weight_matrices(nn.Linear(3, 4).half())

    assert matrix.dtype == np.float32
