"""What past tasks say about models: additive effects, residuals that go together, names."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from assay.findings.matrix import Matrix
from assay.search.history import History, normalised, percentiles
from assay.search.posterior import believe
from assay.search.prior import expected, learn

MODELS = tuple(f"model{number}" for number in range(30))


def history(values: np.ndarray, models: tuple[str, ...] = MODELS) -> History:
    tasks = tuple(f"task{number}" for number in range(len(values)))
    return History(models, tasks, values, tasks)


def simulated(rng: np.random.Generator, tasks: int = 12, noise: float = 0.3) -> np.ndarray:
    """Return values of models with a skill each, on tasks of different offsets and spreads."""
    skills = rng.normal(size=len(MODELS))
    own = noise * rng.normal(size=(tasks, len(MODELS)))
    return rng.uniform(0.3, 0.6, size=(tasks, 1)) + rng.uniform(0.02, 0.1, size=(tasks, 1)) * (skills + own)


def test_values_are_normalised_to_the_median_and_the_best_of_each_task():
    values = np.array([[1.0, 2.0, 3.0, 5.0, np.nan], [-90.0, 10.0, 20.0, 30.0, 40.0]])

    scaled = normalised(values)

    np.testing.assert_allclose(scaled[0], [-0.6, -0.2, 0.2, 1.0, np.nan])
    np.testing.assert_allclose(scaled[1], [-1.0, -0.5, 0.0, 0.5, 1.0])  # a diverged run counts as -1


def test_a_percentile_rank_is_the_share_of_models_below_ties_counting_half():
    values = np.array([[0.1, 0.4, 0.4, np.nan, 0.9], [np.nan, 0.7, 0.2, np.nan, np.nan]])

    ranks = percentiles(values)

    np.testing.assert_allclose(ranks, [0.0, (0.5 + 1) / 2, (0.5 + 0) / 2, np.nan, 1.0])


def test_the_prior_orders_models_by_their_skill_with_three_in_ten_values_missing():
    rng = np.random.default_rng(1)
    values = simulated(rng)
    truth = normalised(values).mean(axis=0)
    values[rng.random(values.shape) < 0.3] = np.nan

    prior = learn(history(values), "new")

    assert stats.spearmanr(prior.mean, truth).statistic > 0.95
    assert np.isfinite(prior.past).all()
    np.testing.assert_allclose(prior.covariance, prior.covariance.T, atol=1e-12)
    assert np.linalg.eigvalsh(prior.covariance).min() > -1e-9


def test_a_model_without_a_past_is_less_certain_and_has_the_mean():
    values = simulated(np.random.default_rng(2))
    values[:, 4] = np.nan

    prior = learn(history(values), "new")

    assert prior.mean[4] == pytest.approx(0, abs=1e-9)
    assert prior.noise[4] == prior.noise.max() > 2 * np.median(prior.noise)
    assert np.isnan(prior.ranks[4])


def test_what_the_past_says_of_some_models_is_what_it_says_of_them_among_all():
    names = ("org/new-bird-base", "org/new-bird-large", *MODELS[2:])
    values = simulated(np.random.default_rng(4))
    values[np.random.default_rng(5).random(values.shape) < 0.3] = np.nan
    values[:, [1, 4]] = np.nan
    past = history(values, names)
    chosen = np.array([0, 1, 7, 20])  # one of those without a past

    some, every = learn(past, "birds", chosen), learn(past, "birds")

    np.testing.assert_allclose(some.covariance, every.covariance[np.ix_(chosen, chosen)], atol=1e-12)
    np.testing.assert_allclose(some.past, every.past[:, chosen])
    for name in ("mean", "noise", "ranks", "made_for_it"):
        np.testing.assert_allclose(getattr(some, name), getattr(every, name)[chosen], err_msg=name)


def test_models_named_after_a_task_are_expected_to_gain_what_they_gained_before():
    rng = np.random.default_rng(3)
    models = (*MODELS[:20], *(f"swin-finetuned-{name}" for name in ("birds", "flowers", "stones", "boats")))
    tasks = ("birds", "flowers", "stones")
    values = rng.normal(0, 0.05, size=(3, 24))
    values[[0, 1, 2], [20, 21, 22]] += 0.4
    past = History(models, tasks, values, tasks)

    prior = learn(past, "boats")

    assert prior.made_for_it.tolist() == [0.0] * 23 + [1.0]
    assert prior.mean.argmax() == 23


def test_tasks_on_which_all_models_are_equal_say_nothing():
    values = simulated(np.random.default_rng(4), tasks=5)

    with_constant = learn(history(np.vstack([values, np.full(len(MODELS), 0.5)])), "new")

    np.testing.assert_allclose(with_constant.mean, learn(history(values), "new").mean)


def test_the_posterior_is_unbiased_and_its_errors_have_the_stated_size():
    rng = np.random.default_rng(5)
    errors = []
    for _ in range(20):
        values = simulated(rng, tasks=13)
        prior, new = learn(history(values[:12]), "new"), values[12]
        tried = rng.permutation(len(MODELS))[:15]
        belief = believe(prior, tried, new[tried])
        rest = np.setdiff1d(np.arange(len(MODELS)), tried)
        errors.append((new[rest] - belief.mean[rest]) / belief.deviation[rest])

    errors = np.concatenate(errors)
    assert abs(errors.mean()) < 0.15
    assert 0.5 < errors.std() < 1.5  # the bound does not rest on it: see assay.search.regret_bound


def test_belief_does_not_depend_on_offset_and_unit_of_the_new_task():
    values = simulated(np.random.default_rng(6), tasks=7)
    prior, new = learn(history(values[:6]), "new"), values[6]
    tried = np.array([3, 8, 1])

    one, moved = (believe(prior, tried, new[tried] + offset) for offset in (0.0, 10.0))
    percent = believe(prior._replace(spreads=100 * prior.spreads), tried, 100 * new[tried])

    np.testing.assert_allclose(moved.mean - 10, one.mean, atol=1e-9)
    np.testing.assert_allclose(moved.improvement, one.improvement, atol=1e-9)
    np.testing.assert_allclose(percent.mean, 100 * one.mean, rtol=1e-6)
    np.testing.assert_allclose(percent.by_analogy, 100 * one.by_analogy, rtol=1e-6, atol=1e-12)


def test_a_history_of_a_matrix_groups_variants_of_one_data_set():
    matrix = Matrix.of({"cifar@1000": {"a": 1.0}, "cifar@full": {"a": 2.0}, "pets": {"a": 3.0}})

    found = History.of(matrix)

    assert found.groups == ("cifar", "cifar", "pets")
    assert found.without("cifar").tasks == ("pets",)
    assert History.of(matrix, {task: task for task in matrix.tasks}).groups == matrix.tasks
    with pytest.raises(Exception, match="'pets' has no group"):
        History.of(matrix, {"cifar@1000": "x", "cifar@full": "x"})


def test_a_model_without_a_past_takes_after_those_of_its_name_where_names_tell():
    rng = np.random.default_rng(7)
    models = tuple(f"{kind}-{number}" for kind in ("vit", "net", "mlp") for number in range(10))
    skills = np.repeat([1.0, 0.0, -1.0], 10)
    values = skills + 0.1 * rng.normal(size=(8, 30)) + 0.1 * rng.normal(size=30)
    values[:, [4, 14, 24]] = np.nan

    prior = learn(history(values, models), "new")

    assert prior.mean[4] > prior.mean[14] + 0.2 > prior.mean[24] + 0.4
    known = learn(history(values, tuple(f"m{number}" for number in range(30))), "new")
    assert np.ptp(known.mean[[4, 14, 24]]) < 1e-9  # these names tell nothing
    assert prior.noise[4] < known.noise[4]
    assert np.isnan(prior.ranks[[4, 14, 24]]).all()
    np.testing.assert_allclose(expected(history(values, models), "new"), prior.mean)


def test_trials_of_similar_names_change_what_is_believed_of_a_model_without_a_past():
    rng = np.random.default_rng(8)
    models = tuple(f"{kind}-{number}" for kind in ("vit", "net") for number in range(15))
    likes = np.where(np.arange(10) % 2, 1.0, -1.0)[:, None] * np.repeat([1.0, -1.0], 15)
    values = likes + 0.3 * rng.normal(size=(10, 30))
    values[:, [3, 18]] = np.nan
    prior = learn(history(values, models), "new")

    good_vits, good_nets = (
        believe(prior, np.array([0, 1, 20, 21]), 0.1 * sign * np.array([1.0, 1.0, -1.0, -1.0])).mean
        for sign in (1, -1)
    )

    assert good_vits[3] > good_vits[18]
    assert good_nets[3] < good_nets[18]
