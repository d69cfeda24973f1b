"""Selects agreements of scores with results that have enough models and a narrow interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assay.findings.agreement import Agreements, OverallAgreement
from assay.findings.comparison import Comparison
from assay.findings.deferred import Deferred

FEWEST_MODELS = 5
WIDEST = 1.0  # of an interval of weighted tau, which lies between -1 and 1


def with_useful_agreements(comparison: Comparison) -> Comparison:
    """Return the findings with the agreements that a report shows unless all are requested.

    They are those with the method that ranks the models, of at least five models, and of the scores whose
    interval of weighted tau is narrower than 1. Rankings that ignore the data stay beside them.
    """
    every = comparison.agreement
    useful = [
        found
        for agreements in (every.part(comparison.ranked_by) if isinstance(every, Deferred) else every)
        if agreements.truth == comparison.ranked_by
        and (found := replace(agreements, overall=_useful(agreements))).overall
    ]
    return replace(comparison, agreement=tuple(useful))


def _useful(agreements: Agreements) -> tuple[OverallAgreement, ...]:
    models = max((score.models for score in agreements.by_task), default=0)
    if models < FEWEST_MODELS:
        return ()
    kept = [score for score in agreements.overall if score.is_baseline or _is_certain(score)]
    return tuple(kept) if _has_scores(kept) else ()


def _has_scores(overall: Sequence[OverallAgreement]) -> bool:
    return any(not score.is_baseline for score in overall)


def _is_certain(score: OverallAgreement) -> bool:
    intervals = [of["weighted_tau"] for of in (score.models, score.others) if "weighted_tau" in of]
    return any(interval.high - interval.low < WIDEST for interval in intervals)
