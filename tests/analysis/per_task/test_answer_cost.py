"""How uncertain models are that hardly differ on test."""

from __future__ import annotations

import numpy as np
import pytest

from assay.analysis.change.change import paired
from assay.analysis.per_task.answer_cost import one_answer, right_answers
from assay.analysis.per_task.decision import regrets
from assay.analysis.per_task.intervals import Measured, bootstrap, intervals
from assay.analysis.per_task.significance import pair_deviations, pair_p_values
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.auroc import AUROC
from assay.metrics.entity_f1 import EntityF1
from assay.metrics.log_loss import LogLoss
from assay.metrics.macro_f1 import MacroF1
from assay.metrics.rmse import RMSE

TRUTH = Labels(LabelKind.CLASSIFICATION, np.arange(36) % 2, ("no", "yes"))
TAGS = ("O", "B-PER", "I-PER")


def all_right(models):
    return Measured(TRUTH, (TRUTH.values[None],) * models)


@pytest.mark.parametrize("metric", [Accuracy(), MacroF1(), AUROC()])
def test_one_of_36_answers_costs_a_36th(metric):
    found = one_answer(metric, TRUTH)

    assert found[:2] == (pytest.approx(1 / 36, rel=0.01), 1.0)
    assert found.in_part == (not isinstance(metric, Accuracy))


def test_an_answer_of_a_rare_class_costs_more():
    rare = Labels(LabelKind.CLASSIFICATION, np.arange(200) // 191, ("no", "yes"))

    assert one_answer(MacroF1(), rare).lost > 3 * one_answer(Accuracy(), rare).lost


def test_repeated_contents_count_once():
    assert one_answer(Accuracy(), TRUTH, np.arange(36) // 2).lost == pytest.approx(1 / 18)


def test_a_wrong_text_is_one_answer_of_labelled_words():
    tags = Labels(LabelKind.CLASSIFICATION, np.tile([1, 2, 0, 0], 9), TAGS, np.full(9, 4))

    assert one_answer(Accuracy(), tags).lost == pytest.approx(1 / 9)
    assert 1 / 9 <= one_answer(EntityF1(), tags).lost < 1 / 4  # its words become other entities


def test_one_of_several_classes_is_one_answer():
    several = Labels(LabelKind.MULTILABEL, np.eye(4, dtype=np.int64).repeat(5, axis=0), tuple("abcd"))

    assert one_answer(Accuracy(), several).lost == pytest.approx(1 / 20)


@pytest.mark.parametrize(
    ("metric", "truth"), [(RMSE(), Labels(LabelKind.REGRESSION, np.arange(9.0))), (LogLoss(), TRUTH)]
)
def test_numbers_and_confidence_agree_only_if_models_are_one(metric, truth):
    assert one_answer(metric, truth).lost == 0


@pytest.mark.parametrize("models", [2, 3, 10])
def test_models_that_are_right_on_all_of_few_examples_are_not_equal_for_sure(models):
    found = regrets(np.ones(models), np.ones((500, models)), 0.01, 0, one_answer(Accuracy(), TRUTH).lost)

    assert (found.within > 0.6).all()
    assert (found.within < 0.93).all()
    assert 0.002 < found.expected[0] < 0.0105  # one of ten with errors that are exponential around 2 %
    assert len(set(found.expected)) == 1  # so that the cheaper is recommended


def test_models_that_are_right_on_all_of_many_examples_are_nearly_equal():
    found = regrets(np.ones(3), np.ones((500, 3)), 0.01, 0, 1 / 5000)

    assert found.within.min() > 0.99
    assert found.expected.max() < 0.0001


def test_where_models_differ_often_the_bootstrap_alone_decides():
    rng = np.random.default_rng(0)
    values = np.array([0.80, 0.79, 0.78])
    draws = values + 0.02 * rng.normal(size=(2000, 3))

    assert regrets(values, draws, 0.01, 0, 1 / 200).expected.tolist() == (
        regrets(values, draws, 0.01, 0).expected.tolist()
    )


@pytest.mark.parametrize("metric", [Accuracy(), MacroF1()])
def test_the_difference_of_equal_answers_to_few_examples_has_an_interval(metric):
    measured = all_right(2)
    draws = bootstrap(measured, metric, 0)
    p_values = pair_p_values(measured, metric, draws, 0)

    deviations = pair_deviations(measured, metric, draws, p_values, one_answer(metric, TRUTH).lost)
    within = paired(measured, metric, 0).interval

    assert np.diag(deviations).tolist() == [0.0, 0.0]
    assert deviations[0, 1] == pytest.approx(1 / 36, rel=0.1)
    assert within.low == pytest.approx(-0.054, abs=0.005)
    assert within.high == pytest.approx(0.054, abs=0.005)


@pytest.mark.parametrize("metric", [Accuracy(), MacroF1(), AUROC()])
def test_a_perfect_value_of_few_examples_may_be_lower(metric):
    right = right_answers(metric, one_answer(metric, TRUTH), np.array([1.0]))

    [found] = intervals(np.ones((500, 1)), right)

    assert found.low == pytest.approx(0.025 ** (1 / 36), abs=0.005)
    assert found.high == 1.0


def test_a_ranking_that_is_not_perfect_keeps_its_bootstrap_interval():
    right = right_answers(AUROC(), one_answer(AUROC(), TRUTH), np.array([0.99]))

    [found] = intervals(np.linspace(0.97, 1.0, 500)[:, None], right)

    assert found.low == pytest.approx(0.97, abs=0.001)
