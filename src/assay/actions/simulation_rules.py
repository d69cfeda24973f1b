"""The simple rules that a simulation compares with the search, built from model facts and scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from assay.actions.simulation_tables import Scores
from assay.search.history import History
from assay.search.policies import ByColumn, MeanRank, Policy, Search
from assay.search.score_combination import learn_join, scored_tasks
from assay.search.simulation import Case, usable

HALVING, JOINED, SEARCH_JOINED = "halving", "joined", "search joined"

Rule = Sequence[tuple[Case, Policy]]  # for each task what is known, and what decides


def of_facts(facts: Mapping[str, Mapping[str, float]], every: Sequence[Case]) -> dict[str, Rule]:
    """Return a rule for each fact: the model with the largest number first."""
    return {
        name: [(case, ByColumn(name, _column(numbers, case.models))) for case in every]
        for name, numbers in facts.items()
    }


def of_scores(scores: Mapping[str, Scores], history: History, every: Sequence[Case]) -> dict[str, Rule]:
    """Return a rule for each score, successive halving by all, and their combination with past tasks.

    Halving keeps half of the models by the first score, half of those by the second, and so on, as long as
    there are two. The join is tried in its order, and as what a search starts from.
    """
    rules: dict[str, Rule] = {}
    for name, of_score in scores.items():
        rules[name] = [
            (case, ByColumn(name, _column(of_score.get(case.task, {}), case.models))) for case in every
        ]
    if not scores:
        return rules
    if len(scores) > 1:
        rules[HALVING] = [
            (case, ByColumn(HALVING, _halving(_table(scores, case.task, case.models)))) for case in every
        ]
    tables = {task: _table(scores, task, history.models) for task in history.tasks}
    joins = {
        group: learn_join(scored_tasks(usable(history.without(group)), tables))
        for group in {case.group for case in every}
    }
    joined = [
        case._replace(prior=joins[case.group].update(case.prior, _table(scores, case.task, case.models)))
        for case in every
    ]
    rules[JOINED] = [(case, MeanRank()) for case in joined]
    rules[SEARCH_JOINED] = [(case, Search()) for case in joined]
    return rules


def _column(numbers: Mapping[str, float], models: Sequence[str]) -> np.ndarray:
    return np.array([numbers.get(model, math.nan) for model in models])


def _table(scores: Mapping[str, Scores], task: str, models: Sequence[str]) -> np.ndarray:
    """Return the scores of models on a task: models x scores."""
    return np.stack([_column(of_score.get(task, {}), models) for of_score in scores.values()], axis=1)


def _halving(table: np.ndarray) -> np.ndarray:
    """Return how far each model comes: the rung it reaches, and its place there as a fraction."""
    survivors, reached = np.arange(len(table)), np.zeros(len(table))
    for rung in range(table.shape[1]):
        numbers = np.where(np.isfinite(table[survivors, rung]), table[survivors, rung], -np.inf)
        order = survivors[np.argsort(-numbers, kind="stable")]
        reached[order] = rung + 1 - np.arange(len(order)) / len(order)
        survivors = order[: max(1, math.ceil(len(order) / 2))]
    return reached
