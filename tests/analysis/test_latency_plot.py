import dataclasses
from itertools import combinations

import pytest

from assay.analysis.compare import compare
from assay.analysis.latency_plot import LatencyPlot, latency_plot
from assay.testing.simulated_study import simulate_study


def _plot(more_models: int = 0) -> LatencyPlot:
    study = simulate_study(more_models=more_models)
    found = compare(dataclasses.replace(study, tasks=study.tasks[:1]), ranked_by=None, seed=0)
    plot = latency_plot(found.tasks[0], {row.address: row for row in found.models})
    assert plot is not None
    return plot


def test_the_front_and_the_recommended_are_labelled():
    labelled = {mark.model for mark in _plot().marks if mark.label}

    assert {"packaged:efficientnet_lite0", "timm:resnet50.a1_in1k"} <= labelled


def test_labels_of_many_models_do_not_cover_each_other():
    labels = [mark.label for mark in _plot(more_models=40).marks if mark.label]
    ends = {"start": 0.0, "middle": 0.5, "end": 1.0}
    boxes = [
        (label.x - ends[label.anchor] * 6 * len(label.text), label.y, len(label.text) * 6) for label in labels
    ]

    assert len(labels) > 1
    assert not [
        (one, other)
        for one, other in combinations(boxes, 2)
        if abs(one[1] - other[1]) < 12 and one[0] < other[0] + other[2] and other[0] < one[0] + one[2]
    ]


def test_models_far_behind_are_counted_instead_of_shown():
    plot = _plot()

    assert plot.below == 1
    assert "timm:resnet18(pretrained=False)" not in {mark.model for mark in plot.marks}


def test_one_latency_is_no_plot(comparison):
    row = comparison.models[-1]

    assert latency_plot(comparison.tasks[0], {row.address: row}) is None


@pytest.mark.parametrize("seconds", [None, 0.0])
def test_a_model_without_latency_is_not_placed(comparison, seconds):
    rows = {row.address: row for row in comparison.models}
    rows["timm:resnet50.a1_in1k"] = dataclasses.replace(
        rows["timm:resnet50.a1_in1k"], latency_seconds=seconds
    )
    plot = latency_plot(comparison.tasks[0], rows)

    assert plot is not None
    assert "timm:resnet50.a1_in1k" not in {mark.model for mark in plot.marks}
