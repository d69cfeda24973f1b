"""Tables of models x tasks for papers: values with intervals, models that may be the best marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.core.task import Modality
from assay.core.text import plural
from assay.findings.across import Across, Generality
from assay.findings.comparison import Comparison
from assay.findings.per_task import Standing, TaskFindings
from assay.wording.numbers import decimals, interval_text, value_text
from assay.wording.short_names import report_names, short_names


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a printed table.

    Attributes:
        value: The value as text; empty if missing.
        interval: The interval as text; empty if missing.
        is_best: No model has a better value.
        may_be_best: No model is significantly better.
    """

    value: str = ""
    interval: str = ""
    is_best: bool = False
    may_be_best: bool = False


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table of models x tasks of one modality.

    Attributes:
        caption: Description of the values, in a sentence.
        tasks: Short names of the tasks.
        measures: The measure of each task, and which direction is better.
        rows: Short names of models with their entries, the most general first; the last entry is the index
            over tasks, if there is one.
        has_index: Whether the last entry is the index.
    """

    modality: Modality
    caption: str
    tasks: tuple[str, ...]
    measures: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Entry, ...]], ...]
    has_index: bool


def result_tables(comparison: Comparison) -> tuple[ResultTable, ...]:
    """Return a table for each modality that has values."""
    tables = []
    for modality in Modality:
        tasks = [
            findings
            for findings in comparison.tasks
            if findings.task.modality == modality and findings.standings
        ]
        if tasks:
            across = next((part for part in comparison.across if part.modality == modality), None)
            tables.append(_table(comparison, modality, tasks, across))
    return tuple(tables)


def _table(
    comparison: Comparison, modality: Modality, tasks: Sequence[TaskFindings], across: Across | None
) -> ResultTable:
    general = {model.model: model for model in across.models} if across else {}
    names = report_names(comparison)
    task_names = short_names([findings.task.address for findings in comparison.tasks])
    has_index = any(model.index is not None for model in general.values())
    by_task = [findings.by_model for findings in tasks]
    models = list(dict.fromkeys([*general, *(model for standings in by_task for model in standings)]))
    rows = []
    for model in models:
        entries = [_entry(standings.get(model), task) for standings, task in zip(by_task, tasks, strict=True)]
        if has_index:
            entries.append(_index_entry(general.get(model), is_best=model == models[0]))
        rows.append((names[model], tuple(entries)))
    how = (
        f"estimates by {comparison.ranked_by}"
        if comparison.is_estimate
        else f"by {comparison.ranked_by} on test"
    )
    over = plural(len(tasks), f"{modality} task")
    return ResultTable(
        modality=modality,
        caption=f"{plural(len(models), 'model')} on {over}, {how}; 95 % intervals.",
        tasks=tuple(task_names[findings.task.address] for findings in tasks),
        measures=tuple(f"{findings.measure} {'↓' if findings.shown_negated else '↑'}" for findings in tasks),
        rows=tuple(rows),
        has_index=has_index,
    )


def _entry(standing: Standing | None, findings: TaskFindings) -> Entry:
    if standing is None:
        return Entry()
    places = decimals(other.value for other in findings.standings)
    negated = findings.shown_negated
    return Entry(
        value=value_text(standing.value, negated=negated, places=places),
        interval=interval_text(standing.interval, negated=negated, places=places),
        is_best=standing.rank == 1,
        may_be_best=standing.may_be_best,
    )


def _index_entry(model: Generality | None, *, is_best: bool) -> Entry:
    if model is None or model.index is None:
        return Entry()
    interval = interval_text(model.interval or model.interval_here, places=3)
    return Entry(value_text(model.index, places=3), interval, is_best, bool(model.may_be_best))
