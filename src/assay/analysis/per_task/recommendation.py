"""Says which model to take, and why, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from assay.core.task import Modality
from assay.findings.across import Across
from assay.findings.facts import ModelRow
from assay.findings.per_task import Cell, Standing, TaskFindings
from assay.wording.numbers import PLURAL, count, duration, interval_text, listing, plural, value_text


def cheapest(models: Sequence[str], rows: Mapping[str, ModelRow]) -> str:
    """Return the fastest of some models, then the smallest, then the first by name; unknown costs last."""

    def cost(model: str) -> tuple[float, float, str]:
        row = rows.get(model)
        if row is None:
            return float("inf"), float("inf"), model
        latency = float("inf") if row.latency_seconds is None else row.latency_seconds
        return latency, row.facts.parameters, model

    return min(models, key=cost)


def contenders(standings: Sequence[Standing], rows: Mapping[str, ModelRow]) -> list[str]:
    """Return the models that may be the best: tied with it, and first in some of the bootstrap draws.

    A tie alone is too little to recommend a model for its cost: on a small test set the tied ones
    include models that no draw puts first. Random weights are a floor: they are there to be beaten.
    """
    pretrained = [one for one in standings if not is_floor(one.model, rows)] or standings
    found = [one.model for one in pretrained if one.is_tied_best and one.ranks[0] == 1]
    return found or [pretrained[0].model]


def not_worse(standings: Sequence[Standing], rows: Mapping[str, ModelRow]) -> list[str]:
    """Return the pretrained models that are not surely worse than the best."""
    return [one.model for one in standings if one.is_tied_best and not is_floor(one.model, rows)]


def is_floor(model: str, rows: Mapping[str, ModelRow]) -> bool:
    """Tell whether the weights of a model were drawn at random."""
    return model in rows and rows[model].facts.is_random


def because(findings: TaskFindings, rows: Mapping[str, ModelRow]) -> str:
    """Return why the recommended model of a task is recommended, in one or two sentences.

    Args:
        findings: Everything but this sentence.
        rows: The models by address.
    """
    if findings.recommended is None:
        return nothing(findings.missing)
    chosen = next(one for one in findings.standings if one.model == findings.recommended)
    if findings.beats_floor is None:
        return _estimate(findings, chosen, rows)
    text = _value(findings, chosen)
    if findings.beats_floor is False:
        floor = value_text(findings.task.floor, negated=findings.shown_negated)
        return (
            f"No model is surely better than guessing, which has {floor}; this one has {text}. "
            "Check the labels, or use more examples."
        )
    return f"{text}; {_standing(findings, chosen, rows)}.{_floors(findings, rows)}"


def nothing(missing: Sequence[Cell]) -> str:
    """Return why no model of a task has a value, with the main causes."""
    if not missing:
        return "No model reads what this task holds."
    causes = Counter(cell.reason.partition("\n")[0] for cell in missing)
    told = [f"{reason.rstrip('.')} ({plural(number, 'model')})" for reason, number in causes.most_common(2)]
    more = f", and {plural(len(causes) - 2, 'other cause')}" if len(causes) > 2 else ""
    verb = "has" if len(missing) == 1 else "have"
    return f"{plural(len(missing), 'model')} {verb} no value: {'; '.join(told)}{more}."


def headline(
    findings: Sequence[TaskFindings],
    across: Sequence[Across],
    rows: Mapping[str, ModelRow],
    by: str,
) -> tuple[str, ...]:
    """Return the answer for each modality, in one or two sentences.

    Args:
        findings: All tasks.
        across: How models compare across the tasks of a modality.
        rows: The models by address.
        by: The method that ranks the models.
    """
    sentences = []
    for modality in Modality:
        of_modality = [one for one in findings if one.task.modality == modality]
        if of_modality:
            general = next((one for one in across if one.modality == modality), None)
            sentences.append(_answer(modality, of_modality, general, rows, by))
    return tuple(sentences)


def _answer(
    modality: Modality,
    findings: Sequence[TaskFindings],
    across: Across | None,
    rows: Mapping[str, ModelRow],
    by: str,
) -> str:
    kind = PLURAL[modality]
    usable = [one for one in findings if one.recommended is not None and one.beats_floor is not False]
    if not any(one.standings for one in findings):
        cells = [cell for one in findings for cell in one.missing]
        return f"For {kind}, nothing can be recommended. {nothing(cells)}"
    if not usable:
        tasks = listing([one.task.address for one in findings if one.standings])
        return f"For {kind}, take none of these models: none is surely better than guessing on {tasks}."
    if len(usable) == 1:
        on = f" on {usable[0].task.address}" if len(findings) > 1 else ""
        return f"For {kind}, take {usable[0].recommended}{on}: {_reason(usable[0], by)}"
    return f"For {kind}, {_across(usable, across, rows, by)}"


def _reason(findings: TaskFindings, by: str) -> str:
    return f"{findings.because} Ranked by {by}." if findings.beats_floor is not None else findings.because


def _across(
    findings: Sequence[TaskFindings],
    across: Across | None,
    rows: Mapping[str, ModelRow],
    by: str,
) -> str:
    """Return the answer over several tasks: tied for best on most of them.

    Of several, the cheapest where they are tied on every task, else the most general.
    """
    good = Counter(model for found in findings for model in contenders(found.standings, rows))
    general = {one.model: one for one in across.models} if across else {}

    def merit(model: str) -> tuple[int, float]:
        if good[model] == len(findings) or model not in general:
            return good[model], 0.0
        return good[model], general[model].index or 0.0

    best = max(merit(model) for model in good)
    chosen = cheapest([model for model in good if merit(model) == best], rows)
    tasks = f"{good[chosen]} of {plural(len(findings), 'task')}"
    one = general.get(chosen)
    index = ""
    if across is not None and one is not None and one.index is not None:
        reach = one.interval or one.interval_here
        within = f", {interval_text(reach)}" if reach else ""
        tasks_of = len(across.index_tasks)
        index = f", with a compatibility index of {value_text(one.index)} over {tasks_of} tasks{within}"
    if findings[0].beats_floor is None:
        return (
            f"{chosen} is expected to be best on {tasks}. This is an estimate by {by}: nothing was trained."
        )
    return f"take {chosen}: best, or tied with the best, on {tasks}{index}. Ranked by {by}."


def _value(findings: TaskFindings, standing: Standing) -> str:
    negated = findings.shown_negated
    value = f"{value_text(standing.value, negated=negated)} {findings.measure}"
    if standing.interval is None:
        return value
    return f"{value} ({interval_text(standing.interval, negated=negated)})"


def _standing(findings: TaskFindings, chosen: Standing, rows: Mapping[str, ModelRow]) -> str:
    """Return how the recommended model compares with the others, and what decided between equals."""
    models = len(findings.standings)
    tied = sum(one.is_tied_best for one in findings.standings) - 1
    if models == 1:
        return "it is the only model with a value, so there is nothing to compare it with"
    if chosen.interval is None:
        return "its predictions are not kept, so no ties could be tested"
    if not tied:
        return f"better than the other {models - 1}" if models > 2 else "better than the other model"
    others = "1 other is" if tied == 1 else f"{tied} others are"
    told = f"{others} tied with it"
    if tied == models - 1:
        told = f"the test examples do not tell the {models} models apart"
    return told + _best(findings, chosen) + _cost(findings, chosen.model, rows) + _remedy(findings)


def _best(findings: TaskFindings, chosen: Standing) -> str:
    """Return what the best value is where a cheaper model with a lower one was chosen."""
    best = findings.standings[0]
    if best.value == chosen.value:
        return ""
    return f" (the best has {value_text(best.value, negated=findings.shown_negated)})"


def _floors(findings: TaskFindings, rows: Mapping[str, ModelRow]) -> str:
    """Return a warning where random weights do as well as pretrained ones."""
    floors = [one.model for one in findings.standings if one.is_tied_best and is_floor(one.model, rows)]
    if not floors or len(floors) == len(findings.standings):
        return ""
    return f" Random weights ({listing(floors)}) are tied for best: pretraining does not show on this task."


def _remedy(findings: TaskFindings) -> str:
    if findings.examples_to_separate is None:
        return ""
    needed, there = _rounded(findings.examples_to_separate), findings.task.test_count
    return f"; about {needed:,} test examples, instead of {there:,}, would tell the best two apart"


def _rounded(number: int) -> int:
    """Return two significant digits: more would promise too much."""
    size: int = 10 ** max(0, len(str(number)) - 2)
    return -(-number // size) * size


def _cost(findings: TaskFindings, model: str, rows: Mapping[str, ModelRow]) -> str:
    row = rows.get(model)
    if row is None:
        return ""
    tied = [one.model for one in findings.standings if one.is_tied_best and not is_floor(one.model, rows)]
    them = "those that may be the best"
    if tied and cheapest(tied, rows) == model:
        them = (
            "them" if len(tied) == sum(one.is_tied_best for one in findings.standings) else "the pretrained"
        )
    if row.latency_seconds is not None:
        return f", and it is the fastest of {them} ({duration(row.latency_seconds)} per example)"
    return f", and it is the smallest of {them} ({count(row.facts.parameters)} parameters)"


def _estimate(findings: TaskFindings, chosen: Standing, rows: Mapping[str, ModelRow]) -> str:
    """Return why an estimate is only that."""
    equal = sum(one.is_tied_best for one in findings.standings) - 1
    shared = f", shared with {plural(equal, 'other')}{_cost(findings, chosen.model, rows)}" if equal else ""
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
