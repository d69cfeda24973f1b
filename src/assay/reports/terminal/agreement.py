"""Prints how well scores predicted training results."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.console import Console
from rich.text import Text

from assay.core.escaping import one_line
from assay.core.estimate import Interval
from assay.core.text import plural
from assay.findings.agreement import Agreement, Agreements, OverallAgreement, Shortlist
from assay.reports.terminal.tables import fitted_table, print_note
from assay.wording.numbers import interval_text, value_text

_SHOWN = 12
_HOW = "τ_w: Kendall's tau, weighted towards the best models (scipy's rank=True); 1: same order, 0: none"
_LOST = (
    "regret@k: loss of training only the best k by the score (relative: to best - median); hit: best found"
)


def show_agreements(
    agreements: Agreements, console: Console, *, by_task: bool, show_all: bool = True
) -> None:
    """Print the agreement of each score with one outcome, over all tasks and optionally on each.

    Args:
        agreements: The findings.
        console: The console; its width determines which columns fit.
        by_task: Print each task too.
        show_all: Print every score, not only the best dozen and the baselines.
    """
    if not agreements.overall:
        return
    tasks = max(score.tasks for score in agreements.overall)
    models = max(score.models for score in agreements.by_task)
    kind = f"{agreements.modality} task" if agreements.modality else "task"
    over = f"{plural(tasks, kind)}, up to {plural(models, 'model')}"
    console.print(Text(f"How well the scores predicted {agreements.truth}: {over}", style="bold"))
    print_note(console, _HOW)
    print_note(console, _LOST)
    shown = [
        score
        for position, score in enumerate(agreements.overall)
        if show_all or position < _SHOWN or score.is_baseline
    ]
    rows = [("", _marked(score), "", *(text(score) for _, text in _OVERALL)) for score in shown]
    console.print(fitted_table(("", "score", "", *(title for title, _ in _OVERALL)), rows, console.width))
    if any(score.is_baseline for score in shown):
        print_note(console, "> baseline: ignores your data")
    if len(shown) < len(agreements.overall):
        print_note(console, f"{plural(len(agreements.overall) - len(shown), 'more score')}")
    for remark in agreements.remarks:
        console.print(Text(one_line(remark)))
    if by_task:
        console.print()
        _show_tasks(agreements, console)


def _show_tasks(agreements: Agreements, console: Console) -> None:
    order = list(dict.fromkeys(score.task for score in agreements.by_task))
    scores = sorted(
        agreements.by_task, key=lambda score: (order.index(score.task), -(score.weighted_tau or 0.0))
    )
    rows = [("", score.task, _marked(score), *(text(score) for _, text in _BY_TASK)) for score in scores]
    console.print(fitted_table(("", "task", "score", *(title for title, _ in _BY_TASK)), rows, console.width))


def _marked(score: Agreement | OverallAgreement) -> str:
    return f"{'> ' if score.is_baseline else ''}{score.score}"


def _correlation(value: float | None) -> str:
    return "–" if value is None else value_text(value, places=2)


def _interval(intervals: Mapping[str, Interval]) -> str:
    return interval_text(intervals.get("weighted_tau"), places=2) or "–"


def _shortlist(size: int, text: Callable[[Shortlist], str]) -> Callable[[Agreement | OverallAgreement], str]:
    """Return a function that formats the shortlist of a size."""

    def show(score: Agreement | OverallAgreement) -> str:
        shortlist = next((every for every in score.shortlists if every.size == size), None)
        return "–" if shortlist is None else text(shortlist)

    return show


def _lost(shortlist: Shortlist) -> str:
    return value_text(shortlist.regret, places=3)


def _hit(shortlist: Shortlist) -> str:
    return f"{shortlist.hit:.2f}"


def _lost_of_reach(shortlist: Shortlist) -> str:
    return "–" if shortlist.normalised is None else f"{shortlist.normalised:.2f}"


# columns of numbers by title, most important first
_OVERALL: tuple[tuple[str, Callable[[OverallAgreement], str]], ...] = (
    ("τ_w", lambda score: _correlation(score.weighted_tau)),
    ("other models", lambda score: _interval(score.models)),
    ("regret@1", _shortlist(1, _lost)),
    ("@3", _shortlist(3, _lost)),
    ("other tasks", lambda score: _interval(score.others)),
    ("Spearman", lambda score: _correlation(score.spearman)),
    ("hit @1", _shortlist(1, _hit)),
    ("@3", _shortlist(3, _hit)),
    ("relative regret", _shortlist(1, _lost_of_reach)),
    ("τ_b", lambda score: _correlation(score.tau_b)),
    ("Pearson", lambda score: _correlation(score.pearson)),
)
_BY_TASK: tuple[tuple[str, Callable[[Agreement], str]], ...] = (
    ("τ_w", lambda score: _correlation(score.weighted_tau)),
    ("other models", lambda score: _interval(score.intervals)),
    ("regret@1", _shortlist(1, _lost)),
    ("@3", _shortlist(3, _lost)),
    ("Spearman", lambda score: _correlation(score.spearman)),
    ("hit @1", _shortlist(1, _hit)),
    ("@3", _shortlist(3, _hit)),
    ("models", lambda score: str(score.models)),
)
