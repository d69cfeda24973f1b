from dataclasses import replace

import pytest

from assay.analysis.compare import compare
from assay.analysis.scores.filtering import with_useful_agreements
from assay.core.estimate import Interval
from assay.findings.agreement import Agreements
from assay.findings.comparison import Comparison
from assay.findings.deferred import Deferred
from assay.testing.simulated_study import simulate_study


@pytest.fixture(scope="module")
def many() -> Comparison:
    return compare(simulate_study(more_models=13), ranked_by=None, seed=0)


def test_an_agreement_is_shown_once_and_not_for_each_protocol(many):
    both = [*many.agreement, *(replace(each, truth="knn") for each in many.agreement)]

    shown = with_useful_agreements(replace(many, agreement=tuple(both))).agreement

    assert [agreements.truth for agreements in shown] == ["linear_probe"]
    assert "ridge_cv" in {score.score for score in shown[0].overall}


def test_a_score_whose_agreement_is_uncertain_is_not_shown(many):
    wide = Interval(-0.2, 0.9)
    agreements = next(each for each in many.agreement if each.modality == "image")
    overall = [
        replace(score, models={"weighted_tau": wide}, others={}) if score.score == "logme" else score
        for score in agreements.overall
    ]

    shown = with_useful_agreements(replace(many, agreement=(replace(agreements, overall=tuple(overall)),)))

    names = {score.score for score in shown.agreement[0].overall}
    assert "logme" not in names
    assert {"ridge_cv", "static"} <= names


def test_few_models_show_no_agreement():
    few = compare(simulate_study(), ranked_by=None, seed=0)

    assert few.agreement
    assert with_useful_agreements(few).agreement == ()


def test_only_agreement_with_the_ranking_method_is_computed(many):
    def refuse() -> list[Agreements]:
        raise AssertionError

    ranked = [found for found in many.agreement if found.truth == many.ranked_by]
    parts = {many.ranked_by: lambda: ranked, "another": refuse}
    deferred = replace(many, agreement=Deferred(parts))

    assert with_useful_agreements(deferred).agreement == with_useful_agreements(many).agreement
    with pytest.raises(AssertionError):
        len(deferred.agreement)
