"""Shows all findings of a comparison in a terminal (``--details``)."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from assay.analysis.scores.filtering import with_useful_agreements
from assay.findings.comparison import Comparison
from assay.reports.terminal.across import show_across, show_average, show_similarity
from assay.reports.terminal.agreement import show_agreements
from assay.reports.terminal.console import escaping
from assay.reports.terminal.search import show_search
from assay.reports.terminal.tables import print_note
from assay.reports.terminal.task import show_task
from assay.wording.short_names import report_names


def show(comparison: Comparison, console: Console, *, show_all: bool = False) -> None:
    """Print a comparison.

    Args:
        comparison: All findings of a study.
        console: The console; its width determines which columns fit.
        show_all: Show every model, not only the best twenty of each task.
    """
    names = {**comparison.names, **report_names(comparison)}
    console = escaping(console)
    lines = [Text(sentence, style="bold") for sentence in comparison.answers]
    lines += [Text(f"Warning: {warning}", style="yellow") for warning in comparison.warnings]
    for line in lines:
        console.print(line)
    show_search(comparison, console, show_all=show_all)
    for findings in comparison.tasks:
        show_task(comparison, findings, console, show_all=show_all)
    for across in comparison.across:
        console.print()
        show_across(across, console, names, show_all=show_all)
    for average in comparison.averages:
        show_average(average, console, names, show_all=show_all)
    for similarity in comparison.similarities:
        show_similarity(similarity, console, names)
    for agreements in with_useful_agreements(comparison).agreement:
        console.print()
        show_agreements(agreements, console, by_task=show_all, show_all=show_all)
    if comparison.settings:
        console.print()
        print_note(console, "; ".join(f"{name} {value}" for name, value in comparison.settings.items()))
