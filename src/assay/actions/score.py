"""Scores on arrays: no study, no store, no model to open."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from types import NoneType
from typing import Any

import numpy as np

from assay.actions.label_arrays import flat_tokens, labels_of, matrix_of
from assay.core.errors import NotApplicable, UsageError
from assay.core.estimate import Estimate, Interval
from assay.core.metric import Metric
from assay.core.task import LabelKind, Labels
from assay.moments.stream import moments_of
from assay.plugins.address import Address
from assay.plugins.array_view import ArrayView
from assay.plugins.families import METRICS, SCORES
from assay.plugins.function_score import score_of_function
from assay.plugins.method import MomentScore, Score, SourceScore
from assay.plugins.train_view import FOLDS, SAMPLE, where_few

AnyScore = str | Score | Callable[..., float]

_STUDENT = 2.776  # the 97.5 % quantile of Student's t with FOLDS - 1 degrees of freedom
_METRIC = {LabelKind.CLASSIFICATION: "accuracy", LabelKind.REGRESSION: "r2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a user gave besides features and labels.

    Attributes:
        source_probs: Probabilities of the source head, examples x source classes.
        random_features: Features of the same architecture with random weights, examples x width.
        kind: The kind of the labels, where they leave it open.
        sample: At most how many examples scores see that compare examples; None for all.
    """

    source_probs: Any = None
    random_features: Any = None
    kind: str | None = None
    sample: int | None = SAMPLE


def score(
    features: Any,
    labels: Any,
    score: AnyScore = "ridge_cv",
    *,
    metric: str | None = None,
    interval: bool = False,
    **given: Any,
) -> Any:
    """Return what a transferability score says of some features; higher is better.

    Args:
        features: Examples x width, one row for each example; or sentences x tokens x width. For scores of
            the source head (leep, nce) the probabilities may stand here.
        labels: One class (a whole number or a text) for each example; or numbers to predict, as floats; or
            examples x columns of 0 and 1 (several labels at once) or of floats. For tokens, sentences x
            tokens; -100 marks tokens that do not count. A mapping of names to labels gives a mapping of names
            to estimates (or to the ``NotApplicable`` that says why there is none), and scores of Moments
            compute once for all what the features say.
        score: A name with settings, as in "logme" or "gbc(covariance='diagonal')"; a score; or a function of
            features and labels.
        metric: The metric whose value out-of-sample scores tell: accuracy, or R2 for numbers, if not given.
        interval: Add the interval of a jackknife over folds to a score that has none: five times the work.
        given: ``source_probs``, ``random_features``, ``kind`` and ``sample``, as in :class:`Given`.

    Returns:
        An ``Estimate``: a float with ``interval``, ``metric`` and ``notes``.

    Folds and samples are drawn with a fixed seed in the order of the examples: another order gives other
    folds, which changes out-of-sample scores by what chance does.

    Raises:
        NotApplicable: The score has no value here; the text says why.
        UsageError: The arrays do not fit each other, or a name is unknown.

    >>> labels = np.arange(60) % 2
    >>> features = np.random.default_rng(0).standard_normal((60, 8)) + 3 * labels[:, None]
    >>> score(features, labels, "lda_cv")
    Estimate(1, 0.9398 to 1, accuracy)
    >>> found = score(features, {"odd": labels, "third": np.arange(60) % 3}, "logme")
    >>> found["odd"] > found["third"]
    True
    """
    chosen = resolve_score(score)
    views = _views(features, labels, chosen, _given(given))
    if not isinstance(labels, Mapping):
        return estimate(views[""], chosen, metric, interval=interval)
    found: dict[str, Estimate | NotApplicable] = {}
    for name, view in views.items():
        try:
            found[name] = estimate(view, chosen, metric, interval=interval)
        except NotApplicable as reason:  # it must not cost what the other labels gave
            found[name] = reason
    return found


def estimate(view: ArrayView, score: Score, metric: str | None = None, *, interval: bool = False) -> Estimate:
    """Return what a score says of arrays, with notes on where they are few.

    Raises:
        NotApplicable: The score has no value here; the text says why.
    """
    if view.kind not in score.kinds:
        raise NotApplicable(f"it is for {' and '.join(sorted(score.kinds))} labels, not {view.kind}")
    judge = _metric(metric, view.labels)
    found = score.estimate(view, judge)
    if not np.isfinite(found):
        raise NotApplicable(f"its value is {float(found)}")
    spread = found.interval or (_jackknife(view, score, judge, found) if interval else None)
    return Estimate(found, spread, found.metric, (*found.notes, *regime(view)))


