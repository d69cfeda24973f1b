"""Prints the comparison across tasks, averages over suites, and similar tasks and models."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from assay.core.escaping import one_line
from assay.core.task import Modality
from assay.core.text import plural
from assay.findings.across import Across, Generality
from assay.findings.comparison import SuiteAverage
from assay.findings.short import with_short_names
from assay.findings.similarity import Similarity
from assay.reports.terminal.tables import SHOWN_MODELS, fitted_table, print_note
from assay.wording.across_tasks import similarity_title
from assay.wording.numbers import interval_text, value_text

_NUMBERS = ("index", "95 % CI", "mean rank", "win rate", "strength", "worst", "tasks", "Borda")


def show_across(
    across: Across, console: Console, names: Mapping[str, str] | None = None, *, show_all: bool = False
) -> None:
    """Print models by their short names across tasks, best first, with warnings about the order."""
    names = names or {}
    shown = across.models if show_all else across.models[:SHOWN_MODELS]
    console.print(Text(f"Across {len(across.tasks)} {_tasks(across.modality)}", style="bold"))
    print_note(console, _measured(across))
    total = len(across.all_tasks)
    has_rivals = sum(model.may_be_best is True for model in across.models) > 1
    rows = [
        (
            f"{rank}{'=' if has_rivals and model.may_be_best else ' '}",
            names.get(model.model, model.model),
            "",
            *_numbers(model, total),
        )
        for rank, model in enumerate(shown, start=1)
    ]
    table = fitted_table(("", "model", "", *_NUMBERS), rows, console.width)
    console.print(table)
    if any(column.header == "strength" for column in table.columns):
        print_note(console, "strength: Bradley-Terry, in log-odds; 0 means as many wins as losses")
    hidden = len(across.models) - len(shown)
    if hidden:
        print_note(console, f"{plural(hidden, 'more model')}; show all with --details")
    for remark in across.remarks:
        console.print(Text(one_line(with_short_names(remark, names))))


def show_average(
    average: SuiteAverage, console: Console, names: Mapping[str, str], *, show_all: bool = False
) -> None:
    """Print the average over a suite, best first."""
    console.print()
    console.print(Text(f"Average of {average.title}", style="bold"))
    print_note(console, f"the mean of the main metrics over {plural(average.tasks, 'task')}")
    shown = average.values if show_all else average.values[:SHOWN_MODELS]
    rows = [
        (f"{rank} ", names.get(model, model), "", value_text(value))
        for rank, (model, value) in enumerate(shown, start=1)
    ]
    console.print(fitted_table(("", "model", "", "average"), rows, console.width))


def show_similarity(similarity: Similarity, console: Console, names: Mapping[str, str] | None = None) -> None:
    """Print sentences about similar tasks and models by their short names, if there are any."""
    if similarity.remarks:
        console.print()
        console.print(Text(similarity_title(similarity), style="bold"))
        for remark in similarity.remarks:
            console.print(Text(one_line(with_short_names(remark, names or {}))))


def _tasks(modality: Modality | None) -> str:
    return f"{modality} tasks" if modality else "tasks"


def _measured(across: Across) -> str:
    scale = f"index 0: {across.index_zero}, 1: the best model of a task; interquartile mean over tasks"
    if across.models[0].interval is not None:
        return f"{scale}; CI: tasks like these; = may be the best"
    if across.models[0].interval_here is not None:
        return f"{scale}; CI: these tasks, other examples; = may be the best"
    return scale


def _numbers(model: Generality, total: int) -> tuple[str, ...]:
    return (
        "–" if model.index is None else value_text(model.index, places=3),
        interval_text(model.interval or model.interval_here, places=3) or "–",
        "–" if model.average_rank is None else f"{model.average_rank:.1f}",
        f"{model.win_rate:.2f}",
        value_text(model.strength, places=2),
        "–" if model.worst_index is None else value_text(model.worst_index, places=2),
        f"{len(model.tasks)} of {total}",
        f"{model.borda:g}",
    )
