import dataclasses
import random

import numpy as np
import pytest

from assay.analysis.compare import compare
from assay.analysis.evidence import Evidence
from assay.analysis.per_task.decision import Rule
from assay.core.errors import UnknownName
from assay.core.estimate import Interval
from assay.core.result import Result, Status
from assay.findings.comparison import Comparison
from assay.findings.decision import CheapBy
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


def test_the_random_baseline_is_surely_not_the_best(comparison):
    last = comparison.tasks[0].standings[-1]

    assert last.model == "timm:resnet18(pretrained=False)"
    assert not last.may_be_best


def test_the_least_expected_regret_is_recommended(comparison):
    decision = comparison.tasks[0].decision

    assert comparison.tasks[0].recommended == "timm:resnet50.a1_in1k"
    assert decision.expected_regret["timm:resnet50.a1_in1k"] == min(decision.expected_regret.values())
    assert (
        " % that no other model is more than 1 point better; expected regret " in comparison.tasks[0].because
    )
    assert "4 of 7 pretrained models may be the best" in comparison.tasks[0].because


def test_a_wider_margin_names_a_cheaper_model_with_its_costs(study):
    task = compare(study, ranked_by=None, seed=0, rule=Rule(margin=0.05)).tasks[0]

    assert task.decision.cheaper == "packaged:efficientnet_lite0"
    assert task.decision.cheap_by == "parameters"
    assert "Cheaper: packaged:efficientnet_lite0, 0.951, 4.65M instead of 25.6M parameters" in task.because


def test_a_cheaper_model_by_latency_is_the_fastest(study):
    rule = Rule(margin=0.2, cheap_by=CheapBy.LATENCY)
    task = compare(study, ranked_by=None, seed=0, rule=rule).tasks[0]

    assert task.costs["latency"][task.decision.cheaper] == min(
        seconds for model, seconds in task.costs["latency"].items() if "pretrained=False" not in model
    )
    assert "instead of 24.0 ms for one example" in task.because


def test_random_weights_are_never_recommended(study):
    best = "timm:resnet50.a1_in1k"
    result = compare(_with_random_weights(study, {best}), ranked_by=None, seed=0).tasks[0]

    assert result.standings[0].model == best
    assert result.recommended == "timm:vit_small_patch14_reg4_dinov2.lvd142m"
    assert best not in result.decision.expected_regret
    assert "Warning: random weights have the highest value: " in result.because


def test_a_control_which_runs_no_scores_is_not_missing_from_estimates(study):
    control = "timm:resnet18(pretrained=False)"
    marked = _with_random_weights(study, {control})
    kept = [one for one in marked.results if one.job.model != control or one.job.method not in SCORES]
    without = dataclasses.replace(marked, results=kept)

    estimates = compare(without, ranked_by="ridge_cv", seed=0).tasks[0]
    results = compare(without, ranked_by=None, seed=0).tasks[0]

    assert control not in {cell.model for cell in estimates.missing}
    assert control not in {standing.model for standing in estimates.standings}
    assert control in results.by_model


def test_if_only_random_weights_finished_the_answer_says_what_failed(study):
    names = {row.address for row in study.models}
    result = compare(_with_random_weights(study, names), ranked_by=None, seed=0)

    assert result.decisions == {}
    assert result.headline[0].startswith(
        "No recommendation for images. Only controls with random weights have a value. "
        "2 models have no value: Cannot load the weights"
    )
    assert all(task.recommended is None and task.smallest is None for task in result.tasks)


def test_no_statement_contradicts_the_ranks(comparison):
    for task in comparison.tasks:
        models = len(task.standings)
        for standing in task.standings:
            low, high = standing.ranks
            assert 1 <= low <= high <= models
            assert standing.may_be_best == (low == 1)
            assert not (standing.may_be_best and standing.p_value < 0.05)
        beaten = sum(low - 1 for low, _ in (standing.ranks for standing in task.standings))
        assert beaten == sum(models - high for _, high in (standing.ranks for standing in task.standings))
        if task.error_analysis is not None:
            assert task.error_analysis.separable == pytest.approx(beaten / (models * (models - 1) / 2))


