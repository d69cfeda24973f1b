import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.analysis.across_tasks.generality import (
    THRESHOLDS,
    CombinedEvidence,
    across,
    across_tasks,
    complete_block,
)
from assay.analysis.per_task.index import index_matrix
from assay.analysis.per_task.intervals import ExampleDraws
from assay.findings.across import Across, Unit
from assay.findings.matrix import Matrix

FOUR_TASKS = {
    "a": {"x": 1.0, "y": 0.5, "z": 0.2},
    "b": {"x": 1.0, "y": 0.6, "z": -9.0},
    "c": {"x": 0.9, "y": 1.0},
    "d": {"x": 0.0, "y": 1.0},
}


def compared(table: dict, **more) -> Across:
    """Compare values that are indices already."""
    matrix = Matrix.of(table)
    result = across_tasks(CombinedEvidence(matrix, matrix, **more))
    assert result is not None
    return result


def simulated(models: int, tasks: int, seed: int, holes: float = 0.0) -> Matrix:
    rng = np.random.default_rng(seed)
    values = rng.normal(np.linspace(0.9, 0.6, models)[:, None], 0.05, size=(models, tasks))
    values[rng.random(values.shape) < holes] = np.nan
    names = tuple(f"m{number:02}" for number in range(models))
    return Matrix(names, tuple(f"t{number:02}" for number in range(tasks)), values)


def of_matrix(matrix: Matrix) -> Across:
    result = across(matrix)
    assert result is not None
    return result


def test_index_rank_and_wins_agree_with_a_computation_by_hand():
    first, second, third = compared(FOUR_TASKS).models

    assert [first.model, second.model, third.model] == ["x", "y", "z"]
    assert first.index == pytest.approx(0.95)  # of 0, 0.9, 1, 1 the middle two
    assert second.index == pytest.approx(0.8)
    assert (first.average_rank, second.average_rank) == (1.5, 1.5)
    assert (first.win_rate, second.win_rate) == (4 / 6, 4 / 6)  # x beats y twice and z twice, of six pairs
    assert (first.worst_task, first.worst_index) == ("d", 0.0)
    assert (first.borda, second.borda, third.borda) == (4.0, 4.0, 0.0)


def test_a_model_with_holes_is_compared_where_it_meets_others():
    result = compared(FOUR_TASKS)
    third = result.models[2]

    assert (third.index, third.average_rank, third.interval) == (None, None, None)
    assert third.tasks == ("a", "b")
    assert third.missing == {"c": "there is no value", "d": "there is no value"}
    assert third.win_rate == 0.0
    assert third.strength < result.models[1].strength
    assert "z has a value on 2 of 4 tasks (not c and d)" in " ".join(result.remarks)


def test_without_an_index_the_mean_rank_orders():
    matrix = Matrix.of(FOUR_TASKS)
    nothing = Matrix(matrix.models, matrix.tasks, np.full(matrix.values.shape, np.nan))

    result = across_tasks(CombinedEvidence(matrix, nothing))

    assert [model.index for model in result.models] == [None] * 3
    assert [model.p_value for model in result.models] == [None] * 3
    assert result.models[0].worst_task == "d"  # of its worst ranks that with the lowest value


def test_a_task_without_an_index_counts_for_ranks_only():
    matrix = Matrix.of({**FOUR_TASKS, "e": {"x": 0.1, "y": 0.2}})
    index = Matrix(matrix.models, matrix.tasks, np.where([True] * 4 + [False], matrix.values, np.nan))

    result = across_tasks(CombinedEvidence(matrix, index))

    assert result.index_tasks == ("a", "b", "c", "d")
    assert result.models[0].index == pytest.approx(0.95)
    assert result.models[0].average_rank == 1.6
    assert "On e no model is better than the median model" in " ".join(result.remarks)


@pytest.mark.parametrize("table", [{"a": {"x": 1.0, "y": 0.5}}, {"a": {"x": 1.0}, "b": {"x": 1.0}}, {}])
def test_one_task_or_one_model_is_not_compared(table):
    matrix = Matrix.of(table)

    assert across_tasks(CombinedEvidence(matrix, matrix)) is None


def test_profiles_are_shares_of_tasks():
    first = compared(FOUR_TASKS).models[0]

    assert first.profile[0] == 1.0  # at least 0 everywhere
    assert first.profile[THRESHOLDS.index(0.9)] == 0.75
    assert first.profile[THRESHOLDS.index(0.95)] == 0.5
    assert first.profile[-1] == 0.5


def test_many_tasks_tell_models_apart_by_the_tasks():
    result = of_matrix(simulated(5, 20, seed=0))

    assert result.unit is Unit.TASKS
    assert [model.may_be_best for model in result.models][-1] is False
    assert result.models[0].p_value == 1.0
    assert result.models[-1].practical.worse > 0.99
    low, high = result.models[0].ranks
    assert 1 == low <= high <= 2
    assert result.omnibus.p_value < 1e-6


