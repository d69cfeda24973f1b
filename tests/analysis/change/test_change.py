from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar

from assay.analysis.change.change import Pair, change, paired, share_difference
from assay.analysis.per_task.intervals import Measured
from assay.core.errors import UsageError
from assay.core.task import LabelKind, Labels
from assay.testing.simulated_study import SimulatedAccuracy, SimulatedError

LITE, VIT = "packaged:efficientnet_lite0", "timm:vit_small_patch14_reg4_dinov2.lvd142m"
TWIN = "timm:tf_efficientnet_lite0.in1k"
FLOOR = "timm:resnet18(pretrained=False)"


def changed(study, before, after):
    return change(study, Pair(before, after, "linear_probe"))


def seeing(study, before, after):
    """The study with features of two models on its first task."""
    features = {LITE: before, VIT: after}
    task = study.tasks[0].fingerprint
    return replace(study, features=lambda row, of: features.get(row.address) if of == task else None)


def test_the_difference_is_that_of_the_comparison(study, comparison):
    result = changed(study, LITE, VIT)

    for entry in result.tasks:
        findings = next(task for task in comparison.tasks if task.task == entry.task)
        values = {standing.model: standing.value for standing in findings.standings}
        assert entry.difference == pytest.approx(values[VIT] - values[LITE])
        assert entry.interval.low <= entry.difference <= entry.interval.high


def test_turned_round_everything_turns(study):
    there, back = changed(study, LITE, VIT).tasks[0], changed(study, VIT, LITE).tasks[0]

    assert back.difference == -there.difference
    assert (back.flips.negative, back.flips.positive) == (there.flips.positive, there.flips.negative)
    assert back.p_value == pytest.approx(there.p_value)
    assert back.interval.low == pytest.approx(-there.interval.high)


def test_flips_add_up_to_the_difference_of_shares_by_most_seeds(study):
    flips = changed(study, LITE, VIT).tasks[0].flips

    assert flips.negative + flips.positive + flips.both_wrong <= flips.examples
    assert sum(each.negative for each in flips.classes) == flips.negative


def test_twins_differ_in_nothing(study):
    result = changed(study, LITE, TWIN)

    assert all(task.difference == 0 and task.p_value == 1 for task in result.tasks)
    assert "not significantly different" in result.remarks[0]


def test_significant_losses_are_reported(study):
    result = changed(study, VIT, FLOOR)

    assert result.remarks[0].startswith(f"{FLOOR} is significantly worse on ")


def test_stored_features_can_stay_where_features_find_the_same_neighbours(study):
    features = np.random.default_rng(0).normal(size=(50, 6))
    same, turned, fewer = features + 1e-6, features[:, ::-1], features[:, :4]

    result = [
        changed(seeing(study, features, after), LITE, VIT).remarks[1] for after in (same, turned, fewer)
    ]

    assert "are interchangeable for search" in result[0]
    assert "are not interchangeable: among stored features" in result[1]
    assert "their width is 6 before and 4 after. Compute stored features again" in result[2]


def test_examples_are_called_by_their_names(study):
    task = study.tasks[0]
    names = [f"{row}.jpg" for row in range(len(study.truths[task.fingerprint]))]

    result = changed(replace(study, names={task.fingerprint: names}.get), LITE, VIT)

    assert result.tasks[0].flips.regressed[0].example.endswith(".jpg")


def test_models_without_a_task_in_common_say_so(study):
    with pytest.raises(UsageError, match="measured both models on no task"):
        changed(study, LITE, "sentence:all-MiniLM-L6-v2")


def test_a_model_that_failed_says_why(study):
    with pytest.raises(UsageError, match="12 tensors do not fit"):
        changed(study, LITE, "hf:example-lab/broken-<checkpoint>")


def test_a_model_against_itself_is_a_slip(study):
    with pytest.raises(UsageError, match="stands twice"):
        changed(study, LITE, LITE)


def test_over_five_tasks_the_task_is_the_unit(study):
    first = study.tasks[0]
    tasks, results = [], []
    for position in range(6):
        tasks.append(replace(first, address=f"task {position}"))
        results += [
            replace(
                result,
                job=replace(result.job, task=f"task {position}"),
                value=result.value and result.value + position / 1000,
            )
            for result in study.results
            if result.job.task == first.address
        ]
    copies = replace(study, tasks=tasks, results=results)

    result = changed(copies, FLOOR, VIT)

    assert result.over_tasks.tasks == 6
    assert result.over_tasks.mean == pytest.approx(result.tasks[0].difference)
    assert result.over_tasks.p_value == pytest.approx(2 / 2**6)
    assert result.over_tasks.practical.better > 0.99
    assert "practically better with probability 1.00" in result.remarks[1]
    assert changed(study, FLOOR, VIT).over_tasks is None


def answers(
    rng: np.random.Generator, examples: int, right: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return whether two models, whose errors go together, are right."""
    hardness, own = rng.uniform(size=examples), rng.uniform(size=examples)
    first = np.where(own < 0.7, hardness, rng.uniform(size=examples)) < right[0]
    return first.astype(int), (hardness < right[1]).astype(int)


def test_the_test_is_mcnemars_for_accuracy():
    rng = np.random.default_rng(0)
    truth = Labels(LabelKind.CLASSIFICATION, np.ones(100, dtype=int), ("no", "yes"))
    first, second = answers(rng, 100, (0.7, 0.8))
    lost, won = (int(((row == 1) & (other == 0)).sum()) for row, other in ((first, second), (second, first)))

    result = paired(Measured(truth, (first[None], second[None])), SimulatedAccuracy(), seed=0)

    table = [
        [int(((first == 1) & (second == 1)).sum()), lost],
        [won, int(((first == 0) & (second == 0)).sum())],
    ]
    assert result.p_value == pytest.approx(mcnemar(table, exact=True).pvalue)


@pytest.mark.parametrize("examples", [8, 30, 200])
@pytest.mark.parametrize("right", [(0.5, 0.6), (0.95, 0.95), (0.99, 0.9)])
def test_intervals_of_a_share_hold_the_truth_for_few_examples_too(examples, right):
    rng = np.random.default_rng(examples)
    held = []
    for _ in range(1000):
        first, second = answers(rng, examples, right)
        result = share_difference(second - first)
        held.append(result.low <= right[1] - right[0] <= result.high)

    assert np.mean(held) >= 0.93  # 95 % less three standard errors


def test_equal_answers_on_few_examples_are_not_proved_equal():
    truth = Labels(LabelKind.CLASSIFICATION, np.zeros(20, dtype=int), ("no", "yes"))
    same = np.zeros((1, 20), dtype=int)

    result = paired(Measured(truth, (same, same)), SimulatedAccuracy(), seed=0)

    assert result.p_value == 1.0
    assert result.interval.low < -0.05
    assert result.interval.high > 0.05


def test_the_spread_over_seeds_widens_the_interval():
    rng = np.random.default_rng(0)
    truth = Labels(LabelKind.REGRESSION, rng.normal(size=200))
    steady = truth.values + np.tile(rng.normal(size=200), (3, 1))
    shaky = truth.values + np.array([[0.5], [1.0], [2.0]]) * rng.normal(size=(3, 200))

    widths = [
        (result.interval.high - result.interval.low)
        for other in (steady * 0.9, shaky)
        for result in [paired(Measured(truth, (steady, other)), SimulatedError(), seed=0)]
    ]

    assert widths[1] > 3 * widths[0]
