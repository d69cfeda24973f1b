"""Replays searches on a matrix of results, beside the simple rules that a search must beat."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.analysis.per_task.intervals import LEVEL
from assay.core.errors import UsageError
from assay.core.estimate import Interval
from assay.findings.matrix import Matrix
from assay.findings.simulation import Coverage, Line, Simulation
from assay.search.bound import bound, past_shares
from assay.search.history import History
from assay.search.names import matches
from assay.search.policies import ByColumn, Policy, Portfolio, Search, Static
from assay.search.simulation import (
    Case,
    Replay,
    at,
    by_group,
    cases,
    cost_to_within,
    costs_of,
    replay,
    replay_random,
    usable,
)
from assay.tables.grids import read_columns
from assay.tables.matrices import higher_is_better, parse_row_kind, read_facts, read_matrices, select_matrix

RANDOM = "random"
_DRAWS = 4000
_HALF_A_POINT = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Replays:
    """What is simulated.

    Attributes:
        table: A file of results, models x tasks.
        matrix: Which, if the file holds several.
        rows: What the rows are: models or tasks; None to guess.
        lower_is_better: Tasks, or patterns, where lower is better.
        costs: A table with the cost of each model.
        scores: A table of scores of models on tasks, each of which is a rule of its own.
        groups: A table of tasks and their data sets; tasks of one data set are left out together.
        trials: The numbers of trials at which regret is printed.
        tolerance: Loss that is close enough, in the unit of the matrix; by default half a percent of the top,
            or of the median value if lower is better everywhere.
        bound: The number of trials for which the bound on what is missed is checked; None for no check.
        top: The highest value that the metric can have; by default 1, or 100 for percent.
        exclude_contaminated: Leave out models whose name holds that of the task.
        seed: Decides the random orders and the intervals.
    """

    table: Path
    matrix: str | None = None
    rows: str | None = None
    lower_is_better: Collection[str] = ()
    costs: Path | None = None
    scores: Path | None = None
    groups: Path | None = None
    trials: tuple[int, ...] = (1, 3, 5, 10, 20)
    tolerance: float | None = None
    bound: int | None = None
    top: float | None = None
    exclude_contaminated: bool = False
    seed: int = 0


def parse_trials(text: str) -> tuple[int, ...]:
    """Return the numbers of trials that a user wrote, such as ``1,5,10``; raise ``UsageError`` otherwise."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"The trials are '{text}'. Write numbers of models from 1, as in 1,5,10.")
    return tuple(sorted({int(part) for part in parts}))


def simulate(request: Replays) -> Simulation:
    """Replay the search and simple rules on every task of a matrix, each left out of the past in turn.

    Raises:
        UsageError: A table cannot be read, does not fit the matrix, or no task can be replayed.
    """
    file = read_matrices(request.table, rows=parse_row_kind(request.rows))
    matrix = higher_is_better(
        select_matrix(file, request.table, request.matrix, "--method"), request.lower_is_better
    )
    history = History.of(matrix, _groups(request.groups, matrix))
    made_for_it = np.stack([matches(task, history.models) > 0 for task in history.tasks])
    contaminated = int((made_for_it & np.isfinite(history.values)).sum())
    every = cases(history, exclude_contaminated=request.exclude_contaminated)
    if not every:
        raise UsageError(
            f"No task of '{request.table}' can be replayed. A matrix needs two data sets or more, each with "
            "different values of three models or more that other tasks have as well."
        )
    costs = _costs(request.costs, matrix)
    top = _top(request.top, matrix)
    tolerance = _HALF_A_POINT * (top or _middle(matrix)) if request.tolerance is None else request.tolerance
    most = max(request.trials)
    played: dict[str, list[Replay]] = {}
    for policy in (Search(), Static(), Portfolio()):
        played[policy.name] = [_replayed(case, policy, most, costs) for case in every]
    played[RANDOM] = [
        one for case in every for one in replay_random(case, most, request.seed, costs_of(case.models, costs))
    ]
    for name, scores in _scores(request, matrix).items():
        played[name] = [_by_score(case, name, scores, most, costs) for case in every]
    replayed = {case.task for case in every}
    return Simulation(
        notes=file.notes,
        tasks=len(every),
        data_sets=len({case.group for case in every}),
        models=len(matrix.models),
        trials=request.trials,
        tolerance=tolerance,
        lines=tuple(_line(name, played, request, tolerance) for name in played),
        coverage=None if request.bound is None else _coverage(history, every, request.bound, top),
        contaminated=contaminated,
        excluded=request.exclude_contaminated,
        skipped=tuple(task for task in matrix.tasks if task not in replayed),
    )


def _replayed(case: Case, policy: Policy, trials: int, costs: Mapping[str, float] | None) -> Replay:
    return replay(case, policy, trials, costs_of(case.models, costs))


