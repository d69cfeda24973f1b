"""Sentences of the first screen: what was measured, the recommendation, its confidence, and warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.core.limits import LEFT_OUT
from assay.core.result import Status
from assay.core.task import TaskKind
from assay.core.text import few, plural
from assay.findings.comparison import Comparison, Pending
from assay.findings.decision import CheapBy, Recommendation
from assay.findings.facts import ModelRow, TaskFacts
from assay.findings.per_task import TaskFindings, first_word, pretrained
from assay.wording.missing import failed_text, left_out_text, limits_text
from assay.wording.names import settings_of
from assay.wording.numbers import PLURAL, interval_text, probability_text, value_text
from assay.wording.recommendation import (
    ALONE_ON_EACH,
    UNITLESS,
    amount_text,
    apart_text,
    is_alone,
    may_be_best_text,
)
from assay.wording.search import progress_text
from assay.wording.short_names import CONTROL, short_names

_NAMED = 3  # models that a sentence names
_FEWER = {
    CheapBy.MACS: "fewer MACs",
    CheapBy.PARAMETERS: "fewer parameters",
    CheapBy.LATENCY: "faster",
    CheapBy.MEMORY: "less memory",
}
_FROM_TRAIN = "estimated from training examples; test was not used."
ALONE = "only one pretrained model has a value, so there is nothing to compare it with."
Names = Mapping[str, str]


def task_line(task: TaskFacts, name: str) -> str:
    """Return the contents of a task: examples, classes, test, and the origin of its splits."""
    total = task.train_count + task.val_count + task.test_count
    source = f", {task.split_source}" if task.split_source else ""
    return f"{name}: {total:,} {PLURAL[task.modality]}{_what(task)}; test {task.test_count:,}{source}"


def _what(task: TaskFacts) -> str:
    classes = plural(len(task.classes), "class")
    match task.kind:
        case TaskKind.CLASSIFICATION:
            return f" in {classes}"
        case TaskKind.MULTILABEL:
            return f" with any of {classes}"
        case TaskKind.TOKENS:
            return f" with words in {classes}"
        case TaskKind.REGRESSION:
            return " for regression"


def metric_line(comparison: Comparison, findings: TaskFindings) -> str:
    """Return the metric of the values, its direction, and the chance level."""
    direction = "lower is better" if findings.shown_negated else "higher is better"
    if comparison.is_estimate:
        by = "" if findings.measure == comparison.ranked_by else f" by {comparison.ranked_by}"
        return f"{findings.measure}{by}, {direction}; nothing was trained"
    floor = value_text(findings.task.floor, negated=findings.shown_negated)
    trivial = "the mean" if findings.task.kind is TaskKind.REGRESSION else "one class"
    if findings.task.kind is TaskKind.MULTILABEL:
        trivial = "the same classes"
    return f"{findings.measure}, {direction}; chance level {floor} (always predicting {trivial})"


def tasks_line(tasks: Sequence[TaskFindings]) -> str:
    """Return how many tasks of a modality there are, and of how many examples."""
    sizes = [findings.task.test_count for findings in tasks]
    modality = tasks[0].task.modality
    span = f"{min(sizes):,} to {max(sizes):,}" if min(sizes) < max(sizes) else f"{sizes[0]:,}"
    return f"{plural(len(tasks), f'{modality} task')}, with {span} test examples each"


def over_tasks_line(title: str, comparison: Comparison, tasks: Sequence[TaskFindings]) -> str:
    """Return the quantity that is averaged over tasks."""
    by = f"({comparison.ranked_by})"
    if title == "rank":
        return f"mean rank {by}, lower is better; nothing was trained"
    if title == "index":
        return f"mean index {by}: 0 is chance level, 1 the best model of a task"
    direction = "lower is better" if tasks[0].shown_negated else "higher is better"
    return f"mean {title} {by}, {direction}"


def pending_line(pending: Pending, names: Names) -> str:
    """Return how many models of the last run finished, and which are pending."""
    return f"{_finished(pending, names)}. Run the study again to finish it."


def watched_line(comparison: Comparison, names: Names) -> str:
    """Return how many models of a running study finished, which are pending, and which leads so far."""
    pending, rows = comparison.pending, {row.address: row for row in comparison.models}
    if comparison.search is not None:
        parts = [progress_text(comparison.search)]
    else:
        parts = [_finished(pending, names) if pending else f"{plural(len(rows), 'model')} finished"]
    modalities = list(dict.fromkeys(findings.task.modality for findings in comparison.tasks))
    for modality in modalities:
        same = [findings for findings in comparison.tasks if findings.task.modality == modality]
        leader = f"leader{f' for {PLURAL[modality]}' if len(modalities) > 1 else ''}"
        decision = comparison.decisions.get(modality.value)
        best = pretrained(same[0].standings, rows)
        if len(same) == 1 and best:
            value = value_text(best[0].value, negated=same[0].shown_negated)
            parts.append(f"{leader}: {names[best[0].model]} {value}")
        elif len(same) > 1 and decision:
            parts.append(f"{leader}: {names[decision.recommended]} over {plural(len(same), 'task')}")
    return "; ".join(parts)


def _finished(pending: Pending, names: Names) -> str:
    done = pending.models - len(pending.unfinished)
    short = short_names([*names, *pending.unfinished])  # what did not run yet has no name in the findings
    controls = [model for model in pending.unfinished if settings_of(model).get("pretrained") is False]
    short |= dict.fromkeys(controls if len(controls) == 1 else [], CONTROL)
    waiting = few([short[model] for model in pending.unfinished], _NAMED)
    return f"{done} of {plural(pending.models, 'model')} finished; pending: {waiting}"


def no_recommendation(tasks: Sequence[TaskFindings], names: Names, models: Mapping[str, bool]) -> str:
    """Return why no model is recommended on the tasks of a modality, and what to do.

    Args:
        tasks: The findings.
        names: The names of models.
        models: Whether a model has random weights.
    """
    missing = [cell for findings in tasks for cell in findings.missing]
    ranked = [row for findings in tasks for row in findings.standings if not models.get(row.model)]
    if ranked:
        findings = next(findings for findings in tasks if findings.standings)
        best = next(row for row in findings.standings if not models.get(row.model))
        floor = value_text(findings.task.floor, negated=findings.shown_negated)
        value = value_text(best.value, negated=findings.shown_negated)
        on = "" if len(tasks) == 1 else " on any task"
        return (
            f"No recommendation: no model is significantly better than chance level ({floor}){on}; "
            f"{names[best.model]} has {value}. Check the labels, or use more examples."
        )
    failed = [cell for cell in missing if cell.status is Status.FAILED]
    if failed:
        again = "Fix the cause, and run it again with --retry-failed."
        return f"No recommendation: {failed_text(failed, names)}. {again}"
    if missing and all(cell.reason.startswith(LEFT_OUT) for cell in missing):
        return f"No recommendation: no model is within the limits: {limits_text(missing, names)}."
    if missing:
        return f"No recommendation: {left_out_text(missing, names)}."
    return "No recommendation: no pretrained model has a result."


def recommended_text(findings: TaskFindings, decision: Recommendation, name: str) -> str:
    """Return the recommended model with its protocol and value on one task."""
    standing = findings.by_model[decision.recommended]
    value = value_text(standing.value, negated=findings.shown_negated)
    ends = interval_text(standing.interval, negated=findings.shown_negated, places=2)
    interval = f" ({ends})" if ends else ""
    method = "" if findings.measure == decision.method else f" ({decision.method})"
    return f"{name}{method}, {findings.measure} {value}{interval}"


def cheaper_text(
    tasks: Sequence[TaskFindings], decision: Recommendation, names: Names, unit: str | None
) -> str:
    """Return the cheaper model, how much cheaper it is, and its expected loss; empty if not asked or alone.

    Args:
        tasks: The tasks of the decision.
        decision: The decision.
        names: The names of models.
        unit: The unit of differences over several tasks; None for that of the only task.
    """
    if decision.margin <= 0 or len(decision.expected_regret) < 2:
        return ""
    model = decision.cheaper
    if model is None:
        return f"none within {_amount(decision.margin, tasks[0], unit)}"
    lost = decision.expected_regret[model] - decision.expected_regret[decision.recommended]
    loss = f"expected to lose {_amount(lost, tasks[0], unit)} more"
    known = tasks[0].costs.get(decision.cheap_by, {})
    if decision.recommended not in known or not known.get(model):
        return f"{names[model]}, {loss}"
    ratio = known[decision.recommended] / known[model]
    return f"{names[model]}, {ratio:.{int(ratio < 10)}f}x {_FEWER[decision.cheap_by]}, {loss}"


def _amount(difference: float, findings: TaskFindings, unit: str | None) -> str:
    if unit is not None:
        return f"{100 * difference:.1f} {unit}"
    return amount_text(difference, findings).replace(".0 point", " point")


def decision_confidence(
    findings: TaskFindings,
    decision: Recommendation,
    models: Mapping[str, ModelRow],
    *,
    is_searched: bool = False,
) -> list[str]:
    """Return how sure the recommendation on one task is, the most important sentence first.

    Args:
        findings: The findings on the task.
        decision: The decision on it.
        models: By address.
        is_searched: Whether models were left out, of which this says nothing.
    """
    if len(pretrained(findings.standings, models)) < 2:
        return [ALONE]
    is_estimate = findings.is_above_chance is None
    regret = decision.expected_regret.get(decision.recommended)
    if regret is None and is_estimate:
        return [*([UNITLESS] if findings.measure == decision.method else []), _FROM_TRAIN]
    if regret is None:
        return ["differences were not tested, because predictions are not stored for all models."]
    rest = [_FROM_TRAIN] if is_estimate else _tests(findings, decision, models)
    sentences = [f"expected regret {_amount(regret, findings, None)}.", *rest]
    if decision.margin > 0:
        share = probability_text(decision.within_margin[decision.recommended])
        margin = _amount(decision.margin, findings, None)
        others = "other model that was trained" if is_searched else "other model"
        if first_word(findings, models) != "best":
            others = "other pretrained model"
        sentences.insert(0, f"{share} that no {others} is more than {margin} better.")
    return sentences


def _tests(findings: TaskFindings, decision: Recommendation, models: Mapping[str, ModelRow]) -> list[str]:
    may = may_be_best_text(findings, decision, models)
    apart = apart_text(findings, models)
    return [f"{may}.", *([f"{apart}."] if apart else [])]


def confidence_over_tasks(
    tasks: Sequence[TaskFindings],
    decision: Recommendation,
    models: Mapping[str, ModelRow],
    unit: str | None,
) -> list[str]:
    """Return how sure the recommendation over several tasks is, the most important sentence first."""
    model = decision.recommended
    where = [findings for findings in tasks if model in findings.by_model]
    if is_alone(tasks, models):
        return [f"{ALONE_ON_EACH}.", *([_FROM_TRAIN] if tasks[0].is_above_chance is None else [])]
    regret = decision.expected_regret.get(model)
    average = "" if regret is None else f"expected regret {_amount(regret, tasks[0], unit)}, mean over tasks."
    if tasks[0].is_above_chance is None:
        return [average or "chosen by lowest mean rank.", _FROM_TRAIN]
    best_on = sum(findings.by_model[model].may_be_best for findings in where)
    may = f"it may be best on {best_on} of {plural(len(where), 'task')}."
    return [average or "not all predictions are stored, so the best measured mean decides.", may]
