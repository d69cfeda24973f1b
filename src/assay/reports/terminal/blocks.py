"""The first screen's part on one modality: the task, a table of models, and the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assay.analysis.across_tasks.decision import shares_metric
from assay.analysis.across_tasks.overview import ModelOverview, overview
from assay.findings.comparison import Comparison
from assay.findings.decision import Recommendation
from assay.findings.facts import has_random_weights
from assay.findings.per_task import Standing, TaskFindings, first_word
from assay.reports.terminal.lines import fitted
from assay.wording import screen as words
from assay.wording.numbers import count, decimals, difference_text, interval_text, value_text

_TITLE = 18  # columns of the name of a metric
_TASK = 16  # columns of the name of a task in a table


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: a model and its numbers, the most important first."""

    model: str
    cells: tuple[str, ...]
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """What the screen says about the tasks of one modality.

    Attributes:
        head: Lines above the table: the task, and what the values are.
        problem: Why there is no recommendation; empty if there is one.
        rows: The models, best first, without controls.
        control: The best model with random weights.
        answer: Headings and texts below the table.
        confidence: Sentences, the most important first.
    """

    head: tuple[str, ...]
    problem: str
    titles: tuple[str, ...]
    rows: tuple[Row, ...]
    control: Row | None
    answer: tuple[tuple[str, str], ...] = ()
    confidence: tuple[str, ...] = ()


def block_of(
    comparison: Comparison, same: Sequence[TaskFindings], names: Mapping[str, str], tasks: Mapping[str, str]
) -> Block:
    """Return what the screen says about the tasks of one modality.

    Args:
        comparison: All findings of a study.
        same: The findings on the tasks of the modality.
        names: The names of models, by address.
        tasks: The names of tasks, by address.
    """
    rows = {row.address: row for row in comparison.models}
    is_random = {model: has_random_weights(model, rows) for model in names}
    decision = comparison.decisions.get(same[0].task.modality.value)
    needed = {decision.recommended, decision.cheaper or ""} if decision else set()
    parameters = {model: count(rows[model].facts.parameters) for model in rows}
    block = _one if len(same) == 1 else _several
    found = block(comparison, same, tasks)
    models = [
        Row(row.model, (*row.cells, parameters.get(row.model, "")), row.model in needed) for row in found.rows
    ]
    controls = [row for row in models if is_random.get(row.model)]
    problem = "" if decision else words.no_recommendation(same, names, is_random)
    answer = _answer(same, decision, names, tasks, found) if decision else ()
    if answer and comparison.pending is not None and comparison.search is None:
        (heading, text), *others = answer
        answer = ((heading, f"{text}, so far"), *others)
    usable = [findings for findings in same if findings.decision is not None]
    confidence: list[str] = []
    if decision and len(usable) == 1:
        confidence = words.decision_confidence(
            usable[0], decision, rows, is_searched=comparison.search is not None
        )
    elif decision:
        confidence = words.confidence_over_tasks(usable, decision, rows, _unit(usable))
    return Block(
        head=found.head,
        problem=problem,
        titles=(*found.titles, "params"),
        rows=tuple(row for row in models if not is_random.get(row.model)),
        control=controls[0] if controls else None,
        answer=answer,
        confidence=tuple(confidence),
    )


def _unit(tasks: Sequence[TaskFindings]) -> str | None:
    return None if shares_metric(tasks) else "% of the way from chance to best"


def _answer(
    same: Sequence[TaskFindings],
    decision: Recommendation,
    names: Mapping[str, str],
    tasks: Mapping[str, str],
    table: Block,
) -> tuple[tuple[str, str], ...]:
    usable = [findings for findings in same if findings.decision is not None]
    name = names[decision.recommended]
    if len(usable) == 1:
        on = "" if len(same) == 1 else f", on {tasks[usable[0].task.address]} alone"
        recommended = words.recommended_text(usable[0], decision, name) + on
        cheaper = words.cheaper_text(usable, decision, names, None)
    else:
        means = {row.model: row.cells[0] for row in table.rows}
        mean = f" {table.titles[0]} {means[decision.recommended]}," if len(usable) == len(same) else ""
        recommended = f"{name} ({decision.method}),{mean} over {len(usable)} tasks"
        cheaper = words.cheaper_text(usable, decision, names, _unit(usable))
    answer = [("Recommended:", recommended)]
    return (*answer, ("Cheaper:", cheaper)) if cheaper else tuple(answer)


def _one(comparison: Comparison, same: Sequence[TaskFindings], tasks: Mapping[str, str]) -> Block:
    """Return the head and the table of one task."""
    findings = same[0]
    negated = findings.shown_negated
    places = decimals(standing.value for standing in findings.standings)
    facts = {row.address: row for row in comparison.models}
    first = first_word(findings, facts)
    best = [row for row in findings.standings if row.rank == 1]
    top = next((row for row in best if not has_random_weights(row.model, facts)), best[0] if best else None)
    head = (
        words.task_line(findings.task, tasks[findings.task.address]),
        words.metric_line(comparison, findings),
    )

    def difference(standing: Standing) -> str:
        if standing.rank == 1:
            return first if standing is top else "equal"
        if standing.difference is None:
            return ""
        value = value_text(standing.value - findings.standings[0].value, negated=negated, places=places)
        return f"{value} {difference_text(standing.difference, negated=negated, places=max(1, places - 1))}"

    columns_of: list[tuple[str, Callable[[Standing], str]]] = [
        (fitted(findings.measure, _TITLE), lambda row: value_text(row.value, negated=negated, places=places)),
        (
            "95 % CI",
            lambda row: interval_text(row.interval, negated=negated, places=max(1, places - 1)),
        ),
        (f"vs {first}", difference),
    ]
    kept = [(title, text) for title, text in columns_of if any(text(row) for row in findings.standings)]
    if comparison.is_estimate:
        kept = [pair for pair in kept if pair[1] is not difference]
    rows = tuple(Row(row.model, tuple(text(row) for _, text in kept)) for row in findings.standings)
    return Block(head, "", tuple(title for title, _ in kept), rows, None)


def _several(comparison: Comparison, same: Sequence[TaskFindings], tasks: Mapping[str, str]) -> Block:
    """Return the head and the table over several tasks."""
    ranked = [findings for findings in same if findings.standings]
    if not ranked:
        return Block((words.tasks_line(same),), "", (), (), None)
    found = overview(ranked, is_estimate=comparison.is_estimate)
    negated = ranked[0].shown_negated and not found.is_rank and found.title != "index"
    means = [row.mean for row in found.models if row.mean is not None]
    places = 1 if found.is_rank else decimals(means)
    by_task = {findings.task.address: findings for findings in same}

    def worst(row: ModelOverview) -> str:
        name = fitted(tasks[row.worst_task], _TASK)
        is_negated = by_task[row.worst_task].shown_negated
        shown_places = None if found.is_rank else places
        return f"{name} {value_text(row.worst.value, negated=is_negated, places=shown_places)}"

    lines = [
        Row(
            row.model,
            (
                "" if row.mean is None else value_text(row.mean, negated=negated, places=places),
                worst(row),
                *(() if found.is_rank else (f"{row.best_on} of {row.tasks}",)),
            ),
        )
        for row in found.models
    ]
    head = (words.tasks_line(same), words.over_tasks_line(found.title, comparison, ranked))
    titles = (
        f"mean {fitted(found.title, _TITLE)}",
        "worst task",
        *(() if found.is_rank else ("may be best",)),
    )
    return Block(head, "", titles, tuple(lines), None)
