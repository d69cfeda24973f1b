"""Decides between models over several tasks: the least mean expected regret."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean

from assay.analysis.per_task.costs import reliable
from assay.analysis.per_task.decision import Rule, choose
from assay.core.task import Modality
from assay.findings.decision import CheapBy, Recommendation
from assay.findings.facts import ModelRow
from assay.findings.per_task import TaskFindings, pretrained


def decisions(
    tasks: Sequence[TaskFindings], rows: Mapping[str, ModelRow], rule: Rule
) -> dict[str, Recommendation]:
    """Return the decision over the tasks of each modality on which a model can be recommended.

    With several tasks, only models with a value on most of them are considered. Their regret is the
    mean over tasks: in the unit of the metric if all tasks share one, else as the share of the way from
    chance level to the best value. Without expected regrets it is the mean of the measured ones; where the
    values have no common unit, of the ranks.
    """
    of_modalities = {}
    for modality in Modality:
        usable = [task for task in tasks if task.task.modality == modality and task.decision is not None]
        if len(usable) == 1 and usable[0].decision is not None:
            of_modalities[modality.value] = usable[0].decision
        elif usable:
            of_modalities[modality.value] = _over_tasks(usable, rows, rule)
    return of_modalities


def shares_metric(tasks: Sequence[TaskFindings]) -> bool:
    """Return whether the values of all tasks have one unit."""
    return len({task.measure.partition(" of '")[0] for task in tasks}) == 1  # f1 of whichever class


def considered(tasks: Sequence[TaskFindings], rows: Mapping[str, ModelRow]) -> tuple[str, ...]:
    """Return the pretrained models with a value on most of the tasks, which is nearly always all."""
    counts = Counter(standing.model for task in tasks for standing in pretrained(task.standings, rows))
    most = max(counts.values())
    return tuple(sorted(model for model, count in counts.items() if count == most))


def _over_tasks(tasks: Sequence[TaskFindings], rows: Mapping[str, ModelRow], rule: Rule) -> Recommendation:
    models = considered(tasks, rows)
    decided = [(task, task.decision) for task in tasks if task.decision is not None]
    scales = {task.task.address: _scale(task, tasks) for task in tasks}
    margin = fmean(decision.margin * scales[task.task.address] for task, decision in decided)
    method = decided[0][1].method
    costs = reliable(_costs(tasks, models), rows)
    if all(decision.expected_regret for _, decision in decided):
        expected = {
            model: fmean(
                decision.expected_regret[model] * scales[task.task.address]
                for task, decision in decided
                if model in decision.expected_regret
            )
            for model in models
        }
        return choose(
            {model: -regret for model, regret in expected.items()}, expected, costs, rule, margin, method
        )
    merits = {
        model: -fmean(_measured(task, model, scales) for task in tasks if model in task.by_model)
        for model in models
    }
    return choose(merits, {}, costs, rule, margin, method)


def _scale(task: TaskFindings, tasks: Sequence[TaskFindings]) -> float:
    """Return the factor that makes the regrets of tasks comparable."""
    reach = task.standings[0].value - task.task.floor
    return 1.0 if shares_metric(tasks) or reach <= 0 else 1 / reach


def _measured(task: TaskFindings, model: str, scales: Mapping[str, float]) -> float:
    """Return the measured regret of a model; for estimates, its rank."""
    standing = task.by_model[model]
    if task.is_above_chance is None:
        return float(standing.rank)
    return (task.standings[0].value - standing.value) * scales[task.task.address]


def _costs(tasks: Sequence[TaskFindings], models: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return each cost of each model, the largest over tasks."""
    of_models: dict[str, dict[str, float]] = {}
    for cost in CheapBy:
        known = {
            model: [task.costs[cost][model] for task in tasks if model in task.costs.get(cost, {})]
            for model in models
        }
        of_models[cost] = {model: max(numbers) for model, numbers in known.items() if numbers}
    return of_models
