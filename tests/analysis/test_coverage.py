"""Whether intervals and ranks of whole simulated studies hold what they promise: it takes minutes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from assay.analysis.across_tasks.intervals import interquartile_mean
from assay.analysis.compare import compare
from assay.analysis.evidence import Evidence
from assay.core.job import Job
from assay.core.predictor import Predicted
from assay.core.result import Result, Status
from assay.core.task import LabelKind, Labels, Modality, TaskKind
from assay.findings.facts import TaskFacts
from assay.testing.simulated_study import SimulatedAccuracy

pytestmark = pytest.mark.slow

STUDIES = 100
MODELS = {"first": 1.6, "second": 1.1, "third": 1.1, "last": 0.6}  # mean skill
EXAMPLES, SEEDS, TASKS = 150, 3, 8
OF_TASK, OF_SEED = 0.25, 0.15  # deviations of the skill
FLOOR = 0.1


def accuracy(skill: np.ndarray, seed_spread: float = OF_SEED) -> np.ndarray:
    """Return the share that a skill gets right of all examples, over all seeds."""
    return stats.norm.cdf(skill / np.sqrt(1 + 0.5**2 + seed_spread**2))


class Simulated:
    """One study whose truth is known."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        names = tuple(MODELS)
        self.skills = np.array(list(MODELS.values()))[:, None] + OF_TASK * rng.normal(
            size=(len(names), TASKS)
        )
        results, predictions, truths, tasks = [], {}, {}, []
        for position in range(TASKS):
            task = TaskFacts(
                f"task {position}", TaskKind.CLASSIFICATION, Modality.TEXT, "accuracy", ("no", "yes"),
                100, 50, EXAMPLES, FLOOR, f"f{position}",
            )  # fmt: skip
            tasks.append(task)
            truths[task.fingerprint] = Labels(
                LabelKind.CLASSIFICATION, np.ones(EXAMPLES, dtype=int), task.classes
            )
            ease = rng.normal(size=EXAMPLES)  # shared by all models: they err on the same examples
            for row, name in enumerate(names):
                for run in range(SEEDS):
                    skill = self.skills[row, position] + OF_SEED * rng.normal()
                    right = (skill + ease + 0.5 * rng.normal(size=EXAMPLES) > 0).astype(int)
                    job = Job(
                        name, task.address, "linear_probe", run, f"{name}{position}{run}", task.fingerprint
                    )
                    predictions[job.key] = Predicted(right)
                    results.append(
                        Result(job, Status.OK, float(right.mean()), {"accuracy": float(right.mean())})
                    )
        evidence = Evidence(
            results, tasks, (), predictions, truths, {"accuracy": SimulatedAccuracy()}, frozenset(), {}
        )
        self.found = compare(evidence, ranked_by=None, seed=seed)


@pytest.fixture(scope="module")
def studies() -> list[Simulated]:
    return [Simulated(seed) for seed in range(STUDIES)]


def truth_of(study: Simulated, model: str, task: int) -> float:
    return float(accuracy(study.skills[list(MODELS).index(model), task]))


def test_the_interval_of_a_value_holds_what_other_seeds_and_examples_would_give(studies):
    held = [
        standing.interval.low <= truth_of(study, standing.model, position) <= standing.interval.high
        for study in studies
        for position, task in enumerate(study.found.tasks)
        for standing in task.standings
    ]

    assert 0.93 <= np.mean(held) <= 0.985


def test_the_intervals_of_differences_from_the_best_hold_all_of_them(studies):
    held = []
    for study in studies:
        for position, task in enumerate(study.found.tasks):
            best = truth_of(study, task.standings[0].model, position)
            held.append(
                all(
                    standing.difference.low
                    <= truth_of(study, standing.model, position) - best
                    <= standing.difference.high
                    for standing in task.standings[1:]
                )
            )

    assert np.mean(held) >= 0.95


def test_the_truly_best_is_among_those_that_may_be(studies):
    kept = []
    for study in studies:
        for position, task in enumerate(study.found.tasks):
            best = max(MODELS, key=lambda model: truth_of(study, model, position))
            kept.append(next(standing for standing in task.standings if standing.model == best).may_be_best)

    assert np.mean(kept) >= 0.95


def test_the_interval_of_the_index_holds_that_of_other_tasks(studies):
    rng = np.random.default_rng(0)
    means = np.array(list(MODELS.values()))[:, None]
    others = accuracy(means + OF_TASK * rng.normal(size=(20_000, len(MODELS), TASKS)))
    indices = (others - FLOOR) / (others.max(axis=1, keepdims=True) - FLOOR)
    expected = dict(zip(MODELS, interquartile_mean(indices).mean(axis=0), strict=True))

    held = [
        model.interval.low <= expected[model.model] <= model.interval.high
        for study in studies
        for model in study.found.across[0].models
        if model.model != "first"  # its index is 1 on most tasks: no spread, and no symmetric interval
    ]

    assert np.mean(held) >= 0.9


def test_ranks_hold_the_true_place(studies):
    held = [
        model.ranks[0] <= position <= model.ranks[1]
        for study in studies
        for model in study.found.across[0].models
        for position in [{"first": 1, "last": 4}.get(model.model)]
        if position is not None
    ]

    assert np.mean(held) >= 0.95
