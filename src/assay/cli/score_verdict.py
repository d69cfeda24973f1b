"""The verdict about scored files: which has the best estimated metric, and whether intervals overlap."""

from __future__ import annotations

from assay.analysis.per_task.cells import SCORES
from assay.cli.score_files import Outcomes
from assay.cli.score_tables import value_with_interval
from assay.core.text import few

_NAMED = 3  # files that the verdict names


def verdict(outcomes: Outcomes, *, are_comparable: bool, asked: bool) -> str:
    """Return which file an estimate of a metric puts first, and whether its interval is apart.

    Of several estimates it is the first that the user named, else that by which ``assay rank`` ranks models
    that it does not train; never the one with the highest value.

    Args:
        outcomes: By file, then by score.
        are_comparable: Whether the files have the same labels.
        asked: The user named the scores.
    """
    if not are_comparable:
        return "Verdict: none, because the files have different labels."
    named = _in_all(outcomes)
    if not named:
        which = "for every file" if len(outcomes) > 1 else ""
        return f"Verdict: none, because no score has a value {which}".rstrip() + "."
    estimates = [name for name in named if _metric_of(outcomes, name)]
    if not estimates:
        return (
            "Verdict: none, because these scores estimate no metric; they only rank models. "
            "Add one that does with --method ridge_cv."
        )
    score = estimates[0] if asked else next((name for name in SCORES if name in estimates), estimates[0])
    rule = "the first named" if asked else "as in assay rank --estimate" if score in SCORES else ""
    by = f"{score} ({rule})" if rule and len(estimates) > 1 else score
    of_score = {name: of_file[score] for name, of_file in outcomes.items()}
    best = max(of_score, key=lambda name: float(of_score[name].estimate or 0.0))
    expected = f"expected {of_score[best].metric} {value_with_interval(of_score[best])} by {by}"
    if len(of_score) == 1:
        return f"Verdict: {expected}."
    low = None if (interval := of_score[best].interval) is None else interval.low
    overlapping = [
        name
        for name, outcome in of_score.items()
        if name != best and (low is None or outcome.interval is None or outcome.interval.high >= low)
    ]
    if not overlapping:
        return f"Verdict: {best} is best, {expected}; no other interval overlaps."
    return f"Verdict: {best} is first, {expected}; not clearly better than {few(overlapping, _NAMED)}."


def _in_all(outcomes: Outcomes) -> list[str]:
    """Return the scores that have a value for every file."""
    first = next(iter(outcomes.values()))
    return [
        score
        for score in first
        if all(score in of and of[score].estimate is not None for of in outcomes.values())
    ]


def _metric_of(outcomes: Outcomes, score: str) -> str:
    return next(iter(outcomes.values()))[score].metric
