"""One training run: batches in pieces, layers at their own rates, schedules."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.training.pictures import METRICS, opened, pictures, small_net
from torch import nn

from assay.core.task import LabelKind
from assay.training.examples import PreparedExamples, in_order, shuffled
from assay.training.loop import PreparedSplit, TrainingRun, optimiser_of, schedule_of, train
from assay.training.net import Net, NewHead
from assay.training.recipe import Recipe
from assay.training.start import start_head

RECIPE = Recipe(epochs=2, batch_size=16, learning_rate=0.01, layer_decay=1.0, patience=None)


def plain_net() -> nn.Module:
    """Return a net without batch statistics, so that pieces of a batch add up to the batch."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def training_run(trainable, kind: LabelKind = LabelKind.CLASSIFICATION) -> TrainingRun:
    given, val = pictures(kind, 33, 0), pictures(kind, 8, 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        net = Net(trainable, NewHead(4, given.labels))
    sets = [
        PreparedSplit(PreparedExamples(split.examples, trainable), split.labels) for split in (given, val)
    ]
    return TrainingRun(net, *sets, METRICS[kind])


class Cramped:
    """A model whose memory suffices for few examples."""

    def __init__(self, trainable, most: int) -> None:
        self.module, self.device, self.prepared = trainable.module, trainable.device, trainable.prepared
        self._inputs, self.features, self._most = trainable.inputs, trainable.features, most

    def inputs(self, prepared, rng):
        if len(prepared) > self._most:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return self._inputs(prepared, rng)


def test_a_batch_in_pieces_trains_as_the_whole_does():
    states = []
    for most in (100, 5):
        with opened(plain_net()).training() as trainable:
            run = training_run(trainable)
            run.net.piece = 4 if most == 5 else 64
            states.append(train(run, RECIPE, 0, lambda *_: None).state)

    for name, tensor in states[0].items():
        torch.testing.assert_close(states[1][name], tensor, rtol=1e-4, atol=1e-6)


def test_without_enough_memory_batches_are_split_and_that_is_noted():
    with opened(plain_net()).training() as trainable:
        run = training_run(Cramped(trainable, 10))
        run.net.piece = 16
        rows, prepared = next(run.train.examples.batches(in_order(16, 16)))

        from assay.training.loop import _backward

        _backward(run, RECIPE, rows, prepared, None)

    assert run.net.piece == 8
    assert "memory did not suffice" in run.net.notes[0]


def test_a_last_batch_of_one_joins_the_one_before():
    assert [len(rows) for rows in shuffled(np.arange(33), 16)] == [16, 17]
    assert [len(rows) for rows in in_order(33, 16)] == [16, 16, 1]


def test_layers_far_from_the_head_take_smaller_steps():
    module = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3))

    groups = optimiser_of(module, nn.Linear(3, 2), Recipe(layer_decay=0.5, learning_rate=1.0)).param_groups

    rates = [group["lr"] for group in groups if group["params"][0].ndim == 2]
    assert rates == pytest.approx([0.5**12, 0.5**8, 0.5**4, 1.0])


def test_biases_and_norms_do_not_decay():
    module = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))

    groups = optimiser_of(module, nn.Linear(3, 2), Recipe(weight_decay=0.1)).param_groups

    assert {(group["params"][0].ndim > 1, group["weight_decay"]) for group in groups} == {
        (True, 0.1),
        (False, 0.0),
    }


def test_the_rate_rises_and_then_falls_by_a_cosine():
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = schedule_of(optimiser, Recipe(warm_up=0.2), steps=10)
    rates = []
    for _ in range(10):
        rates.append(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()

    assert rates[:3] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert rates[6] == pytest.approx((1 + math.cos(math.pi / 2)) / 2)


def test_numbers_are_learned_in_units_of_their_deviation():
    labels = pictures(LabelKind.REGRESSION, 50, 0).labels
    head = NewHead(4, labels)

    targets = head.targets(labels)

    torch.testing.assert_close(targets.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    np.testing.assert_allclose(head.predicted(targets).values, labels.values, rtol=1e-5)


@pytest.mark.parametrize("keeps", [True, False])
def test_batch_normalisation_goes_on_with_its_means_where_the_recipe_says_so(keeps):
    with opened(small_net()).training() as trainable:
        before = trainable.module[1].running_mean.clone()
        weights = trainable.module[1].weight.detach().clone()
        train(training_run(trainable), replace(RECIPE, keeps_statistics=keeps), 0, lambda *_: None)

        assert torch.equal(trainable.module[1].running_mean, before) is keeps
        assert not torch.equal(trainable.module[1].weight, weights)


def test_a_probe_initialised_head_gives_rarely_active_features_small_weights():
    with opened(small_net()).training() as trainable:
        with torch.no_grad():
            trainable.module[4].weight[0] *= 1e-4
            trainable.module[4].bias[0] *= 1e-4
        run = training_run(trainable)
        start_head(run)

        assert run.net.head.linear.weight[:, 0].abs().max() < run.net.head.linear.weight.abs().max() / 10
