"""Bradley-Terry strengths of models, from pairwise wins on each task."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import linalg, special

from assay.analysis.across_tasks.ranks import beaten
from assay.analysis.per_task.intervals import LEVEL
from assay.numerics.distributions import student_quantile
from assay.numerics.threads import one_thread_in_scipy

_MOST_STEPS = 100
_LONGEST_STEP = 3.0  # in log-odds: Newton's method overshoots far from the optimum
_TOLERANCE = 1e-10  # for the gradient, whose terms are counts of wins
_DIGITS = 9  # rounding: models that win equally often are equal


class Strengths(NamedTuple):
    """Strength of each model in log-odds; a model with 0 wins as often as it loses."""

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray


def bradley_terry(values: np.ndarray) -> Strengths:
    """Return the strength of each model, with 95 % intervals whose unit is the task.

    Model i beats model j with probability 1 / (1 + exp(s_j - s_i)); each task on which both have a value is
    one comparison; an equal value is half a win. Each model also ties once with a model of strength 0, so
    that a model that always wins has a finite strength. Without missing values the order is that of the
    mean rank. Strengths allow for missing values: only models with a shared task are compared.

    The standard error is the larger of two: the usual one, which assumes independent comparisons, and the
    sandwich estimate, which allows any dependence within a task.

    Args:
        values: Models x tasks, higher is better; NaN where missing. With one task low and high are
            infinite.

    References:
        Rank analysis of incomplete block designs (Bradley and Terry, 1952), https://doi.org/10.2307/2334029
        Longitudinal data analysis using generalized linear models (Liang and Zeger, 1986),
        https://doi.org/10.1093/biomet/73.1.13
    """
    known = np.isfinite(values).astype(np.float64)
    met = known @ known.T  # number of tasks that two models share
    np.fill_diagonal(met, 0.0)
    won = np.nan_to_num(beaten(values))
    wins = won.sum(axis=1)
    with one_thread_in_scipy():
        strengths = np.round(_strengths(wins, met), _DIGITS)
        errors, freedom = _standard_errors(strengths, won, known, met)
    reach = student_quantile((1 + LEVEL) / 2, freedom) * errors if freedom else np.full(len(values), np.inf)
    return Strengths(strengths, strengths - reach, strengths + reach)


def _strengths(wins: np.ndarray, met: np.ndarray) -> np.ndarray:
    """Return the maximum-likelihood strengths by Newton's method."""
    strengths = special.logit((wins + 0.5) / (met.sum(axis=1) + 1))  # a good start saves steps
    for _ in range(_MOST_STEPS):
        gradient, information = _derivatives(strengths, wins, met)
        step = linalg.solve(information, gradient, assume_a="pos")
        strengths += step / max(1.0, float(np.abs(step).max(initial=0.0)) / _LONGEST_STEP)
        if np.abs(gradient).max(initial=0.0) < _TOLERANCE:
            break
    return np.asarray(strengths)


def _derivatives(strengths: np.ndarray, wins: np.ndarray, met: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient of the log-likelihood and the negative of its Hessian."""
    chance = special.expit(strengths[:, None] - strengths[None, :])
    against_average = special.expit(strengths)
    gradient = wins - (met * chance).sum(axis=1) + 0.5 - against_average
    information = -met * chance * (1 - chance)
    np.fill_diagonal(information, -information.sum(axis=1) + against_average * (1 - against_average))
    return gradient, information


def _standard_errors(
    strengths: np.ndarray, won: np.ndarray, known: np.ndarray, met: np.ndarray
) -> tuple[np.ndarray, int]:
    """Return the standard error of each strength, and the degrees of freedom: tasks minus one."""
    _, information = _derivatives(strengths, won.sum(axis=1), met)
    covariance = linalg.inv(information)
    usual = np.diag(covariance)
    tasks = known.shape[1]
    if tasks < 2:
        return np.sqrt(usual), 0
    chance = special.expit(strengths[:, None] - strengths[None, :])
    expected = known * (chance @ known - 0.5 * known)  # a model is not compared with itself
    by_task = covariance @ (won - expected)
    sandwich = np.square(by_task).sum(axis=1) * tasks / (tasks - 1)
    return np.round(np.sqrt(np.maximum(usual, sandwich)), _DIGITS), tasks - 1
