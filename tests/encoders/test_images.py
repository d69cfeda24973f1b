from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from assay.core.errors import ModelError
from assay.core.task import InMemoryExamples, LabelKind, Labels, Split
from assay.encoders.batches import Batches
from assay.encoders.identity import Origin
from assay.encoders.images import ImageEncoder
from assay.encoders.pixels import PixelRecipe
from assay.encoders.torch_model import Outputs
from assay.readers.digests import digest_examples

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


@pytest.mark.parametrize("budget", ["0", "1GB"])
def test_features_from_kept_pixels_equal_those_of_images_bit_by_bit(
    encoder: ImageEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: str
) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    monkeypatch.setenv("ASSAY_PIXEL_CACHE", budget)
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (5 + row, 30 - row, 3), np.uint8) for row in range(20)]
    labels = Labels(LabelKind.CLASSIFICATION, np.zeros(20), ("a",))
    split = Split(InMemoryExamples(images, [""] * 20), labels, digest_examples(images))
    native = [encoder.encode(images[start : start + 7]).features for start in (0, 7, 14)]

    cold, warm = (
        [
            encoded.features
            for _, encoded in Batches(7, lambda *_: None).encoded(encoder, split, "encode", cut)
        ]
        for cut in [np.split(np.arange(20), [7, 14])] * 2
    )

    np.testing.assert_array_equal(np.concatenate(cold), np.concatenate(native))
    np.testing.assert_array_equal(np.concatenate(warm), np.concatenate(native))
    assert (tmp_path / "pixels").exists() == (budget != "0")


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
