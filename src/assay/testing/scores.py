"""Contract tests of scores: derive from ``ScoreContract`` and override the fixture ``score``."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from functools import cache
from typing import ClassVar

import numpy as np
import pytest

from assay.core.errors import NotApplicable
from assay.core.estimate import Estimate
from assay.core.metric import Metric
from assay.core.model import Fishers, ModelFacts
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.r2 import R2
from assay.moments.folded import FoldedMoments
from assay.moments.moments import Moments
from assay.moments.stream import MomentStream, moments_of, stratified_folds
from assay.plugins.array_view import ArrayView
from assay.plugins.method import Invariance, Score
from assay.testing.contract import Contract, Values, applies_if

SHAPES = ((60, 8), (40, 96))  # more examples than features, and fewer
METRICS: dict[LabelKind, Metric] = {LabelKind.CLASSIFICATION: Accuracy(), LabelKind.REGRESSION: R2()}
FACTS = ModelFacts(8, 25_000_000, 4_000_000_000, 100_000_000, "3 x 224 x 224", "none", 6, "drawn", "f00d")


@cache
def blobs(kind: LabelKind, shape: tuple[int, int], separation: float, seed: int = 0) -> ArrayView:
    """Return a view with all inputs of scores, for examples whose features predict the labels."""
    rng = np.random.default_rng(seed)
    examples, width = shape
    if kind is LabelKind.CLASSIFICATION:
        labels = Labels(kind, rng.permutation(np.arange(examples) % 3), ("ant", "bee", "cat"))
        signal = labels.targets()
    elif kind is LabelKind.MULTILABEL:
        labels = Labels(kind, rng.integers(0, 2, (examples, 3)), ("ant", "bee", "cat"))
        signal = labels.targets()
    else:
        labels = Labels(kind, rng.standard_normal(examples))
        signal = np.column_stack([labels.values, -labels.values, np.zeros(examples)])
    noise = rng.standard_normal((examples, width))
    matrix = noise + separation * np.pad(signal, ((0, 0), (0, width - 3)))
    votes = np.exp(matrix[:, :6] - matrix[:, :6].max(axis=1, keepdims=True))
    probs = votes / votes.sum(axis=1, keepdims=True)
    weights = (rng.standard_normal((width, 5)), rng.standard_normal((30, 24)))
    features, random = (matrix + 1).astype(np.float32), rng.standard_normal((examples, 5)).astype(np.float32)
    source = np.exp(rng.standard_normal(24))
    # more similar to the source if the labels are better separated
    target = source * np.exp(rng.standard_normal(24) / (1 + separation))
    fishers = Fishers(target, source)
    return ArrayView(labels, features, probs, random, FACTS, weights, informed=fishers)


def value_or_reason(score: Score, view: ArrayView) -> float | str:
    """Return the value of a score, or the reason why it does not apply; warnings are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            estimate = score.estimate(view, METRICS.get(view.kind))
        except NotApplicable as reason:
            return str(reason)
    assert isinstance(estimate, Estimate)
    return float(estimate)


def agree(first: float | str, second: float | str) -> bool:
    """Return whether two values are equal up to rounding, or two reasons are equal."""
    if isinstance(first, str) or isinstance(second, str):
        return first == second
    return math.isclose(first, second, rel_tol=1e-6, abs_tol=1e-9)


def scores_classes(score: Score) -> bool:
    """Return whether a score applies to classification."""
    return LabelKind.CLASSIFICATION in score.kinds


