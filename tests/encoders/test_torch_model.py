"""Opened models of torch: their weight matrices, and that a closed one says so and frees its weights."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from assay.core.errors import ModelError
from assay.core.model import LinearHead, Model
from assay.encoders.identity import Origin
from assay.encoders.images import ImageEncoder
from assay.encoders.pixels import PixelRecipe
from assay.encoders.torch_model import Outputs, weight_matrices

PICTURES = [np.zeros((8, 8, 3), np.uint8)]
HEAD = LinearHead(np.zeros((2, 3)), np.zeros(2))


def opened(module: nn.Module) -> ImageEncoder:
    return ImageEncoder(
        module, lambda batch: Outputs(module(batch), None), PixelRecipe(8, 8), "cpu", Origin("drawn")
    )


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model.encode(PICTURES),
        lambda model: next(model.weights()),
        lambda model: model.fishers(PICTURES, HEAD, 1, 0),
        lambda model: model.training().__enter__(),
    ],
)
def test_a_closed_model_says_so(use: Callable[[Model], object]) -> None:
    model = opened(nn.Sequential(nn.Conv2d(3, 3, 8), nn.Flatten()))
    model.close()

    with pytest.raises(ModelError, match="closed"):
        use(model)
    assert model.facts.width == 3


def test_a_closed_model_holds_no_weights() -> None:
    module = nn.Sequential(nn.Conv2d(3, 3, 8), nn.Flatten())
    left = weakref.ref(module)
    model = opened(module)
    del module

    model.close()
    gc.collect()

    assert left() is None


def shapes(module: nn.Module) -> list[tuple[int, ...]]:
    return [matrix.shape for matrix in weight_matrices(module)]


def test_a_linear_layer_is_outputs_by_inputs():
    layer = nn.Linear(5, 3)

    (matrix,) = weight_matrices(layer)

    np.testing.assert_array_equal(matrix, layer.weight.detach().numpy())


def test_a_convolution_is_outputs_by_inputs_and_kernel():
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


def test_the_facts_name_the_dtype_of_most_weights() -> None:
    half = nn.Sequential(nn.Conv2d(3, 3, 8), nn.Flatten()).to(torch.bfloat16)
    whole = nn.Sequential(nn.Conv2d(3, 3, 8), nn.Flatten(), nn.BatchNorm1d(3))
    encoder = ImageEncoder(
        half, lambda batch: Outputs(half(batch.to(torch.bfloat16))), PixelRecipe(8, 8), "cpu", Origin("drawn")
    )

    assert encoder.facts.dtype == "bfloat16"
    assert encoder.encode(PICTURES).features.dtype == np.float32
    assert opened(whole.eval()).facts.dtype == "float32"
