"""What every score must do: derive from ``ScoreContract`` and override the fixture ``score``."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from math import isclose

import numpy as np
import pytest

from assay.core.errors import NotApplicable
from assay.core.features import Features, LabelledFeatures, LabelledSourceProbs
from assay.core.method import MomentScore, SampleScore, Score, SourceScore
from assay.core.moments import FoldedMoments, Moments, MomentStream, stratified_folds
from assay.core.task import Kind, Labels

SHAPES = ((60, 8), (40, 96))  # more examples than features, and fewer


@dataclass(frozen=True)
class Sample:
    """What any score could ask about some examples of train."""

    matrix: np.ndarray  # examples x width
    probs: np.ndarray  # examples x source classes
    labels: Labels
    folds: np.ndarray  # examples

    def take(self, rows: np.ndarray) -> Sample:
        """Return some of the examples, in that order."""
        return Sample(self.matrix[rows], self.probs[rows], self.labels.take(rows), self.folds[rows])


def blobs(kind: Kind, shape: tuple[int, int], separation: float, seed: int = 0) -> Sample:
    """Return examples whose features and source probabilities tell the labels."""
    rng = np.random.default_rng(seed)
    examples, width = shape
    if kind is Kind.CLASSIFICATION:
        labels = Labels(kind, rng.permutation(np.arange(examples) % 3), ("ant", "bee", "cat"))
        signal = labels.targets()
    else:
        labels = Labels(kind, rng.standard_normal(examples))
        signal = np.column_stack([labels.values, -labels.values, np.zeros(examples)])
    matrix = rng.standard_normal((examples, width)) + separation * np.pad(signal, ((0, 0), (0, width - 3)))
    votes = np.exp(matrix[:, :6] - matrix[:, :6].max(axis=1, keepdims=True))
    matrix = (matrix + 1).astype(np.float32)
    return Sample(matrix, votes / votes.sum(axis=1, keepdims=True), labels, stratified_folds(labels, 5, seed))


def value_of(score: Score, sample: Sample) -> float:
    """Return what a score of any family says of these examples; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if isinstance(score, MomentScore):
            return score(FoldedMoments.of(sample.matrix, sample.labels, sample.folds))
        if isinstance(score, SampleScore):
            return score(LabelledFeatures(Features(sample.matrix), sample.labels))
        assert isinstance(score, SourceScore)
        return score(LabelledSourceProbs(sample.probs, sample.labels))


def value_or_reason(score: Score, sample: Sample) -> float | str:
    """Return the value of a score, or why it has none."""
    try:
        return value_of(score, sample)
    except NotApplicable as reason:
        return str(reason)


