"""Which model is recommended, and in which words."""

from __future__ import annotations

import dataclasses

import pytest

from assay.analysis.compare import compare
from assay.analysis.evidence import Evidence
from assay.analysis.per_task.recommendation import cheapest, contenders
from assay.findings.comparison import Comparison
from assay.findings.facts import ModelRow
from assay.testing.simulated_study import simulate_study

BEST = "timm:resnet50.a1_in1k"


def compared(study: Evidence) -> Comparison:
    return compare(dataclasses.replace(study, tasks=study.tasks[:1]), ranked_by=None, seed=0)


def drawn(study: Evidence, model: str) -> Evidence:
    """Return the study with one model's weights said to be random."""

    def changed(row: ModelRow) -> ModelRow:
        facts = dataclasses.replace(row.facts, is_random=row.address == model)
        return dataclasses.replace(row, facts=facts)

    return dataclasses.replace(study, models=tuple(map(changed, study.models)))


@pytest.fixture
def study() -> Evidence:
    return simulate_study()


def test_the_recommended_is_the_cheapest_of_those_that_may_be_best(study):
    comparison = compared(study)
    rows = {row.address: row for row in comparison.models}
    result = comparison.tasks[0]

    assert result.recommended == cheapest(contenders(result.standings, rows), rows)


def test_a_cheap_model_that_no_draw_puts_first_is_not_recommended(study):
    standings = compared(study).tasks[0].standings
    tied = [dataclasses.replace(standing, is_tied_best=True) for standing in standings]

    assert contenders(tied, {}) == [standing.model for standing in standings if standing.ranks[0] == 1]


def test_random_weights_are_never_recommended_beside_pretrained_ones(study):
    result = compared(drawn(study, compared(study).tasks[0].recommended)).tasks[0]

    assert result.recommended != compared(study).tasks[0].recommended
    assert "tied for best: pretraining does not show on this task" in result.because


def test_random_weights_alone_are_ranked_as_they_are(study):
    standing = compared(study).tasks[0].standings[0]
    rows = {row.address: row for row in drawn(study, standing.model).models}

    assert contenders([standing], rows) == [standing.model]
