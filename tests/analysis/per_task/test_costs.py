from dataclasses import replace

import pytest

from assay.analysis.compare import compare
from assay.analysis.per_task.costs import COSTS
from assay.core.limits import Limits
from assay.core.result import Cost

FLOOR = "timm:resnet18(pretrained=False)"


@pytest.fixture(scope="module")
def images(comparison):
    return comparison.tasks[0]


def test_no_model_beats_one_on_a_front_in_both(images):
    values = {standing.model: standing.value for standing in images.standings}

    for cost, front in images.fronts.items():
        known = {model: number for model, number in images.costs[cost].items() if model != FLOOR}
        for model in front:
            assert not any(
                values[other] >= values[model] and number < known[model] for other, number in known.items()
            )
        assert set(front) <= set(values)


def test_every_cost_that_is_known_has_a_front(images):
    assert set(images.fronts) <= set(COSTS)
    assert {"latency", "parameters", "macs", "bytes"} <= set(images.fronts)


def test_random_weights_are_on_no_front(study):
    rows = [
        replace(
            row, facts=replace(row.facts, is_random=row.address == FLOOR, parameters=1 + row.facts.parameters)
        )
        for row in study.models
    ]
    result = compare(replace(study, models=rows), ranked_by=None, seed=0).tasks[0]

    assert all(FLOOR not in front for front in result.fronts.values())


def test_memory_is_that_of_the_accelerator_where_there_is_one(study):
    results = [replace(result, cost=Cost(0.0, 5, 7 if result.job.seed else None)) for result in study.results]
    result = compare(replace(study, results=results), ranked_by=None, seed=0).tasks[0]

    assert set(result.costs["memory"].values()) == {7.0}


def test_the_smallest_of_those_that_may_be_best_is_named(images, comparison):
    sizes = {row.address: row.facts.parameters for row in comparison.models}
    possible = [standing.model for standing in images.standings if standing.may_be_best]

    assert sizes[images.smallest] == min(sizes[model] for model in possible)


def test_models_beyond_the_limits_are_not_ranked_and_say_why(study):
    result = compare(replace(study, limits=Limits.of("20M", "10ms")), ranked_by=None, seed=0)
    first = result.tasks[0]
    sizes = {row.address: row.facts.parameters for row in result.models}

    assert first.standings
    assert all(sizes[standing.model] <= 20e6 for standing in first.standings)
    message = {cell.model: cell.reason for cell in first.missing}
    assert message["timm:resnet50.a1_in1k"] == "left out: more than 20,000,000 parameters"
    assert max(standing.index for standing in first.standings) == 1.0


def test_limits_change_no_value_of_those_that_stay(study, comparison):
    before = {standing.model: standing.value for standing in comparison.tasks[0].standings}
    result = compare(replace(study, limits=Limits.of("20M")), ranked_by=None, seed=0).tasks[0].standings

    assert {item.model: item.value for item in result}.items() <= before.items()


def test_limits_that_nothing_meets_recommend_nothing(study):
    result = compare(replace(study, limits=Limits.of(1)), ranked_by=None, seed=0)

    assert all(task.recommended is None and not task.standings for task in result.tasks)
    assert result.headline[0].startswith("No recommendation for images.")


def with_warning(study, *models: str):
    """Return the study with an unreliable latency of some models."""
    rows = [
        replace(row, latency_warning="its runs vary") if row.address in models else row
        for row in study.models
    ]
    return replace(study, models=rows)


def test_an_unreliable_latency_is_a_cost_but_on_no_front(study, images):
    fastest = images.fronts["latency"][0]

    result = compare(with_warning(study, fastest), ranked_by=None, seed=0).tasks[0]

    assert fastest not in result.fronts["latency"]
    assert fastest in result.costs["latency"]
    assert result.fronts["parameters"] == images.fronts["parameters"]


def test_without_any_reliable_latency_there_is_no_front_of_latency(study):
    result = compare(
        with_warning(study, *(row.address for row in study.models)), ranked_by=None, seed=0
    ).tasks[0]

    assert "latency" not in result.fronts
    assert "parameters" in result.fronts


def test_a_limit_that_was_applied_to_an_unreliable_latency_says_so(study):
    doubtful = with_warning(study, "timm:resnet50.a1_in1k")
    limited = compare(replace(doubtful, limits=Limits.of(max_latency="20ms")), ranked_by=None, seed=0)

    message = {cell.model: cell.reason for cell in limited.tasks[0].missing}
    assert message["timm:resnet50.a1_in1k"].endswith("per example, by an unreliable measurement")
    assert limited.warnings == (
        "The latency of timm:resnet50.a1_in1k is unreliable (its runs vary). 'assay measure STORE' measures "
        "again. The limit on latency was applied nevertheless.",
    )
    assert compare(doubtful, ranked_by=None, seed=0).warnings == ()
