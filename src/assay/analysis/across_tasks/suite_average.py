"""Averages over suites, as their leaderboards rank models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from assay.findings.comparison import SuiteAverage
from assay.findings.per_task import TaskFindings
from assay.plugins.address import Address
from assay.plugins.suite import Suite


def suite_averages(tasks: Sequence[TaskFindings], suites: Iterable[Suite]) -> tuple[SuiteAverage, ...]:
    """Return the average over each suite whose tasks are all in the study.

    It is the mean of the main metrics, where groups of tasks that count as one are averaged first. A model
    without a value on some task is left out.
    """
    averages = []
    for suite in suites:
        groups = [[_found(task, tasks) for task in group] for group in suite.groups]
        present = [[task for task in group if task is not None] for group in groups]
        if any(len(complete) < len(other) for complete, other in zip(present, groups, strict=True)):
            continue
        averages.append(SuiteAverage(suite.name, suite.title, len(groups), _ranked(present)))
    return tuple(average for average in averages if average.values)


def _found(wanted: Address, tasks: Sequence[TaskFindings]) -> TaskFindings | None:
    """Return the findings on a task of the suite with the suite's metric; None if the study lacks it."""
    for findings in tasks:
        address = Address.parse(findings.task.address)
        added = set(address.settings) - set(wanted.settings)
        same = (address.source, address.name) == (wanted.source, wanted.name)
        if same and set(wanted.settings) <= set(address.settings) and "metric" not in dict(added):
            return findings
    return None


def _ranked(groups: Sequence[Sequence[TaskFindings]]) -> tuple[tuple[str, float], ...]:
    standings = [[task.by_model for task in group] for group in groups]
    tasks = [task for group in standings for task in group]
    complete = [model for model in (tasks[0] if tasks else ()) if all(model in task for task in tasks)]
    means = {
        model: fmean(fmean(task[model].value for task in group) for group in standings) for model in complete
    }
    return tuple(sorted(means.items(), key=lambda item: (-item[1], item[0])))
