"""Prepares and runs a search: its past, its stages, its budget."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from assay.core.errors import UsageError
from assay.core.model import ModelSource
from assay.core.result import Finished
from assay.core.task import Task
from assay.findings.search_progress import SearchProgress
from assay.plugins.engine import Engine, Watch
from assay.plugins.families import families
from assay.plugins.registry import Named
from assay.plugins.scheduler import Observed, observed
from assay.run.evaluation import Evaluation, chance_level
from assay.run.evaluator import Evaluator
from assay.run.plan import Run, plan
from assay.run.random_weights import random_controls, runs_for_controls
from assay.run.search.candidates import CandidateModels, Candidates, downloads_of, fact_of, sizes_of
from assay.run.search.rule import HALF_A_POINT, SearchRule
from assay.run.search.running_step import Records
from assay.run.search.scheduler import SearchScheduler
from assay.run.search.spending import Spending
from assay.run.search.stages import examples_of, stages_of
from assay.run.search.within_disk import WithinDisk
from assay.run.within_budget import WithinBudget
from assay.search.costs import Costs
from assay.search.history import History
from assay.search.past import all_tables, past_for
from assay.search.planner import Planner
from assay.search.prior import Prior, from_facts, learn
from assay.search.rank_weight import MOST_MODELS, rank_weights
from assay.search.simulation import cases, usable
from assay.store.results import Store
from assay.store.search_log import read_openings, write_openings
from assay.wording.short_names import short_names

_SECONDS_BETWEEN = 2.0  # times that the store is told how far a search is
_FEWEST_TASKS = 5  # past tasks, for their results to say more than facts


class SearchContext(NamedTuple):
    """What is known before the search.

    Attributes:
        names: The addresses of the candidates.
        history: Results of past tasks for exactly these models; without tasks, if there are too few.
        sources: The tables that they come from.
        past_tasks: The number of data sets of past tasks, also if there are too few.
        is_made_for_it: Whether the name of a model says that it was trained on the data of a task.
        units: The size of the metric of each task.
        of_ranks: How much mean ranks count for models that were not tried.
    """

    names: tuple[str, ...]
    history: History
    sources: tuple[str, ...]
    past_tasks: int
    is_made_for_it: np.ndarray
    units: tuple[float, ...]
    of_ranks: float


class SearchRun(NamedTuple):
    """A search: what is known before it, the models, and the scheduler, which knows how it goes."""

    known: SearchContext
    choice: CandidateModels
    candidates: Candidates
    costs: Costs
    scheduler: SearchScheduler
    excluded: frozenset[int]
    within_disk: WithinDisk | None


class SearchRequest(NamedTuple):
    """What is asked of each model.

    Attributes:
        tasks: The tasks, of one modality.
        runs: The methods of the study with their seeds.
        evaluation: Creates an evaluation from its model, identity, task, jobs and train_rows.
        has_control: Whether a model with random weights is judged too.
        start: When the budget of this start begins, by ``time.monotonic``.
    """

    tasks: Sequence[Task]
    runs: Sequence[Run]
    evaluation: Callable[..., Evaluation]
    has_control: bool
    start: float


def prepare(
    choice: CandidateModels,
    asked: SearchRequest,
    rule: SearchRule,
    store: Store,
    done: Callable[[Iterable[str]], set[str]],
) -> SearchRun:
    """Return a search that is ready to run.

    Args:
        choice: The models that may be tried.
        asked: What each of them is asked.
        rule: What the search may spend.
        store: What it has is not run again.
        done: Returns the keys of jobs that need not run again.

    Raises:
        UsageError: The tasks are of several modalities, or all models are left out.
    """
    tasks = asked.tasks
    known, priors = _known(choice, tasks)
    stages = stages_of(tasks, asked.runs)
    tops = [0.0 if is_lower_better(task) else 1.0 for task in tasks]
    planner = Planner(priors, len(stages), _tolerances(rule, known.units, tasks), tops, known.of_ranks)
    made_for_it = frozenset(map(int, np.flatnonzero(known.is_made_for_it)))
    excluded = made_for_it if rule.exclude_contaminated else frozenset()
    if len(excluded) == len(known.names):
        raise UsageError(
            "No model is left: the names of all say that they were trained on a task. Leave out "
            "--exclude-contaminated, or name others."
        )
    for model in excluded:
        planner.drop(model)
    downloads = downloads_of(choice.entries)
    costs = Costs(sizes_of(choice.entries), downloads, examples_of(tasks, stages))
    candidates = Candidates(choice, tasks, stages, asked.evaluation, done)

    def known_of(wanted: Iterable[str]) -> dict[str, Observed]:
        keys = done(wanted)
        events = map(Finished, store.results(keys, on_subsets=True) if keys else ())
        seen = [event for event in map(observed, events) if isinstance(event, Observed)]
        return {event.job.key: event for event in seen}

    def controls(model: Named[ModelSource]) -> Iterable[Evaluation]:
        random = random_controls([model], {task.modality for task in tasks}) if asked.has_control else ()
        wanted = runs_for_controls(asked.runs)
        return plan(random, tasks, wanted, asked.evaluation).evaluations if random and wanted else ()

    models = {result.job.model for result in store.results(on_subsets=True)}
    records = Records(models, known_of, read_openings(store.arrays), partial(write_openings, store.arrays))
    spending = Spending(rule, downloads, asked.start)
    scheduler = SearchScheduler(candidates, planner, costs, spending, records, controls)
    within_disk = None
    if rule.max_disk is not None:
        within_disk = WithinDisk(scheduler, candidates, planner, costs, rule.max_disk)
    return SearchRun(known, choice, candidates, costs, scheduler, excluded, within_disk)


class Watches(NamedTuple):
    """What shows how far a search is.

    Attributes:
        stage: Called with the current stage of an evaluation.
        search: Called after each step.
    """

    stage: Watch
    search: Callable[[SearchProgress], None]


def run_search(
    search: SearchRun,
    store: Store,
    engine: Engine,
    watches: Watches,
    cache_bytes: float,
    keep: Callable[[], None],
) -> None:
    """Run a search: keep each event in the store, and tell the scheduler.

    Args:
        search: The search.
        store: Where results are kept.
        engine: What runs evaluations.
        watches: What shows how far it is.
        cache_bytes: What the features of the store may take.
        keep: Keeps how far the search is; called every few seconds.
    """
    scheduler, kept, shown = search.scheduler, -math.inf, 0
    within = WithinBudget(search.within_disk or scheduler, store.root, cache_bytes)
    with closing(engine.run(Evaluator(), within, watches.stage)) as events:
        for event in events:
            store.keep(event)
            within.tell(observed(event))
            if scheduler.steps > shown:
                shown = scheduler.steps
                watches.search(scheduler.progress())
            if time.monotonic() - kept >= _SECONDS_BETWEEN:
                keep()
                kept = time.monotonic()


def _tolerances(rule: SearchRule, units: Sequence[float], tasks: Sequence[Task]) -> list[float]:
    tolerance = HALF_A_POINT if rule.tolerance is None else rule.tolerance
    return [tolerance.of(unit, task.metric) for unit, task in zip(units, tasks, strict=True)]


def unit_of(task: Task) -> float:
    """Return the size of the values of a task's metric: that of chance level if lower is better, else 1.

    Of metrics such as R2, whose chance level is about 0 and may be negative, it is 1 as well.
    """
    return max(abs(chance_level(task)), 1e-9) if is_lower_better(task) else 1.0


def is_lower_better(task: Task) -> bool:
    """Return whether lower values of a task's metric are better."""
    return families().metrics.load(task.metric).shown_negated


