from dataclasses import replace

import pytest

from assay.analysis.compare import compare
from assay.analysis.per_task.decision import Rule
from assay.core.result import Status
from assay.core.task import Modality
from assay.findings.decision import CheapBy
from assay.findings.per_task import Cell, NeededExamples
from assay.testing.simulated_study import simulate_study
from assay.wording.answer import answer
from assay.wording.recommendation import because, nothing
from assay.wording.screen import decision_confidence


@pytest.fixture(scope="module")
def comparison():
    return compare(simulate_study(), ranked_by=None, seed=0)


def failed(model: str, reason: str) -> Cell:
    return Cell(model, "digits", "linear_probe", False, Status.FAILED, reason=reason)


def test_the_two_main_causes_are_named_and_the_others_counted():
    cells = [failed("a", "out of memory"), failed("b", "out of memory"), failed("c", "no weights.")]

    message = nothing([*cells, failed("d", "too old")])

    assert message == (
        "4 models have no value: out of memory (2 models); no weights (1 model), and 1 other cause."
    )
    assert nothing([]) == "No model reads this kind of data."


def test_a_model_that_fails_on_two_tasks_is_one_model():
    first = failed("a", "out of memory")

    message = nothing([first, replace(first, task="photos")])

    assert message == "1 model has no value: out of memory (1 model)."


def test_a_task_that_no_model_learns_says_what_to_check(comparison):
    task = replace(comparison.tasks[0], is_above_chance=False, decision=None, recommended=None)

    message = because(task, {row.address: row for row in comparison.models})

    assert message.startswith("No model is significantly better than chance level (0.250); timm:resnet50")
    assert message.endswith("Check the labels, or use more examples.")


def test_a_modality_without_a_usable_task_has_no_recommendation(comparison):
    task = replace(comparison.tasks[0], is_above_chance=False, decision=None, recommended=None)

    message = answer(Modality.IMAGE, [task], None, None, {}, "linear_probe")

    assert message == (
        "No recommendation for images. "
        f"No model is significantly better than chance level on {task.task.address}."
    )


@pytest.mark.parametrize(
    ("needed", "text"),
    [
        (NeededExamples(505, None), "takes 510 or many more test examples (now 400)"),
        (NeededExamples(505, 20_321), "takes 510 to 21,000 test examples (now 400)"),
    ],
)
def test_the_examples_that_would_separate_models_are_an_interval(comparison, needed, text):
    task = replace(comparison.tasks[0], examples_to_separate=needed)

    assert text in because(task, {row.address: row for row in comparison.models})


def test_random_weights_do_not_count_among_the_models_that_may_be_the_best(comparison):
    task = comparison.tasks[0]
    control = "packaged:efficientnet_lite0"  # not significantly different from the best
    models = {
        row.address: replace(row, facts=replace(row.facts, is_random=row.address == control))
        for row in comparison.models
    }

    message = because(task, models)
    screen = decision_confidence(task, task.decision, models)

    assert "4 of 7 pretrained models may be the best" in task.because
    assert "3 of 6 pretrained models may be the best" in message
    assert "3 of 6 pretrained models may be the best." in screen
    assert "Warning: random weights may be as good: this test does not show" in message
    models[task.standings[0].model] = replace(
        models[control], address=task.standings[0].model, facts=models[control].facts
    )
    assert "Warning: random weights have the highest value: this test does not show" in because(task, models)


def test_where_lower_is_better_regret_has_the_unit_of_the_metric():
    rule = Rule(margin=0.7, cheap_by=CheapBy.LATENCY)
    task = compare(simulate_study(), ranked_by=None, seed=0, rule=rule).tasks[2]

    assert " that no other model is more than 0.700 rmse better; expected regret " in task.because
    assert " rmse more." in task.because


def test_several_tasks_with_one_metric_name_the_cheaper_model_and_its_loss():
    comparison = compare(simulate_study(), ranked_by=None, seed=0, rule=Rule(margin=0.05))

    headline = comparison.headline[0]
    assert "3.50M instead of 22.1M parameters, expected to lose 4.9 points more" in headline
    assert ", mean over 2 tasks" in headline


def test_a_model_that_failed_on_one_task_is_not_considered_and_named():
    study = simulate_study()
    best, task = "timm:vit_small_patch14_reg4_dinov2.lvd142m", study.tasks[1].address
    results = tuple(result for result in study.results if (result.job.model, result.job.task) != (best, task))

    comparison = compare(replace(study, results=results), ranked_by=None, seed=0)

    assert comparison.decisions["image"].recommended != best
    assert (
        f"Not considered (no value on some tasks): {best} (linear_probe has not run" in comparison.headline[0]
    )
