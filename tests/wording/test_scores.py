import pytest

from assay.core.estimate import Interval
from assay.findings.agreement import OverallAgreement, Shortlist
from assay.wording.scores import agreement_remarks


def score(name: str, tau: float, over_static: Interval | None = None) -> OverallAgreement:
    return OverallAgreement(
        score=name,
        is_baseline=False,
        tasks=4,
        constant=0,
        weighted_tau=tau,
        tau_by_truth=tau,
        tau_b=tau,
        pearson=tau,
        spearman=tau,
        shortlists=(Shortlist(1, 0.0, None, 1.0),),
        static_tau=0.5,
        over_static=over_static,
    )


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([], ()),
        (
            [score("logme", 0.4)],
            ("No score agrees better than the static ranking, which never looks at the target.",),
        ),
        (
            [score("logme", 0.7, Interval(0.1, 0.3))],
            (
                "logme (by 0.20, 0.10 to 0.30) agrees better than "
                "the static ranking, which never looks at the target.",
            ),
        ),
        (
            [score("logme", 0.7), score("leep", 0.6)],
            (
                "logme (by 0.20) and leep (by 0.10) agree better than the static ranking, which never looks "
                "at the target, but there are too few models to be sure.",
            ),
        ),
    ],
)
def test_scores_are_compared_with_the_static_ranking(scores, expected):
    assert agreement_remarks(scores) == expected
