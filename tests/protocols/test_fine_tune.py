"""Fine-tuning: what it learns, that it is repeatable, and that it leaves the model as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.training.pictures import METRICS, opened, pictures, small_net, training_task
from torch import nn

from assay.core.errors import ModelError, NotApplicable, UsageError
from assay.core.task import LabelKind, Split
from assay.encoders.images import ImageEncoder
from assay.plugins.protocol import TrainingTask
from assay.protocols.fine_tune import FineTune

QUICK = FineTune(
    trials=1,
    epochs=12,
    batch_size=8,
    learning_rate=0.003,
    layer_decay=1.0,
    augment=False,
    label_smoothing=0.0,
)


@pytest.fixture
def model() -> ImageEncoder:
    torch.set_num_threads(1)
    return opened(small_net())


KINDS = [LabelKind.CLASSIFICATION, LabelKind.MULTILABEL, LabelKind.REGRESSION]


def value(protocol: FineTune, model, task: TrainingTask, seed: int = 0) -> float:
    test = pictures(task.train.labels.kind, 100, 2)
    with protocol.fit(model, task, seed) as tuned:
        return tuned.predict(test.examples).judged(METRICS[test.labels.kind], test.labels)


def shuffled(split: Split) -> Split:
    rng = np.random.default_rng(0)
    labels = split.labels.take(rng.permutation(len(split)))
    return Split(split.examples, replace(labels, classes=split.labels.classes))


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_what_the_features_alone_do_not_tell(model, kind):
    task = training_task(kind)

    frozen = value(replace(QUICK, head_only=True, epochs=1), model, task)
    tuned = value(QUICK, model, task)

    assert tuned > (0.7 if kind is LabelKind.REGRESSION else 0.8)
    assert tuned > frozen + (
        -0.01 if kind is LabelKind.REGRESSION else 0.1
    )  # brightness is seen by any weights


def test_labels_at_random_leave_it_at_chance(model):
    task = training_task()
    noise = TrainingTask(shuffled(task.train), shuffled(task.val), task.metric)

    assert abs(value(replace(QUICK, epochs=4), model, noise) - 0.25) < 0.15


@pytest.mark.parametrize("changes", [{}, {"lora": 2}, {"head_only": True}])
def test_the_model_is_afterwards_what_it_was(model, changes):
    examples = [pictures(LabelKind.CLASSIFICATION, 5, 9).examples.read(row) for row in range(5)]
    before = model.encode(examples).features
    names = [name for name, _ in model._module.named_modules()]

    with replace(QUICK, epochs=2, **changes).fit(model, training_task(count=32), 0) as tuned:
        assert tuned.predict(pictures(LabelKind.CLASSIFICATION, 5, 9).examples).values.shape == (5,)

    np.testing.assert_array_equal(model.encode(examples).features, before)
    assert [name for name, _ in model._module.named_modules()] == names
    assert not any(weight.requires_grad for weight in model._module.parameters())


def test_the_same_seed_gives_the_same_numbers_and_another_does_not(model):
    protocol = FineTune(trials=2, epochs=2, head="random")
    task, test = training_task(count=32), pictures(LabelKind.CLASSIFICATION, 20, 2).examples
    probs = []
    for seed in (0, 0, 1):
        with protocol.fit(model, task, seed) as tuned:
            probs.append(tuned.predict(test).probs)

    np.testing.assert_array_equal(probs[0], probs[1])
    assert np.abs(probs[0] - probs[2]).max() > 1e-3


@pytest.mark.parametrize("changes", [{}, {"lora": 2}, {"head_only": True}])
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_learned_is_restored_from_its_tensors(model, kind, changes):
    protocol = replace(QUICK, epochs=2, **changes)
    task, test = training_task(kind, count=32), pictures(kind, 20, 2).examples
    with protocol.fit(model, task, 0) as tuned:
        expected, tensors = (
            tuned.predict(test),
            {name: array.copy() for name, array in tuned.tensors().items()},
        )

    with protocol.restored(model, tensors, task.train.labels) as again:
        predicted = again.predict(test)

    np.testing.assert_array_equal(predicted.values, expected.values)
    if expected.probs is not None:
        np.testing.assert_array_equal(predicted.probs, expected.probs)


def test_without_a_refit_the_best_epoch_on_val_counts(model):
    task = training_task()

    with replace(QUICK, refit=False).fit(model, task, 0) as tuned:
        on_val = tuned.predict(task.val.examples).judged(task.metric, task.val.labels)

    assert on_val == tuned.tuned["val"]
    assert tuned.tuned["epoch"] > 0


def test_what_is_tuned_is_recorded_and_what_is_written_is_not_tuned(model):
    with FineTune(trials=3, epochs=1, learning_rate=0.003).fit(model, training_task(count=32), 0) as tuned:
        numbers = tuned.tuned

    assert numbers["learning_rate"] == 0.003
    assert numbers["trials"] <= 3
    assert {"weight_decay", "layer_decay", "label_smoothing", "is_augmented", "epoch"} <= numbers.keys()


def test_statistics_that_do_not_fit_the_task_are_learned_anew():
    net = small_net(16)
    net[1].running_mean.fill_(20.0)  # of other pictures: here no unit that follows ever fires
    protocol = replace(QUICK, trials=2, epochs=30, learning_rate=0.02, refit=False)

    with protocol.fit(opened(net), training_task(), 0) as tuned:
        assert tuned.tuned["keeps_statistics"] == 0.0
        assert tuned.tuned["val"] > 0.9
    with replace(protocol, keep_statistics=True).fit(opened(net), training_task(), 0) as kept:
        assert kept.tuned["val"] < 0.5


def test_statistics_are_not_tuned_where_there_are_none():
    net = nn.Sequential(nn.Conv2d(3, 4, 8), nn.Flatten())
    with FineTune(trials=4, epochs=1).fit(opened(net), training_task(count=32), 0) as fitted:
        assert fitted.tuned["keeps_statistics"] == 1.0


def test_a_trial_that_diverges_is_left_out_and_said(model):
    task = training_task(count=32)

    with (
        pytest.raises(ModelError, match="smaller learning_rate"),
        FineTune(trials=1, epochs=2, learning_rate=1e30, optimiser="sgd").fit(model, task, 0),
    ):
        pass


def test_time_that_is_over_ends_training(model):
    with (
        pytest.raises(ModelError, match="do not suffice for one epoch"),
        FineTune(seconds=1e-9).fit(model, training_task(count=32), 0),
    ):
        pass


def test_a_class_without_examples_in_train_is_never_predicted(model):
    task = training_task()
    kept = np.flatnonzero(task.train.labels.values != 1)
    lacking = TrainingTask(task.train.take(kept), task.val, task.metric)

    with replace(QUICK, epochs=3, refit=False).fit(model, lacking, 0) as tuned:
        predicted = tuned.predict(pictures(LabelKind.CLASSIFICATION, 60, 2).examples)

    assert 1 not in predicted.values
    assert (predicted.probs[:, 1] == 0).all()


def test_without_val_there_is_a_reason(model):
    task = training_task()

    with pytest.raises(NotApplicable, match="write sgd"):
        FineTune().fit(model, TrainingTask(task.train, task.val.take([]), task.metric), 0)


def test_a_model_without_weights_is_not_trained():
    task = training_task(count=16)

    with (
        pytest.raises(NotApplicable, match="no weights"),
        FineTune().fit(opened(nn.Sequential(nn.AvgPool2d(4), nn.Flatten())), task, 0),
    ):
        pass


@pytest.mark.parametrize(
    "settings",
    [{"lora": 0}, {"trials": 0}, {"epochs": 0}, {"learning_rate": 0.0}, {"lora": 4, "head_only": True},
     {"optimiser": "adam"}, {"head": "linear"}, {"batch_size": 1}, {"seconds": 0.0},
     {"from_scratch": True, "keep_statistics": True}],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(settings):
    with pytest.raises(UsageError):
        FineTune(**settings)


def test_from_scratch_asks_for_random_weights():
    assert FineTune(from_scratch=True).starts_random
    assert not FineTune().starts_random
