"""Decides between models: expected regret, the recommended model, and a cheaper one that is close enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from assay.core.errors import UnknownName, UsageError
from assay.findings.decision import CheapBy, Recommendation

EQUALLY_CHEAP = 1.25  # costs within 25 % of each other count as equal
POINT = 0.01  # the default margin; of metrics where lower is better, relative to the chance level
_CANDIDATE = 3.0  # standard errors below the best: the normal prior need not hold for models far below
_DRAWS = 4000  # the error of a probability is below 0.016 in 95 % of runs
_TAUS = 60
_LEAST_TAU, _MOST_TAU = 0.02, 10.0  # in standard errors; in standard errors or deviations of the values
_OWN_VARIANCE = 0.5  # share of a model's own variance of the draws; the rest is the mean over models
_DIGITS = 12  # models with equal predictions are one candidate
_SORTED = 64  # draws by which candidates are sorted; others agree on them only if their predictions do
_KEPT = 20  # candidates up to which random numbers are kept for the next task: 13 MB
_UNSEEN = 0.3  # pseudo-count of each outcome: both correct, only the first, only the second, neither


@dataclass(frozen=True, slots=True)
class Rule:
    """The user's settings of a decision.

    Attributes:
        margin: See ``Recommendation``; None for one point (0.01), or 1 % of the trivial predictor's value if
            lower is better.
        cheap_by: None for multiply-accumulates, or parameters if some model lacks them.
    """

    margin: float | None = None
    cheap_by: CheapBy | None = None

    @classmethod
    def of(cls, margin: object, cheap_by: str | None) -> Rule:
        """Return the rule that a user wrote.

        Raises:
            UsageError: The margin is not a number from 0, or the cost is unknown.
        """
        is_number = isinstance(margin, (int, float)) and not isinstance(margin, bool)
        if margin is not None and not (is_number and 0 <= float(str(margin)) < float("inf")):
            raise UsageError(
                f"margin is {margin!r}. Write a number from 0, as in 0.01 for one point of accuracy."
            )
        if cheap_by is not None and cheap_by not in tuple(CheapBy):
            raise UnknownName("cost", str(cheap_by), set(CheapBy))
        return cls(
            None if margin is None else float(str(margin)), None if cheap_by is None else CheapBy(cheap_by)
        )

    def margin_of(self, floor: float, *, lower_is_better: bool) -> float:
        """Return the margin on a task with this chance level."""
        if self.margin is not None:
            return self.margin
        return POINT * abs(floor) if lower_is_better else POINT


DEFAULT_RULE = Rule()


class Regrets(NamedTuple):
    """What is known about the true values of the models, in the order of the values."""

    expected: np.ndarray  # expected regret of each model
    within: np.ndarray  # probability that the regret is at most the margin


def regrets(
    values: np.ndarray, draws: np.ndarray, margin: float, seed: int, answer_cost: float = 0.0
) -> Regrets:
    """Return the expected regret of each model, and the probability that it is within a margin of the best.

    The true values of the candidates, which are the models not far below the best, have a normal prior
    whose mean and variance are estimated from them (flat priors of the mean and the standard deviation,
    integrated over a grid), which corrects for the winner's curse. After the error that all share is removed,
    their errors are treated as independent, with variances between their own and the mean over models. Two
    models are compared without a prior. If two models agree on every test example, the bootstrap reports no
    uncertainty: a pseudo-count of 0.3 is added to each outcome of an example. Simulations behind these
    choices: docs/statistics.md.

    Args:
        values: The measured values of the models; higher is better.
        draws: Bootstrap draws of the values, draws x models.
        margin: See ``Recommendation``.
        seed: Seed of the posterior draws.
        answer_cost: What one wrong answer costs, in the unit of the values: see ``one_answer``.

    References:
        Bayesian Data Analysis (Gelman et al., 2013), section 5.4
        Some observations on inverse probability including a new indifference rule (Perks, 1947),
        https://doi.org/10.1017/S0020268100012270
    """
    best = int(np.argmax(values))
    errors = np.std(draws - draws[:, [best]], axis=0)
    is_candidate = values >= values[best] - _CANDIDATE * errors
    candidates = np.flatnonzero(is_candidate)
    distinct, copies = _distinct(np.column_stack([values[candidates], draws[:, candidates].T]))
    kept = candidates[distinct]
    means, drawn = _posterior(values[kept], draws[:, kept], len(values), seed)
    means, drawn = means[copies], drawn[:, copies] + _unseen(draws[:, candidates], answer_cost, seed)
    top = drawn.max(axis=1, keepdims=True)
    expected = float(top.mean()) - values
    within = np.zeros(len(values))
    expected[candidates] = float(top.mean()) - means
    within[candidates] = (top - drawn <= margin).mean(axis=0)
    return Regrets(np.maximum(expected, 0.0), within)


def _unseen(draws: np.ndarray, answer_cost: float, seed: int) -> np.ndarray:
    """Return draws of what models lose on examples that test does not hold, as far as ``draws`` lack it."""
    models = draws.shape[1]
    if answer_cost <= 0 or models < 2:
        return np.zeros((1, models))
    lost = _lost(seed, models) if models <= _KEPT else _lost.__wrapped__(seed, models)
    least = _UNSEEN * answer_cost**2
    missing = np.maximum(0.0, 1 - _own_variances(draws) / least)
    return np.asarray((_UNSEEN - lost) * answer_cost * np.sqrt(missing))


@lru_cache(maxsize=_KEPT)  # tasks of a study often have equally many candidates
def _lost(seed: int, models: int) -> np.ndarray:
    return np.random.default_rng([seed, 1]).gamma(_UNSEEN, size=(_DRAWS, models))


def _own_variances(draws: np.ndarray) -> np.ndarray:
    """Return the variance of the error of each model that others do not share."""
    apart = draws - draws.mean(axis=1, keepdims=True)
    return np.asarray(apart.var(axis=0) * draws.shape[1] / (draws.shape[1] - 1))


def _distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first of equal rows, in ascending order, and for each row its place among these.

    (``np.unique`` makes a type with a field for each column, which takes longer than all the rest.)
    """
    rounded = np.round(rows, _DIGITS) + 0.0  # -0.0 is 0.0
    first: dict[bytes, int] = {}
    of_row = np.array([first.setdefault(row.tobytes(), number) for number, row in enumerate(rounded)])
    kept = np.array(list(first.values()))
    kept = kept[np.lexsort(rounded[kept, :_SORTED].T[::-1])]
    place = np.empty(len(rows), dtype=int)
    place[kept] = np.arange(len(kept))
    return kept, place[of_row]


