"""Sentences that answer for a modality: which model is recommended for its tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from assay.core.task import Modality
from assay.core.text import few, listing, plural
from assay.findings.across import Across
from assay.findings.decision import Recommendation
from assay.findings.facts import ModelRow, has_random_weights
from assay.findings.per_task import TaskFindings, pretrained
from assay.wording.numbers import PLURAL, interval_text, value_text
from assay.wording.recommendation import ALONE_ON_EACH, amount_text, costs_text, is_alone, nothing

_NAMED = 3  # models or tasks that a sentence names


def answer(
    modality: Modality,
    tasks: Sequence[TaskFindings],
    decision: Recommendation | None,
    general: Across | None,
    models: Mapping[str, ModelRow],
    method: str,
) -> str:
    """Return the answer for a modality, in a few sentences.

    Args:
        modality: Modality of the tasks.
        tasks: All tasks of the modality.
        decision: The decision over the tasks on which a model can be recommended.
        general: The comparison across the tasks.
        models: By address.
        method: The method that ranks the models.
    """
    kind = PLURAL[modality]
    usable = [findings for findings in tasks if findings.decision is not None]
    if decision is None:
        return f"No recommendation for {kind}. {_why_not(tasks)}"
    if len(usable) == 1:
        on = f" on {usable[0].task.address}" if len(tasks) > 1 else ""
        by = f" with {method}" if usable[0].is_above_chance is not None else ""
        return f"Recommended for {kind}{on}: {decision.recommended}{by}: {usable[0].because}"
    return f"Recommended for {kind}: {_over_tasks(usable, decision, general, models)}"


def _why_not(tasks: Sequence[TaskFindings]) -> str:
    """Return why no model of a modality can be recommended."""
    if not any(findings.standings for findings in tasks):
        return nothing([cell for findings in tasks for cell in findings.missing])
    poor = [findings.task.address for findings in tasks if findings.is_above_chance is False]
    if poor:
        return f"No model is significantly better than chance level on {few(poor, _NAMED)}."
    missing = [cell for findings in tasks for cell in findings.missing]
    return f"Only controls with random weights have a value. {nothing(missing) if missing else ''}".rstrip()


def _over_tasks(
    tasks: Sequence[TaskFindings],
    decision: Recommendation,
    general: Across | None,
    models: Mapping[str, ModelRow],
) -> str:
    """Return the answer over several tasks."""
    model = decision.recommended
    where = [findings for findings in tasks if model in findings.by_model]
    on = (
        f"over {plural(len(where), 'task')}"
        if len(where) == len(tasks)
        else f"on {len(where)} of {len(tasks)} tasks"
    )
    regret = decision.expected_regret.get(model)
    alone = is_alone(tasks, models)
    if tasks[0].is_above_chance is None:
        why = ALONE_ON_EACH if alone else "by mean rank"
        if regret is not None and not alone:
            why = f"expected regret {_regret(regret, tasks)}, mean over tasks"
        return (
            f"{model}: the best estimates by {decision.method} {on}, {why}. "
            f"This is an estimate: nothing was trained.{_left_out(tasks, decision, models)}"
        )
    sentences = [f"{model} with {decision.method}."]
    if regret is not None and decision.cheaper is not None:
        more = _regret(decision.expected_regret[decision.cheaper] - regret, tasks)
        sentences.append(
            f"Cheaper: {decision.cheaper}, {costs_text(tasks[0], decision)}, expected to lose {more} more."
        )
    if alone:
        confidence = ALONE_ON_EACH
    elif regret is None:
        confidence = "no predictions are stored for some of the models, so the highest measured mean decides"
    else:
        confidence = f"expected regret {_regret(regret, tasks)}, mean {on}"
    best_on = sum(findings.by_model[model].may_be_best for findings in where)
    may = "" if alone else f"; it may be the best on {best_on} of {plural(len(where), 'task')}"
    sentences.append(f"Confidence: {confidence}{may}{_index(model, general)}.")
    return " ".join(sentences) + _controls(where, models) + _left_out(tasks, decision, models)


def _controls(tasks: Sequence[TaskFindings], models: Mapping[str, ModelRow]) -> str:
    """Return a warning about tasks on which random weights may be as good as pretrained ones."""
    above: list[str] = []
    equal: list[str] = []
    for findings in tasks:
        random = [row for row in findings.standings if has_random_weights(row.model, models)]
        if any(row.may_be_best for row in random):
            best = pretrained(findings.standings, models)[0].value
            (above if random[0].value > best else equal).append(findings.task.address)
    which = [f"are ahead of every pretrained model on {few(above, _NAMED)}"] if above else []
    which += [f"may be as good on {few(equal, _NAMED)}"] if equal else []
    return f" Warning: random weights {' and '.join(which)}." if which else ""


def _index(model: str, general: Across | None) -> str:
    of_model = next((row for row in general.models if row.model == model), None) if general else None
    if general is None or of_model is None or of_model.index is None:
        return ""
    interval = of_model.interval or of_model.interval_here
    ends = f" ({interval_text(interval)})" if interval else ""
    tasks = plural(len(general.index_tasks), "task")
    value = value_text(of_model.index)
    return f"; index {value}{ends} over {tasks}, where 0 is chance level and 1 the best model"


def _left_out(tasks: Sequence[TaskFindings], decision: Recommendation, models: Mapping[str, ModelRow]) -> str:
    """Return a sentence about models that were not considered, because they failed on some tasks."""
    seen = {row.model for findings in tasks for row in findings.standings}
    times = Counter(row.model for findings in tasks for row in findings.standings)
    most = times[decision.recommended]
    left = sorted(model for model in seen if times[model] < most and not has_random_weights(model, models))
    if not left:
        return ""
    reasons = {cell.model: cell.reason for findings in tasks for cell in findings.missing}
    named = [
        f"{model} ({reasons[model].partition(chr(10))[0].rstrip('.')})" if model in reasons else model
        for model in left[:_NAMED]
    ]
    more = [f"{len(left) - _NAMED} more"] if len(left) > _NAMED else []
    return f" Not considered (no value on some tasks): {listing([*named, *more])}."


def _regret(regret: float, tasks: Sequence[TaskFindings]) -> str:
    """Return a difference of values with its unit."""
    if len({findings.measure for findings in tasks}) > 1:
        return f"{100 * regret:.1f} % of the way from chance level to the best"
    return amount_text(regret, tasks[0])
