"""Contract tests of feature protocols: derive from ``ProtocolContract`` and override its fixture."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from assay.core.features import Features, LabelledFeatures
from assay.core.metric import Metric
from assay.core.predictor import Predicted
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.macro_f1 import MacroF1
from assay.metrics.spearman import Spearman
from assay.plugins.protocol import FeatureProtocol, Fitted
from assay.testing.contract import Contract, Values, applies_if

CLASSES = ("ant", "bee", "cat", "nobody")  # the last class has no examples
METRICS: dict[LabelKind, Metric] = {
    LabelKind.CLASSIFICATION: Accuracy(),
    LabelKind.MULTILABEL: MacroF1(),
    LabelKind.REGRESSION: Spearman(),
}
_NOISE = {LabelKind.CLASSIFICATION: 1.0, LabelKind.MULTILABEL: 0.3, LabelKind.REGRESSION: 0.05}


@dataclass(frozen=True)
class Splits:
    """The three splits of a task, with test features and test labels stored separately."""

    train: LabelledFeatures
    val: LabelledFeatures
    test: Features
    truth: Labels

    @property
    def kind(self) -> LabelKind:
        """The label kind."""
        return self.train.labels.kind

    def fit(self, protocol: FeatureProtocol) -> Fitted:
        """Fit a protocol; warnings are errors."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return protocol.fit(self.train, self.val, METRICS[self.kind])

    def predict(self, protocol: FeatureProtocol, test: np.ndarray | None = None) -> Predicted:
        """Fit a protocol and predict test, or other examples; warnings are errors."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return self.fit(protocol).predictor(self.test.matrix if test is None else test)

    def value(self, protocol: FeatureProtocol) -> float:
        """Return the metric on test."""
        return METRICS[self.kind](self.truth, self.predict(protocol).values)


def blobs(
    kind: LabelKind, *, width: int = 6, separation: float = 6.0, shuffled: bool = False, seed: int = 0
) -> Splits:
    """Return splits of 60 examples each, in one cluster per class, or along a line for numbers."""
    rng = np.random.default_rng(seed)
    if kind is LabelKind.CLASSIFICATION:
        values = rng.permutation(np.arange(180) % 3).astype(np.float64)
        signal = np.eye(3)[values.astype(np.int64)]
    elif kind is LabelKind.MULTILABEL:
        values = np.pad(rng.integers(0, 2, (180, 3)), ((0, 0), (0, 1)))
        signal = values[:, :3] - 0.4
    else:
        values = rng.standard_normal(180)
        angle = values / 2
        signal = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(180)])  # for both cosine and line
    noise = rng.standard_normal((180, width)) * _NOISE[kind]
    matrix = (noise + separation * np.pad(signal, ((0, 0), (0, width - 3)))).astype(np.float32)
    values = rng.permutation(values) if shuffled else values
    classes = () if kind is LabelKind.REGRESSION else CLASSES

    def split(rows: slice) -> LabelledFeatures:
        return LabelledFeatures(Features(matrix[rows]), Labels(kind, values[rows], classes))

    test = split(slice(120, 180))
    return Splits(split(slice(0, 60)), split(slice(60, 120)), test.features, test.labels)


def _in_texts(part: LabelledFeatures) -> LabelledFeatures:
    """Return the examples as words of texts with five words each."""
    labels = part.labels
    lengths = np.full(len(labels) // 5, 5)
    return LabelledFeatures(part.features, Labels(labels.kind, labels.values, labels.classes, lengths))


def _in_columns(part: LabelledFeatures) -> LabelledFeatures:
    """Return two numbers per example instead of one; the second is one minus the first."""
    values = np.column_stack([part.labels.values, 1 - part.labels.values])
    return LabelledFeatures(part.features, Labels(LabelKind.REGRESSION, values))


def learns_classes(protocol: FeatureProtocol) -> bool:
    """Return whether a protocol applies to classification."""
    return LabelKind.CLASSIFICATION in protocol.kinds


class ProtocolContract(Contract):
    """The contract tests of feature protocols.

    class TestMine(ProtocolContract):
        @pytest.fixture
        def protocol(self):
            return Mine()
    """

    subject = "protocol"
    parameters: ClassVar[Values] = {
        "kind": lambda protocol: sorted(protocol.kinds),
        "kind_of_classes": lambda protocol: sorted(protocol.kinds - {LabelKind.REGRESSION}),
    }

    @pytest.fixture
    def protocol(self) -> FeatureProtocol:
        raise NotImplementedError("Override the fixture `protocol`.")

    @pytest.fixture(params=[6, 200], ids=["narrow", "wide"])
    def width(self, request: pytest.FixtureRequest) -> int:
        return int(request.param)

    @pytest.fixture
    def splits(self, kind: LabelKind, width: int) -> Splits:
        return blobs(kind, width=width, separation=3.0)

    def test_there_is_one_finite_prediction_for_each_test_example(
        self, protocol: FeatureProtocol, splits: Splits
    ) -> None:
        values = splits.predict(protocol).values

        assert values.shape == splits.truth.values.shape
        assert np.isfinite(values).all()

    @applies_if(lambda protocol: protocol.kinds - {LabelKind.REGRESSION})
    def test_predicted_classes_are_those_that_have_examples(
        self, protocol: FeatureProtocol, kind_of_classes: LabelKind, width: int
    ) -> None:
        values = blobs(kind_of_classes, width=width, separation=3.0).predict(protocol).values

        assert np.issubdtype(values.dtype, np.integer)
        assert set(values.ravel().tolist()) <= {0, 1, 2}

    def test_what_was_tuned_is_finite(self, protocol: FeatureProtocol, splits: Splits) -> None:
        assert all(np.isfinite(value) for value in splits.fit(protocol).tuned.values())

    def test_the_same_input_gives_the_same_prediction(
        self, protocol: FeatureProtocol, splits: Splits
    ) -> None:
        first, second = splits.fit(protocol), splits.fit(protocol)

        np.testing.assert_array_equal(
            first.predictor(splits.test.matrix).values, second.predictor(splits.test.matrix).values
        )
        assert (first.tuned, first.notes) == (second.tuned, second.notes)
        assert first.val_value == second.val_value

    def test_it_solves_what_is_easy(self, protocol: FeatureProtocol, kind: LabelKind) -> None:
        splits = blobs(kind)

        assert splits.value(protocol) > 0.95

    def test_labels_at_random_leave_it_near_chance(self, protocol: FeatureProtocol, kind: LabelKind) -> None:
        values = [blobs(kind, shuffled=True, seed=seed).value(protocol) for seed in range(6)]
        chance = {LabelKind.CLASSIFICATION: 1 / 3, LabelKind.MULTILABEL: 0.5, LabelKind.REGRESSION: 0.0}[kind]

        assert abs(np.mean(values) - chance) < 0.12  # of 360 examples: five standard deviations of accuracy

    def test_the_value_on_val_is_that_of_what_did_not_learn_from_val(
        self, protocol: FeatureProtocol, kind: LabelKind, width: int
    ) -> None:
        fitted = [blobs(kind, width=width, shuffled=True, seed=seed).fit(protocol) for seed in range(4)]
        values = [one.val_value for one in fitted if one.val_value is not None]
        chance = {LabelKind.CLASSIFICATION: 1 / 3, LabelKind.MULTILABEL: 0.5, LabelKind.REGRESSION: 0.0}[kind]

        assert np.isfinite(values).all()
        if values:  # the best of several hyperparameters on 60 examples is above chance; of learned ones 1
            assert np.mean(values) < chance + 0.35

    @applies_if(learns_classes)
    def test_words_are_learned_like_other_examples(self, protocol: FeatureProtocol) -> None:
        splits = blobs(LabelKind.CLASSIFICATION, separation=3.0)
        texts = Splits(_in_texts(splits.train), _in_texts(splits.val), splits.test, splits.truth)

        np.testing.assert_array_equal(texts.predict(protocol).values, splits.predict(protocol).values)

    @applies_if(lambda protocol: LabelKind.REGRESSION in protocol.kinds)
    def test_several_numbers_are_learned_at_once(self, protocol: FeatureProtocol) -> None:
        single = blobs(LabelKind.REGRESSION)
        both = Splits(_in_columns(single.train), _in_columns(single.val), single.test, single.truth)

        values = both.predict(protocol).values

        assert values.shape == (60, 2)
        np.testing.assert_allclose(values[:, 1], 1 - values[:, 0], atol=1e-6)

    def test_an_example_of_train_in_another_order_changes_nothing(
        self, protocol: FeatureProtocol, kind: LabelKind
    ) -> None:
        splits = blobs(kind, separation=3.0)
        turned = splits.train.take(np.arange(60)[::-1])

        values = Splits(turned, splits.val, splits.test, splits.truth).predict(protocol).values

        np.testing.assert_allclose(values, splits.predict(protocol).values, rtol=1e-6, atol=1e-6)

    @applies_if(learns_classes)
    def test_a_val_of_one_class_still_gives_a_prediction(self, protocol: FeatureProtocol) -> None:
        splits = blobs(LabelKind.CLASSIFICATION)
        val = splits.val.take(np.flatnonzero(splits.val.labels.values == 0))

        assert Splits(splits.train, val, splits.test, splits.truth).value(protocol) > 0.9

    @applies_if(learns_classes)
    def test_a_class_that_train_lacks_is_no_error(self, protocol: FeatureProtocol) -> None:
        splits = blobs(LabelKind.CLASSIFICATION)
        train = splits.train.take(np.flatnonzero(splits.train.labels.values > 0))

        assert Splits(train, splits.val, splits.test, splits.truth).value(protocol) > 0.6

    def test_permuted_test_examples_get_permuted_predictions(
        self, protocol: FeatureProtocol, splits: Splits
    ) -> None:
        order = np.random.default_rng(1).permutation(len(splits.test))

        permuted = splits.predict(protocol, splits.test.matrix[order]).values

        np.testing.assert_allclose(permuted, splits.predict(protocol).values[order], rtol=1e-9, atol=1e-12)

    def test_one_more_test_example_changes_no_other_prediction(
        self, protocol: FeatureProtocol, splits: Splits
    ) -> None:
        stranger = np.full((1, splits.test.width), 100.0, dtype=np.float32)

        more = splits.predict(protocol, np.concatenate([splits.test.matrix, stranger])).values

        np.testing.assert_allclose(more[:-1], splits.predict(protocol).values, rtol=1e-9, atol=1e-12)

    def test_constant_features_give_finite_predictions(
        self, protocol: FeatureProtocol, kind: LabelKind
    ) -> None:
        splits = blobs(kind)
        flat = Features(np.full((60, 6), 0.1, dtype=np.float32))
        constant = Splits(
            LabelledFeatures(flat, splits.train.labels),
            LabelledFeatures(flat, splits.val.labels),
            flat,
            splits.truth,
        )

        assert np.isfinite(constant.predict(protocol).values).all()

    def test_it_writes_to_nothing_that_it_is_given(self, protocol: FeatureProtocol, splits: Splits) -> None:
        given = (splits.train.matrix, splits.val.matrix, splits.test.matrix)
        before = [matrix.copy() for matrix in given]

        splits.predict(protocol)

        for matrix, kept in zip(given, before, strict=True):
            np.testing.assert_array_equal(matrix, kept)
