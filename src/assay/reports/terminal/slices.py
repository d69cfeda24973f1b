"""Shows what the recommended model, or the best, reaches on each slice of a task."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from assay.findings.error_analysis import SliceFindings, SliceValue
from assay.findings.per_task import TaskFindings
from assay.reports.terminal.tables import fitted
from assay.wording.numbers import decimals, interval_text, plural, value_text

_SHOWN = 8  # slices of a column


def show_slices(found: TaskFindings, console: Console, *, show_all: bool) -> None:
    """Print a table for each column: the slices of one model, the weakest first, and who leads there."""
    for column in dict.fromkeys(one.column for one in found.slices):
        slices = [one for one in found.slices if one.column == column and one.values]
        if slices:
            _show_column(column, slices, found, console, show_all=show_all)


def _show_column(
    column: str, slices: list[SliceFindings], found: TaskFindings, console: Console, *, show_all: bool
) -> None:
    model = found.recommended or slices[0].values[0].model
    of_model = [(one, next(each for each in one.values if each.model == model)) for one in slices]
    of_model.sort(key=lambda pair: pair[1].value)
    shown = of_model if show_all else of_model[:_SHOWN]
    places = decimals(value.value for _, value in shown)
    rows = [("", one.name, "", *_numbers(one, value, found, places)) for one, value in shown]
    titles = ("", f"by {column}", "", found.measure, "95 % interval", "examples", "best there")
    console.print()
    console.print(fitted(titles, rows, console.width))
    hidden = len(of_model) - len(shown)
    more = f"; {plural(hidden, 'more slice')}, show all with --all" if hidden else ""
    console.print(Text(f"of {model}, the weakest slice first{more}", style="dim"))


def _numbers(
    one: SliceFindings, value: SliceValue, found: TaskFindings, places: int
) -> tuple[str, str, str, str]:
    negated = found.shown_negated
    return (
        value_text(value.value, negated=negated, places=places),
        interval_text(value.interval, negated=negated, places=places) or "–",
        f"{one.examples:,}",
        value_text(max(each.value for each in one.values), negated=negated, places=places),
    )
