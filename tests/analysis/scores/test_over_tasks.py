import numpy as np
import pytest
from scipy import stats

from assay.analysis.scores.baselines import baselines, static_ranking
from assay.analysis.scores.over_tasks import Past, agreements
from assay.findings.matrix import Matrix

MODELS, TASKS = 12, 6


def matrix(values: np.ndarray) -> Matrix:
    models, tasks = values.shape
    return Matrix(tuple(f"m{row:02}" for row in range(models)), tuple("abcdefghij"[:tasks]), values)


@pytest.fixture(scope="module")
def truth() -> Matrix:
    rng = np.random.default_rng(0)
    return matrix(rng.normal(size=(MODELS, 1)) + 0.7 * rng.normal(size=(MODELS, TASKS)))


@pytest.fixture(scope="module")
def found(truth):
    rng = np.random.default_rng(1)
    noise = rng.normal(size=truth.values.shape)
    scores = {"good": matrix(truth.values + 0.1 * noise), "noise": matrix(noise)}
    return agreements(
        scores, truth, "probe", Past({"size": {name: float(name[1:]) for name in truth.models}})
    )


def of(found, score):
    return next(entry for entry in found.overall if entry.score == score)


def test_the_mean_over_tasks_is_that_of_scipys_taus(found, truth):
    noise = np.random.default_rng(1).normal(size=truth.values.shape)
    taus = [stats.weightedtau(noise[:, task], truth.values[:, task]).statistic for task in range(TASKS)]

    assert of(found, "noise").weighted_tau == pytest.approx(np.mean(taus))


def test_baselines_stand_beside_every_score(found):
    assert {score.score for score in found.overall if score.is_baseline} == {"static", "random", "size"}
    assert [score.weighted_tau for score in found.overall] == sorted(
        (score.weighted_tau for score in found.overall), reverse=True
    )


def test_a_score_that_knows_the_truth_is_surely_better_than_the_static_ranking(found):
    assert of(found, "good").over_static.low > 0
    assert of(found, "noise").over_static.high < 0
    assert found.remarks[0].startswith("good (by ")


def test_chance_loses_what_a_random_model_loses(found, truth):
    lost = (truth.values.max(axis=0) - truth.values.mean(axis=0)).mean()

    assert of(found, "random").shortlists[0].regret == pytest.approx(lost)
    assert of(found, "random").constant == TASKS


def test_one_lucky_order_is_not_taken_for_chance(found, truth):
    again = agreements({"random": truth, "good": truth}, truth, "probe")

    assert of(again, "random") == of(found, "random")


def test_the_order_of_models_and_tasks_changes_nothing(found, truth):
    noise = np.random.default_rng(1).normal(size=truth.values.shape)
    turned = truth.take(truth.models[::-1], truth.tasks[::-1])

    again = agreements({"noise": matrix(noise)}, turned, "probe")

    assert of(again, "noise").weighted_tau == pytest.approx(of(found, "noise").weighted_tau)
    assert of(again, "static").weighted_tau == pytest.approx(of(found, "static").weighted_tau)


def test_a_score_with_holes_is_compared_with_the_static_ranking_on_the_same_models(truth):
    values = np.array(truth.values)
    values[::2, :3] = np.nan

    item = of(agreements({"holed": matrix(values)}, truth, "probe"), "holed")
    static = static_ranking(truth)
    taus = []
    for task in range(TASKS):
        kept = np.isfinite(values[:, task])
        taus.append(stats.weightedtau(static.values[kept, task], truth.values[kept, task]).statistic)

    assert item.static_tau == pytest.approx(np.mean(taus))


def test_of_a_single_task_there_is_no_static_ranking(truth):
    assert set(baselines(truth.take(tasks=["a"]))) == {"random"}


def test_more_tasks_of_the_past_teach_the_static_ranking(truth):
    item = truth.take(tasks=["a"])

    assert static_ranking(item, past=truth).values.tolist() == static_ranking(truth).values[:, :1].tolist()
