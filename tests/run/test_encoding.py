"""The splits of a task as one model sees them."""

from __future__ import annotations

import gc
from functools import partial
from types import FunctionType, ModuleType

import numpy as np
import pytest

from assay.core.errors import ModelError, NotApplicable
from assay.core.model import ModelSource
from assay.core.task import LabelKind, Labels, SplitName
from assay.metrics.accuracy import Accuracy
from assay.plugins.address import Address
from assay.plugins.families import BUILT_IN
from assay.plugins.train_view import balanced_rows
from assay.run import encoder, score_view
from assay.run.encoding import Encodings, batches_of
from assay.run.opened_model import OpenedModel
from assay.run.plan import resolve_tasks
from assay.run.score_view import ScoreView
from assay.store.arrays import Arrays


@pytest.fixture
def encodings(photos, tmp_path):
    def make(model: str, batch_size: int = 8, untrained: str | None = None) -> Encodings:
        source = zoo(model)
        task = resolve_tasks([str(photos)], 0)[0]
        arrays = Arrays(tmp_path / f"{model}{batch_size}")
        untrained_source = source.untrained if untrained is None else partial(zoo, untrained)
        model = OpenedModel(source.open("cpu"), source.identity(), untrained_source, "cpu")
        return Encodings(model, task, Accuracy(), arrays, batches_of(task, batch_size, lambda *_: None))

    return make


def zoo(model: str) -> ModelSource:
    return BUILT_IN.models.create_from_source(Address.parse(f"zoo:{model}")).plugin


def test_moments_gathered_while_encoding_equal_those_of_kept_features(encodings):
    fresh = encodings("colours")
    fresh.features(SplitName.TRAIN)
    kept = encodings("colours")

    assert kept.encoder.seconds == 0
    np.testing.assert_allclose(
        fresh.encoder.moments().total.scatter.centred_gram(),
        kept.encoder.moments().total.scatter.centred_gram(),
    )


def test_equal_images_are_encoded_once_and_have_equal_features(encodings, photos, monkeypatch):
    first = min(photos.rglob("*.png"))
    for copy in range(3):
        (first.parent / f"copy{copy}.png").write_bytes(first.read_bytes())
    made = encodings("colours")
    counts = []
    encode = type(made.encoder.model).encode
    monkeypatch.setattr(
        type(made.encoder.model),
        "encode",
        lambda model, examples: (counts.append(len(examples)), encode(model, examples))[1],
    )

    splits = {name: made.features(name).matrix for name in SplitName}

    digests = {name: made.task.split(name).digests for name in SplitName}
    different = {name: np.unique(values) for name, values in digests.items()}
    assert sum(counts) == sum(map(len, different.values())) == sum(map(len, digests.values())) - 3
    for name, matrix in splits.items():
        _, alone, same = np.unique(digests[name], return_index=True, return_inverse=True)
        np.testing.assert_array_equal(matrix, matrix[alone][same])
        assert len(np.unique(matrix, axis=0)) == len(different[name])


@pytest.mark.parametrize("batch_size", [1, 7, 54, 500])
def test_the_batch_size_changes_no_feature(encodings, batch_size):
    whole = encodings("colours", 32).features(SplitName.TRAIN).matrix

    parts = encodings("colours", batch_size).features(SplitName.TRAIN).matrix
    np.testing.assert_allclose(parts, whole, rtol=1e-6, atol=1e-6)


def test_source_probabilities_are_kept_for_train(encodings):
    fresh = ScoreView(encodings("headed").encoder).source_probs()
    kept = ScoreView(encodings("headed").encoder).source_probs()

    assert fresh.probs.shape == (54, 4)
    np.testing.assert_array_equal(fresh.probs, kept.probs)


def test_a_sample_takes_from_all_classes_alike():
    labels = Labels(LabelKind.CLASSIFICATION, np.repeat([0, 1, 2], [1000, 1000, 30]), ("a", "b", "c"))

    counts = np.bincount(labels.take(balanced_rows(labels, 330, 0)).values)

    assert counts.tolist() == [150, 150, 30]


def test_a_sample_of_numbers_has_the_size_asked_for():
    labels = Labels(LabelKind.REGRESSION, np.arange(100.0))

    assert len(set(balanced_rows(labels, 40, 0))) == 40


def test_random_features_are_those_of_the_sample_under_random_weights(encodings, monkeypatch):
    monkeypatch.setattr(encoder, "SAMPLE", 20)
    monkeypatch.setattr(score_view, "SAMPLE", 20)
    contrast = encodings("colours", untrained="colours(width=5, seed=3)")
    drawn = encodings("colours(width=5, seed=3)")

    found = contrast.encoder.random_features().matrix

    assert found.shape == (20, 5)
    np.testing.assert_allclose(found, ScoreView(drawn.encoder).sample().matrix, rtol=1e-6, atol=1e-6)


def test_random_features_are_encoded_once(encodings, opened):
    first = encodings("colours", untrained="noisy")
    first.encoder.random_features()
    seconds = first.encoder.seconds
    again = encodings("colours", untrained="noisy")

    np.testing.assert_array_equal(
        again.encoder.random_features().matrix, first.encoder.random_features().matrix
    )
    assert opened == ["colours", "noisy", "colours"]
    assert first.encoder.seconds == seconds > again.encoder.seconds == 0


def test_the_random_copies_of_two_models_are_not_mixed_up(encodings):
    one = encodings("colours", untrained="colours(seed=1)").encoder.random_features().matrix
    other = encodings("colours", untrained="colours(seed=2)").encoder.random_features().matrix

    assert not np.allclose(one, other)


def test_a_source_without_random_weights_says_so(encodings):
    with pytest.raises(NotApplicable, match="this source has no random weights"):
        encodings("colours").encoder.random_features()


def test_random_features_that_are_not_finite_are_not_kept(encodings):
    broken = encodings("colours", untrained="nan")

    for _ in range(2):
        with pytest.raises(ModelError, match="not finite"):
            broken.encoder.random_features()


def test_a_model_that_cannot_show_its_weights_says_so(encodings):
    with pytest.raises(NotApplicable, match="not available"):
        list(ScoreView(encodings("colours").encoder).weights())


def test_test_cannot_be_reached_from_what_a_score_receives(encodings):
    made = encodings("headed")
    test = made.task.test
    made.features(SplitName.TEST)

    reachable = _reachable(ScoreView(made.encoder))

    assert id(made.encoder.task.train.labels.values) in reachable
    assert id(made.encoder.task.val.labels.values) in reachable
    assert not {id(made.task), id(test), id(test.labels), id(test.labels.values)} & reachable


def test_a_score_receives_val_and_how_many_test_examples_there_are(encodings):
    made = encodings("headed")

    held_out = ScoreView(made.encoder).held_out()

    assert held_out.train_count == len(made.task.train)
    assert held_out.beyond.val_count == len(made.task.val)
    assert held_out.beyond.test_count == len(made.task.test)
    np.testing.assert_array_equal(held_out.beyond.val.matrix, made.features(SplitName.VAL).matrix)


def _reachable(value: object) -> set[int]:
    """Return the identities of all objects that a value leads to, but those that modules and classes hold."""
    left, reached = [value], set()
    while left:
        current = left.pop()
        if id(current) in reached or isinstance(current, (ModuleType, type, FunctionType)):
            continue
        reached.add(id(current))
        left.extend(gc.get_referents(current))
    return reached
