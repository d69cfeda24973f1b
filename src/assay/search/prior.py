"""What past tasks predict of the models on a new task, before any of them is tried on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from assay.search.cold_start import NameWeights, weights_by_names
from assay.search.history import History, normalised, percentiles, spread_of
from assay.search.names import alikeness, matches

_ALTERNATIONS = 20
_FILLS = 6
_RIDGE = 0.5  # of the fills, in residual variances for each task
_OF_NAMES = 0.15  # share of the residual variance that models of equal name have in common
_OF_A_CELL = 0.35  # share of the residual variance that is noise of single runs
_OF_A_FACT = 0.3  # of a spread, for a standard deviation of the ranks of a fact
_ANY_SPREAD = 0.1  # of a task without past ones, in the unit of its metric, until some models were tried
_MATCH_MEAN, _MATCH_VARIANCE = 0.5, 1.0  # of what a model made for the task gains, before any was seen


class Prior(NamedTuple):
    """What is believed of the values of models on a new task, normalised: 0 is the median, 1 the best.

    Attributes:
        mean: Expected value of each model, up to an offset that all share.
        covariance: Covariance of what models have in common, models x models.
        noise: Variance of each model's own deviation.
        ranks: The mean percentile rank on past tasks; NaN for a model without any.
        past: Values on past tasks, those that are missing filled in: tasks x models.
        spreads: The best value minus the median of each past task, in the unit of the metric.
        residual: The variance that the additive model leaves.
        made_for_it: How strongly a model's name suggests that it was trained for the new task, 0 to 1.
    """

    mean: np.ndarray
    covariance: np.ndarray
    noise: np.ndarray
    ranks: np.ndarray
    past: np.ndarray
    spreads: np.ndarray
    residual: float
    made_for_it: np.ndarray


class _Additive(NamedTuple):
    """Values as a sum of an effect of the task and an effect of the model."""

    of_tasks: np.ndarray
    of_models: np.ndarray
    counts: np.ndarray  # past tasks of each model
    residuals: np.ndarray  # tasks x models; NaN where there is no value
    residual: float
    between: float  # variance of the models


def learn(history: History, task: str, columns: np.ndarray | None = None) -> Prior:
    """Return the prior that a history gives for its models, or some of them, on a new task.

    Normalised values are the sum of an effect of the task, one of the model, shrunk by how few tasks it has,
    and a residual. Residuals of models go together on past tasks, and where names are alike; those that are
    missing are predicted from the other tasks by ridge regression. A model whose name holds that of the task
    gains what such models gained on past tasks. A model without past results is predicted from models with
    similar names.

    Args:
        history: At least one task on which models differ.
        task: The name of the new task.
        columns: Positions of the models that something is said about; by default all.
    """
    history = history.informative()
    columns = np.arange(len(history.models)) if columns is None else columns
    values = normalised(history.values)
    model, made_for, gain, uncertainty = _matched(history, values)
    filled, alike = _filled(model), alikeness(history.models)
    own = model.between * model.residual / np.maximum(model.residual + model.counts * model.between, 1e-12)
    seen = model.counts > 0
    unseen = ~seen & np.isin(np.arange(len(seen)), columns)
    model, borrowed = _with_unseen(model, alike, unseen)
    if borrowed is not None:
        filled[:, unseen] = filled[:, seen] @ borrowed.weights.T
        own[unseen] = (model.between + (1 - _OF_A_CELL) * model.residual) * borrowed.left
    tasks = len(values)
    made_for_it = matches(task, history.models)[columns]
    covariance = filled[:, columns].T @ filled[:, columns]
    covariance /= tasks  # in place: it is large
    covariance += _OF_NAMES * model.residual * alike[np.ix_(columns, columns)]
    made = np.flatnonzero(made_for_it)
    covariance[np.ix_(made, made)] += (uncertainty + _MATCH_MEAN) * np.outer(
        made_for_it[made], made_for_it[made]
    )
    completed = model.of_tasks[:, None] + model.of_models + filled + gain * made_for
    return Prior(
        mean=model.of_models[columns] + gain * made_for_it,
        covariance=covariance,
        noise=_OF_A_CELL * model.residual + own[columns],
        ranks=percentiles(history.values)[columns],
        past=np.where(np.isfinite(values), values, completed)[:, columns],
        spreads=np.array([spread_of(row) for row in history.values]),
        residual=model.residual,
        made_for_it=made_for_it,
    )


def expected(history: History, task: str) -> np.ndarray:
    """Return the mean of what ``learn`` returns, in a fraction of the time.

    Args:
        history: At least one task on which models differ.
        task: The name of the new task.
    """
    history = history.informative()
    values = normalised(history.values)
    model, _, gain, _ = _matched(history, values)
    if not model.counts.all():
        model, _ = _with_unseen(model, alikeness(history.models), model.counts == 0)
    return model.of_models + gain * matches(task, history.models)


def _matched(history: History, values: np.ndarray) -> tuple[_Additive, np.ndarray, float, float]:
    """Return the model of values minus the gain of models that were made for a task.

    Then in how far each was made for each task, and the mean and the variance of the gain.
    """
    made_for = np.stack([matches(name, history.models) for name in history.tasks])
    model = _additive(values)
    gain, uncertainty = _gain_of_matches(model, made_for)
    return _additive(values - gain * made_for) if made_for.any() else model, made_for, gain, uncertainty


def _additive(values: np.ndarray) -> _Additive:
    """Fit effects of tasks and of models; the latter are shrunk to their mean."""
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    filled = np.where(known, values, 0.0)
    of_models = np.zeros(values.shape[1])
    residual, between = float(np.var(values[known])) + 1e-6, 1.0
    of_tasks = np.zeros(len(values))
    for _ in range(_ALTERNATIONS):
        of_tasks = (known * (filled - of_models)).sum(axis=1) / known.sum(axis=1)
        sums = (known * (filled - of_tasks[:, None])).sum(axis=0)
        of_models = sums / (counts + residual / between)
        left = np.where(known, values - of_tasks[:, None] - of_models, 0.0)
        freedom = max(1, known.sum() - len(values) - int((counts > 0).sum()) + 1)
        residual = float(np.square(left).sum()) / freedom + 1e-6
        seen = counts > 0
        raw = sums[seen] / counts[seen]
        between = max(float(np.var(raw)) - residual * float(np.mean(1 / counts[seen])), 0.05 * residual)
    residuals = np.where(known, values - of_tasks[:, None] - of_models, np.nan)
    return _Additive(of_tasks, of_models, counts, residuals, residual, between)


def _filled(model: _Additive) -> np.ndarray:
    """Return the residuals, those that are missing predicted from the other tasks."""
    known = np.isfinite(model.residuals)
    filled = np.where(known, model.residuals, 0.0)
    tasks = len(filled)
    if tasks < 2 or known.all():
        return filled
    penalty = _RIDGE * model.residual * tasks * np.eye(tasks - 1)
    for _ in range(_FILLS):
        before = filled.copy()
        for task in np.flatnonzero(~known.all(axis=1)):
            others = np.delete(before, task, axis=0).T  # models x other tasks
            seen = others[known[task]]
            weights = np.linalg.solve(seen.T @ seen + penalty, seen.T @ model.residuals[task, known[task]])
            filled[task, ~known[task]] = others[~known[task]] @ weights
    return filled


def _with_unseen(
    model: _Additive, alike: np.ndarray, unseen: np.ndarray
) -> tuple[_Additive, NameWeights | None]:
    """Fill in the effects of models without history from similar names; also return the weights."""
    seen = model.counts > 0
    if not unseen.any() or not seen.any():
        return model, None
    counts = model.counts[seen]
    noise = model.residual / (model.between * counts)
    raw = model.of_models[seen] * (1 + noise)  # before they were shrunk
    centre = float(np.average(raw, weights=counts))
    borrowed = weights_by_names(alike, seen, unseen, (raw - centre) / np.sqrt(model.between), noise)
    of_models = model.of_models.copy()
    of_models[unseen] = centre + borrowed.weights @ (raw - centre)
    return model._replace(of_models=of_models), borrowed


def _gain_of_matches(model: _Additive, made_for: np.ndarray) -> tuple[float, float]:
    """Return the gain of models on the tasks that they were made for: mean and variance."""
    chosen = (made_for > 0) & np.isfinite(model.residuals)
    shares, residuals = made_for[chosen], model.residuals[chosen]
    precision = 1 / _MATCH_VARIANCE + float(np.square(shares).sum()) / model.residual
    mean = (_MATCH_MEAN / _MATCH_VARIANCE + float(shares @ residuals) / model.residual) / precision
    return mean, 1 / precision


def from_facts(models: Sequence[str], task: str, facts: np.ndarray, unit: float) -> Prior:
    """Return the prior without past tasks: known numbers count a little, similar names are correlated.

    Args:
        models: Unique names.
        task: The name of the new task.
        facts: A number for each model, higher is better, such as its accuracy on ImageNet; NaN if unknown.
        unit: The size of the metric's values, such as 1 for accuracy.
    """
    ranks = percentiles(facts[None])
    scores = np.where(np.isfinite(ranks), stats.norm.ppf(0.05 + 0.9 * np.nan_to_num(ranks)), 0.0)
    made_for_it = matches(task, models)
    return Prior(
        mean=_OF_A_FACT * scores + _MATCH_MEAN * made_for_it,
        covariance=_OF_NAMES * alikeness(models) + (_MATCH_VARIANCE) * np.outer(made_for_it, made_for_it),
        noise=np.full(len(models), 1.0 - _OF_NAMES),
        ranks=ranks,
        past=np.zeros((0, len(models))),
        spreads=np.array([_ANY_SPREAD * unit]),
        residual=1.0,
        made_for_it=made_for_it,
    )