class ScoreContract(Contract):
    """The contract tests of scores.

    class TestMine(ScoreContract):
        @pytest.fixture
        def score(self):
            return Mine()
    """

    subject = "score"
    parameters: ClassVar[Values] = {
        "kind": lambda score: sorted(score.kinds),
        "invariance": lambda score: sorted(score.invariances),
    }

    @pytest.fixture
    def score(self) -> Score:
        raise NotImplementedError("Override the fixture `score`.")

    @pytest.fixture(params=SHAPES, ids=["tall", "wide"])
    def shape(self, request: pytest.FixtureRequest) -> tuple[int, int]:
        return request.param  # type: ignore[no-any-return]

    @pytest.fixture
    def view(self, kind: LabelKind, shape: tuple[int, int]) -> ArrayView:
        return blobs(kind, shape, separation=1.0)

    @pytest.fixture
    def classes(self, shape: tuple[int, int]) -> ArrayView:
        return blobs(LabelKind.CLASSIFICATION, shape, separation=1.0)

    def test_a_value_is_finite(self, score: Score, view: ArrayView) -> None:
        assert _is_value_or_reason(value_or_reason(score, view))

    def test_it_applies_to_one_shape_at_least(self, score: Score, kind: LabelKind) -> None:
        values = [value_or_reason(score, blobs(kind, shape, separation=1.0)) for shape in SHAPES]

        assert any(isinstance(value, float) for value in values)

    def test_the_same_examples_give_the_same_value(self, score: Score, view: ArrayView) -> None:
        assert value_or_reason(score, view) == value_or_reason(score, replace(view))

    def test_the_order_of_examples_does_not_matter(self, score: Score, view: ArrayView) -> None:
        order = np.random.default_rng(1).permutation(len(view.labels))
        moments, folds = view.moments(), view.folds
        shuffled = replace(view.take(order), gathered=(moments, folds[order]))
        alone = view.take(order)

        assert agree(value_or_reason(score, shuffled), value_or_reason(score, view))
        assert isinstance(value_or_reason(score, alone), type(value_or_reason(score, view)))

    @applies_if(scores_classes)
    def test_the_names_of_classes_do_not_matter(self, score: Score, classes: ArrayView) -> None:
        renamed = Labels(classes.kind, np.array([2, 0, 1])[classes.labels.values], ("bee", "cat", "ant"))

        assert agree(value_or_reason(score, relabelled(classes, renamed)), value_or_reason(score, classes))

    @applies_if(scores_classes)
    def test_a_class_without_examples_does_not_matter(self, score: Score, classes: ArrayView) -> None:
        names = ("ant", "-", "bee", "--", "cat", "---")
        gapped = Labels(classes.kind, np.array([0, 2, 4])[classes.labels.values], names)

        assert agree(value_or_reason(score, relabelled(classes, gapped)), value_or_reason(score, classes))

    @applies_if(lambda score: score.needs_labels and score.rewards_separation)
    def test_better_separated_examples_score_higher(
        self, score: Score, kind: LabelKind, shape: tuple[int, int]
    ) -> None:
        close, apart = (value_or_reason(score, blobs(kind, shape, separation)) for separation in (0.3, 4.0))

        if isinstance(close, float) and isinstance(apart, float):
            assert apart > close

    @applies_if(lambda score: score.needs_labels and not score.favours_width)
    @pytest.mark.parametrize("width", [8, 96, 400])
    def test_noise_of_any_width_is_below_signal(self, score: Score, kind: LabelKind, width: int) -> None:
        noise = value_or_reason(score, blobs(kind, (120, width), separation=0.0))
        signal = value_or_reason(score, blobs(kind, (120, 24), separation=2.0))

        if isinstance(noise, float) and isinstance(signal, float):
            assert noise < signal

    @applies_if(lambda score: not score.needs_labels)
    def test_labels_that_do_not_matter_change_nothing(self, score: Score, view: ArrayView) -> None:
        order = np.random.default_rng(1).permutation(len(view.labels))
        other = replace(view, labels=view.labels.take(order), gathered=None)

        assert agree(value_or_reason(score, other), value_or_reason(score, view))

    @applies_if(lambda score: score.invariances)
    def test_it_does_not_depend_on_what_it_declares(
        self, score: Score, view: ArrayView, invariance: Invariance
    ) -> None:
        matrix = np.asarray(view.matrix, dtype=np.float64)
        rng = np.random.default_rng(3)
        if invariance is Invariance.SHIFT:
            changed = matrix + rng.standard_normal(matrix.shape[1])
        elif invariance is Invariance.SCALE:
            changed = matrix * 4.0
        else:
            changed = matrix @ np.linalg.qr(rng.standard_normal((matrix.shape[1],) * 2))[0]
        before = value_or_reason(score, replace(view, matrix=matrix))

        assert agree(value_or_reason(score, replace(view, matrix=changed)), before)

    @applies_if(scores_classes)
    @pytest.mark.parametrize("alone", [1, 2])
    def test_a_class_of_one_example_gives_a_value_or_a_reason(self, score: Score, alone: int) -> None:
        view = blobs(LabelKind.CLASSIFICATION, SHAPES[0], separation=1.0)
        few = np.concatenate(
            [np.flatnonzero(view.labels.values == c)[: alone if c else None] for c in range(3)]
        )

        assert _is_value_or_reason(value_or_reason(score, view.take(few)))

    def test_two_examples_give_a_value_or_a_reason(self, score: Score, view: ArrayView) -> None:
        assert _is_value_or_reason(value_or_reason(score, view.take(np.arange(2))))

    def test_one_class_alone_gives_a_value_or_a_reason(self, score: Score, kind: LabelKind) -> None:
        view = blobs(kind, SHAPES[0], separation=1.0)
        same = Labels(kind, np.zeros_like(view.labels.values), view.labels.classes)

        assert _is_value_or_reason(value_or_reason(score, relabelled(view, same)))

    @pytest.mark.parametrize("constant", [0.0, 0.1])
    def test_constant_features_give_a_value_or_a_reason(
        self, score: Score, view: ArrayView, constant: float
    ) -> None:
        assert view.matrix is not None
        assert view.probs is not None
        assert view.random is not None
        flat = replace(
            view,
            matrix=np.full_like(view.matrix, constant),
            random=np.full_like(view.random, constant),
            probs=np.full_like(view.probs, 1 / view.probs.shape[1]),
        )

        assert _is_value_or_reason(value_or_reason(score, flat))

    def test_some_constant_features_give_a_value_or_a_reason(self, score: Score, view: ArrayView) -> None:
        assert view.matrix is not None
        matrix = view.matrix.copy()
        matrix[:, ::2] = 0.1

        assert _is_value_or_reason(value_or_reason(score, replace(view, matrix=matrix)))

    def test_it_writes_to_nothing_that_it_is_given(self, score: Score, view: ArrayView) -> None:
        assert view.informed is not None
        given = (view.matrix, view.probs, view.random, view.labels.values, *view.matrices, *view.informed)
        before = [np.array(array) for array in given]

        value_or_reason(score, view)

        for array, kept in zip(given, before, strict=True):
            np.testing.assert_array_equal(np.asarray(array), kept)

    def test_examples_that_come_in_batches_give_the_same_value(self, score: Score, view: ArrayView) -> None:
        assert view.matrix is not None
        stream = MomentStream(view.labels, view.folds)
        for start in range(0, len(view.labels), 7):
            rows = np.arange(start, min(start + 7, len(view.labels)))
            stream.update(rows, view.matrix[rows])
        streamed = replace(view, gathered=(stream.finish(), view.folds))

        assert agree(value_or_reason(score, streamed), value_or_reason(score, view))

    def test_moments_that_are_merged_give_the_same_value(self, score: Score, view: ArrayView) -> None:
        assert view.matrix is not None
        shift, targets = view.matrix.mean(axis=0, dtype=np.float64), view.labels.targets()
        halves = np.arange(len(view.labels)) % 2 == 0
        folds = [view.folds == fold for fold in np.unique(view.folds)]
        parts = [
            [Moments.of(view.matrix[rows], targets[rows], shift) for rows in (fold & halves, fold & ~halves)]
            for fold in folds
        ]
        merged = FoldedMoments.gathered([first + second for first, second in parts], view.kind)

        assert agree(
            value_or_reason(score, replace(view, gathered=(merged, view.folds))), value_or_reason(score, view)
        )


def relabelled(view: ArrayView, labels: Labels) -> ArrayView:
    """Return the same examples and folds with other labels."""
    assert view.matrix is not None
    folds = view.folds if len(view.labels) == len(labels) else stratified_folds(labels, 5, 0)
    moments = moments_of(view.matrix, labels, folds)
    return replace(view, labels=labels, gathered=(moments, folds))


def _is_value_or_reason(value: float | str) -> bool:
    return bool(value) if isinstance(value, str) else math.isfinite(value)
