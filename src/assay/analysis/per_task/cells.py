"""Gathers results into cells (model x task x method) and chooses the ranking method."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from assay.core.errors import UnknownName
from assay.core.result import Cost, Result, Status
from assay.core.task import Modality
from assay.findings.facts import TaskFacts
from assay.findings.per_task import NOT_RUN, OTHER_MODALITY, Cell


def gather(results: Sequence[Result], scores: Collection[str]) -> tuple[Cell, ...]:
    """Return one cell for each model, task and method, sorted by name.

    Args:
        results: In any order; several seeds make one cell.
        scores: The methods that are scores.
    """
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.job.task, result.job.model, result.job.method), []).append(result)
    return tuple(
        _cell(sorted(groups[key], key=lambda result: result.job.seed), scores) for key in sorted(groups)
    )


def missing_cells(
    cells: Sequence[Cell],
    task: TaskFacts,
    models: Mapping[str, str],
    method: str,
    modalities: Mapping[str, str],
) -> tuple[Cell, ...]:
    """Return cells with reasons for models without a value on a task; other modalities are left out.

    Args:
        cells: All cells of the study.
        task: The task.
        models: The addresses of all models, each with the reason why it is not ranked, or "".
        method: The method that ranks the models.
        modalities: The modality of each model, if known: see :func:`modalities_of`.
    """
    of_task = {cell.model: cell for cell in cells if cell.task == task.address and cell.method == method}
    missing = []
    for model in sorted(models):
        cell = None if models[model] else of_task.get(model)
        if cell is None:
            if modalities.get(model, task.modality) == task.modality:
                reason = f"{method} {NOT_RUN}; run the study again to fill this in"
                reason = models[model] or reason
                missing.append(Cell(model, task.address, method, False, Status.SKIPPED, reason=reason))
        elif cell.value is None and not cell.reason.startswith(OTHER_MODALITY):
            missing.append(cell)
    return tuple(missing)


def modalities_of(cells: Sequence[Cell], tasks: Sequence[TaskFacts]) -> dict[str, Modality]:
    """Return the modality of each model, as far as its results show it."""
    by_task = {task.address: task.modality for task in tasks}
    return {
        cell.model: by_task[cell.task]
        for cell in cells
        if cell.task in by_task and not cell.reason.startswith(OTHER_MODALITY)
    }


def _cell(results: Sequence[Result], scores: Collection[str]) -> Cell:
    return _of_one(results[0], scores) if len(results) == 1 else _of_several(results, scores)


def _of_one(result: Result, scores: Collection[str]) -> Cell:
    """Return the same as :func:`_of_several` of one result, faster: a study may have 100,000."""
    job, is_good = result.job, result.status is Status.OK
    return Cell(
        model=job.model,
        task=job.task,
        method=job.method,
        is_score=job.method in scores,
        status=result.status,
        value=result.value if is_good else None,
        seeds=int(is_good),
        metrics=dict(result.metrics) if is_good else {},
        tuned=dict(result.tuned) if is_good else {},
        notes=tuple(dict.fromkeys(result.notes)),
        reason="" if is_good else result.reason,
        seconds=result.seconds,
        encode_seconds=result.encode_seconds,
        interval=result.interval,
        metric=result.metric,
        cost=result.cost,
        val_value=result.val_value if is_good else None,
    )


def _of_several(results: Sequence[Result], scores: Collection[str]) -> Cell:
    job = results[0].job
    good = [result for result in results if result.status is Status.OK]
    timed = good or list(results)
    notes = [note for result in results for note in result.notes]
    if good:
        notes += [
            f"seed {result.job.seed}: {result.reason}" for result in results if result.status is not Status.OK
        ]
    failed = [result for result in results if result.status is Status.FAILED]
    shown = (good or failed or list(results))[0]
    return Cell(
        model=job.model,
        task=job.task,
        method=job.method,
        is_score=job.method in scores,
        status=shown.status,
        value=_mean(_values(good)),
        seeds=len(good),
        metrics=_by_name([result.metrics for result in good], statistics.fmean),
        tuned=_by_name(
            [result.tuned for result in good], statistics.median_low
        ),  # a setting that some seed chose
        notes=tuple(dict.fromkeys(notes)),
        reason="" if good else shown.reason,
        seconds=statistics.fmean(result.seconds for result in timed),
        encode_seconds=sum(result.encode_seconds for result in results),
        interval=shown.interval,
        metric=shown.metric,
        cost=_cost([result.cost for result in timed]),
        spread=statistics.stdev(_values(good)) if len(good) > 1 else None,
        val_value=_mean([result.val_value for result in good if result.val_value is not None]),
    )


def _cost(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.fmean(cost.tune_seconds for cost in costs),
        max((cost.peak_bytes for cost in costs if cost.peak_bytes is not None), default=None),
        max((cost.device_bytes for cost in costs if cost.device_bytes is not None), default=None),
    )


def _mean(values: list[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _values(results: Sequence[Result]) -> list[float]:
    return [result.value for result in results if result.value is not None]


def _by_name(
    by_result: Sequence[Mapping[str, float]], summary: Callable[[list[float]], float]
) -> dict[str, float]:
    names = dict.fromkeys(name for values in by_result for name in values)
    return {name: summary([values[name] for values in by_result if name in values]) for name in names}


PROTOCOL = "linear_probe"
SCORES = ("ridge_cv", "logme", "loo_knn")  # out of sample or by evidence: no bias towards wide features


def choose_method(cells: Sequence[Cell], scores: Collection[str], wanted: str | None) -> str:
    """Return the wanted method, or the protocol with most values, or a score if nothing was trained.

    Args:
        cells: All cells of the study.
        scores: The methods that are scores.
        wanted: The method that the user asked for; an unknown name raises ``UnknownName`` with the names.
    """
    methods = {cell.method for cell in cells}
    if wanted is not None:
        if wanted not in methods:
            raise UnknownName("method with results", wanted, methods)
        return wanted
    counts = Counter(cell.method for cell in cells if cell.value is not None)
    ordered = sorted(methods, key=lambda method: (method in scores, *_preference(method, counts), method))
    valued = [method for method in ordered if counts[method]]
    return (valued or ordered or [""])[0]


def _preference(method: str, counts: Counter[str]) -> tuple[bool, int, int]:
    name = method.partition("(")[0]
    position = SCORES.index(name) if name in SCORES else len(SCORES)
    return name != PROTOCOL, -counts[method], position
