"""Computes scores of arrays, without a study, store or model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from assay.actions.label_arrays import flat_tokens, labels_of, matrix_of
from assay.core.errors import NotApplicable, UsageError
from assay.core.estimate import Estimate, Interval
from assay.core.metric import Metric
from assay.core.task import LabelKind, Labels
from assay.moments.stream import moments_of
from assay.plugins.address import Address
from assay.plugins.array_view import ArrayView
from assay.plugins.families import families
from assay.plugins.function_score import score_of_function
from assay.plugins.method import MomentScore, Score, SourceScore
from assay.plugins.train_view import FOLDS, SAMPLE, small_sample_notes

AnyScore = str | Score | Callable[..., float]

_T_QUANTILE = 2.776  # the 97.5 % quantile of Student's t with FOLDS - 1 degrees of freedom
_METRIC = {LabelKind.CLASSIFICATION: "accuracy", LabelKind.REGRESSION: "r2"}


@overload
def score(
    features: ArrayLike | None,
    labels: Mapping[str, ArrayLike],
    score: AnyScore = "ridge_cv",
    *,
    metric: str | None = None,
    interval: bool = False,
    source_probs: ArrayLike | None = None,
    random_features: ArrayLike | None = None,
    kind: str | None = None,
    sample: int | None = SAMPLE,
) -> dict[str, Estimate | NotApplicable]: ...
@overload
def score(
    features: ArrayLike | None,
    labels: ArrayLike,
    score: AnyScore = "ridge_cv",
    *,
    metric: str | None = None,
    interval: bool = False,
    source_probs: ArrayLike | None = None,
    random_features: ArrayLike | None = None,
    kind: str | None = None,
    sample: int | None = SAMPLE,
) -> Estimate: ...
def score(  # noqa: PLR0913  # each is a keyword that a user may write
    features: ArrayLike | None,
    labels: ArrayLike | Mapping[str, ArrayLike],
    score: AnyScore = "ridge_cv",
    *,
    metric: str | None = None,
    interval: bool = False,
    source_probs: ArrayLike | None = None,
    random_features: ArrayLike | None = None,
    kind: str | None = None,
    sample: int | None = SAMPLE,
) -> Estimate | dict[str, Estimate | NotApplicable]:
    """Return the transferability score of some features; higher is better.

    Args:
        features: Examples x width, one row for each example; or sentences x tokens x width. Scores of the
            source head (leep, nce) also accept its probabilities here.
        labels: One class (a whole number or a string) for each example; or numbers to predict, as floats; or
            examples x columns of 0 and 1 (several labels at once) or of floats. For tokens, sentences x
            tokens; -100 marks tokens that do not count. A mapping of names to labels gives a mapping of names
            to estimates (or to the ``NotApplicable`` that says why there is none), and scores of Moments
            share all computation that depends only on the features.
        score: A name with settings, as in "logme" or "gbc(covariance='diagonal')"; a score; or a function of
            features and labels.
        metric: The metric that out-of-sample scores estimate: accuracy, or R2 for numbers, if not given.
        interval: Add the interval of a jackknife over folds to a score that has none: five times the work.
        source_probs: Probabilities of the source head, examples x source classes.
        random_features: Features of the same architecture with random weights, examples x width.
        kind: The kind of the labels, if it is ambiguous.
        sample: Most examples for scores that compare examples; None for all.

    Returns:
        An ``Estimate``: a float with ``interval``, ``metric`` and ``notes``.

    Out-of-sample scores expect what a linear probe reaches that is fitted to all of these examples, as there
    is no val; their intervals leave out the sampling noise of a test, whose size is unknown.

    Folds and samples are drawn with a fixed seed in the order of the examples, so another order gives other
    folds and changes out-of-sample scores by chance.

    Raises:
        NotApplicable: The score has no value here; the text says why.
        UsageError: The arrays do not fit each other, or a name is unknown.

    >>> labels = np.arange(60) % 2
    >>> features = np.random.default_rng(0).standard_normal((60, 8)) + 3 * labels[:, None]
    >>> score(features, labels, "lda_cv")
    Estimate(1, 0.9124 to 1, accuracy)
    >>> estimates = score(features, {"odd": labels, "third": np.arange(60) % 3}, "logme")
    >>> estimates["odd"] > estimates["third"]
    True
    """
    chosen = resolve_score(score)
    view = partial(
        view_of, source_probs=source_probs, random_features=random_features, kind=kind, sample=sample
    )
    if not isinstance(labels, Mapping):
        return estimate(with_probs(view(features, labels), chosen), chosen, metric, interval=interval)
    if not labels:
        raise UsageError("No labels. Give at least one name with its labels.")
    if features is not None and np.ndim(features) != 3:
        features = matrix_of(features)  # converted once, so that views share it
    views = {name: view(features, values) for name, values in labels.items()}
    estimates: dict[str, Estimate | NotApplicable] = {}
    for name, prepared in _prepared(views, chosen).items():
        try:
            estimates[name] = estimate(prepared, chosen, metric, interval=interval)
        except NotApplicable as reason:  # the other labels keep their estimates
            estimates[name] = reason
    return estimates


def estimate(view: ArrayView, score: Score, metric: str | None = None, *, interval: bool = False) -> Estimate:
    """Return the score of arrays, with notes if there are few examples.

    Raises:
        NotApplicable: The score has no value here; the text says why.
    """
    if view.kind not in score.kinds:
        raise NotApplicable(f"only for {' and '.join(sorted(score.kinds))} labels, not {view.kind}")
    judge = _metric(metric, view.labels)
    value = score.estimate(view, judge)
    if not np.isfinite(value):
        raise NotApplicable(f"its value is {float(value)}")
    spread = value.interval or (_jackknife(view, score, judge, value) if interval else None)
    return Estimate(value, spread, value.metric, (*value.notes, *size_notes(view)), value.held_out)


def resolve_score(score: AnyScore) -> Score:
    """Return a score from a name, a score object or a function."""
    if isinstance(score, Score):
        return score
    if isinstance(score, str):
        return families().scores.create(Address.parse(score)).plugin
    if inspect.isclass(score) and issubclass(score, Score):
        return score()
    if not inspect.isfunction(score):
        raise UsageError(
            f"The score is {score!r:.80}. Write one name, as in 'logme', a score, or a function."
        )
    return score_of_function(score)()


def view_of(
    features: ArrayLike | None,
    labels: ArrayLike,
    *,
    source_probs: ArrayLike | None = None,
    random_features: ArrayLike | None = None,
    kind: str | None = None,
    sample: int | None = SAMPLE,
) -> ArrayView:
    """Validate arrays and return the view that scores read; the arguments are those of ``score``."""
    if kind is not None and kind not in set(LabelKind):
        raise UsageError(f"kind is '{kind}'. Write {' or '.join(repr(str(known)) for known in LabelKind)}.")
    if features is not None and np.ndim(features) == 3:
        features, labels = flat_tokens(features, labels)
    if sample is not None and not (isinstance(sample, int) and sample >= 1):
        raise UsageError(f"sample is {sample!r}. Write sample=5000, or sample=None for all examples.")
    parts = {
        "Features": features, "Source probabilities": source_probs, "Random features": random_features
    }  # fmt: skip
    matrices = {what: None if part is None else matrix_of(part, what) for what, part in parts.items()}
    checked = labels_of(labels, None if kind is None else LabelKind(kind))
    for what, matrix in matrices.items():
        if matrix is not None and len(matrix) != len(checked):
            raise UsageError(f"{what} have {len(matrix)} rows and there are {len(checked)} labels.")
    matrix, probs, random = matrices.values()
    if probs is not None and not _are_probabilities(probs):
        raise UsageError("Source probabilities are negative or do not sum to 1. Give those of a softmax.")
    return ArrayView(checked, matrix, probs, random, limit=sample)


def size_notes(view: ArrayView) -> tuple[str, ...]:
    """Return warnings about small samples."""
    return small_sample_notes(view.labels, 0 if view.matrix is None else view.matrix.shape[1])


def _prepared(views: dict[str, ArrayView], score: Score) -> dict[str, ArrayView]:
    """Return views of the same features under several labels, with the score's inputs computed once."""
    matrix = next(iter(views.values())).matrix
    is_shared = matrix is not None and all(view.matrix is matrix for view in views.values())
    if isinstance(score, MomentScore) and is_shared:
        return dict(zip(views, _sharing(list(views.values())), strict=True))
    return {name: with_probs(view, score) for name, view in views.items()}


