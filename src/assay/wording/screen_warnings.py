"""Warnings of the first screen: what failed, whether pretraining helps, and which protocol is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.core.escaping import quoted
from assay.core.limits import LEFT_OUT
from assay.core.result import Status
from assay.core.text import plural
from assay.findings.comparison import Comparison
from assay.findings.facts import ModelRow, has_random_weights
from assay.findings.per_task import NOT_RUN, OTHER_MODALITY, TaskFindings, first_word, highest
from assay.wording.missing import failed_text, left_out_text
from assay.wording.numbers import value_text

_RANDOM = "random weights may be as good: pretraining may not help here."
_RANDOM_ABOVE = "random weights have the {} value: no sign here that pretraining helps."


def warnings(comparison: Comparison, names: Mapping[str, str]) -> tuple[list[str], int]:
    """Return warnings, the most important first, and the number of further notes."""
    rows = {row.address: row for row in comparison.models}
    missing = [cell for findings in comparison.tasks for cell in findings.missing]
    failed = [cell for cell in missing if cell.status is Status.FAILED]
    decisions = comparison.decisions
    waiting = comparison.pending.unfinished if comparison.pending else ()  # another line has them
    others = [
        cell
        for cell in missing
        if cell not in failed
        and not cell.reason.startswith(OTHER_MODALITY)
        and not (NOT_RUN in cell.reason and cell.model in waiting)
        and (decisions or not cell.reason.startswith(LEFT_OUT))  # the answer says it
    ]
    found = [*([f"{failed_text(failed, names)}."] if failed else []), *comparison.warnings]
    on_tasks: dict[str, list[str]] = {}
    for findings in comparison.tasks:
        if findings.is_above_chance and _random_may_be_best(findings, rows):
            sentence = (_RANDOM if first_word(findings, rows) == "best" else _RANDOM_ABOVE).format(
                highest(findings)
            )
            on_tasks.setdefault(sentence, []).append(findings.task.address)
    for findings in comparison.tasks:
        for sentence in findings.task.warnings:
            on_tasks.setdefault(sentence, []).append(findings.task.address)
    found += [_about(tasks, sentence, comparison) for sentence, tasks in on_tasks.items()]
    if others:
        found.append(f"{left_out_text(others, names)}.")
    for findings in comparison.tasks:
        if sentence := better_protocol(comparison, findings, names):
            found.append(_about([findings.task.address], sentence, comparison))
    notes = {note for findings in comparison.tasks for note in findings.task.notes} - set(on_tasks)
    return found, len(notes)


def _random_may_be_best(findings: TaskFindings, rows: Mapping[str, ModelRow]) -> bool:
    return any(row.may_be_best and has_random_weights(row.model, rows) for row in findings.standings)


def _about(tasks: Sequence[str], sentence: str, comparison: Comparison) -> str:
    """Return a warning about tasks, which are named unless there is only one."""
    if len(comparison.tasks) == 1:
        return sentence
    first = sentence[:1] if sentence[1:2].isupper() else sentence[:1].lower()
    others = f" and {plural(len(tasks) - 1, 'other task')}" * (len(tasks) > 1)
    return f"on {comparison.names.get(tasks[0], tasks[0])}{others}: {first}{sentence[1:]}"


def better_protocol(comparison: Comparison, findings: TaskFindings, names: Mapping[str, str]) -> str:
    """Return which other protocol is better with the recommended model by more than the margin, or ""."""
    decision = findings.decision
    chosen = findings.by_model.get(decision.recommended) if decision else None
    if decision is None or chosen is None or comparison.is_estimate:
        return ""
    reached = {
        cell.method: cell.value
        for cell in comparison.cells
        if (cell.task, cell.model) == (findings.task.address, decision.recommended)
        and not cell.is_score
        and cell.value is not None
    }
    best = max(reached, key=lambda method: reached[method], default="")
    if not best or reached[best] <= chosen.value + decision.margin:
        return ""
    value, own = (
        value_text(number, negated=findings.shown_negated) for number in (reached[best], chosen.value)
    )
    rows = {row.address: row for row in comparison.models}
    controls = [
        cell.value
        for cell in comparison.cells
        if (cell.task, cell.method) == (findings.task.address, best)
        and cell.value is not None
        and has_random_weights(cell.model, rows)
    ]
    control = value_text(max(controls), negated=findings.shown_negated) if controls else ""
    beside = f"; random weights {control}" if controls and max(controls) > chosen.value else ""
    return (
        f"With {best}, {names[decision.recommended]} reaches {value} ({decision.method} {own}{beside}): "
        f"--method {quoted(best)} ranks by that."
    )
