from dataclasses import replace

import numpy as np
import pytest

from assay.analysis.change import Pair, change
from assay.core.errors import UsageError

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
    found = changed(study, LITE, VIT)

    for one in found.tasks:
        findings = next(task for task in comparison.tasks if task.task == one.task)
        values = {standing.model: standing.value for standing in findings.standings}
        assert one.difference == pytest.approx(values[VIT] - values[LITE])
        assert one.interval.low <= one.difference <= one.interval.high


def test_turned_round_everything_turns(study):
    there, back = changed(study, LITE, VIT).tasks[0], changed(study, VIT, LITE).tasks[0]

    assert back.difference == -there.difference
    assert (back.flips.negative, back.flips.positive) == (there.flips.positive, there.flips.negative)
    assert back.p_value == there.p_value
    assert back.interval.low == pytest.approx(-there.interval.high)


def test_flips_add_up_to_the_difference_of_shares_by_most_seeds(study):
    flips = changed(study, LITE, VIT).tasks[0].flips

    assert flips.negative + flips.positive + flips.both_wrong <= flips.examples
    assert sum(one.negative for one in flips.classes) == flips.negative


def test_twins_differ_in_nothing(study):
    found = changed(study, LITE, TWIN)

    assert all(one.difference == 0 and one.p_value == 1 for one in found.tasks)
    assert "do not tell" in found.remarks[0]


def test_what_is_surely_worse_is_said(study):
    found = changed(study, VIT, FLOOR)

    assert found.remarks[0].startswith(f"{FLOOR} is surely worse on ")


def test_an_index_can_stay_where_features_find_the_same_neighbours(study):
    features = np.random.default_rng(0).normal(size=(50, 6))
    same, turned, fewer = features + 1e-6, features[:, ::-1], features[:, :4]

    found = [changed(seeing(study, features, after), LITE, VIT).remarks[1] for after in (same, turned, fewer)]

    assert "can stay" in found[0]
    assert "Make an index of the features again" in found[1]
    assert "cannot stay" in found[2]


def test_examples_are_called_by_their_names(study):
    task = study.tasks[0]
    names = [f"{row}.jpg" for row in range(len(study.truths[task.fingerprint]))]

    found = changed(replace(study, names={task.fingerprint: names}.get), LITE, VIT)

    assert found.tasks[0].flips.regressed[0].example.endswith(".jpg")


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
    for place in range(6):
        tasks.append(replace(first, address=f"task {place}"))
        results += [
            replace(
                one, job=replace(one.job, task=f"task {place}"), value=one.value and one.value + place / 1000
            )
            for one in study.results
            if one.job.task == first.address
        ]
    copies = replace(study, tasks=tasks, results=results)

    found = changed(copies, FLOOR, VIT)

    assert found.over_tasks.tasks == 6
    assert found.over_tasks.mean == pytest.approx(found.tasks[0].difference)
    assert found.over_tasks.p_value == pytest.approx(2 / 2**6)
    assert found.over_tasks.practical.better > 0.99
    assert "practically better with chance 1.00" in found.remarks[1]
    assert changed(study, FLOOR, VIT).over_tasks is None
