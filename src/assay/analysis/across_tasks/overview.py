"""Models over several tasks in a few numbers: mean, worst task, and on how many tasks each may be best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from assay.analysis.across_tasks.decision import shares_metric
from assay.findings.per_task import Standing, TaskFindings


@dataclass(frozen=True, slots=True)
class ModelOverview:
    """A model over several tasks.

    Attributes:
        mean: The mean over the tasks where it has a value; None without any that counts.
        tasks: Number of tasks on which it has a value.
        worst_task: Address of the task with its lowest index; where there is no index, with its worst rank.
        worst: Its standing there.
        best_on: Number of tasks on which no model is significantly better.
    """

    model: str
    mean: float | None
    tasks: int
    worst_task: str
    worst: Standing
    best_on: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Models over several tasks, best first.

    Attributes:
        title: What the mean is of: the metric, "index", or "rank".
        is_rank: The mean is of ranks, where lower is better.
    """

    title: str
    is_rank: bool
    models: tuple[ModelOverview, ...]


def overview(tasks: Sequence[TaskFindings], *, is_estimate: bool) -> Overview:
    """Return the models over several tasks.

    The mean is that of the metric if all tasks share one; of the index if not, over the tasks where a model
    is above chance level; of the ranks if nothing was trained.
    """
    shares = shares_metric(tasks)
    title = "rank" if is_estimate else tasks[0].measure if shares else "index"
    found: dict[str, list[tuple[TaskFindings, Standing]]] = {}
    for task in tasks:
        for standing in task.standings:
            found.setdefault(standing.model, []).append((task, standing))
    models = []
    for model, standings in found.items():
        numbers = [_number(standing, title) for _, standing in standings]
        known = [number for number in numbers if number is not None]
        worst_task, worst = min(standings, key=lambda pair: _merit(pair[1]))
        models.append(
            ModelOverview(
                model=model,
                mean=fmean(known) if known else None,
                tasks=len(standings),
                worst_task=worst_task.task.address,
                worst=worst,
                best_on=sum(standing.may_be_best for _, standing in standings),
            )
        )
    sign = -1 if is_estimate else 1

    def preference(row: ModelOverview) -> tuple[int, float, str]:
        return -row.tasks, float("inf") if row.mean is None else -sign * row.mean, row.model

    return Overview(title, is_estimate, tuple(sorted(models, key=preference)))


def _number(standing: Standing, title: str) -> float | None:
    if title == "rank":
        return float(standing.rank)
    return standing.index if title == "index" else standing.value


def _merit(standing: Standing) -> tuple[float, float]:
    return (-standing.rank if standing.index is None else standing.index), standing.value