def _by_score(
    case: Case,
    name: str,
    scores: Mapping[str, Mapping[str, float]],
    trials: int,
    costs: Mapping[str, float] | None,
) -> Replay:
    known = scores.get(case.task, {})
    numbers = np.array([known.get(model, np.nan) for model in case.models])
    return _replayed(case, ByColumn(name, numbers), trials, costs)


def _line(name: str, played: Mapping[str, Sequence[Replay]], request: Replays, tolerance: float) -> Line:
    replays = played[name]
    regrets, gains = [], []
    for trials in request.trials:
        own, static = (_of_groups(played[rule], trials) for rule in (name, Static.name))
        regrets.append(float(own.mean()))
        gains.append(None if name == Static.name else _interval(static - own, request.seed))
    shares = cost_to_within(replays, tolerance)
    return Line(name, tuple(regrets), tuple(gains), float(shares.mean()), float(np.median(shares)))


def _of_groups(replays: Sequence[Replay], trials: int) -> np.ndarray:
    """Return the mean regret on each data set, in the order of their names."""
    return by_group(at(replays, trials), [one.group for one in replays])


def _interval(differences: np.ndarray, seed: int) -> Interval | None:
    """Return the bootstrap interval of a mean over data sets; None for one."""
    if len(differences) < 2:
        return None
    rng = np.random.default_rng(seed)
    means = differences[rng.integers(len(differences), size=(_DRAWS, len(differences)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high), LEVEL)


def _coverage(history: History, every: Sequence[Case], trials: int, top: float) -> Coverage:
    """Return how often the bound held, nested: the bound for a task knows nothing of its data set."""
    held, highs = [], []
    of_group: dict[str, np.ndarray] = {}
    for case in every:
        if case.group not in of_group:
            past = usable(history.without(case.group))
            of_group[case.group] = past_shares(past, Search(), trials, top)
        one = replay(case, Search(), trials)
        left = one.left[min(trials, len(one.left)) - 1]
        limit = bound(of_group[case.group], top - (case.values.max() - left))
        if limit is not None:
            held.append(left <= limit.high + 1e-12)
            highs.append(limit.high)
    return Coverage(trials, sum(held), len(held), float(np.median(highs)) if held else 0.0)


def _costs(path: Path | None, matrix: Matrix) -> dict[str, float] | None:
    """Return the cost of each model."""
    if path is None:
        return None
    columns = read_facts(path)
    if not columns:
        raise UsageError(f"'{path}' has no column of numbers. Write one model a row, and its cost beside it.")
    name, costs = next(iter(columns.items()))
    missing = [model for model in matrix.models if not costs.get(model, 0.0) > 0]
    if missing:
        raise UsageError(
            f"'{path}' has no cost above 0 in column '{name}' for {len(missing)} of {len(matrix.models)} "
            f"models, such as '{missing[0]}'. Give each model of the matrix one."
        )
    return costs


def _scores(request: Replays, matrix: Matrix) -> dict[str, dict[str, dict[str, float]]]:
    """Return each score: task -> model -> number."""
    if request.scores is None:
        return {}
    file = read_matrices(request.scores, rows=parse_row_kind(request.rows), models=matrix.models)
    scores = {}
    for name, of_score in file.matrices.items():
        if not set(of_score.models) & set(matrix.models) or not set(of_score.tasks) & set(matrix.tasks):
            raise UsageError(
                f"'{request.scores}' has no value for a model and a task of '{request.table}'. Both tables "
                "must use the same names."
            )
        scores[name] = {
            task: {
                model: float(value)
                for model, value in zip(of_score.models, of_score.values[:, column], strict=True)
                if np.isfinite(value)
            }
            for column, task in enumerate(of_score.tasks)
        }
    return scores


def _groups(path: Path | None, matrix: Matrix) -> dict[str, str] | None:
    """Return the data set of each task; those that the table does not name are their own."""
    if path is None:
        return None
    columns = list(read_columns(path).values())
    if len(columns) != 2:
        raise UsageError(f"'{path}' has {len(columns)} columns. Write two: the task, and its data set.")
    named = dict(zip(*columns, strict=True))
    unknown = [task for task in named if task not in matrix.tasks]
    if unknown:
        raise UsageError(f"'{path}' names the task '{unknown[0]}', which the matrix does not have.")
    return {task: named.get(task, task) for task in matrix.tasks}


def _middle(matrix: Matrix) -> float:
    """Return the size of the median value: what a tolerance refers to if lower is better on all tasks."""
    return float(np.nanmedian(np.abs(matrix.values)))


def _top(top: float | None, matrix: Matrix) -> float:
    """Return the highest value that the metric can have."""
    highest = float(np.nanmax(matrix.values))
    if top is None:
        return 0.0 if highest <= 0 else 1.0 if highest <= 1 else 100.0 if highest <= 100 else highest
    if top < highest:
        raise UsageError(
            f"The top is {top:g}, and the matrix holds {highest:g}. Write --top {highest:g} or more."
        )
    return top