def agree(one: float | str, other: float | str) -> bool:
    """Return whether two values are the same up to rounding, or two reasons the same."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)


class ScoreContract:
    """The laws of scores.

    class TestMine(ScoreContract):
        @pytest.fixture
        def score(self):
            return Mine()
    """

    @pytest.fixture
    def score(self) -> Score:
        raise NotImplementedError("Override the fixture `score`.")

    @pytest.fixture(params=list(Kind), ids=str)
    def kind(self, request: pytest.FixtureRequest, score: Score) -> Kind:
        if request.param not in score.kinds:
            pytest.skip(f"does not apply to {request.param}")
        return Kind(request.param)

    @pytest.fixture(params=SHAPES, ids=lambda shape: f"{shape[0]}x{shape[1]}")
    def sample(self, request: pytest.FixtureRequest, kind: Kind) -> Sample:
        return blobs(kind, request.param, separation=1.0)

    def test_a_value_is_finite(self, score: Score, sample: Sample) -> None:
        value = value_or_reason(score, sample)

        assert (type(value) is float and math.isfinite(value)) or (isinstance(value, str) and value)

    def test_it_applies_to_one_shape_at_least(self, score: Score, kind: Kind) -> None:
        values = [value_or_reason(score, blobs(kind, shape, separation=1.0)) for shape in SHAPES]

        assert any(isinstance(value, float) for value in values)

    def test_the_same_examples_give_the_same_value(self, score: Score, sample: Sample) -> None:
        assert value_or_reason(score, sample) == value_or_reason(score, sample)

    def test_the_order_of_examples_does_not_matter(self, score: Score, sample: Sample) -> None:
        shuffled = sample.take(np.random.default_rng(1).permutation(len(sample.labels)))

        assert agree(value_or_reason(score, shuffled), value_or_reason(score, sample))

    def test_the_names_of_classes_do_not_matter(self, score: Score, sample: Sample) -> None:
        if not sample.labels.classes:
            pytest.skip("numbers have no classes")
        renamed = Labels(sample.labels.kind, np.array([2, 0, 1])[sample.labels.values], ("bee", "cat", "ant"))

        assert agree(value_or_reason(score, replace(sample, labels=renamed)), value_or_reason(score, sample))

    def test_a_class_without_examples_does_not_matter(self, score: Score, sample: Sample) -> None:
        if not sample.labels.classes:
            pytest.skip("numbers have no classes")
        gapped = Labels(
            sample.labels.kind,
            np.array([0, 2, 4])[sample.labels.values],
            ("ant", "-", "bee", "--", "cat", "---"),
        )

        assert agree(value_or_reason(score, replace(sample, labels=gapped)), value_or_reason(score, sample))

    @pytest.mark.parametrize("shape", SHAPES)
    def test_better_separated_examples_score_higher(
        self, score: Score, kind: Kind, shape: tuple[int, int]
    ) -> None:
        near, far = (value_or_reason(score, blobs(kind, shape, separation)) for separation in (0.3, 4.0))

        if isinstance(near, float) and isinstance(far, float):
            assert far > near

    @pytest.mark.parametrize("alone", [1, 2])
    def test_a_class_of_one_example_gives_a_value_or_a_reason(self, score: Score, alone: int) -> None:
        if Kind.CLASSIFICATION not in score.kinds:
            pytest.skip("does not apply to classes")
        sample = blobs(Kind.CLASSIFICATION, SHAPES[0], separation=1.0)
        few = np.concatenate(
            [np.flatnonzero(sample.labels.values == c)[: alone if c else None] for c in range(3)]
        )

        assert _is_value_or_reason(value_or_reason(score, sample.take(few)))

    def test_one_class_alone_gives_a_value_or_a_reason(self, score: Score, kind: Kind) -> None:
        sample = blobs(kind, SHAPES[0], separation=1.0)
        same = replace(sample, labels=Labels(kind, np.zeros(len(sample.labels)), sample.labels.classes))

        assert _is_value_or_reason(value_or_reason(score, same))

    @pytest.mark.parametrize("constant", [0.0, 0.1])
    def test_constant_features_give_a_value_or_a_reason(
        self, score: Score, sample: Sample, constant: float
    ) -> None:
        flat = replace(
            sample,
            matrix=np.full_like(sample.matrix, constant),
            probs=np.full_like(sample.probs, 1 / sample.probs.shape[1]),
        )

        assert _is_value_or_reason(value_or_reason(score, flat))

    def test_some_constant_features_give_a_value_or_a_reason(self, score: Score, sample: Sample) -> None:
        matrix = sample.matrix.copy()
        matrix[:, ::2] = 0.1

        assert _is_value_or_reason(value_or_reason(score, replace(sample, matrix=matrix)))

    def test_it_writes_to_nothing_that_it_is_given(self, score: Score, sample: Sample) -> None:
        before = (sample.matrix.copy(), sample.probs.copy(), sample.labels.values.copy())

        value_or_reason(score, sample)

        for array, kept in zip((sample.matrix, sample.probs, sample.labels.values), before, strict=True):
            np.testing.assert_array_equal(array, kept)

    def test_examples_that_come_in_batches_give_the_same_value(self, score: Score, sample: Sample) -> None:
        if not isinstance(score, MomentScore):
            pytest.skip("needs all examples at once")
        stream = MomentStream(sample.labels, sample.folds)
        for start in range(0, len(sample.labels), 7):
            rows = np.arange(start, min(start + 7, len(sample.labels)))
            stream.update(rows, sample.matrix[rows])

        streamed = _moment_value(score, stream.finish())

        assert agree(streamed, value_or_reason(score, sample))

    def test_moments_that_are_merged_give_the_same_value(self, score: Score, sample: Sample) -> None:
        if not isinstance(score, MomentScore):
            pytest.skip("needs all examples at once")
        shift, targets = sample.matrix.mean(axis=0, dtype=np.float64), sample.labels.targets()
        halves = np.arange(len(sample.labels)) % 2 == 0
        folds = [sample.folds == fold for fold in np.unique(sample.folds)]
        parts = [
            [
                Moments.of(sample.matrix[rows], targets[rows], shift)
                for rows in (fold & halves, fold & ~halves)
            ]
            for fold in folds
        ]
        merged = FoldedMoments(tuple(one + other for one, other in parts), sample.labels.kind)

        assert agree(_moment_value(score, merged), value_or_reason(score, sample))


def _moment_value(score: MomentScore, moments: FoldedMoments) -> float | str:
    try:
        return score(moments)
    except NotApplicable as reason:
        return str(reason)


def _is_value_or_reason(found: float | str) -> bool:
    return bool(found) if isinstance(found, str) else math.isfinite(found)
