"""Replays searches on a matrix of results, and compares them with simple rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assay.actions.simulation_rules import HALVING, JOINED, SEARCH_JOINED, Rule, of_facts, of_scores
from assay.actions.simulation_tables import read_costs, read_facts_as_rules, read_groups, read_scores
from assay.analysis.per_task.intervals import LEVEL
from assay.core.errors import UsageError
from assay.core.estimate import Interval
from assay.findings.matrix import Matrix
from assay.findings.simulation import Coverage, Line, Simulation
from assay.search.history import History
from assay.search.names import matches
from assay.search.policies import MeanRank, Portfolio, Search
from assay.search.rank_weight import rank_weights
from assay.search.regret_bound import bound, past_shares
from assay.search.simulation import (
    Case,
    Replay,
    at,
    at_cost,
    by_group,
    cases,
    cost_to_within,
    costs_of,
    replay,
    replay_random,
    usable,
)
from assay.tables.matrices import higher_is_better, parse_row_kind, read_matrices, select_matrix

RANDOM = "random"
_DRAWS = 4000
_FEWEST_DATA_SETS = 6  # for an interval
_HALF_A_POINT = 0.005
_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_CURVE = tuple(float(share) for share in np.geomspace(0.002, 1.0, 40))


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSettings:
    """What is simulated.

    Attributes:
        table: A file of results, models x tasks.
        matrix: Which, if the file holds several.
        rows: What the rows are: models or tasks; None to guess.
        lower_is_better: Tasks, or patterns, where lower is better.
        costs: A table with the cost of each model.
        scores: A table of scores of models on tasks: each is a rule of its own; halving goes through them in
            turn; joined with what past tasks say they are one more rule, and a search from there another.
        facts: A table of facts about models; each column of numbers is a rule, the largest first.
        groups: A table of tasks and their data sets; tasks of one data set are left out together.
        trials: The numbers of trials at which regret is printed.
        tolerance: Loss that is close enough, in the unit of the matrix; by default half a percent of the top,
            or of the median value if lower is better everywhere.
        bound: The number of trials for which the bound on what is missed is checked; None for no check.
        top: The highest value that the metric can have; by default 1, or 100 for percent.
        exclude_contaminated: Leave out models whose name contains that of the task.
        seed: Decides the random orders and the intervals.
    """

    table: Path
    matrix: str | None = None
    rows: str | None = None
    lower_is_better: Collection[str] = ()
    costs: Path | None = None
    scores: Path | None = None
    facts: Path | None = None
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


def simulate(request: SimulationSettings) -> Simulation:
    """Replay the search and simple rules on every task of a matrix, each left out of the past in turn.

    Raises:
        UsageError: A table cannot be read, does not fit the matrix, or no task can be replayed.
    """
    file = read_matrices(request.table, rows=parse_row_kind(request.rows))
    matrix = higher_is_better(
        select_matrix(file, request.table, request.matrix, "--method"), request.lower_is_better
    )
    if not matrix.tasks:
        raise UsageError(
            f"'{request.table}' has no numbers. Write models on one side and tasks on the other."
        )
    history = History.of(matrix, read_groups(request.groups, matrix))
    every = cases(history, exclude_contaminated=request.exclude_contaminated)
    if not every:
        raise UsageError(_why_none(history, request))
    made_for_it = np.stack([matches(task, history.models) > 0 for task in history.tasks])
    contaminated = int((made_for_it & np.isfinite(history.values)).sum())
    costs, cost_notes = read_costs(request.costs, matrix)
    top = _top(request.top, matrix)
    tolerance = _HALF_A_POINT * (top or _middle(matrix)) if request.tolerance is None else request.tolerance
    most = max(len(case.values) for case in every)
    trials = tuple(sorted({min(number, most) for number in request.trials}))
    request = replace(request, trials=trials)
    played = _played(request, matrix, history, every, costs)
    replayed = {case.task for case in every}
    return Simulation(
        notes=(*file.notes, *cost_notes),
        tasks=len(every),
        data_sets=len({case.group for case in every}),
        models=len(matrix.models),
        trials=request.trials,
        tolerance=tolerance,
        lines=tuple(_line(name, played, request, tolerance) for name in played),
        coverage=None if request.bound is None else _coverage(history, every, request.bound, top),
        contaminated=contaminated,
        excluded=request.exclude_contaminated,
        has_costs=costs is not None,
        shares=_SHARES,
        shares_of_curve=_CURVE,
        skipped=tuple(task for task in matrix.tasks if task not in replayed),
    )


def _played(
    request: SimulationSettings,
    matrix: Matrix,
    history: History,
    every: Sequence[Case],
    costs: Mapping[str, float] | None,
) -> dict[str, list[Replay]]:
    """Return the model that each rule finds on each task."""
    most = max(request.trials)
    facts = read_facts_as_rules(request.facts, matrix)
    scores = read_scores(request.scores, parse_row_kind(request.rows), matrix)
    weights = rank_weights(every)
    rules: dict[str, Rule] = {Search().name: [(case, Search(weights.best(case.group))) for case in every]}
    rules |= {policy.name: [(case, policy) for case in every] for policy in (MeanRank(), Portfolio())}
    own = {*rules, RANDOM, HALVING, JOINED, SEARCH_JOINED}
    taken = sorted({*facts, *scores} & own) + sorted(set(facts) & set(scores))
    if taken:
        raise UsageError(f"A fact or score is called '{taken[0]}', as another rule is. Give it another name.")
    rules |= {RANDOM: ()} | of_facts(facts, every) | of_scores(scores, history, every)
    played = {
        name: [replay(case, policy, most, costs_of(case.models, costs)) for case, policy in rule]
        for name, rule in rules.items()
    }
    played[RANDOM] = [
        one for case in every for one in replay_random(case, most, request.seed, costs_of(case.models, costs))
    ]
    return played


def _line(
    name: str, played: Mapping[str, Sequence[Replay]], request: SimulationSettings, tolerance: float
) -> Line:
    replays = played[name]
    regrets, gains, intervals = [], [], []
    for trials in request.trials:
        own, static = (_of_groups(played[rule], trials) for rule in (name, MeanRank.name))
        regrets.append(float(own.mean()))
        intervals.append(_interval(own, request.seed))
        gains.append(None if name == MeanRank.name else _interval(static - own, request.seed))
    within = cost_to_within(replays, tolerance)
    return Line(
        name,
        tuple(regrets),
        tuple(gains),
        float(within.mean()),
        float(np.median(within)),
        intervals=tuple(intervals),
        by_cost=_by_cost(replays, _SHARES),
        curve=tuple(float(_of_groups(replays, k + 1).mean()) for k in range(max(request.trials))),
        cost_curve=_by_cost(replays, _CURVE),
    )


def _by_cost(replays: Sequence[Replay], shares: Sequence[float]) -> tuple[float, ...]:
    groups = [one.group for one in replays]
    return tuple(float(by_group(at_cost(replays, share), groups).mean()) for share in shares)


def _of_groups(replays: Sequence[Replay], trials: int) -> np.ndarray:
    """Return the mean regret on each data set, in the order of their names."""
    return by_group(at(replays, trials), [one.group for one in replays])


def _interval(differences: np.ndarray, seed: int) -> Interval | None:
    """Return the bootstrap interval of a mean over data sets; None for fewer than six.

    With five data sets, all differences have the same sign by chance in 1 of 16 cases, and then all draws do.
    """
    if len(differences) < _FEWEST_DATA_SETS:
        return None
    rng = np.random.default_rng(seed)
    means = differences[rng.integers(len(differences), size=(_DRAWS, len(differences)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high), LEVEL)


def _coverage(history: History, every: Sequence[Case], trials: int, top: float) -> Coverage:
    """Return how often the bound held, nested: the bound for a task knows nothing of its data set."""
    held, highs = [], []
    of_group: dict[str, dict[str, np.ndarray]] = {}
    weights = rank_weights(every)
    for case in every:
        search = Search(weights.best(case.group))
        if case.group not in of_group:
            past = usable(history.without(case.group))
            of_group[case.group] = past_shares(past, search, trials, top)
        one = replay(case, search, trials)
        left = one.left[min(trials, len(one.left)) - 1]
        limit = bound(of_group[case.group], top - (case.values.max() - left))
        if limit is not None:
            held.append(left <= limit.high + 1e-12)
            highs.append(limit.high)
    return Coverage(trials, sum(held), len(held), float(np.median(highs)) if held else 0.0)


def _why_none(history: History, request: SimulationSettings) -> str:
    """Return why no task can be replayed, and what to write."""
    start = f"No task of '{request.table}' can be replayed"
    if len(set(history.groups)) < 2:
        hint = ", or other --groups" if request.groups is not None else ""
        return (
            f"{start}: it has one data set, '{history.groups[0]}', and no past. Add results on others{hint}."
        )
    if not usable(history).tasks:
        return f"{start}: on each, fewer than three models have a value, or all values are equal."
    return (
        f"{start}. A matrix needs two data sets or more, each with different values of three models or more "
        "that other tasks have as well."
    )


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
            f"The top is {top:g}, but the highest value is {highest:g}. Write --top {highest:g} or more."
        )
    return top