def resolve_score(score: AnyScore) -> Score:
    """Return the score that a user names, made, or wrote as a function."""
    if isinstance(score, Score):
        return score
    if isinstance(score, str):
        return SCORES.create(Address.parse(score)).plugin
    if inspect.isclass(score) and issubclass(score, Score):
        return score()
    if not inspect.isfunction(score):
        raise UsageError(
            f"The score is {score!r:.80}. Write one name, as in 'logme', a score, or a function."
        )
    return score_of_function(score)()


def view_of(features: Any, labels: Any, given: Given = Given()) -> ArrayView:
    """Return arrays as scores read them, checked against each other."""
    kind = LabelKind(given.kind) if given.kind in set(LabelKind) else None
    if given.kind is not None and kind is None:
        raise UsageError(
            f"kind is '{given.kind}'. Write {' or '.join(repr(str(kind)) for kind in LabelKind)}."
        )
    if features is not None and np.ndim(features) == 3:
        features, labels = flat_tokens(features, labels)
    if given.sample is not None and not (isinstance(given.sample, int) and given.sample >= 1):
        raise UsageError(f"sample is {given.sample!r}. Write sample=5000, or sample=None for all examples.")
    parts = {
        "Features": features, "Source probabilities": given.source_probs,
        "Random features": given.random_features,
    }  # fmt: skip
    matrices = {what: None if part is None else matrix_of(part, what) for what, part in parts.items()}
    made = labels_of(labels, kind)
    for what, matrix in matrices.items():
        if matrix is not None and len(matrix) != len(made):
            raise UsageError(f"{what} have {len(matrix)} rows and there are {len(made)} labels.")
    matrix, probs, random = matrices.values()
    if probs is not None and not _are_probabilities(probs):
        raise UsageError("Source probabilities are negative or do not sum to 1. Give those of a softmax.")
    return ArrayView(made, matrix, probs, random, limit=given.sample)


def regime(view: ArrayView) -> tuple[str, ...]:
    """Return in words where examples are few: what a reader of any score must know."""
    return where_few(view.labels, 0 if view.matrix is None else view.matrix.shape[1])


def _given(written: Mapping[str, Any]) -> Given:
    try:
        return Given(**written)
    except TypeError as error:
        wrong = ", ".join(set(written) - {field.name for field in fields(Given)})
        raise UsageError(
            f"'{wrong}' is not known. Write source_probs, random_features, kind, sample, metric or interval."
        ) from error


def _views(features: Any, labels: Any, score: Score, given: Given) -> dict[str, ArrayView]:
    if not isinstance(labels, Mapping):
        return {"": with_probs(view_of(features, labels, given), score)}
    if not labels:
        raise UsageError("No labels. Give at least one name with its labels.")
    matrix = features if np.ndim(features) == 3 else _array(features)  # converted once, so that it is shared
    views = {name: view_of(matrix, values, given) for name, values in labels.items()}
    first = next(iter(views.values()))
    if isinstance(score, MomentScore) and all(view.matrix is first.matrix for view in views.values()):
        return dict(zip(views, sharing(list(views.values())), strict=True))
    return {name: with_probs(view, score) for name, view in views.items()}


def sharing(views: list[ArrayView]) -> list[ArrayView]:
    """Return views of the same features under several labels so that they share their Moments' scatter."""
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
    """Take the first argument for source probabilities where nothing else can be meant."""
    if not isinstance(score, SourceScore) or view.probs is not None or view.matrix is None:
        return view
    if not _are_probabilities(view.matrix):
        raise NotApplicable("it reads the probabilities of a source head: give them as source_probs")
    return replace(view, matrix=None, probs=view.matrix)


def _are_probabilities(rows: np.ndarray) -> bool:
    sums = rows.sum(axis=1, dtype=np.float64)
    return bool((rows >= 0).all() and np.allclose(sums, 1.0, atol=1e-3))


def _array(features: Any) -> Any:
    return None if features is None else matrix_of(features)


def _metric(name: str | None, labels: Labels) -> Metric | None:
    if labels.kind is LabelKind.MULTILABEL or labels.values.ndim > 1:
        if name is not None:
            raise UsageError(f"The metric '{name}' does not judge several columns of labels. Leave it out.")
        return None
    if not isinstance(name, (str, NoneType)):
        raise UsageError(f"metric is {name!r}. Write a name, as in metric='macro_f1'.")
    metric = METRICS.load(name or _METRIC[labels.kind])()
    if labels.task_kind not in metric.kinds:
        raise UsageError(f"The metric '{name}' does not judge {labels.kind}. Leave it out for the usual one.")
    return metric


def _jackknife(view: ArrayView, score: Score, metric: Metric | None, found: Estimate) -> Interval | None:
    """Return the 95 % interval of the delete-a-group jackknife; None where a part has no value.

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
    return Interval(float(found - _STUDENT * error), float(found + _STUDENT * error))
