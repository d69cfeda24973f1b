"""What every score must do: derive from ``ScoreContract`` and override the fixture ``score``."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from math import isclose

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
from assay.plugins.method import EVERY_KIND, Invariance, Score

SHAPES = ((60, 8), (40, 96))  # more examples than features, and fewer
METRICS: dict[LabelKind, Metric] = {LabelKind.CLASSIFICATION: Accuracy(), LabelKind.REGRESSION: R2()}
FACTS = ModelFacts(8, 25_000_000, 4_000_000_000, 100_000_000, "3 x 224 x 224", "none", 6, "drawn", "f00d")


def blobs(kind: LabelKind, shape: tuple[int, int], separation: float, seed: int = 0) -> ArrayView:
    """Return whatever any score could ask about examples whose features tell the labels."""
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
    target = source * np.exp(
        rng.standard_normal(24) / (1 + separation)
    )  # nearer where labels are told better
    fishers = Fishers(target, source)
    return ArrayView(labels, features, probs, random, FACTS, weights, informed=fishers)


def value_or_reason(score: Score, view: ArrayView) -> float | str:
    """Return what a score says of these examples, or why it says nothing; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = score.estimate(view, METRICS.get(view.kind))
        except NotApplicable as reason:
            return str(reason)
    assert isinstance(found, Estimate)
    return float(found)


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

    @pytest.fixture(params=sorted(EVERY_KIND), ids=str)
    def kind(self, request: pytest.FixtureRequest, score: Score) -> LabelKind:
        if request.param not in score.kinds:
            pytest.skip(f"does not apply to {request.param}")
        return LabelKind(request.param)

    @pytest.fixture(params=SHAPES, ids=lambda shape: f"{shape[0]}x{shape[1]}")
    def view(self, request: pytest.FixtureRequest, kind: LabelKind) -> ArrayView:
        return blobs(kind, request.param, separation=1.0)

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

    def test_the_names_of_classes_do_not_matter(self, score: Score, view: ArrayView) -> None:
        if view.kind is not LabelKind.CLASSIFICATION:
            pytest.skip("has no classes to rename")
        renamed = Labels(view.kind, np.array([2, 0, 1])[view.labels.values], ("bee", "cat", "ant"))

        assert agree(value_or_reason(score, relabelled(view, renamed)), value_or_reason(score, view))

    def test_a_class_without_examples_does_not_matter(self, score: Score, view: ArrayView) -> None:
        if view.kind is not LabelKind.CLASSIFICATION:
            pytest.skip("has no classes without examples")
        gapped = Labels(
            view.kind, np.array([0, 2, 4])[view.labels.values], ("ant", "-", "bee", "--", "cat", "---")
        )

        assert agree(value_or_reason(score, relabelled(view, gapped)), value_or_reason(score, view))

    @pytest.mark.parametrize("shape", SHAPES)
    def test_better_separated_examples_score_higher(
        self, score: Score, kind: LabelKind, shape: tuple[int, int]
    ) -> None:
        if not score.needs_labels or not score.rewards_separation:
            pytest.skip("knows nothing of labels, or says that separation is not what it measures")
        near, far = (value_or_reason(score, blobs(kind, shape, separation)) for separation in (0.3, 4.0))

        if isinstance(near, float) and isinstance(far, float):
            assert far > near

    @pytest.mark.parametrize("shape", [(120, 8), (120, 96), (120, 400)], ids=str)
    def test_noise_of_any_width_is_below_signal(
        self, score: Score, kind: LabelKind, shape: tuple[int, int]
    ) -> None:
        if not score.needs_labels or score.favours_width:
            pytest.skip("knows nothing of labels, or says that it favours width")
        noise = value_or_reason(score, blobs(kind, shape, separation=0.0))
        signal = value_or_reason(score, blobs(kind, (120, 24), separation=2.0))

        if isinstance(noise, float) and isinstance(signal, float):
            assert noise < signal

    def test_labels_that_do_not_matter_change_nothing(self, score: Score, view: ArrayView) -> None:
        if score.needs_labels:
            pytest.skip("needs labels")
        order = np.random.default_rng(1).permutation(len(view.labels))
        other = replace(view, labels=view.labels.take(order), gathered=None)

        assert agree(value_or_reason(score, other), value_or_reason(score, view))

    @pytest.mark.parametrize("invariance", list(Invariance), ids=str)
    def test_it_does_not_depend_on_what_it_declares(
        self, score: Score, view: ArrayView, invariance: Invariance
    ) -> None:
        if invariance not in score.invariances:
            pytest.skip("is not declared")
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

    @pytest.mark.parametrize("alone", [1, 2])
    def test_a_class_of_one_example_gives_a_value_or_a_reason(self, score: Score, alone: int) -> None:
        if LabelKind.CLASSIFICATION not in score.kinds:
            pytest.skip("does not apply to classes")
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
        merged = FoldedMoments.gathered([one + other for one, other in parts], view.kind)

        assert agree(
            value_or_reason(score, replace(view, gathered=(merged, view.folds))), value_or_reason(score, view)
        )


def relabelled(view: ArrayView, labels: Labels) -> ArrayView:
    """Return the same examples in the same folds under other labels."""
    assert view.matrix is not None
    folds = view.folds if len(view.labels) == len(labels) else stratified_folds(labels, 5, 0)
    moments = moments_of(view.matrix, labels, folds)
    return replace(view, labels=labels, gathered=(moments, folds))


def _is_value_or_reason(found: float | str) -> bool:
    return bool(found) if isinstance(found, str) else math.isfinite(found)
