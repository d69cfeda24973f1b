"""The findings of a search, besides the results of the models that it finished."""

from __future__ import annotations

from collections import Counter

import numpy as np

from assay.core.estimate import Interval
from assay.findings.search import MissBound, ScreenedModel, SearchFindings, StopReason, UntriedModel
from assay.run.search.run import SearchRun, is_lower_better
from assay.search.names import shared_words
from assay.search.policies import Search
from assay.search.regret_bound import bound, past_shares
from assay.store.results import Store
from assay.wording.short_names import short_names

_Z = 1.96
_MOST_TRAININGS = 20  # of which past searches are replayed
_MOST_PROMISING = 30


def conclude(search: SearchRun, store: Store, *, is_running: bool = False) -> SearchFindings:
    """Return how a search went, or goes so far: then without the bound, which takes seconds."""
    scheduler, names = search.scheduler, search.known.names
    planner = scheduler.planner
    reached, ruled_out = planner.reached, planner.ruled_out()
    finished = [model for _, model in scheduler.curve]
    dropped = {*scheduler.left_out, *scheduler.failed, *search.excluded}
    left_out = Counter(search.choice.left_out)
    left_out.update(scheduler.left_out.values())
    if search.excluded:
        left_out["were trained on the data of a task (--exclude-contaminated)"] += len(search.excluded)
    begun = [model for model in map(int, np.flatnonzero(reached >= 0)) if model not in {*finished, *dropped}]
    by_promise = map(int, np.argsort(-planner.promise(), kind="stable"))
    untried = [model for model in by_promise if reached[model] < 0 and model not in dropped]
    contaminated = _contaminated(search)
    return SearchFindings(
        candidates=len(names) - len(search.excluded) - len(scheduler.left_out),
        finished=tuple(names[model] for model in finished),
        screened=tuple(_screened(search, model, is_ruled_out=bool(ruled_out[model])) for model in begun),
        failed={names[model]: _reason(store, key) for model, key in scheduler.failed.items()},
        left_out=dict(left_out),
        untried=tuple(names[model] for model in untried),
        stop=StopReason.RUNNING if is_running else scheduler.stop,
        seconds=scheduler.spent,
        curve=_curve(search),
        expected_regret=_regrets(search) if finished else {},
        past_tasks=search.known.past_tasks,
        sources=search.known.sources if len(search.known.history.tasks) else (),
        bound=_bound(search, len(finished)) if finished and untried and not is_running else None,
        contaminated=tuple(contaminated),
        contaminated_by=contaminated,
        tasks=tuple(task.address for task in search.candidates.tasks),
        promising=_promising(search, untried[:_MOST_PROMISING]) if finished else (),
        needs=None if finished else _needs(search, dropped),
    )


def _needs(search: SearchRun, dropped: set[int]) -> float | None:
    """Return the seconds that finishing a model takes still; None if none is left."""
    seconds = np.delete(search.costs.rest(search.scheduler.planner.reached), list(dropped))
    return float(seconds.min()) if len(seconds) else None


def _promising(search: SearchRun, models: list[int]) -> tuple[UntriedModel, ...]:
    outlooks, tasks = search.scheduler.planner.outlooks(), search.candidates.tasks
    return tuple(
        UntriedModel(
            search.known.names[model],
            {
                task.address: (float(outlook.mean[model]), float(outlook.deviation[model]))
                for task, outlook in zip(tasks, outlooks, strict=True)
            },
        )
        for model in models
    )


def _contaminated(search: SearchRun) -> dict[str, tuple[str, ...]]:
    """Return the models whose name says that they were trained on a task, with the words that say so."""
    tasks = short_names(task.address for task in search.candidates.tasks).values()
    words = {}
    for model in map(int, np.flatnonzero(search.known.is_made_for_it)):
        name = search.known.names[model]
        words[name] = tuple(dict.fromkeys(word for task in tasks for word in shared_words(task, name)))
    return words


def _screened(search: SearchRun, model: int, *, is_ruled_out: bool) -> ScreenedModel:
    planner, tasks = search.scheduler.planner, search.candidates.tasks
    stage = search.candidates.stages[int(planner.reached[model])]
    rows = [len(task.train) if some is None else some for task, some in zip(tasks, stage.rows, strict=True)]
    values = {}
    for task, seen in zip(tasks, planner.seen(model), strict=True):
        if seen is not None:
            half = _Z * seen.deviation
            values[task.address] = seen.value, Interval(seen.value - half, seen.value + half)
    return ScreenedModel(search.known.names[model], sum(rows), values, is_ruled_out)


def _curve(search: SearchRun) -> tuple[tuple[float, tuple[float, ...]], ...]:
    """Return the seconds after each finished model, and the best value expected on each task by then."""
    outlooks = search.scheduler.planner.outlooks() if search.scheduler.curve else []
    curve, best = [], np.full(len(outlooks), -np.inf)
    for seconds, model in search.scheduler.curve:
        best = np.maximum(best, [outlook.mean[model] for outlook in outlooks])
        curve.append((seconds, tuple(map(float, best))))
    return tuple(curve)


def _regrets(search: SearchRun) -> dict[str, float]:
    regrets = search.scheduler.planner.expected_regret()
    told = zip(search.candidates.tasks, regrets, strict=True)
    return {task.address: float(regret) for task, regret in told if np.isfinite(regret)}


def _bound(search: SearchRun, trainings: int) -> MissBound | None:
    """Return what a search of the same number of full trainings, by the history alone, may have missed."""
    tasks = search.candidates.tasks
    if len(tasks) != 1 or is_lower_better(tasks[0]) or search.known.units[0] != 1.0:
        return None
    history = search.known.history
    if not len(history.tasks) or trainings > _MOST_TRAININGS:
        return None
    top = 1.0
    (outlook,) = search.scheduler.planner.outlooks()
    shares = past_shares(history, Search(search.known.of_ranks), trainings, top)
    limit = bound(shares, top - outlook.best)
    return None if limit is None else MissBound(limit.high, trainings, limit.past_tasks)


def _reason(store: Store, key: str) -> str:
    return next((result.reason for result in store.results({key}, on_subsets=True)), "failed")
