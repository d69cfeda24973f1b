from itertools import product

import baycomp
import numpy as np
import pytest
from scipy import stats

from assay.analysis.across_tasks.generality import across
from assay.analysis.across_tasks.significance import fewest_tasks, practical, wilcoxon
from assay.findings.matrix import Matrix


def test_the_ranks_are_those_of_demsars_example(demsar):
    # Demsar (2006), table 2: the ranks of gains sum to 93, of losses to 12; up to 21 is significant at 5 %
    difference = np.round(demsar[1] - demsar[0], 12)
    ranks = stats.rankdata(np.abs(difference))
    zeros = ranks[difference == 0].sum() / 2

    assert (ranks[difference > 0].sum() + zeros, ranks[difference < 0].sum() + zeros) == (93.0, 12.0)
    assert 0.005 < wilcoxon(difference[None])[0] < 0.05


@pytest.mark.parametrize("tasks", [1, 5, 9, 12])
@pytest.mark.parametrize("digits", [1, 9])
def test_it_is_the_share_of_all_signs_that_reach_the_ranks(tasks, digits):
    difference = np.round(
        np.random.default_rng(tasks).normal(0.4, 0.4, size=tasks), digits
    )  # with ties, and 0
    ranks = stats.rankdata(np.abs(difference))
    observed = abs(np.sign(difference) @ ranks)
    moving = ranks[difference != 0]

    every = [
        abs(np.array(signs) @ moving) >= observed - 1e-9 for signs in product((-1, 1), repeat=len(moving))
    ]

    assert wilcoxon(difference[None])[0] == pytest.approx(np.mean(every))


@pytest.mark.parametrize("tasks", [6, 20, 41])
def test_without_ties_the_p_value_is_scipys(tasks):
    differences = np.random.default_rng(tasks).normal(0.2, 1, size=(5, tasks))

    assert wilcoxon(differences) == pytest.approx(stats.wilcoxon(differences, axis=1, method="exact").pvalue)


def test_equal_models_are_equal():
    assert wilcoxon(np.zeros((2, 9))).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("models", [2, 5, 20])
def test_so_many_tasks_can_differ_significantly_and_one_fewer_cannot(models):
    tasks = fewest_tasks(models)
    found = []
    for size in (tasks - 1, tasks):
        values = np.repeat(np.linspace(0.9, 0.1, models)[:, None], size, axis=1)
        matrix = Matrix(
            tuple(f"m{row}" for row in range(models)), tuple(f"t{task}" for task in range(size)), values
        )
        of_size = across(matrix, dict.fromkeys(matrix.tasks, 0.0))
        assert of_size is not None
        found.append([model.p_value is not None and model.p_value < 0.05 for model in of_size.models[1:]])

    assert not any(found[0])
    assert all(found[1])


def test_rounding_does_not_part_ties():
    difference = np.array([0.1, 0.1 + 1e-16, -0.1, 0.3 - 0.2, 0.2, 0.4, 0.5])
    exact = np.array([0.1, 0.1, -0.1, 0.1, 0.2, 0.4, 0.5])

    assert wilcoxon(difference[None]).tolist() == wilcoxon(exact[None]).tolist()


@pytest.mark.parametrize(("shift", "rope"), [(0.02, 0.01), (0.0, 0.01), (0.005, 0.02), (-0.01, 0.003)])
def test_the_probabilities_are_those_of_baycomp(shift, rope):
    difference = np.random.default_rng(1).normal(shift, 0.03, size=14)
    (result,) = practical(difference[None], rope, seed=0)
    left, equal, right = baycomp.SignedRankTest.probs(
        difference, np.zeros(14), rope=rope, nsamples=20_000, random_state=1
    )

    assert (result.better, result.equal, result.worse) == pytest.approx((left, equal, right), abs=0.015)


def test_turning_the_sides_turns_the_answer():
    difference = np.random.default_rng(2).normal(0.01, 0.02, size=11)
    item, other = practical(np.stack([difference, -difference]), 0.01, seed=0)

    assert (item.better, item.equal, item.worse) == (other.worse, other.equal, other.better)


def test_models_within_the_region_are_surely_equal():
    assert practical(np.full((1, 10), 0.001), 0.01, seed=0)[0].equal > 0.99


def test_many_tasks_are_weighed_as_few_are(monkeypatch):
    differences = np.random.default_rng(0).normal(0.01, 0.03, size=(3, 20))
    differences[0, :5] = 0  # sums on the edge of the region count half

    by_pairs = practical(differences, 0.01, 0)
    monkeypatch.setattr("assay.analysis.across_tasks.significance._MANY_TASKS", 19)

    for few, many in zip(by_pairs, practical(differences, 0.01, 0), strict=True):
        assert (many.better, many.equal, many.worse) == pytest.approx((few.better, few.equal, few.worse))
