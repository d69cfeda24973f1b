"""Plans: one stage is the search that simulations replay; several stages find good models for less."""

from __future__ import annotations

import numpy as np
import pytest
from tests.search.test_simulation import structured

from assay.search.costs import Costs, StepTime
from assay.search.planner import Observation, Planner, Step
from assay.search.policies import Search, Trials
from assay.search.prior import from_facts, learn
from assay.search.simulation import cases

MODELS = 30


@pytest.fixture(scope="module")
def case():
    return cases(structured())[3]


def prior_of(models: int = MODELS):
    return from_facts([f"m{number}" for number in range(models)], "new", np.full(models, np.nan), 1.0)


def run(planner: Planner, truth: np.ndarray, stages: tuple[float, ...], seed: int) -> list[Step]:
    """Run a plan on models of known values; stage ``s`` shows them with an error of ``stages[s]``."""
    rng = np.random.default_rng(seed)
    steps = []
    costs = np.array([0.1, 0.3, 1.0])[-len(stages) :]
    while (step := planner.next(costs[np.minimum(planner.reached + 1, len(stages) - 1)])) is not None:
        steps.append(step)
        planner.start(step)
        error = stages[step.stage]
        growth = 0.05 * (step.stage - len(stages) + 1)  # less of train is worse
        planner.tell(step, [Observation(truth[step.model] + growth + error * rng.normal(), error)])
    return steps


@pytest.mark.parametrize("of_ranks", [0.0, 0.5])
def test_with_one_stage_it_decides_as_the_search_that_is_simulated(case, of_ranks):
    planner, tried = Planner([case.prior], of_ranks=of_ranks), []

    for _ in range(8):
        expected = Search(of_ranks).next(case.prior, Trials(np.array(tried, np.int64), case.values[tried]))
        step = planner.next(np.ones(len(case.values)))
        assert step == Step(expected, 0)
        planner.tell(step, [Observation(float(case.values[step.model]), 0.0)])
        tried.append(step.model)


def test_where_steps_show_nothing_models_come_in_the_order_of_the_prior(case):
    planner, order = Planner([case.prior]), []

    while (step := planner.next(np.ones(len(case.values)))) is not None:
        planner.tell(step, [None])
        order.append(step.model)

    assert order[0] == np.argmax(case.prior.ranks)
    assert np.all(np.diff(case.prior.mean[order[1:]]) <= 0)


def test_the_first_model_goes_through_all_stages_first():
    planner = Planner([prior_of()], stages=3)

    steps = run(planner, np.linspace(0.5, 0.8, MODELS), (0.03, 0.015, 0.0), seed=0)

    assert [step.stage for step in steps[:3]] == [0, 1, 2]
    assert len({step.model for step in steps[:3]}) == 1


def test_poor_models_are_ruled_out_early_and_the_best_is_found_for_less():
    regrets, shares = [], []
    for seed in range(10):
        truth = 0.7 + 0.08 * np.random.default_rng(seed).normal(size=MODELS)
        planner = Planner([prior_of()], stages=3, tolerances=[0.005])
        steps = run(planner, truth, (0.03, 0.015, 0.005), seed)
        spent = sum((0.1, 0.3, 1.0)[step.stage] for step in steps)
        shares.append(spent / (1.4 * MODELS))
        regrets.append(truth.max() - truth[planner.is_finished].max())

    assert np.mean(regrets) < 0.005
    assert np.mean(shares) < 0.35


def test_what_early_stages_lack_is_corrected_by_the_models_that_went_on():
    planner = Planner([prior_of(4)], stages=2)
    for model, values in enumerate(((0.6, 0.8), (0.5, 0.75), (0.8, 0.9))):
        for stage, value in enumerate(values):
            planner.tell(Step(model, stage), [Observation(value, 0.01)])
    planner.tell(Step(3, 0), [Observation(0.9, 0.01)])

    (outlook,) = planner.outlooks()

    assert outlook.mean[3] == pytest.approx(0.95, abs=0.02)
    assert not planner.ruled_out()[3]


def test_it_stops_when_little_can_be_gained_and_says_how_much():
    planner = Planner([prior_of(3)], stages=1, tolerances=[0.01])
    for model, value in enumerate((0.9, 0.88)):
        planner.tell(Step(model, 0), [Observation(value, 0.0)])
    before = planner.expected_regret()[0]

    assert before > 0.01
    assert planner.next(np.ones(3)) == Step(2, 0)
    generous = Planner([prior_of(3)], stages=1, tolerances=[1.0])
    generous.tell(Step(0, 0), [Observation(0.9, 0.0)])
    assert generous.next(np.ones(3)) is None


def test_dropped_and_running_models_are_not_chosen():
    planner = Planner([prior_of(3)], stages=1)
    planner.drop(0)
    planner.start(Step(1, 0))

    assert planner.next(np.ones(3)) == Step(2, 0)
    planner.start(Step(2, 0))
    assert planner.next(np.ones(3)) is None


