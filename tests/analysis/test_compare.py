import dataclasses
import random

import numpy as np
import pytest

from assay.analysis.compare import compare
from assay.analysis.evidence import Evidence
from assay.core.errors import UnknownName
from assay.core.estimate import Interval
from assay.core.result import Result, Status
from assay.findings.comparison import Comparison
from assay.findings.per_task import OTHER_MODALITY
from assay.testing.simulated_study import SCORES, simulate_study


def _compare(study: Evidence, ranked_by: str | None = None) -> Comparison:
    return compare(study, ranked_by=ranked_by, seed=0)


def _only(study: Evidence, keep) -> Evidence:
    return dataclasses.replace(study, results=tuple(result for result in study.results if keep(result)))


def _fail(result: Result) -> Result:
    reason = "Out of memory. Use a smaller model."
    return Result(result.job, Status.FAILED, reason=reason) if result.status is Status.OK else result


def test_the_same_results_give_the_same_comparison(study, comparison):
    assert _compare(study) == comparison


def test_the_order_of_results_and_models_changes_nothing(study, comparison):
    shuffled = dataclasses.replace(
        study,
        results=tuple(random.Random(1).sample(study.results, len(study.results))),
        models=tuple(reversed(study.models)),
    )

    assert _compare(shuffled) == comparison


def test_twins_share_their_value_rank_and_interval(comparison):
    by_model = {standing.model: standing for standing in comparison.tasks[0].standings}
    first, second = by_model["packaged:efficientnet_lite0"], by_model["timm:tf_efficientnet_lite0.in1k"]

    assert dataclasses.replace(first, model=second.model) == second


def test_the_random_baseline_is_not_tied(comparison):
    last = comparison.tasks[0].standings[-1]

    assert last.model == "timm:resnet18(pretrained=False)"
    assert not last.is_tied_best


def test_the_cheapest_of_the_tied_is_recommended(comparison):
    assert comparison.tasks[0].recommended == "packaged:efficientnet_lite0"
    assert "3 others are tied with it" in comparison.tasks[0].because
    assert "the fastest of them (9.40 ms per example)" in comparison.tasks[0].because


def test_failed_rows_stay_with_their_reasons(comparison):
    reasons = {cell.model: cell.reason for cell in comparison.tasks[0].missing}

    assert list(reasons) == ["hf:example-lab/broken-<checkpoint>", "timm:convnext_tiny.fb_in22k"]
    assert reasons["timm:convnext_tiny.fb_in22k"].startswith("Out of memory")


def test_models_of_another_modality_are_not_missing(comparison):
    assert comparison.tasks[2].missing == ()
    assert any(cell.reason.startswith(OTHER_MODALITY) for cell in comparison.cells)


def test_a_falling_metric_is_shown_positive(comparison):
    assert comparison.tasks[2].shown_negated
    assert comparison.tasks[2].because.startswith("0.644 rmse (0.5")


def test_a_job_that_did_not_run_is_missing(study):
    model = "timm:resnet50.a1_in1k"
    task = study.tasks[0].address
    gone = _only(
        study, lambda item: (item.job.model, item.job.task, item.job.method) != (model, task, "linear_probe")
    )
    missing = {cell.model: cell for cell in _compare(gone).tasks[0].missing}

    assert "has not run" in missing[model].reason


def test_a_seed_that_failed_is_told(study):
    first = next(
        result
        for result in study.results
        if result.status is Status.OK and result.job.method == "linear_probe"
    )
    results = tuple(_fail(result) if result == first else result for result in study.results)
    cells = _compare(dataclasses.replace(study, results=results)).cells
    cell = next(cell for cell in cells if (cell.model, cell.task, cell.method) == _key(first))

    assert cell.seeds == 2
    assert cell.notes == ("seed 0: Out of memory. Use a smaller model.",)


def _key(result: Result) -> tuple[str, str, str]:
    return result.job.model, result.job.task, result.job.method


def test_all_failed_says_so_with_the_cause(study):
    result = _compare(dataclasses.replace(study, results=tuple(map(_fail, study.results))))

    assert "nothing can be recommended" in result.headline[0]
    assert "Out of memory" in result.headline[0]
    assert result.tasks[0].recommended is None
    assert result.ranked_by == "linear_probe"


def test_one_model_has_nothing_to_be_compared_with(study):
    alone = _only(study, lambda item: item.job.model == "timm:resnet50.a1_in1k")
    result = _compare(dataclasses.replace(alone, tasks=study.tasks[:1], models=study.models[1:2]))

    assert "the only model with a value" in result.headline[0]


def test_equal_models_cannot_be_told_apart(study):
    twins = ("packaged:efficientnet_lite0", "timm:tf_efficientnet_lite0.in1k")
    pair = _only(study, lambda item: item.job.model in twins)
    models = tuple(row for row in study.models if row.address in twins)
    result = _compare(dataclasses.replace(pair, tasks=study.tasks[:1], models=models))

    assert "do not tell the 2 models apart" in result.headline[0]
    assert result.tasks[0].examples_to_separate is None


