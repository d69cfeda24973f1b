"""Sentences about scores that predicted results better than the static ranking."""

from __future__ import annotations

from collections.abc import Sequence

from assay.core.estimate import Interval
from assay.core.text import listing
from assay.findings.agreement import OverallAgreement
from assay.wording.numbers import interval_text, value_text

_NAMED = 3  # scores that a sentence names


def agreement_remarks(overall: Sequence[OverallAgreement]) -> tuple[str, ...]:
    """Return a sentence about scores that agree better with the results than the static ranking.

    Args:
        overall: The agreement of each score over all tasks, best first.
    """
    scores = [(score, score.static_tau) for score in overall if not score.is_baseline]
    gains = [(score, score.weighted_tau - tau) for score, tau in scores if tau is not None]
    if not gains:
        return ()
    prior = "the static ranking, which never looks at the target"
    above = [(score, gain) for score, gain in gains if gain > 0]
    sure = [
        (score, gain) for score, gain in above if score.over_static is not None and score.over_static.low > 0
    ]
    if not above:
        return (f"No score agrees better than {prior}.",)
    named = (sure or above)[:_NAMED]
    names = listing(
        f"{score.score} (by {value_text(gain, places=2)}{_ends(score.over_static)})" for score, gain in named
    )
    verb = "agrees" if len(named) == 1 else "agree"
    if sure:
        return (f"{names} {verb} better than {prior}.",)
    has_interval = any(score.over_static is not None for score, _ in above)
    doubt = (
        "the sign could change with other models" if has_interval else "there are too few models to be sure"
    )
    return (f"{names} {verb} better than {prior}, but {doubt}.",)


def _ends(interval: Interval | None) -> str:
    return "" if interval is None else f", {interval_text(interval, places=2)}"