def test_several_tasks_recommend_the_least_mean_expected_regret(comparison):
    decision = comparison.decisions["image"]
    mean = {
        model: np.mean([task.decision.expected_regret[model] for task in comparison.tasks[:2]])
        for model in decision.expected_regret
    }

    assert decision.recommended == min(mean, key=mean.get)
    assert decision.expected_regret[decision.recommended] == pytest.approx(min(mean.values()))
    assert f"Recommended for images: {decision.recommended} with linear_probe." in comparison.headline[0]


def _with_random_weights(study: Evidence, models: set[str]) -> Evidence:
    rows = [
        dataclasses.replace(row, facts=dataclasses.replace(row.facts, is_random=row.address in models))
        for row in study.models
    ]
    return dataclasses.replace(study, models=rows)


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

    assert result.headline[0].startswith("No recommendation for images.")
    assert "Out of memory" in result.headline[0]
    assert result.tasks[0].recommended is None
    assert result.ranked_by == "linear_probe"


def test_one_model_has_nothing_to_be_compared_with(study):
    alone = _only(study, lambda item: item.job.model == "timm:resnet50.a1_in1k")
    result = _compare(dataclasses.replace(alone, tasks=study.tasks[:1], models=study.models[1:2]))

    assert "only one pretrained model has a value" in result.headline[0]


def test_equal_models_do_not_differ(study):
    twins = ("packaged:efficientnet_lite0", "timm:tf_efficientnet_lite0.in1k")
    pair = _only(study, lambda item: item.job.model in twins)
    models = tuple(row for row in study.models if row.address in twins)
    result = _compare(dataclasses.replace(pair, tasks=study.tasks[:1], models=models))

    assert "2 of 2 pretrained models may be the best" in result.headline[0]
    assert result.tasks[0].examples_to_separate is None


def test_close_models_say_how_many_examples_would_tell(comparison):
    needed = comparison.tasks[0].examples_to_separate

    assert needed is not None
    assert needed.low > comparison.tasks[0].task.test_count
    assert "takes 900 or many more test examples (now 400)" in comparison.tasks[0].because


def test_nothing_above_guessing_is_not_recommended_in_the_headline(study):
    tasks = (dataclasses.replace(study.tasks[0], floor=0.99),)
    result = _compare(dataclasses.replace(study, tasks=tasks))

    assert result.tasks[0].is_above_chance is False
    assert "No model is significantly better than chance level" in result.headline[0]
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
        assert f"it has the {best} expected {task.task.metric} of" in task.because
        assert " to " in task.because


def test_a_score_may_rank_a_trained_study(study):
    assert _compare(study, ranked_by="logme").is_estimate


def test_an_unknown_method_is_named(study):
    with pytest.raises(UnknownName, match="Did you mean: logme"):
        _compare(study, ranked_by="logmee")


def test_lost_predictions_leave_values_without_intervals(study):
    result = _compare(dataclasses.replace(study, predictions={}))

    assert result.tasks[0].standings[0].interval is None
    assert "differences were not tested" in result.tasks[0].because


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
    assert result.headline[0].startswith("No recommendation for images.")


def test_many_models_are_compared():
    study = simulate_study(more_models=60)

    assert len(_compare(study).tasks[0].standings) == 67


def test_repeated_contents_of_test_are_one_piece_of_evidence(study):
    half = np.repeat(np.arange(200), 2)  # each content twice
    repeated = dataclasses.replace(
        study, contents=lambda task, split: half if task.test_count == 400 else None
    )

    before, after = (_compare(each).tasks[0].standings[-1].interval for each in (study, repeated))

    assert (after.high - after.low) != pytest.approx(before.high - before.low, rel=1e-6)
    assert _compare(repeated).tasks[1:] == _compare(study).tasks[1:]


def test_rows_need_no_comparison_across_tasks(study, comparison, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("assay.analysis.compare.across_modalities", refuse)

    found = _compare(study)

    assert found.rows() == comparison.rows()
    with pytest.raises(AssertionError):
        len(found.headline)