def test_of_equal_promise_the_cheaper_step_is_next():
    planner = Planner([prior_of(3)], stages=1)
    planner.tell(Step(0, 0), [Observation(0.7, 0.0)])

    assert planner.next(np.array([1.0, 9.0, 1.0])) == Step(2, 0)


def test_several_tasks_share_a_step(case):
    planner = Planner([case.prior, case.prior], stages=1)
    for _ in range(3):
        step = planner.next(np.ones(len(case.values)))
        planner.tell(step, [Observation(float(case.values[step.model]), 0.0), None])

    first, second = planner.outlooks()
    assert np.isfinite(first.best)
    assert planner.is_finished.sum() == 3
    assert second.best == -np.inf


def test_costs_of_models_are_scaled_by_their_size_until_they_are_measured():
    costs = Costs(np.array([1e9, 2e9, np.nan]), np.array([0.0, 0.0, 1e8]), [100, 900])
    assert not costs.is_measured
    for stage, examples in enumerate((100, 900)):
        costs.tell(0, stage, StepTime(opening=1.0 - stage, encoding=0.01 * examples, methods=0.5))
    reached = np.array([1, -1, -1])

    following, rest = costs.next(reached), costs.rest(reached)

    assert costs.is_measured
    assert following[0] == np.inf
    assert following[1] == pytest.approx(1.0 + 100 * 0.01 * 2**0.8 + 0.5)
    assert rest[1] == pytest.approx(1.0 + 1000 * 0.01 * 2**0.8 + 1.0)
    assert following[2] > 10  # the download: 100 MB


def test_what_a_later_step_takes_beyond_opening_is_of_its_stage():
    costs = Costs(np.full(3, 1e9), np.zeros(3), [100, 900])
    costs.tell(0, 0, StepTime(opening=3.0, encoding=1.0, methods=0.5))
    costs.tell(0, 1, StepTime(opening=2.0, encoding=9.0, methods=0.5))  # open: 2 seconds of measuring
    costs.tell(1, 0, StepTime(opening=3.0, encoding=1.0, methods=0.5))
    costs.tell(2, 0, StepTime(opening=3.0, encoding=1.0, methods=0.5))
    costs.tell(1, 1, StepTime(opening=5.0, encoding=9.0, methods=0.5))  # opened again, then measured

    assert costs.next(np.array([1, 1, 0])) == pytest.approx([np.inf, np.inf, 3.0 + 9.0 + 2.5])


def test_the_budget_counts_on_steps_that_take_longer_where_such_steps_did():
    known, exact, slower = (Costs(np.full(9, 1e9), np.zeros(9), [100]) for _ in range(3))
    for costs, growth in ((exact, 1.0), (slower, 1.5)):
        for model in range(8):
            costs.tell(model, 0, StepTime(opening=1.0, encoding=growth**model, methods=1.0))

    assert 1.0 < exact.caution < known.caution < slower.caution
    assert exact.caution < 1.2


def test_download_speed_is_learned_and_removed_models_are_downloaded_again():
    costs = Costs(np.full(3, 1e9), np.full(3, 1e8), [100])
    first = costs.next(np.full(3, -1))
    assert costs.fetch(0) == 1e8
    costs.tell(0, 0, StepTime(opening=4.0, encoding=1.0, downloaded=1e8))

    assert costs.is_away().tolist() == [False, True, True]
    assert first == pytest.approx(2.0 + 10.0 + 2.0)
    assert costs.rest(np.full(3, -1)) == pytest.approx([1.0, 2.0 + 2.0 + 1.0, 2.0 + 2.0 + 1.0])
    costs.remove(0)
    assert costs.is_away().all()
    assert costs.fetch(0) == 1e8


def test_a_prior_without_past_prefers_what_a_known_number_says():
    facts = np.array([0.7, np.nan, 0.8, 0.6])

    prior = from_facts(["a", "b", "c", "new-d"], "new", facts, 1.0)

    assert np.argmax(np.nan_to_num(prior.ranks)) == 2
    assert prior.mean[2] > prior.mean[0] >= prior.mean[1] == 0
    assert prior.made_for_it[3] > 0
    assert prior.made_for_it[0] == 0


def test_learning_from_the_past_needs_no_model_to_be_in_all_of_it(case):
    assert learn(structured(), "new").mean.shape == (40,)


def test_the_first_opening_loads_the_framework_and_an_open_model_is_not_opened_again():
    costs = Costs(np.full(4, 1e9), np.zeros(4), [100, 900])
    for model, opening in enumerate((30.0, 2.0, 4.0)):
        costs.tell(model, 0, StepTime(opening=opening, encoding=1.0, methods=0.0))

    rest = costs.rest(np.array([0, 0, 0, -1]))

    assert rest == pytest.approx([3.0 + 9.0, 3.0 + 9.0, 9.0, 3.0 + 10.0])
    assert costs.whole(2) == pytest.approx(3.0 + 10.0)