def _sharing(views: list[ArrayView]) -> list[ArrayView]:
    """Return views of the same features under several labels that share the scatter of their Moments."""
    first = views[0].matrix
    assert first is not None
    columns = [view.labels.targets() for view in views]
    everything = Labels(LabelKind.REGRESSION, np.hstack(columns))
    folds = views[0].folds
    moments = moments_of(first, everything, folds)
    ends = np.cumsum([part.shape[1] for part in columns])
    return [
        replace(view, gathered=(moments.columns(slice(end - part.shape[1], end), view.kind), folds))
        for view, part, end in zip(views, columns, ends, strict=True)
    ]


def with_probs(view: ArrayView, score: Score) -> ArrayView:
    """Treat the features as source probabilities if the score reads only those."""
    if not isinstance(score, SourceScore) or view.probs is not None or view.matrix is None:
        return view
    if not _are_probabilities(view.matrix):
        raise NotApplicable("it reads the probabilities of a source head: give them as source_probs")
    return replace(view, matrix=None, probs=view.matrix)


def _are_probabilities(rows: np.ndarray) -> bool:
    sums = rows.sum(axis=1, dtype=np.float64)
    return bool((rows >= 0).all() and np.allclose(sums, 1.0, atol=1e-3))


def _metric(name: str | None, labels: Labels) -> Metric | None:
    if labels.kind is LabelKind.MULTILABEL or labels.values.ndim > 1:
        if name is not None:
            raise UsageError(f"The metric '{name}' does not judge several columns of labels. Leave it out.")
        return None
    if name is not None and not isinstance(name, str):
        raise UsageError(f"metric is {name!r}. Write a name, as in metric='macro_f1'.")
    metric = families().metrics.load(name or _METRIC[labels.kind])()
    if labels.task_kind not in metric.kinds:
        raise UsageError(f"The metric '{name}' does not judge {labels.kind}. Leave it out for the usual one.")
    return metric


def _jackknife(view: ArrayView, score: Score, metric: Metric | None, value: Estimate) -> Interval | None:
    """Return the 95 % interval of the delete-a-group jackknife; None if a part has no value.

    References:
        A leisurely look at the bootstrap, the jackknife, and cross-validation (Efron and Gong, 1983),
        https://doi.org/10.1080/00031305.1983.10483087
    """
    values = []
    for fold in range(FOLDS):
        try:
            values.append(score.estimate(view.take(np.flatnonzero(view.folds != fold)), metric))
        except NotApplicable:
            return None
    error = np.sqrt((FOLDS - 1) / FOLDS * np.square(np.array(values) - np.mean(values)).sum())
    return Interval(float(value - _T_QUANTILE * error), float(value + _T_QUANTILE * error))
