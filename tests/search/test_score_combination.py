"""Joining scores with the prior: it gains where scores say more, and leaves the prior as it is elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from assay.search.history import History
from assay.search.prior import expected, learn
from assay.search.score_combination import ScoredTask, learn_join, normal_scores, scored_tasks

TABLES = Path(__file__).parents[3] / "shared" / "tables"
MODELS = 16


def scored(rng: np.random.Generator, tasks: int, signal: float = 1.0) -> list[ScoredTask]:
    """Return tasks with a weak prior and three scores, of which the first holds a signal."""
    skills = rng.normal(size=MODELS)
    found = []
    for _ in range(tasks):
        own = rng.normal(size=MODELS)
        scores = rng.normal(size=(MODELS, 3))
        scores[:, 0] = signal * (skills + own) + 0.3 * scores[:, 0]
        found.append(ScoredTask(0.3 * skills, scores, 0.3 * (skills + own)))
    return found


def taus(prior: np.ndarray, joined: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    before, after = (stats.kendalltau(one, values).statistic for one in (prior, joined))
    return float(before), float(after)


def test_a_good_score_improves_the_order_of_the_prior():
    *past, new = scored(np.random.default_rng(0), 9)

    join = learn_join(past)

    before, after = taus(new.expected, join.expected(new.expected, new.scores), new.values)
    assert after > before + 0.15
    assert join.weights[1] > 3 * np.abs(join.weights[2:]).max()
    assert join.gain > 0.15
    assert join.left < 0.6


def test_scores_that_say_nothing_leave_the_prior_as_it_is():
    rng = np.random.default_rng(1)
    losses = []
    for _ in range(8):
        *past, new = scored(rng, 9, signal=0.0)

        joined = learn_join(past).expected(new.expected, new.scores)

        losses.append(np.subtract(*taus(new.expected, joined, new.values)))
    assert np.mean(np.array(losses) == 0) >= 0.6
    assert np.mean(losses) <= 0.02


def test_with_fewer_than_five_past_tasks_all_scores_have_equal_weight():
    *past, new = scored(np.random.default_rng(2), 3)

    join, alone = learn_join(past), learn_join([])

    assert not join.is_learned
    prior, scores = normal_scores(new.expected[:, None])[:, 0], normal_scores(new.scores)
    total = 0.4 * prior + scores.sum(axis=1)
    np.testing.assert_allclose(join.expected(new.expected, new.scores), total / total.max())
    np.testing.assert_allclose(
        np.argsort(alone.expected(new.expected, new.scores)), np.argsort(scores.sum(axis=1))
    )


def test_missing_scores_and_values_and_constant_scores_do_no_harm():
    rng = np.random.default_rng(3)
    *past, new = scored(rng, 9)
    holes = []
    for one in past:
        scores, values = one.scores.copy(), one.values.copy()
        scores[rng.random(scores.shape) < 0.3] = np.nan
        values[:3] = np.nan
        scores[:, 2] = 7.0
        holes.append(one._replace(scores=scores, values=values))
    some = new.scores.copy()
    some[:5] = np.nan

    join = learn_join(holes)

    before, after = taus(new.expected, join.expected(new.expected, some), new.values)
    assert after > before
    assert join.weights[3] == 0
    none = join.expected(new.expected, np.full_like(some, np.nan))
    np.testing.assert_array_equal(np.argsort(none), np.argsort(new.expected))


def test_the_unit_of_a_score_does_not_matter():
    *past, new = scored(np.random.default_rng(4), 8)

    joined, moved = (
        learn_join([one._replace(scores=change(one.scores)) for one in past]).expected(
            new.expected, change(new.scores)
        )
        for change in (np.asarray, np.exp)
    )

    np.testing.assert_allclose(moved, joined)


def history(tasks: int) -> History:
    rng = np.random.default_rng(5)
    names = tuple(f"t{number}" for number in range(tasks))
    values = 0.6 + 0.05 * (rng.normal(size=MODELS) + rng.normal(size=(tasks, MODELS)))
    return History(tuple(f"m{number}" for number in range(MODELS)), names, values, names)


def test_the_prior_of_a_past_task_knows_nothing_of_its_data_set():
    past = history(6)
    grouped = History(past.models, past.tasks, past.values, ("t0", "t0", *past.tasks[2:]))

    found = scored_tasks(grouped, {task: past.values.T[:, [row]] for row, task in enumerate(past.tasks[:5])})

    assert len(found) == 5  # t5 has no score
    np.testing.assert_allclose(found[0].expected, expected(grouped.without("t0"), "t0"))
    np.testing.assert_allclose(expected(past, "new"), learn(past, "new").mean)


def test_the_joined_prior_expects_what_the_scores_say_and_is_surer():
    past = history(9)
    old, new = past.of_tasks(range(8)), past.values[8]
    scores = {task: past.values.T[:, [row]] for row, task in enumerate(past.tasks)}

    prior = learn(old, "t8")
    joined = learn_join(scored_tasks(old, scores)).update(prior, scores["t8"])

    assert joined.mean.argmax() == joined.ranks.argmax() == new.argmax()
    assert (joined.noise < prior.noise).all()
    np.testing.assert_array_equal(joined.past, prior.past)


@pytest.mark.skipif(
    not TABLES.is_dir(), reason="the real tables are not beside the project: ../shared/tables"
)
def test_on_ten_published_networks_the_join_beats_the_prior_and_an_equal_sum():
    values, scores = (
        json.loads((TABLES / f"modelspider_{name}.json").read_text("utf-8"))["table"]
        for name in ("single_source_finetune", "baseline_scores")
    )
    tasks = tuple(task for task in values if task in scores["LogME"])
    models = tuple(values[tasks[0]])
    given = {
        task: np.array([[scores[name][task][model] for name in scores] for model in models]) for task in tasks
    }
    past = History(
        models, tasks, np.array([[values[task][model] for model in models] for task in tasks]), tasks
    )

    found = []
    for row, task in enumerate(tasks):
        rest = past.without(task)
        prior = expected(rest, task)
        joined = learn_join(scored_tasks(rest, given)).expected(prior, given[task])
        alike = normal_scores(prior[:, None])[:, 0] + normal_scores(given[task]).sum(axis=1)
        found.append([stats.kendalltau(one, past.values[row]).statistic for one in (prior, alike, joined)])

    prior_tau, sum_tau, joined_tau = np.mean(found, axis=0)
    assert joined_tau >= 0.765
    assert joined_tau > max(prior_tau, sum_tau) + 0.05
