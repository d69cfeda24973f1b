import dataclasses

import numpy as np
import pytest
from scipy import stats

from assay.analysis.generality import complete_block, generality, interquartile_mean
from assay.core.comparison import Comparison, Standing, TaskFindings


def _findings(template: TaskFindings, name: str, indices: dict[str, float | None]) -> TaskFindings:
    standings = tuple(
        Standing(
            model,
            value=index or 0.0,
            interval=None,
            index=index,
            rank=1,
            ranks=(1, 1),
            p_value=None,
            is_tied_best=False,
        )
        for model, index in indices.items()
    )
    return dataclasses.replace(
        template, task=dataclasses.replace(template.task, address=name), standings=standings
    )


@pytest.fixture
def four_tasks(comparison: Comparison) -> list[TaskFindings]:
    template = comparison.tasks[0]
    return [
        _findings(template, "a", {"x": 1.0, "y": 0.5, "z": 0.2}),
        _findings(template, "b", {"x": 1.0, "y": 0.6, "z": -9.0}),
        _findings(template, "c", {"x": 0.9, "y": 1.0}),
        _findings(template, "d", {"x": 0.0, "y": 1.0}),
    ]


@pytest.mark.parametrize("size", [2, 3, 4, 5, 8, 13])
def test_the_interquartile_mean_is_scipys_trimmed_mean(size):
    indices = np.random.default_rng(size).normal(size=(4, size))

    assert interquartile_mean(indices) == pytest.approx(stats.trim_mean(indices, 0.25, axis=1))


def test_only_models_with_a_value_on_all_tasks_are_compared(four_tasks):
    found = generality(four_tasks, seed=0)

    assert [one.model for one in found] == ["x", "y"]
    assert found[0].tasks == ("a", "b", "c", "d")


def test_index_rank_and_wins_agree_with_a_computation_by_hand(four_tasks):
    first, second = generality(four_tasks, seed=0)

    assert first.index == pytest.approx(0.95)  # of 0, 0.9, 1, 1 the middle two
    assert second.index == pytest.approx(0.8)
    assert (first.average_rank, first.win_rate) == (1.5, 0.5)
    assert (first.worst_task, first.worst_index) == ("d", 0.0)
    assert first.interval is not None
    assert first.interval.low < 0.95 <= first.interval.high


def test_two_tasks_have_no_interval(four_tasks):
    assert all(one.interval is None for one in generality(four_tasks[:2], seed=0))


def test_one_ruined_task_weighs_no_more_than_the_best_is_above_the_floor(four_tasks):
    third = generality(four_tasks[:2], seed=0)[-1]

    assert third.index == pytest.approx((0.2 - 1.0) / 2)
    assert third.worst_index == -9.0


def test_one_task_or_one_model_has_no_generality(four_tasks):
    alone = [dataclasses.replace(one, standings=one.standings[:1]) for one in four_tasks]

    assert generality(four_tasks[:1], seed=0) == ()
    assert generality(alone, seed=0) == ()


def test_a_task_where_nothing_beats_guessing_counts_for_ranks_only(comparison, four_tasks):
    hopeless = _findings(comparison.tasks[0], "e", {"x": None, "y": None})
    found = generality([*four_tasks, hopeless], seed=0)

    assert found[0].index == pytest.approx(0.95)
    assert found[0].worst_index is None


def test_estimates_have_ranks_and_no_index(comparison):
    template = comparison.tasks[0]
    found = generality([_findings(template, name, {"x": None, "y": None}) for name in "ab"], seed=0)

    assert [one.index for one in found] == [None, None]


def test_the_largest_complete_block_is_kept():
    values = {"a": dict.fromkeys("xyz", 1.0), "b": dict.fromkeys("xyz", 1.0), "c": {"x": 1.0}}

    assert complete_block(values) == (("a", "b"), ("x", "y", "z"))
