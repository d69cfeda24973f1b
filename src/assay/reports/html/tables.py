"""Builds the tables of a task below its leaderboard: classes, methods, slices, missing values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assay.analysis.per_task.by_protocol import cell_text, natural
from assay.core.result import Status
from assay.core.text import plural
from assay.findings.comparison import Comparison
from assay.findings.error_analysis import SliceFindings
from assay.findings.per_task import Cell, TaskFindings
from assay.reports.html.leaderboard import shown_standings
from assay.wording.methods import methods_notes
from assay.wording.numbers import decimals, interval_text, value_text

MOST_CLASSES = 40  # of one task
MOST_METHOD_CELLS = 25_000  # of all tables of methods together, so that the page can be sent by mail
MOST_SLICES = 30  # columns of a table
MOST_SLICE_CELLS = 3_000  # of all tables of slices together
FEWEST_MODELS = 20  # rows of a table of slices without space for all models


@dataclass(frozen=True, slots=True)
class ClassAccuracy:
    """Accuracy of the recommended model on the test examples of one class."""

    name: str
    count: int
    accuracy: float


@dataclass(frozen=True, slots=True)
class MethodTable:
    """The values of every model on one task by every method of the study, as text."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[str, ...]  # what the values are, and which models are shown


@dataclass(frozen=True, slots=True)
class SliceTable:
    """Table of models x slices of one column.

    Attributes:
        column: Name of the column.
        slices: The slices with a value, sorted by name; only the largest if there are many.
        hidden: Number of slices that are not shown.
        rows: Each model with its value and interval on each slice, best on the whole task first.
        models_hidden: Number of models that are not shown; the exports have all.
        reasons: Why other slices have no value.
    """

    column: str
    slices: tuple[SliceFindings, ...]
    hidden: int
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    models_hidden: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissingValue:
    """A reason why models have no value by some methods on some tasks."""

    models: tuple[str, ...]
    methods: tuple[str, ...]
    status: str
    reason: str
    tasks: tuple[str, ...]


def class_accuracies(findings: TaskFindings) -> tuple[ClassAccuracy, ...]:
    """Return the classes in order, or the weakest of many; none without a recommended model."""
    if findings.recommended is None:
        return ()
    classes = [
        ClassAccuracy(name, findings.class_counts[name], accuracy)
        for name, accuracy in findings.class_accuracy.items()
    ]
    if len(classes) > MOST_CLASSES:
        classes = sorted(classes, key=lambda row: row.accuracy)[:MOST_CLASSES]
    return tuple(classes)


def method_tables(comparison: Comparison) -> dict[str, MethodTable]:
    """Return the table of methods for tasks with several; of very many models it has the best."""
    cells: dict[str, dict[str, dict[str, Cell]]] = {}  # by task, method and model
    for cell in comparison.cells:
        if cell.value is not None:
            cells.setdefault(cell.task, {}).setdefault(cell.method, {})[cell.model] = cell
    most = max(FEWEST_MODELS, MOST_METHOD_CELLS // max(1, sum(map(len, cells.values()))))
    return {
        findings.task.address: _method_table(findings, cells[findings.task.address], most)
        for findings in comparison.tasks
        if len(cells.get(findings.task.address, ())) > 1
    }


def _method_table(findings: TaskFindings, cells: Mapping[str, Mapping[str, Cell]], most: int) -> MethodTable:
    names = tuple(sorted(cells, key=natural))
    rows = [
        (row.model, tuple(_method_text(cells[name].get(row.model), findings) for name in names))
        for row in shown_standings(findings, most)
    ]
    shown = [cells[name][model] for name in names for model, _ in rows if model in cells[name]]
    notes = methods_notes(shown, findings.measure)
    if len(rows) < len(findings.standings):
        notes += (
            f"The best {len(rows)} of {plural(len(findings.standings), 'model')}; the exports have all.",
        )
    return MethodTable(names, tuple(rows), notes)


def _method_text(cell: Cell | None, findings: TaskFindings) -> str:
    """Return a value as shown to readers: values and estimates of metrics like RMSE are negated."""
    is_of_metric = cell is not None and (not cell.is_score or bool(cell.metric))
    return cell_text(cell, negated=findings.shown_negated and is_of_metric)


def slice_tables(tasks: Sequence[TaskFindings]) -> list[tuple[SliceTable, ...]]:
    """Return the tables of slices of each task, one for each column."""
    columns = [list(dict.fromkeys(part.column for part in findings.slices)) for findings in tasks]
    room = MOST_SLICE_CELLS // max(1, sum(map(len, columns)))
    return [
        tuple(_slice_table(column, findings, room) for column in of_task)
        for findings, of_task in zip(tasks, columns, strict=True)
    ]


def _slice_table(column: str, findings: TaskFindings, room: int) -> SliceTable:
    of_column = [part for part in findings.slices if part.column == column]
    valued = [part for part in of_column if part.values]
    most_models = max(FEWEST_MODELS, room // max(1, min(len(valued), MOST_SLICES)))
    models = [standing.model for standing in shown_standings(findings, most_models)]
    most = min(MOST_SLICES, max(1, room // max(1, len(models))))
    largest = {part.name for part in sorted(valued, key=lambda part: -part.examples)[:most]}
    slices = tuple(part for part in valued if part.name in largest)
    values = [{value.model: value for value in part.values} for part in slices]
    places = decimals(value.value for of_slice in values for value in of_slice.values())
    negated = findings.shown_negated
    rows = [
        (
            model,
            tuple(
                (
                    value_text(of_slice[model].value, negated=negated, places=places),
                    interval_text(of_slice[model].interval, negated=negated, places=places),
                )
                for of_slice in values
            ),
        )
        for model in models
        if values and model in values[0]
    ]
    reasons = tuple(f"{part.name}: {part.reason}" for part in of_column if not part.values)
    hidden = len(findings.standings) - len(models)
    return SliceTable(column, slices, len(valued) - len(slices), tuple(rows), hidden, reasons)


def missing_on_task(findings: TaskFindings) -> tuple[MissingValue, ...]:
    """Return the models without a value on a task, grouped by reason, failures first."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for cell in findings.missing:
        groups.setdefault((cell.method, cell.state, cell.reason), []).append(cell.model)
    task = findings.task.address
    return _failures_first(
        MissingValue(tuple(models), (method,), status, reason, (task,))
        for (method, status, reason), models in groups.items()
    )


def missing_values(comparison: Comparison) -> tuple[MissingValue, ...]:
    """Return every model without a value, grouped by reason: ranking method first, then failures first."""
    by_ranking = [cell for findings in comparison.tasks for cell in findings.missing]
    judged = {
        (findings.task.address, row.model) for findings in comparison.tasks for row in findings.standings
    } | {(cell.task, cell.model) for cell in by_ranking}
    by_others = [
        cell
        for cell in comparison.cells
        if cell.value is None and cell.method != comparison.ranked_by and (cell.task, cell.model) in judged
    ]
    tasks: dict[tuple[str, str, str, str], list[str]] = {}
    for cell in (*by_ranking, *by_others):
        tasks.setdefault((cell.model, cell.method, cell.state, cell.reason), []).append(cell.task)
    methods: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
    for (model, method, status, reason), found in tasks.items():
        methods.setdefault((model, status, reason, tuple(found)), []).append(method)
    return _failures_first(
        MissingValue((model,), tuple(names), status, reason, found)
        for (model, status, reason, found), names in methods.items()
    )


def _failures_first(rows: Iterable[MissingValue]) -> tuple[MissingValue, ...]:
    return tuple(sorted(rows, key=lambda row: row.status != Status.FAILED))