def _known(choice: CandidateModels, tasks: Sequence[Task]) -> tuple[SearchContext, list[Prior]]:
    modalities = {task.modality for task in tasks}
    if len(modalities) > 1:
        raise UsageError(
            f"The tasks consist of {' and '.join(sorted(modalities))}. A search is for tasks of one kind: "
            "run one for each."
        )
    names = tuple(map(str, choice.models))
    units = tuple(unit_of(task) for task in tasks)
    found = past_for(names, modalities.pop(), histories=all_tables())
    history = _as_shares(usable(found.history))
    past_tasks = len(set(history.groups))
    short = short_names(task.address for task in tasks)
    priors = []
    for task, unit in zip(tasks, units, strict=True):
        if past_tasks >= _FEWEST_TASKS:
            priors.append(learn(history, short[task.address]))
        else:
            priors.append(from_facts(names, short[task.address], fact_of(choice.entries), unit))
    if past_tasks < _FEWEST_TASKS:
        history = history.of_tasks([])
    made_for_it = np.max([prior.made_for_it for prior in priors], axis=0) > 0
    of_ranks = rank_weights(cases(history)).best() if len(names) <= MOST_MODELS else 0.0
    return SearchContext(names, history, found.sources, past_tasks, made_for_it, units, of_ranks), priors


def _as_shares(history: History) -> History:
    """Return a history whose percentages are shares, as the metrics of tasks are."""
    tops = np.nanmax(history.values, axis=1, initial=0.0, keepdims=True)
    return replace(
        history, values=np.where((tops > 1.5) & (tops <= 100), history.values / 100, history.values)
    )
