from __future__ import annotations

import pytest
import torch
from torch import nn

from assay.core.errors import ModelError
from assay.encoders.heads import only_tensor, read_head, read_layer, read_output


@pytest.fixture
def classifier() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)
    ).eval()


@pytest.fixture
def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ).eval()


@pytest.fixture
def batch() -> torch.Tensor:
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_features_are_what_enters_a_linear_head(classifier: nn.Module, batch: torch.Tensor) -> None:
    features, logits = read_head(classifier, (3, 8, 8))(batch)

    assert torch.equal(features, classifier[:4](batch))
    assert torch.equal(logits, classifier(batch))


def test_what_enters_a_convolutional_head_is_averaged(convolutional: nn.Module, batch: torch.Tensor) -> None:
    features, logits = read_head(convolutional, (3, 8, 8))(batch)

    torch.testing.assert_close(features, convolutional[:2](batch).mean((2, 3)))
    assert logits.shape == (2, 4)


def test_a_module_without_a_head_gives_its_pooled_output(classifier: nn.Module, batch: torch.Tensor) -> None:
    features, logits = read_head(classifier[:2], (3, 8, 8))(batch)

    torch.testing.assert_close(features, classifier[:2](batch).mean((2, 3)))
    assert logits is None


def test_a_named_layer_is_read(classifier: nn.Module, batch: torch.Tensor) -> None:
    features, logits = read_layer(classifier, "0")(batch)

    torch.testing.assert_close(features, classifier[0](batch).mean((2, 3)))
    assert logits is None


def test_an_unknown_layer_names_those_there_are(classifier: nn.Module) -> None:
    with pytest.raises(ModelError, match="0, 1, 2, 3, 4"):
        read_layer(classifier, "fc")


def test_the_output_may_be_the_features(classifier: nn.Module, batch: torch.Tensor) -> None:
    features, logits = read_output(classifier)(batch)

    assert features.shape == (2, 4)
    assert logits is None


ROWS = torch.ones(2, 3)


@pytest.mark.parametrize("output", [ROWS, (ROWS,), [None, ROWS], {"out": ({"x": ROWS}, None)}])
def test_the_one_tensor_in_an_output_is_read(output: object) -> None:
    assert only_tensor(output) is ROWS


def test_several_tensors_in_an_output_are_named() -> None:
    with pytest.raises(ModelError, match=r"2 tensors: features \(2, 3\), pair\[0\] \(2, 3\)"):
        only_tensor({"features": ROWS, "pair": [ROWS]})
    with pytest.raises(ModelError, match="gives a dict; a tensor is needed"):
        only_tensor({})
