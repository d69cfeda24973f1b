"""Opened models of torch: that a closed one says so, and frees its weights."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import numpy as np
import pytest
from torch import nn

from assay.core.errors import ModelError
from assay.core.model import LinearHead, Model
from assay.encoders.images import ImageEncoder, Outputs
from assay.encoders.pixels import PixelRecipe
from assay.encoders.weights import Origin

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