def test_close_models_say_how_many_examples_would_tell(comparison):
    needed = comparison.tasks[0].examples_to_separate

    assert needed is not None
    assert needed > comparison.tasks[0].task.test_count
    assert "would tell the best two apart" in comparison.tasks[0].because


def test_nothing_above_guessing_is_not_recommended_in_the_headline(study):
    tasks = (dataclasses.replace(study.tasks[0], floor=0.99),)
    result = _compare(dataclasses.replace(study, tasks=tasks))

    assert result.tasks[0].beats_floor is False
    assert "take none of these models" in result.headline[0]
    assert all(standing.index is None for standing in result.tasks[0].standings)


def test_scores_alone_are_called_an_estimate(study):
    result = _compare(_only(study, lambda item: item.job.method in SCORES))

    assert result.is_estimate
    assert result.ranked_by == "ridge_cv"
    assert "estimate" in result.headline[0]
    assert result.agreement == ()
    assert all(standing.p_value is None and standing.index is None for standing in result.tasks[0].standings)


def test_scores_are_judged_by_what_was_measured_beside_size_and_chance(comparison):
    images = next(part for part in comparison.agreement if part.modality == "image")

    assert images.truth == "linear_probe"
    assert {score.score for score in images.overall if score.is_baseline} >= {
        "parameters",
        "random",
        "static",
    }
    assert set(SCORES) <= {score.score for score in images.overall}


def test_what_authors_state_of_a_source_is_a_ranking_too(study):
    rows = [
        dataclasses.replace(
            row, facts=dataclasses.replace(row.facts, source_accuracy=row.facts.parameters / 1e9)
        )
        for row in study.models
    ]
    images = _compare(dataclasses.replace(study, models=rows)).agreement[0].overall
    taus = {row.score: row.weighted_tau for row in images}

    assert taus["source accuracy"] == taus["parameters"]


def test_an_estimate_of_the_metric_is_told_in_its_units_with_its_interval(study):
    results = [
        dataclasses.replace(
            result, metric=metric, interval=Interval(result.value - 0.02, result.value + 0.01)
        )
        for result in study.results
        if result.job.method == "ridge_cv" and result.value is not None
        for metric in [next(task.metric for task in study.tasks if task.address == result.job.task)]
    ]
    result = _compare(dataclasses.replace(study, results=results))

    for task in result.tasks:
        assert task.measure == f"expected {task.task.metric}"
        assert task.shown_negated == study.metrics[task.task.metric].shown_negated
        assert all(
            standing.interval.low < standing.value < standing.interval.high for standing in task.standings
        )
        best = "lowest" if task.shown_negated else "highest"
        assert f"It has the {best} expected {task.task.metric} of" in task.because
        assert " to " in task.because


def test_a_score_may_rank_a_trained_study(study):
    assert _compare(study, ranked_by="logme").is_estimate


def test_an_unknown_method_is_named(study):
    with pytest.raises(UnknownName, match="Did you mean: logme"):
        _compare(study, ranked_by="logmee")


def test_lost_predictions_leave_values_without_intervals(study):
    result = _compare(dataclasses.replace(study, predictions={}))

    assert result.tasks[0].standings[0].interval is None
    assert "no ties could be tested" in result.tasks[0].because


def test_one_model_with_lost_predictions_keeps_its_rank(study):
    model = "timm:resnet50.a1_in1k"
    kept = {key: value for key, value in study.predictions.items() if not key.startswith(model)}
    standings = _compare(dataclasses.replace(study, predictions=kept)).tasks[0].standings

    assert standings[0].model == model
    assert standings[0].interval is None
    assert standings[1].interval is not None


def test_results_of_unknown_tasks_are_left_out(study):
    result = _compare(dataclasses.replace(study, tasks=study.tasks[:1]))

    assert {cell.task for cell in result.cells} == {study.tasks[0].address}


def test_class_accuracy_averages_to_the_accuracy(comparison):
    result = comparison.tasks[0]
    counts = np.array(list(result.class_counts.values()))
    recommended = next(standing for standing in result.standings if standing.model == result.recommended)

    assert counts.sum() == result.task.test_count
    assert np.dot(list(result.class_accuracy.values()), counts) / counts.sum() == pytest.approx(
        recommended.value
    )


def test_nothing_at_all_is_a_comparison_too(study):
    result = _compare(dataclasses.replace(study, results=(), models=()))

    assert result.ranked_by == ""
    assert result.headline[0].startswith("For images, nothing can be recommended.")


def test_many_models_are_compared():
    study = simulate_study(more_models=60)

    assert len(_compare(study).tasks[0].standings) == 67
