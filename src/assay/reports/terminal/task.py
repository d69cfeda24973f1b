"""Prints one task: leaderboard, costs, errors, slices, protocols and missing values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from assay.analysis.per_task.by_protocol import by_protocol, cell_text
from assay.core.escaping import one_line
from assay.core.text import listing, plural
from assay.findings.comparison import Comparison
from assay.findings.error_analysis import ErrorAnalysis, MissedExample, SliceFindings
from assay.findings.per_task import TaskFindings
from assay.reports.terminal.leaderboard import show_leaderboard
from assay.reports.terminal.tables import NARROWEST_NAME, SHOWN_MODELS, fitted_table, print_note
from assay.wording.error_analysis import ALL_WRONG, ARROW, ONE_CORRECT, examples_text, separation_text
from assay.wording.names import shorten
from assay.wording.numbers import count, decimals, interval_text, value_text
from assay.wording.screen_warnings import better_protocol
from assay.wording.short_names import report_names

_MODELS_ON_FRONT = 4  # models that a line names
_COSTS = {"macs": "MACs", "bytes": "size of weights", "seconds": "time of the study"}
_CONFUSIONS = 3  # confusions per line
_SLICES = 8  # slices per column of the task
_MISSING = 3  # models per reason


def show_task(comparison: Comparison, findings: TaskFindings, console: Console, *, show_all: bool) -> None:
    """Print the findings of one task."""
    console.print()
    console.print(Text(one_line(comparison.with_short_names(findings.task.address)), style="bold"))
    print_note(console, _measured(comparison, findings))
    if not comparison.has_only(findings):  # else the headline is the same
        if findings.recommended:
            console.print(
                Text.assemble("Recommended: ", (comparison.with_short_names(findings.recommended), "bold"))
            )
        console.print(Text(one_line(comparison.with_short_names(findings.because))))
    shown = [
        standing
        for position, standing in enumerate(findings.standings)
        if show_all or position < SHOWN_MODELS or standing.model == findings.recommended
    ]
    if shown:
        console.print()
        show_leaderboard(comparison, findings, shown, console)
        _show_costs(comparison, findings, console)
    if findings.error_analysis is not None and len(findings.error_analysis.models) > 1:
        _show_errors(comparison, findings.error_analysis, console, show_all=show_all)
    hidden = len(findings.standings) - len(shown)
    if hidden:
        print_note(console, f"{plural(hidden, 'more model')}; show all with --details")
    _show_slices(findings, console, show_all=show_all)
    _show_by_protocol(comparison, findings, {standing.model for standing in shown}, console)
    _show_missing(comparison, findings, console)
    better = better_protocol(comparison, findings, comparison.names)
    for note in (*findings.task.notes, *filter(None, [better])):
        console.print()
        console.print(Text(one_line(f"Note: {note}")))


def _measured(comparison: Comparison, findings: TaskFindings) -> str:
    task = findings.task
    direction = "lower is better" if findings.shown_negated else "higher is better"
    if comparison.is_estimate:
        return f"{findings.measure}, an estimate, {direction}; {plural(task.train_count, 'train example')}"
    floor = value_text(task.floor, negated=findings.shown_negated)
    return (
        f"{findings.measure} by {comparison.ranked_by}, {direction}; "
        f"{plural(task.test_count, 'test example')}; chance level {floor}"
    )


def _show_costs(comparison: Comparison, findings: TaskFindings, console: Console) -> None:
    """Print the smallest model that may be the best, and the Pareto fronts of value and cost."""
    if len(findings.standings) < 2:
        return
    labels = report_names(comparison)
    if findings.smallest is not None:
        value = next(row.value for row in findings.standings if row.model == findings.smallest)
        size = next(row.facts.parameters for row in comparison.models if row.address == findings.smallest)
        details = f"{count(size)} parameters, {value_text(value, negated=findings.shown_negated)}"
        smallest = f"Smallest model that may be the best: {labels[findings.smallest]} ({details})"
        console.print(Text(smallest))
    costs_by_front: dict[tuple[str, ...], list[str]] = {}
    for cost, front in findings.fronts.items():
        costs_by_front.setdefault(front, []).append(_COSTS.get(cost, cost))
    for front, costs in costs_by_front.items():
        models = [labels[model] for model in front[:_MODELS_ON_FRONT]]
        hidden = len(front) - len(models)
        names = listing([*models, f"{hidden} more"] if hidden else models)
        print_note(
            console,
            f"Pareto-optimal ({findings.measure} vs {listing(costs)}), among pretrained models: {names}",
        )


def _show_errors(
    comparison: Comparison, analysis: ErrorAnalysis, console: Console, *, show_all: bool
) -> None:
    """Print how well the test separates models, and the top confusions; hard examples with ``show_all``."""
    names = report_names(comparison)
    if separation := separation_text(analysis):
        print_note(console, separation)
    confusion = analysis.confusion
    if confusion is not None and confusion.most:
        pairs = [
            f"{pair.truth} -> {pair.predicted} ({pair.examples:.3g})" for pair in confusion.most[:_CONFUSIONS]
        ]
        print_note(console, f"most frequent confusions of {names[confusion.model]}: {', '.join(pairs)}")
    for title, number, examples in (
        (ALL_WRONG, analysis.missed_by_all, analysis.hardest),
        (ONE_CORRECT, analysis.by_one, analysis.correct_by_one),
    ):
        if show_all and examples:
            print_note(console, f"{examples_text(title, number, analysis.examples, len(examples))}: {ARROW}")
            for example in examples:
                print_note(console, f"  {_missed(example, names)}")


def _missed(example: MissedExample, names: Mapping[str, str]) -> str:
    right = f"; correct: {names[example.right[0]]}" if example.right else ""
    return f"{example.example}: {example.truth} -> {example.predicted}{right}"


def _show_slices(findings: TaskFindings, console: Console, *, show_all: bool) -> None:
    """Print a table for each column: slices of one model, weakest first, with the best value of any model."""
    for column in dict.fromkeys(part.column for part in findings.slices):
        slices = [part for part in findings.slices if part.column == column and part.values]
        if slices:
            _show_column(column, slices, findings, console, show_all=show_all)


def _show_column(
    column: str, slices: Sequence[SliceFindings], findings: TaskFindings, console: Console, *, show_all: bool
) -> None:
    negated = findings.shown_negated
    models = [value.model for value in slices[0].values]  # without those whose predictions are lost
    model = findings.recommended if findings.recommended in models else models[0]
    of_model = [(part, value) for part in slices for value in part.values if value.model == model]
    of_model.sort(key=lambda pair: pair[1].value)
    shown = of_model if show_all else of_model[:_SLICES]
    places = decimals(value.value for _, value in shown)
    rows = [
        (
            "",
            part.name,
            "",
            value_text(value.value, negated=negated, places=places),
            interval_text(value.interval, negated=negated, places=places) or "–",
            f"{part.examples:,}",
            value_text(max(each.value for each in part.values), negated=negated, places=places),
        )
        for part, value in shown
    ]
    titles = ("", f"by {column}", "", findings.measure, "95 % CI", "examples", "best value")
    console.print()
    console.print(fitted_table(titles, rows, console.width))
    hidden = len(of_model) - len(shown)
    more = f"; {plural(hidden, 'more slice')}, show all with --details" if hidden else ""
    print_note(console, f"of {model}, the weakest slice first{more}")


def _show_by_protocol(
    comparison: Comparison, findings: TaskFindings, shown: Collection[str], console: Console
) -> None:
    """Print the main metric of the shown models by each protocol, if there are several."""
    table = by_protocol(comparison, findings)
    if table is None:
        return
    cells = [cell for _, of_protocol in table.rows for cell in of_protocol if cell is not None]
    negated, places = findings.shown_negated, decimals(cell.value for cell in cells if cell.value is not None)
    ordered = sorted(
        table.rows, key=lambda row: row[0] != comparison.ranked_by
    )  # what ranks is never left out
    labels = report_names(comparison)
    rows = [
        ("", labels[model], "", *(cell_text(of[at], negated=negated, places=places) for _, of in ordered))
        for at, model in enumerate(table.models)
        if model in shown
    ]
    methods = [method for method, _ in ordered]
    printed = fitted_table(("", f"{findings.measure} by protocol", "", *methods), rows, console.width)
    console.print()
    console.print(printed)
    hidden = len(methods) + 1 - len(printed.columns)
    notes = ["± 95 % CI over draws or seeds"] * any(cell.spread is not None for cell in cells)
    notes += [f"{plural(hidden, 'more protocol')} in a wider terminal, and in the page"] * bool(hidden)
    if notes:
        print_note(console, "; ".join(notes))


def _show_missing(comparison: Comparison, findings: TaskFindings, console: Console) -> None:
    labels = report_names(comparison)
    by_reason: dict[tuple[str, str], list[str]] = {}
    for cell in findings.missing:
        by_reason.setdefault((cell.state, cell.reason), []).append(labels[cell.model])
    for (status, reason), models in by_reason.items():
        hidden = len(models) - _MISSING
        more = f" and {plural(hidden, 'more model')}" if hidden > 0 else ""
        names = shorten(models[:_MISSING], max(NARROWEST_NAME, console.width - 10)).values()
        style = "bold red" if status == "failed" else "bold"
        console.print()
        console.print(Text.assemble((status, style), one_line(f" {', '.join(names)}{more}")))
        console.print(Padding(Text(reason), (0, 0, 0, 2), expand=False))