def test_few_tasks_tell_models_apart_by_their_examples():
    rng = np.random.default_rng(0)
    table = {task: {"x": 0.9, "y": 0.8, "z": 0.898} for task in "abc"}
    draws = {
        task: ExampleDraws(("x", "y", "z"), rng.normal([0.9, 0.8, 0.898], 0.01, size=(2000, 3)))
        for task in "abc"
    }

    result = compared(table, draws=draws)

    assert result.unit is Unit.EXAMPLES
    assert [(model.model, model.may_be_best) for model in result.models] == [
        ("x", True),
        ("z", True),
        ("y", False),
    ]
    assert result.models[0].interval is None
    assert result.models[0].interval_here.low == pytest.approx(0.9 - 1.96 * 0.01 / 3**0.5, abs=0.001)
    assert "about these tasks, not about other tasks like them" in " ".join(result.remarks)


def test_few_tasks_without_predictions_tell_nothing():
    result = compared({task: {"x": 0.9, "y": 0.8} for task in "abc"})

    assert result.unit is None
    assert [model.may_be_best for model in result.models] == [None, None]
    assert (
        "find a significant difference between 2 models: at least 6 tasks are needed. "
        "Differences were not tested." in " ".join(result.remarks)
    )


def test_twins_are_equal():
    matrix = simulated(4, 12, seed=1)
    values = np.vstack([matrix.values, matrix.values[:1]])
    result = of_matrix(Matrix((*matrix.models, "twin"), matrix.tasks, values))
    first, second = result.models[:2]

    assert dataclasses.replace(first, model="", practical=None) == dataclasses.replace(
        second, model="", practical=None
    )
    assert second.practical.equal == pytest.approx(1.0)


def test_another_leader_by_another_measure_is_noted():
    table = {f"t{number}": {"steady": 0.8, "bold": 1.0, "last": 0.0} for number in range(8)}
    table["t8"] = {"steady": 0.8, "bold": 0.1, "last": 0.0}
    result = compared(table)

    assert result.models[0].model == "bold"
    assert result.remarks[0] == (
        "bold is first by index and mean rank, but steady by worst task (0.800 against 0.100)."
    )
    assert [criterion.name for criterion in result.criteria] == ["index", "mean rank", "worst task"]


def test_strength_and_points_are_criteria_only_where_values_are_missing():
    names = [criterion.name for criterion in compared(FOUR_TASKS).criteria]

    assert names[3:] == ["strength on shared tasks", "Borda points"]


def test_equal_models_are_called_so():
    rng = np.random.default_rng(5)
    result = of_matrix(Matrix(tuple("abcd"), tuple("uvwxyz"), rng.normal(size=(4, 6))))

    assert any("no more than expected by chance" in remark for remark in result.remarks)


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([0.0, 0.15]))
def test_the_order_of_models_and_tasks_changes_nothing(random, holes):
    matrix = simulated(5, 7, seed=2, holes=holes)
    models, tasks = random.sample(matrix.models, 5), random.sample(matrix.tasks, 7)

    assert of_matrix(matrix.take(models, tasks)) == of_matrix(matrix)


def test_the_largest_complete_block_is_kept():
    block = complete_block(
        Matrix.of({"a": dict.fromkeys("xyz", 1.0), "b": dict.fromkeys("xyz", 1.0), "c": {"x": 1.0}})
    )

    assert (block.models, block.tasks) == (("x", "y", "z"), ("a", "b"))


def test_with_few_holes_the_block_is_the_largest_of_all():
    matrix = simulated(6, 6, seed=3, holes=0.2)
    sizes = [
        (matrix.known[np.ix_(rows, np.flatnonzero(matrix.known[rows].all(axis=0)))].size)
        for chosen in range(1, 2**6)
        for rows in [np.flatnonzero([chosen >> bit & 1 for bit in range(6)])]
        if len(rows) > 1 and matrix.known[rows].all(axis=0).sum() > 1
    ]

    assert complete_block(matrix).values.size == max(sizes)


def test_a_median_model_has_an_index_of_zero():
    index = index_matrix(
        Matrix.of({"t": {"a": 3.0, "b": 1.0, "c": 2.0}, "u": {"a": 1.0, "b": 1.0, "c": 1.0}})
    )

    assert index.column("t") == {"a": 1.0, "b": -1.0, "c": 0.0}
    assert index.column("u") == {}


def test_a_floor_that_is_known_has_an_index_of_zero():
    index = index_matrix(Matrix.of({"t": {"a": 0.9, "b": 0.5}}), {"t": 0.1})

    assert index.column("t") == {"a": 1.0, "b": 0.5}


def test_indices_below_minus_one_are_counted_and_named():
    table = {task: {"a": 0.9, "b": 0.8, "c": 0.7} for task in "tuvwx"} | {"y": {"a": 0.9, "b": 0.8, "c": 0.1}}

    result = across(Matrix.of(table), dict.fromkeys(table, 0.6))

    assert any(remark.startswith("1 index below −1 counts as −1 in means") for remark in result.remarks)
