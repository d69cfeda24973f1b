"""Sentences that explain a recommendation: for one task, and for a modality."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from assay.core.task import Modality
from assay.findings.across import Generality
from assay.findings.facts import ModelRow, has_random_weights
from assay.findings.per_task import Cell, Standing, TaskFindings
from assay.wording.numbers import (
    PLURAL,
    count,
    duration,
    interval_text,
    listing,
    plural,
    two_digits,
    value_text,
)


class Choice(NamedTuple):
    """The recommended model over several tasks.

    Attributes:
        best_on: Number of tasks on which it may be the best.
        general: Its generality across tasks; None if unknown.
        index_tasks: The tasks behind its index.
    """

    model: str
    best_on: int
    general: Generality | None
    index_tasks: int


def because(findings: TaskFindings, models: Mapping[str, ModelRow], cheapest_tied: str | None) -> str:
    """Return the reason for the recommendation on a task, in one or two sentences.

    Args:
        findings: The findings without this sentence.
        models: By address.
        cheapest_tied: The cheapest pretrained model that is not significantly worse than the best.
    """
    if findings.recommended is None:
        return nothing(findings.missing)
    chosen = next(standing for standing in findings.standings if standing.model == findings.recommended)
    cost = _cost(findings, chosen.model, models, is_cheapest_tied=chosen.model == cheapest_tied)
    if findings.beats_floor is None:
        return _estimate(findings, chosen, cost)
    text = _value(findings, chosen)
    if findings.beats_floor is False:
        floor = value_text(findings.task.floor, negated=findings.shown_negated)
        return (
            f"No model is surely better than guessing, which has {floor}; this one has {text}. "
            "Check the labels, or use more examples."
        )
    return f"{text}; {_standing(findings, chosen, cost)}.{_random_weights(findings, models)}"


def nothing(missing: Sequence[Cell]) -> str:
    """Return a sentence why no model of a task has a value, with the main causes."""
    if not missing:
        return "No model reads what this task holds."
    causes = Counter(cell.reason.partition("\n")[0] for cell in missing)
    main = [f"{reason.rstrip('.')} ({plural(number, 'model')})" for reason, number in causes.most_common(2)]
    more = f", and {plural(len(causes) - 2, 'other cause')}" if len(causes) > 2 else ""
    verb = "has" if len(missing) == 1 else "have"
    return f"{plural(len(missing), 'model')} {verb} no value: {'; '.join(main)}{more}."


def answer(
    modality: Modality,
    tasks: Sequence[TaskFindings],
    usable: Sequence[TaskFindings],
    choice: Choice | None,
    method: str,
) -> str:
    """Return the answer for a modality, in one or two sentences.

    Args:
        modality: Modality of the tasks.
        tasks: All tasks of the modality.
        usable: The tasks on which a model can be recommended.
        choice: The recommended model over several usable tasks.
        method: The method that ranks the models.
    """
    kind = PLURAL[modality]
    if not any(findings.standings for findings in tasks):
        cells = [cell for findings in tasks for cell in findings.missing]
        return f"For {kind}, nothing can be recommended. {nothing(cells)}"
    if not usable:
        names = listing([findings.task.address for findings in tasks if findings.standings])
        return f"For {kind}, take none of these models: none is surely better than guessing on {names}."
    if choice is None:
        on = f" on {usable[0].task.address}" if len(tasks) > 1 else ""
        return f"For {kind}, take {usable[0].recommended}{on}: {_reason(usable[0], method)}"
    return f"For {kind}, {_over_tasks(usable, choice, method)}"


def _reason(findings: TaskFindings, method: str) -> str:
    return f"{findings.because} Ranked by {method}." if findings.beats_floor is not None else findings.because


def _over_tasks(tasks: Sequence[TaskFindings], choice: Choice, method: str) -> str:
    """Return the answer over several tasks: tied for best on most of them."""
    share = f"{choice.best_on} of {plural(len(tasks), 'task')}"
    if tasks[0].beats_floor is None:
        return (
            f"{choice.model} is expected to be best on {share}. "
            f"This is an estimate by {method}: nothing was trained."
        )
    index, general = "", choice.general
    if general is not None and general.index is not None:
        interval = general.interval or general.interval_here
        ends = f", {interval_text(interval)}" if interval else ""
        value = value_text(general.index)
        index = f", with a compatibility index of {value} over {choice.index_tasks} tasks{ends}"
    return f"take {choice.model}: best, or tied with the best, on {share}{index}. Ranked by {method}."


def _value(findings: TaskFindings, standing: Standing) -> str:
    negated = findings.shown_negated
    value = f"{value_text(standing.value, negated=negated)} {findings.measure}"
    if standing.interval is None:
        return value
    return f"{value} ({interval_text(standing.interval, negated=negated)})"


def _standing(findings: TaskFindings, chosen: Standing, cost: str) -> str:
    """Return how the recommended model compares with the others, and what broke a tie."""
    models = len(findings.standings)
    tied = sum(standing.is_tied_best for standing in findings.standings) - 1
    if models == 1:
        return "it is the only model with a value, so there is nothing to compare it with"
    if chosen.interval is None:
        return "its predictions are not kept, so no ties could be tested"
    if not tied:
        return f"better than the other {models - 1}" if models > 2 else "better than the other model"
    others = "1 other is" if tied == 1 else f"{tied} others are"
    sentence = f"{others} tied with it"
    if tied == models - 1:
        sentence = f"the test examples do not tell the {models} models apart"
    return sentence + _best(findings, chosen) + cost + _remedy(findings)


def _best(findings: TaskFindings, chosen: Standing) -> str:
    """Return the best value if a cheaper model with a lower value was chosen."""
    best = findings.standings[0]
    if best.value == chosen.value:
        return ""
    return f" (the best has {value_text(best.value, negated=findings.shown_negated)})"


def _random_weights(findings: TaskFindings, models: Mapping[str, ModelRow]) -> str:
    """Return a warning if random weights are as good as pretrained ones."""
    tied = [standing.model for standing in findings.standings if standing.is_tied_best]
    random = [model for model in tied if has_random_weights(model, models)]
    if not random or len(random) == len(findings.standings):
        return ""
    return f" Random weights ({listing(random)}) are tied for best: pretraining does not show on this task."


def _remedy(findings: TaskFindings) -> str:
    if findings.examples_to_separate is None:
        return ""
    needed, there = two_digits(findings.examples_to_separate), findings.task.test_count
    return f"; about {needed:,} test examples, instead of {there:,}, would tell the best two apart"


def _cost(
    findings: TaskFindings, model: str, models: Mapping[str, ModelRow], *, is_cheapest_tied: bool
) -> str:
    row = models.get(model)
    if row is None:
        return ""
    tied = [standing.model for standing in findings.standings if standing.is_tied_best]
    them = "those that may be the best"
    if is_cheapest_tied:
        them = "the pretrained" if any(has_random_weights(other, models) for other in tied) else "them"
    if row.latency_seconds is not None:
        return f", and it is the fastest of {them} ({duration(row.latency_seconds)} per example)"
    return f", and it is the smallest of {them} ({count(row.facts.parameters)} parameters)"


def _estimate(findings: TaskFindings, chosen: Standing, cost: str) -> str:
    """Return a caveat about estimates."""
    equal = sum(standing.is_tied_best for standing in findings.standings) - 1
    shared = f", shared with {plural(equal, 'other')}{cost}" if equal else ""
    negated = findings.shown_negated
    value = value_text(chosen.value, negated=negated)
    if chosen.interval is not None:
        value += f", {interval_text(chosen.interval, negated=negated)}"
    best = "lowest" if negated else "highest"
    among = plural(len(findings.standings), "model")
    if chosen.rank > 1:
        among = f"the pretrained among {among}"
        shared = f"; random weights have a {'lower' if negated else 'higher'} one, so doubt this score"
    return (
        f"It has the {best} {findings.measure} of {among} ({value}){shared}. "
        "This is an estimate: nothing was trained."
    )
