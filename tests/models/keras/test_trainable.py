"""Keras models among torch modules: statistics, modes, seeds, and that TensorFlow stays out."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch

from assay.encoders.weights import seeded
from assay.models.keras.trainable import KerasModule, keras_on_torch


def built(drop: float = 0.0) -> tuple[KerasModule, Any]:
    with keras_on_torch() as keras:
        layers = keras.layers
        inputs = keras.Input((6, 6, 3))
        values = layers.Conv2D(4, 3, name="conv")(inputs)
        values = layers.BatchNormalization(name="norm", momentum=0.9)(values)
        values = layers.Dropout(drop)(layers.Activation("relu")(values))
        model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(values)))
        return KerasModule(keras.Model(inputs, model.layers[-1].input), model, "cpu"), model


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).uniform(0, 1, (8, 6, 6, 3)).astype(np.float32))


def test_tensorflow_stays_out_and_is_found_again_afterwards() -> None:
    built()

    assert "tensorflow" not in sys.modules


def test_weights_require_gradients_and_statistics_do_not() -> None:
    module, _ = built()

    assert [tuple(weight.shape) for weight in module.parameters()] == [
        (3, 3, 3, 4),
        (4,),
        (4,),
        (4,),
        (4, 2),
        (2,),
    ]
    assert all(weight.requires_grad for weight in module.parameters())
    assert [tuple(statistic.shape) for statistic in module.buffers()] == [(4,), (4,)]


def test_a_norm_learns_statistics_only_in_training_mode(
    pictures: torch.Tensor,
) -> None:
    module, model = built()
    norm = next(part for part in module.modules() if isinstance(part, torch.nn.modules.batchnorm._BatchNorm))
    before = module.state_dict()
    start = {name: value.clone() for name, value in before.items()}

    module.train()
    norm.eval()
    module(pictures).sum().backward()
    kept = {name: value.clone() for name, value in module.state_dict().items()}
    grads = [weight.grad is not None for weight in norm.parameters()]
    module.train()
    module(pictures)
    learned = module.state_dict()

    moved = [name for name in start if not torch.equal(kept[name], start[name])]
    assert not [name for name in moved if "moving" in name]
    assert grads == [True, True]
    with torch.no_grad():
        maps = torch.nn.functional.conv2d(
            pictures.movedim(-1, 1), model.get_layer("conv").kernel.value.permute(3, 2, 0, 1)
        )
    mean = next(value for name, value in learned.items() if "moving_mean" in name)
    np.testing.assert_allclose(mean, 0.1 * maps.mean((0, 2, 3)), rtol=1e-4)


def test_without_a_momentum_statistics_are_the_mean_of_all_batches(pictures: torch.Tensor) -> None:
    module, model = built()
    norm = next(part for part in module.modules() if isinstance(part, torch.nn.modules.batchnorm._BatchNorm))

    norm.reset_running_stats()
    norm.momentum = None
    norm.train()
    with torch.no_grad():
        module.training = True
        for start in (0, 4):
            module(pictures[start : start + 4])
        maps = torch.nn.functional.conv2d(
            pictures.movedim(-1, 1), model.get_layer("conv").kernel.value.permute(3, 2, 0, 1)
        )

    mean = model.get_layer("norm").moving_mean.value.detach()
    np.testing.assert_allclose(mean, maps.mean((0, 2, 3)), rtol=1e-4)


def test_dropout_is_drawn_as_torch_draws_it(pictures: torch.Tensor) -> None:
    module, _ = built(0.5)
    module.train()
    drawn = []
    for seed in (0, 0, 1):
        with seeded(seed):
            drawn.append(module(pictures))

    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
