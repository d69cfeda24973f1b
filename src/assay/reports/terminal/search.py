"""Shows the course of a search: the stage of each model and why, and what was expected of the others."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from assay.core.escaping import one_line
from assay.core.text import plural
from assay.findings.comparison import Comparison
from assay.findings.search import ScreenedModel, SearchFindings, UntriedModel
from assay.reports.terminal.tables import SHOWN_MODELS, fitted_table, plain_table, print_note
from assay.wording.numbers import interval_text, value_text
from assay.wording.search import contaminated_sentences, level_rows, missed_lines, searched_line


def show_search(comparison: Comparison, console: Console, *, show_all: bool) -> None:
    """Print how far the models of a search came, and what may have been missed; without a search nothing."""
    search = comparison.search
    if search is None:
        return
    console.print()
    console.print(Text(searched_line(search)))
    tasks = [findings for findings in comparison.tasks if findings.task.address in search.tasks]
    for line in missed_lines(search, tasks):
        console.print(Text(one_line(line)))
    for sentence in contaminated_sentences(comparison, search):
        console.print(Text(one_line(sentence), style="yellow"))
    table = plain_table((), ("search",), ("models",))
    table.add_column("why", overflow="fold")
    for row in level_rows(search):
        table.add_row(row.status, f"{row.models:,}", Text(row.why))
    console.print(table)
    for findings in tasks:
        address, negated = findings.task.address, findings.shown_negated
        _show_screened(search, address, negated, console, show_all=show_all)
        _show_promising(search, address, negated, console)


def _show_screened(
    search: SearchFindings, task: str, negated: bool, console: Console, *, show_all: bool
) -> None:
    def value(one: ScreenedModel) -> float:
        return one.values[task][0]

    ranked = sorted((one for one in search.screened if task in one.values), key=value, reverse=True)
    if not ranked:
        return
    shown = ranked if show_all else ranked[:SHOWN_MODELS]
    rows = []
    for one in shown:
        estimate, interval = one.values[task]
        state = "ruled out" if one.is_ruled_out else "only tried"
        texts = value_text(estimate, negated=negated), interval_text(interval, negated=negated)
        rows.append(("", one.model, state, *texts, f"{one.examples:,}"))
    titles = ("", "tried on part of train", "", "estimate", "95 % interval", "examples")
    console.print(fitted_table(titles, rows, console.width))
    if len(shown) < len(ranked):
        print_note(console, f"{plural(len(ranked) - len(shown), 'more model')}; show all with --details")


def _show_promising(search: SearchFindings, task: str, negated: bool, console: Console) -> None:
    def row(one: UntriedModel) -> tuple[str, ...]:
        mean, deviation = one.beliefs[task]
        return "", one.model, "", value_text(mean, negated=negated), value_text(deviation)

    if not search.promising:
        return
    titles = ("", "most promising of those not tried", "", "expected", "deviation")
    console.print(fitted_table(titles, [row(one) for one in search.promising[:10]], console.width))