def _posterior(
    values: np.ndarray, draws: np.ndarray, models: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the posterior means of the true values, and draws of them, draws x models."""
    size = len(values)
    if size == 1:
        return values, np.repeat(values[None], _DRAWS, axis=0)
    variances = _own_variances(draws)
    if not variances.any():
        return values, np.repeat(values[None], _DRAWS, axis=0)
    variances = _OWN_VARIANCE * variances + (1 - _OWN_VARIANCE) * variances.mean()
    if size == models == 2:
        noise = np.random.default_rng(seed).standard_normal((_DRAWS, 2))
        return values, values + noise * np.sqrt(variances)
    error = float(np.sqrt(variances.mean()))
    most = _MOST_TAU * max(float(values.std(ddof=1)), error)
    taus = np.geomspace(_LEAST_TAU * error, most, _TAUS)[:, None]
    total = taus**2 + variances  # taus x models
    precisions = (1 / total).sum(axis=1)
    centres = (values / total).sum(axis=1) / precisions
    distances = (np.square(values - centres[:, None]) / total).sum(axis=1)
    fit = -0.5 * (np.log(total).sum(axis=1) + np.log(precisions) + distances)
    fit += np.log(taus[:, 0])  # the grid is geometric, and the prior of tau is uniform
    weights = np.exp(fit - fit.max())
    weights /= weights.sum()
    kept = taus**2 / total  # the share of a distance from the centre that is no error
    means = weights @ (centres[:, None] + kept * (values - centres[:, None]))
    random = _random(seed, size) if size <= _KEPT else _random.__wrapped__(seed, size)
    shares = weights.cumsum()
    rows = (shares / shares[-1]).searchsorted(random.tau, side="right")
    centre = (centres[rows] + random.centre / np.sqrt(precisions[rows]))[:, None]
    spread = np.sqrt(kept * variances)[rows]
    return means, centre + kept[rows] * (values - centre) + random.noise * spread


class _Random(NamedTuple):
    """What the draws of a posterior are made of."""

    tau: np.ndarray  # uniform, draws
    centre: np.ndarray  # standard normal, draws
    noise: np.ndarray  # standard normal, draws x models


@lru_cache(maxsize=_KEPT)  # tasks of a study often have equally many candidates
def _random(seed: int, models: int) -> _Random:
    rng = np.random.default_rng(seed)
    return _Random(rng.random(_DRAWS), rng.standard_normal(_DRAWS), rng.standard_normal((_DRAWS, models)))


def choose(
    values: Mapping[str, float],
    expected_regret: Mapping[str, float],
    costs: Mapping[str, Mapping[str, float]],
    rule: Rule,
    margin: float,
    method: str,
) -> Recommendation:
    """Return the decision: the least expected regret, and the cheapest model within the margin of it.

    Args:
        values: The value of each pretrained model; higher is better; at least one.
        expected_regret: Expected regret of the models; empty if unknown.
        costs: Each known cost by model: cost -> model -> number.
        rule: What the user wants.
        margin: The margin on this task.
        method: The method that ranks the models.
    """
    cheap_by = rule.cheap_by or CheapBy.MACS
    if cheap_by is CheapBy.MACS and not set(values) <= set(costs.get(CheapBy.MACS, {})):
        cheap_by = CheapBy.PARAMETERS
    known = costs.get(cheap_by, {})
    merits = expected_regret or {model: -value for model, value in values.items()}

    def preference(model: str) -> tuple[float, float, str]:
        return round(merits[model], _DIGITS), known.get(model, np.inf), model

    recommended = min(merits, key=preference)
    cheaper = None
    if margin > 0 and expected_regret:
        most = expected_regret[recommended] + margin
        close = [model for model in expected_regret if expected_regret[model] <= most and model in known]
        cheaper = _cheapest(close, known, preference)
        of_recommended = known.get(recommended, np.inf)
        if cheaper is not None and known[cheaper] * EQUALLY_CHEAP >= of_recommended:
            cheaper = None
    return Recommendation(recommended, method, margin, cheap_by, cheaper, dict(expected_regret))


def _cheapest(
    models: Sequence[str], known: Mapping[str, float], preference: Callable[[str], tuple[float, float, str]]
) -> str | None:
    """Return the model with the least regret among those that cost no more than 25 % above the cheapest."""
    if not models:
        return None
    least = min(known[model] for model in models)
    cheap = [model for model in models if known[model] <= least * EQUALLY_CHEAP]
    return min(cheap, key=preference)
