"""Shows how well scores predicted what training gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from assay.core.estimate import Interval
from assay.findings.agreement import Agreement, Agreements, OverallAgreement, Shortlist
from assay.reports.terminal.tables import fitted
from assay.wording.numbers import interval_text, plural, value_text

_SHOWN = 12
_HOW = "τ_w: Kendall's tau, the best models weigh most (scipy's rank=True): 1 the same order, 0 none"
_LOST = (
    "lost @k: metric lost by training the best k by the score (/reach: of best less median); hit: best found"
)
_COLUMNS = (
    "τ_w",
    "other models",
    "lost @1",
    "@3",
    "other tasks",
    "Spearman",
    "hit @1",
    "@3",
    "lost/reach",
    "τ_b",
    "Pearson",
)


def show_agreements(
    agreements: Agreements, console: Console, *, by_task: bool, show_all: bool = True
) -> None:
    """Print how well each score predicted one outcome, over all tasks and, where asked for, on each.

    Args:
        agreements: What was found.
        console: Where to print; its width decides which columns there is room for.
        by_task: Print each task too.
        show_all: Print every score, not only the best dozen and the rankings that look at no target.
    """
    if not agreements.overall:
        return
    tasks = max(one.tasks for one in agreements.overall)
    models = max(one.models for one in agreements.by_task)
    kind = f"{agreements.modality} task" if agreements.modality else "task"
    over = f"{plural(tasks, kind)}, up to {plural(models, 'model')}"
    console.print(Text(f"How well the scores predicted {agreements.truth}: {over}", style="bold"))
    for line in (_HOW, _LOST):
        console.print(Text(line, style="dim"))
    shown = [
        one for place, one in enumerate(agreements.overall) if show_all or place < _SHOWN or one.is_baseline
    ]
    rows = [("", _marked(one), "", *_overall_cells(one)) for one in shown]
    console.print(fitted(("", "score", "", *_COLUMNS), rows, console.width))
    if any(one.is_baseline for one in shown):
        console.print(Text("> looks at no example of the target", style="dim"))
    if len(shown) < len(agreements.overall):
        console.print(Text(f"{plural(len(agreements.overall) - len(shown), 'more score')}", style="dim"))
    for remark in agreements.remarks:
        console.print(Text(remark))
    if by_task:
        console.print()
        _show_tasks(agreements.by_task, console)


def _show_tasks(by_task: Sequence[Agreement], console: Console) -> None:
    order = list(dict.fromkeys(one.task for one in by_task))
    rows = [
        ("", one.task, _marked(one), *_task_cells(one))
        for one in sorted(by_task, key=lambda one: (order.index(one.task), -(one.weighted_tau or 0.0)))
    ]
    titles = (
        "",
        "task",
        "score",
        "τ_w",
        "other models",
        "lost @1",
        "@3",
        "Spearman",
        "hit @1",
        "@3",
        "models",
    )
    console.print(fitted(titles, rows, console.width))


def _marked(one: Agreement | OverallAgreement) -> str:
    return f"{'> ' if one.is_baseline else ''}{one.score}"


def _overall_cells(one: OverallAgreement) -> tuple[str, ...]:
    return (
        _correlation(one.weighted_tau),
        _within(one.models),
        *_lost(one.shortlists),
        _within(one.others),
        _correlation(one.spearman),
        *_hits(one.shortlists),
        _reach(one.shortlists),
        _correlation(one.tau_b),
        _correlation(one.pearson),
    )


def _task_cells(one: Agreement) -> tuple[str, ...]:
    return (
        _correlation(one.weighted_tau),
        _within(one.intervals),
        *_lost(one.shortlists),
        _correlation(one.spearman),
        *_hits(one.shortlists),
        str(one.models),
    )


def _correlation(value: float | None) -> str:
    return "–" if value is None else value_text(value, places=2)


def _within(intervals: Mapping[str, Interval]) -> str:
    return interval_text(intervals.get("weighted_tau"), places=2) or "–"


def _lost(shortlists: Sequence[Shortlist]) -> tuple[str, str]:
    """Return what is lost with one and with three models."""
    first, third = _of_size(shortlists, 1), _of_size(shortlists, 3)
    return (
        "–" if first is None else value_text(first.regret, places=3),
        "–" if third is None else value_text(third.regret, places=3),
    )


def _hits(shortlists: Sequence[Shortlist]) -> tuple[str, str]:
    """Return how often the best model is among one and among three."""
    first, third = _of_size(shortlists, 1), _of_size(shortlists, 3)
    return "–" if first is None else f"{first.hit:.2f}", "–" if third is None else f"{third.hit:.2f}"


def _reach(shortlists: Sequence[Shortlist]) -> str:
    """Return what is lost with one model over what lies between the median and the best."""
    first = _of_size(shortlists, 1)
    return "–" if first is None or first.normalised is None else f"{first.normalised:.2f}"


def _of_size(shortlists: Sequence[Shortlist], size: int) -> Shortlist | None:
    return next((one for one in shortlists if one.size == size), None)
