from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from assay.core.errors import ModelError
from assay.encoders.identity import Origin
from assay.encoders.images import ImageEncoder
from assay.encoders.pixels import PixelRecipe
from assay.encoders.torch_model import Outputs

WHITE = np.full((9, 9, 3), 255, np.uint8)


@pytest.fixture
def encoder() -> ImageEncoder:
    module = nn.Conv2d(3, 2, 1, bias=False)
    nn.init.constant_(module.weight, 0.5)

    def forward(batch: torch.Tensor) -> Outputs:
        features = module(batch).mean((2, 3))
        return Outputs(features, features * 0)

    return ImageEncoder(module, forward, PixelRecipe(4, 4), "cpu", Origin("drawn", "MIT"))


def test_features_and_probabilities_are_those_of_the_module(encoder: ImageEncoder) -> None:
    encoded = encoder.encode([WHITE])

    np.testing.assert_allclose(encoded.features, [[1.5, 1.5]])
    np.testing.assert_allclose(encoded.source_probs, [[0.5, 0.5]])


def test_the_facts_are_counted(encoder: ImageEncoder) -> None:
    facts = encoder.facts

    assert (facts.width, facts.parameters, facts.bytes, facts.source_classes) == (2, 6, 24, 2)
    assert facts.macs == 6 * 4 * 4  # 3 x 2 weights at 16 places
    assert facts.input == "3 x 4 x 4"
    assert (facts.weights, facts.licence) == ("drawn", "MIT")


def test_nothing_is_encoded_as_nothing(encoder: ImageEncoder) -> None:
    encoded = encoder.encode([])

    assert encoded.features.shape == (0, 2)
    assert encoded.source_probs.shape == (0, 2)


def test_a_text_is_refused(encoder: ImageEncoder) -> None:
    with pytest.raises(ModelError, match="reads images"):
        encoder.encode(["a text"])


def test_a_closed_model_says_so(encoder: ImageEncoder) -> None:
    encoder.close()

    with pytest.raises(ModelError, match="closed"):
        encoder.encode([WHITE])


def test_features_that_are_no_vector_are_refused() -> None:
    module = nn.Conv2d(3, 2, 1)

    with pytest.raises(ModelError, match="another layer"):
        ImageEncoder(
            module, lambda batch: Outputs(module(batch), None), PixelRecipe(4, 4), "cpu", Origin("drawn")
        )


def test_a_convolution_over_space_and_depth_opens() -> None:
    module = nn.Conv3d(3, 2, 1)  # lambda networks of timm have such ones

    def forward(batch: torch.Tensor) -> Outputs:
        return Outputs(module(batch[:, :, None]).mean((2, 3, 4)), None)

    model = ImageEncoder(module, forward, PixelRecipe(4, 4), "cpu", Origin("drawn"))

    assert model.encode([WHITE]).features.shape == (1, 2)
