"""Shows how models compare across tasks."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from assay.findings.across import Across, Generality
from assay.findings.comparison import SuiteAverage
from assay.reports.terminal.tables import SHOWN_MODELS, fitted
from assay.wording.numbers import interval_text, plural, value_text

_TITLES = (
    "",
    "model",
    "",
    "index",
    "95 % interval",
    "mean rank",
    "win rate",
    "strength",
    "worst",
    "tasks",
    "Borda",
)


def show_across(across: Across, console: Console, *, show_all: bool = False) -> None:
    """Print models across tasks, best first, and what a reader must know before trusting the order."""
    shown = across.models if show_all else across.models[:SHOWN_MODELS]
    kind = f"{across.modality} tasks" if across.modality else "tasks"
    console.print(Text(f"Across {len(across.tasks)} {kind}", style="bold"))
    console.print(Text(_measured(across), style="dim"))
    total = len(across.all_tasks)
    rows = [
        (_place(place, one), one.model, "", *_numbers(one, total)) for place, one in enumerate(shown, start=1)
    ]
    console.print(fitted(_TITLES, rows, console.width))
    hidden = len(across.models) - len(shown)
    if hidden:
        console.print(Text(f"{plural(hidden, 'more model')}; show all with --all", style="dim"))
    for remark in across.remarks:
        console.print(Text(remark))


def show_average(average: SuiteAverage, console: Console, *, show_all: bool = False) -> None:
    """Print the average over a suite, best first."""
    console.print()
    console.print(Text(f"Average of {average.title}", style="bold"))
    console.print(Text(f"the mean of the main metrics over {plural(average.tasks, 'task')}", style="dim"))
    shown = average.values if show_all else average.values[:SHOWN_MODELS]
    rows = [
        (f"{place} ", model, "", value_text(value)) for place, (model, value) in enumerate(shown, start=1)
    ]
    console.print(fitted(("", "model", "", "average"), rows, console.width))


def _measured(across: Across) -> str:
    told = f"index 0: {across.index_zero}, 1: the best model of a task; interquartile mean over tasks"
    if across.models[0].interval is not None:
        return f"{told}; interval: tasks like these; = not told from the first"
    if across.models[0].interval_here is not None:
        return f"{told}; interval: these tasks, other examples; = not told from the first"
    return told


def _place(place: int, one: Generality) -> str:
    return f"{place}{'=' if one.is_tied_best and place > 1 else ' '}"


def _numbers(one: Generality, total: int) -> tuple[str, ...]:
    return (
        "–" if one.index is None else value_text(one.index, places=3),
        interval_text(one.interval or one.interval_here, places=3) or "–",
        "–" if one.average_rank is None else f"{one.average_rank:.1f}",
        f"{one.win_rate:.2f}",
        value_text(one.strength, places=2),
        "–" if one.worst_index is None else value_text(one.worst_index, places=2),
        f"{len(one.tasks)} of {total}",
        f"{one.borda:g}",
    )
