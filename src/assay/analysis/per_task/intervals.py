"""Bootstrap intervals over test examples and seeds, paired between models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.estimate import Interval
from assay.core.metric import Metric
from assay.core.task import Labels
from assay.numerics.distributions import beta_quantile, normal_quantile, student_quantile

LEVEL = 0.95
DRAWS = 2000
FEWEST_DRAWS = 500  # a dozen draws in the 2.5 % tail
METRIC_CALLS = 120_000  # other metrics than means are called for each draw: about 10 s for small test sets
JUDGED_NUMBERS = 120_000_000  # the same limit for large ones: Spearman takes 0.9 ms for 10,000 numbers
FEW = 10  # right or wrong examples, below which an interval of accuracy is at least the exact one
CHUNK = 4_000_000  # numbers in memory at once: 32 MB


class Measured(NamedTuple):
    """Predictions of several models for the same test examples.

    Repeated contents are one piece of evidence: they are resampled and swapped together.
    """

    truth: Labels
    predicted: tuple[np.ndarray, ...]  # for each model: seeds x inputs of the metric
    groups: np.ndarray | None = None  # for each example the number of its content; None if all differ

    @property
    def contents(self) -> int:
        """The number of distinct contents."""
        return self.truth.examples if self.groups is None else int(self.groups.max()) + 1


class Draws(NamedTuple):
    """Bootstrap values of all models; the resampled test examples are the same for each model."""

    fixed_seeds: np.ndarray  # draws x models: the mean over the seeds that ran
    values: np.ndarray  # draws x models: seeds resampled as well


class ExampleDraws(NamedTuple):
    """Bootstrap values of the index on one task: seeds and test examples resampled."""

    models: tuple[str, ...]
    values: np.ndarray  # draws x models; the same examples for each model


def bootstrap(measured: Measured, metric: Metric, seed: int, calls: int = METRIC_CALLS) -> Draws:
    """Draw test examples with replacement, and compute the metric of every model on each draw.

    Examples with the same content are drawn together.

    Args:
        measured: At least one model and at least one example.
        metric: The main metric of the task.
        seed: Seed of the draws.
        calls: Most calls of a metric that is not a mean, but at least five hundred draws are made.
    """
    rng = np.random.default_rng(seed)
    values = _values(measured, metric, rng, seed, calls)
    seeds_of = [len(predicted) for predicted in measured.predicted]
    if max(seeds_of) > 1:
        draws = _with_seeds(np.split(values, np.cumsum(seeds_of)[:-1], axis=1), rng)
    else:  # the mean of one seed, which has no variance
        draws = Draws(values, values)
    finite = np.isfinite(draws.values).all(axis=1)  # a metric may be undefined on a draw of one class only
    return draws if finite.all() else Draws(draws.fixed_seeds[finite], draws.values[finite])


def _with_seeds(by_seed: list[np.ndarray], rng: np.random.Generator) -> Draws:
    """Return the mean over the seeds of each model, and over drawn seeds; ``by_seed`` has draws x seeds."""
    size = len(by_seed[0])
    chosen = {  # models with equally many seeds share the drawn seeds: equal models stay equal
        seeds: rng.integers(seeds, size=(size, seeds))
        for seeds in sorted({values.shape[1] for values in by_seed})
    }
    return Draws(
        np.column_stack([values.mean(axis=1) for values in by_seed]),
        np.column_stack([_with_seed_noise(values, chosen[values.shape[1]]) for values in by_seed]),
    )


class RightCounts(NamedTuple):
    """How many answers of each model are right; seeds are averaged, so that parts of one are possible."""

    answers: np.ndarray
    of: float  # the number of examples
    in_part: bool = False  # whether an answer may be right in part, as the words of a sentence


def interval(values: np.ndarray) -> Interval | None:
    """Return the percentile interval of one model's draws; None without draws."""
    return intervals(values[:, None])[0]


def intervals(values: np.ndarray, right: RightCounts | None = None) -> list[Interval | None]:
    """Return the percentile interval of each model; None without draws.

    Args:
        values: Draws x models.
        right: Given if the values are accuracies. With fewer than ten right or wrong answers the bootstrap
            has too little spread: the interval then contains the exact one (Clopper and Pearson, 1934), of
            the effective number of answers if they may be right in part (Korn and Graubard, 1998).

    References:
        Confidence intervals for proportions with small expected number of positive counts estimated from
        survey data (Korn and Graubard, 1998), Survey Methodology 24, 193-201
    """
    if not len(values):
        return [None] * values.shape[1]
    lows, highs = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    if right is not None:
        of = _effective(values, right) if right.in_part else right.of
        answers = right.answers / right.of * of
        wrong = of - answers
        exact_lows = beta_quantile((1 - LEVEL) / 2, answers, wrong + 1)
        exact_highs = beta_quantile((1 + LEVEL) / 2, answers + 1, wrong)
        is_few = np.minimum(answers, wrong) < FEW
        lows = np.where(is_few & (answers > 0), np.fmin(lows, exact_lows), lows)
        highs = np.where(is_few & (wrong > 0), np.fmax(highs, exact_highs), highs)
    return [Interval(low, high, LEVEL) for low, high in zip(lows.tolist(), highs.tolist(), strict=True)]


