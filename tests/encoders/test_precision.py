"""In which precision a model encodes: by setting, device, checkpoint and agreement, on the CPU."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from assay.core.errors import NotApplicable, UnknownName
from assay.core.model import LinearHead
from assay.encoders.identity import Origin
from assay.encoders.images import ImageEncoder
from assay.encoders.pixels import PixelRecipe
from assay.encoders.precision import Precision, check_dtype, dtype_of_weights, least_cosine
from assay.encoders.torch_model import Outputs, own_precision
from assay.environment.devices import half_precision

PICTURES = [np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8) for seed in range(4)]


def fast(device: str) -> str:
    """Return bfloat16, as of a device that is fast in it; the CPU computes in it as well."""
    return "bfloat16"


def network(*more: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 16), *more)


def opened(module: nn.Module, precision: Precision) -> ImageEncoder:
    def run(batch: torch.Tensor) -> Outputs:
        return Outputs(module(batch), None)

    return ImageEncoder(module, run, PixelRecipe(8, 8), "cpu", Origin("drawn"), precision=precision)


@pytest.mark.parametrize(
    ("wanted", "native", "half", "expected"),
    [
        ("auto", "float32", None, "float32"),
        ("auto", "bfloat16", None, "float32"),  # on a CPU as ever
        ("auto", "bfloat16", "bfloat16", "bfloat16"),
        ("auto", "float16", "bfloat16", "float16"),  # a checkpoint is its own reference
        ("auto", "float32", "bfloat16", "float32"),  # until features agree
        ("float32", "bfloat16", "bfloat16", "float32"),
        ("bfloat16", "float32", None, "bfloat16"),
    ],
)
def test_weights_are_loaded_in_the_type_of_setting_checkpoint_and_device(
    wanted: str, native: str, half: str | None, expected: str
) -> None:
    assert dtype_of_weights(wanted, native, half) == expected


def test_a_cpu_has_no_fast_half_precision() -> None:
    assert half_precision("cpu") is None
    assert half_precision("mps") == "bfloat16"


def test_another_dtype_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownName, match="bfloat16"):
        check_dtype("bfloat")


@pytest.mark.parametrize(
    ("half", "expected"),
    [
        ([[3.0, 4.0], [0.0, 0.0]], 1.0),
        ([[3.0, 0.0], [0.0, 0.0]], 0.6),  # the example that differs most decides
        ([[3.0, 4.0], [1.0, 0.0]], 0.0),
        ([[3.0, np.inf], [0.0, 0.0]], -1.0),
        ([[3.0, 4.0]], -1.0),
    ],
)
def test_agreement_is_the_least_cosine_of_an_example(half: list[list[float]], expected: float) -> None:
    assert least_cosine(np.array(half), np.array([[3.0, 4.0], [0.0, 0.0]])) == pytest.approx(expected)


def test_auto_on_a_cpu_computes_in_float32_without_reading_an_example() -> None:
    model = opened(network(), Precision())

    assert model.settle_precision(lambda: pytest.fail("an example was read")) is None
    assert model.facts.dtype == "float32"


def test_auto_encodes_in_half_precision_where_features_agree() -> None:
    model = opened(network(), Precision(half=fast))
    single = model.encode(PICTURES).features

    assert model.settle_precision(lambda: PICTURES) == "bfloat16"
    half = model.encode(PICTURES).features
    assert model.facts.dtype == "bfloat16"
    assert not model.notes
    assert not np.array_equal(half, single)
    assert least_cosine(half, single) > 0.999
    assert next(iter(model.weights())).dtype == np.float32


class Cancelling(nn.Module):
    """Subtracts two numbers of which half precision sees no difference."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return what is left of the values beside a large number."""
        return (values + 1000) - 1000


class Single(nn.Module):
    """Works in float32 alone."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Raise an error for other values."""
        if values.dtype != torch.float32:
            raise RuntimeError("not implemented for 'BFloat16'")
        return values


@pytest.mark.parametrize("layer", [Cancelling, Single])
def test_auto_encodes_in_float32_with_a_note_where_features_differ_or_fail(
    layer: Callable[[], nn.Module],
) -> None:
    model = opened(network(layer()), Precision(half=fast))
    single = model.encode(PICTURES).features

    assert model.settle_precision(lambda: PICTURES) == "float32"
    assert np.array_equal(model.encode(PICTURES).features, single)
    assert "encoded in float32" in model.notes[0]


def test_a_named_dtype_is_used_on_a_cpu_and_needs_no_agreement() -> None:
    model = opened(network(Cancelling()), Precision("bfloat16"))

    assert model.settle_precision(lambda: PICTURES) is None
    assert model.facts.dtype == "bfloat16"
    assert model.encode(PICTURES).features.dtype == np.float32


def test_a_module_of_the_user_in_half_precision_is_left_as_it_is() -> None:
    assert own_precision("auto", "cpu", network().bfloat16()).dtype == "float32"
    assert own_precision("bfloat16", "cpu", network()).dtype == "bfloat16"


def test_weights_loaded_in_half_precision_are_trained_in_float32_and_restored() -> None:
    module = network().bfloat16()
    model = opened(module, Precision("bfloat16", weights="bfloat16"))
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}

    with model.training() as trainable:
        assert {weight.dtype for weight in module.parameters()} == {torch.float32}
        loss = trainable.features(trainable.inputs([trainable.prepared(PICTURES[0])], None)).sum()
        loss.backward()
        with torch.no_grad():
            for weight in module.parameters():
                weight.add_(1.0)
    after = module.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert {weight.dtype for weight in module.parameters()} == {torch.bfloat16}


def test_gradients_of_weights_in_half_precision_are_refused() -> None:
    model = opened(network().bfloat16(), Precision("bfloat16", weights="bfloat16"))

    with pytest.raises(NotApplicable, match="dtype='float32'"):
        model.fishers(PICTURES, LinearHead(np.zeros((2, 16)), np.zeros(2)), 1, 0)