def _effective(values: np.ndarray, right: RightCounts) -> np.ndarray:
    """Return how many answers, each wholly right or wrong, vary as much as these; at least their number."""
    share = right.answers / right.of
    variances = values.var(axis=0)
    alike = np.divide(share * (1 - share), variances, where=variances > 0, out=np.zeros(len(share)))
    few = normal_quantile((1 + LEVEL) / 2) / student_quantile((1 + LEVEL) / 2, max(1.0, right.of - 1))
    return np.asarray(np.fmax(right.of, alike * few**2))


def is_mean(metric: Metric, truth: Labels) -> bool:
    """Return whether a metric is a mean over examples that have one label each."""
    return metric.is_mean and not metric.judges_probs and truth.lengths is None and truth.values.ndim == 1


def example_values(metric: Metric, truth: Labels, predicted: np.ndarray) -> np.ndarray:
    """Return the value of each example; the metric is their mean.

    Args:
        metric: A metric that is a mean over examples of these labels: see :func:`is_mean`.
        truth: One class or one number for each example.
        predicted: Seeds x examples.
    """
    truths, true_places = np.unique(truth.values, return_inverse=True)
    answers, answer_places = np.unique(predicted, return_inverse=True)
    pairs = true_places * len(answers) + answer_places.reshape(predicted.shape)
    distinct, places = np.unique(
        pairs, return_inverse=True
    )  # the metric is computed once for each distinct pair
    rows, columns = np.divmod(distinct, len(answers))
    values = [
        metric(Labels(truth.kind, truths[row : row + 1], truth.classes), answers[column : column + 1])
        for row, column in zip(rows, columns, strict=True)
    ]
    return np.asarray(np.array(values)[places.reshape(predicted.shape)])


def _values(
    measured: Measured, metric: Metric, rng: np.random.Generator, seed: int, calls: int
) -> np.ndarray:
    """Return the values of the seeds of each model, draws x all seeds; ``rng`` is new, of this seed."""
    truth, size = measured.truth, measured.truth.examples
    if is_mean(metric, truth):
        columns = example_values(metric, truth, np.concatenate(measured.predicted))
        groups = measured.groups
        if groups is not None:
            columns = np.stack([np.bincount(groups, weights=column) for column in columns])
        weights = None if groups is None else np.bincount(groups).astype(float)
        parts = [
            counts @ columns.T / (size if weights is None else (counts @ weights)[:, None])
            for counts in _drawn_counts(rng, seed, measured.contents)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
    stacked = np.concatenate(measured.predicted)
    calls = min(calls, JUDGED_NUMBERS // stacked[0].size)
    draws = int(np.clip(calls // len(stacked), FEWEST_DRAWS, DRAWS))
    examples = _examples_of(measured)
    judged = [
        _judged(metric, truth, stacked, examples(drawn))
        for rows in _rows(rng, draws, measured.contents)
        for drawn in rows
    ]
    return np.array(judged)


def _examples_of(measured: Measured) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that maps drawn contents to their examples."""
    groups = measured.groups
    if groups is None:
        return lambda drawn: drawn
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(groups))[:-1])
    return lambda drawn: np.concatenate([members[group] for group in drawn])


def _judged(metric: Metric, truth: Labels, stacked: np.ndarray, drawn: np.ndarray) -> list[float]:
    """Return the metric of each row of predictions on the drawn examples; NaN where undefined."""
    labels, rows = truth.of(drawn), truth.rows_of(drawn)
    try:
        return [metric(labels, predicted[rows]) for predicted in stacked]
    except NotApplicable:  # of one class only, for example
        return [np.nan] * len(stacked)


def _rows(rng: np.random.Generator, draws: int, size: int) -> Iterator[np.ndarray]:
    """Yield drawn rows in chunks of draws: draws x examples."""
    step = max(1, CHUNK // size)
    for start in range(0, draws, step):
        yield rng.integers(size, size=(min(step, draws - start), size))


def _drawn_counts(rng: np.random.Generator, seed: int, size: int) -> Iterator[np.ndarray]:
    """Yield how often each example was drawn in chunks of draws: draws x examples."""
    if DRAWS * size > CHUNK:
        for rows in _rows(rng, DRAWS, size):
            yield _counts(rows, size)
        return
    counts, rng.bit_generator.state = _kept_counts(seed, size)
    yield counts


@lru_cache(maxsize=1)  # tasks of a study often have equally many examples
def _kept_counts(seed: int, size: int) -> tuple[np.ndarray, Any]:
    """Return the counts of all draws, and the state of a new generator of this seed after them."""
    rng = np.random.default_rng(seed)
    counts = _counts(next(_rows(rng, DRAWS, size)), size)
    counts.setflags(write=False)
    return counts, rng.bit_generator.state


def _counts(rows: np.ndarray, size: int) -> np.ndarray:
    """Return how often each example was drawn: draws x examples."""
    shifted = rows + np.arange(len(rows))[:, None] * size
    return np.bincount(shifted.ravel(), minlength=len(rows) * size).reshape(len(rows), size).astype(float)


def _with_seed_noise(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the mean over drawn seeds; a single seed has no variance and is returned as it is.

    Args:
        values: Draws x seeds.
        chosen: Positions of the drawn seeds, draws x seeds.
    """
    mean = values.mean(axis=1)
    seeds = values.shape[1]
    if seeds == 1:
        return np.asarray(mean)
    moved = np.take_along_axis(values, chosen, axis=1).mean(axis=1) - mean
    unbiased = np.sqrt(seeds / (seeds - 1))  # a bootstrap of few seeds understates their variance
    return np.asarray(np.clip(mean + unbiased * moved, values.min(), values.max()))
