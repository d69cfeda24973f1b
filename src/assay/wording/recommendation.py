"""Sentences that explain the recommendation on one task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from assay.core.text import plural
from assay.findings.decision import CheapBy, Recommendation
from assay.findings.facts import ModelRow, has_random_weights
from assay.findings.per_task import Cell, NeededExamples, Standing, TaskFindings, pretrained
from assay.wording.numbers import (
    count,
    decimals,
    duration,
    interval_text,
    macs_text,
    probability_text,
    two_digits,
    value_text,
)

ALONE_ON_EACH = "only one pretrained model has a value on each task, so there is nothing to compare it with"
UNITLESS = "This score ranks models, and does not say how much better one is."
_COSTS = {
    CheapBy.MACS: " MACs",
    CheapBy.PARAMETERS: " parameters",
    CheapBy.LATENCY: " for one example",
    CheapBy.MEMORY: " of memory",
}


def because(findings: TaskFindings, models: Mapping[str, ModelRow]) -> str:
    """Return the reason for the recommendation on a task, in a few sentences.

    Args:
        findings: The findings without these sentences.
        models: By address.
    """
    decision = findings.decision
    if not findings.standings:
        return nothing(findings.missing)
    if decision is None and findings.is_above_chance is None:
        return f"Only controls with random weights have a value. {nothing(findings.missing)}".rstrip()
    if decision is None:
        return _not_above_chance(findings, models)
    chosen = findings.by_model[decision.recommended]
    if findings.is_above_chance is None and not decision.expected_regret:
        return _estimate(findings, chosen, models)
    if findings.is_above_chance is None:
        confidence = _regret(findings, decision, chosen) or "only one pretrained model has a value"
        last = f"This is an estimate: nothing was trained. {_random_above(findings, chosen, models)}".rstrip()
    else:
        confidence, last = _confidence(findings, decision, models), _controls(findings, models)
    parts = (f"{_value(findings, chosen)}.", _cheaper(findings, decision), f"Confidence: {confidence}.", last)
    return " ".join(filter(None, parts))


def nothing(missing: Sequence[Cell]) -> str:
    """Return a sentence why no model of a task has a value, with the main causes."""
    if not missing:
        return "No model reads this kind of data."
    models = {cell.model for cell in missing}
    causes = Counter(
        reason for _, reason in {(cell.model, cell.reason.partition("\n")[0]) for cell in missing}
    )
    ordered = sorted(causes.items(), key=lambda cause: (-cause[1], cause[0]))
    main = [f"{reason.rstrip('.')} ({plural(number, 'model')})" for reason, number in ordered[:2]]
    more = f", and {plural(len(causes) - 2, 'other cause')}" if len(causes) > 2 else ""
    verb = "has" if len(models) == 1 else "have"
    return f"{plural(len(models), 'model')} {verb} no value: {'; '.join(main)}{more}."


def _not_above_chance(findings: TaskFindings, models: Mapping[str, ModelRow]) -> str:
    negated = findings.shown_negated
    ranked = pretrained(findings.standings, models)
    floor = value_text(findings.task.floor, negated=negated)
    return (
        f"No model is significantly better than chance level ({floor}); {ranked[0].model} has "
        f"{_value(findings, ranked[0])}. Check the labels, or use more examples."
    )


def is_alone(tasks: Sequence[TaskFindings], models: Mapping[str, ModelRow]) -> bool:
    """Return whether each task has a value of one pretrained model only, whose regret is 0 by definition."""
    return all(len(pretrained(task.standings, models)) < 2 for task in tasks)


def amount_text(difference: float, findings: TaskFindings) -> str:
    """Return a difference of values with its unit: points, or the unit of a metric where lower is better."""
    if findings.shown_negated:
        return f"{value_text(difference, places=_places(findings))} {findings.measure}"
    points = f"{100 * difference:.1f}"
    return f"{points} point{'' if points == '1.0' else 's'}"


def _places(findings: TaskFindings) -> int:
    return decimals(standing.value for standing in findings.standings)


def _value(findings: TaskFindings, standing: Standing) -> str:
    negated = findings.shown_negated
    value = f"{value_text(standing.value, negated=negated)} {findings.measure}"
    if standing.interval is None:
        return value
    return f"{value} ({interval_text(standing.interval, negated=negated)})"


def _cheaper(findings: TaskFindings, decision: Recommendation) -> str:
    """Return a sentence about the cheaper model; empty without one."""
    model = decision.cheaper
    if model is None:
        return ""
    more = decision.expected_regret[model] - decision.expected_regret[decision.recommended]
    value = value_text(findings.by_model[model].value, negated=findings.shown_negated)
    lost = amount_text(more, findings)
    return f"Cheaper: {model}, {value}, {costs_text(findings, decision)}, expected to lose {lost} more."


def costs_text(findings: TaskFindings, decision: Recommendation) -> str:
    """Return the cost of the cheaper model and that of the recommended one."""
    known = findings.costs.get(decision.cheap_by, {})
    both = [
        _cost(known.get(model or ""), decision.cheap_by) for model in (decision.cheaper, decision.recommended)
    ]
    unit = _COSTS[decision.cheap_by]
    return f"{both[0]} instead of {both[1]}{unit}" if both[1] else f"{both[0]}{unit}"


def _cost(cost: float | None, cheap_by: CheapBy) -> str:
    if cost is None:
        return ""
    if cheap_by is CheapBy.LATENCY:
        return duration(cost)
    if cheap_by is CheapBy.MEMORY:
        return f"{cost / 1e6:,.0f} MB"
    return (macs_text if cheap_by is CheapBy.MACS else count)(int(cost))


def _confidence(findings: TaskFindings, decision: Recommendation, models: Mapping[str, ModelRow]) -> str:
    """Return the expected regret, how many models may be the best, and the test size that they need."""
    chosen = findings.by_model[decision.recommended]
    if len(pretrained(findings.standings, models)) < 2:
        return "only one pretrained model has a value, so there is nothing to compare it with"
    regret = decision.expected_regret.get(chosen.model)
    if regret is None or chosen.ranks is None:
        return "predictions are not stored, so differences were not tested; it has the best measured value"
    parts = filter(None, (_regret(findings, decision, chosen), may_be_best_text(findings, decision, models)))
    return "; ".join(parts) + _remedy(findings, models)


def _regret(findings: TaskFindings, decision: Recommendation, chosen: Standing) -> str:
    """Return the expected regret and the probability of one within the margin; empty for one model."""
    if len(decision.expected_regret) < 2:
        return ""
    regret = amount_text(decision.expected_regret[chosen.model], findings)
    text = f"expected regret {regret}"
    if decision.margin <= 0:
        return text
    margin = amount_text(decision.margin, findings).replace(".0 point", " point")
    share = probability_text(decision.within_margin[chosen.model])
    others = "model" if findings.standings[0].model in decision.expected_regret else "pretrained model"
    return f"{share} that no other {others} is more than {margin} better; {text}"


def may_be_best_text(findings: TaskFindings, decision: Recommendation, models: Mapping[str, ModelRow]) -> str:
    """Return that the recommended model is significantly better, or how many pretrained ones may be best."""
    if findings.by_model[decision.recommended].ranks == (1, 1):
        return "it is significantly better than all other models"
    ranked = pretrained(findings.standings, models)
    best = sum(standing.may_be_best for standing in ranked)
    return f"{best} of {plural(len(ranked), 'pretrained model')} may be the best"


def _remedy(findings: TaskFindings, models: Mapping[str, ModelRow]) -> str:
    apart = apart_text(findings, models)
    return f". {apart} (now {findings.task.test_count:,})" if apart else ""


def apart_text(findings: TaskFindings, models: Mapping[str, ModelRow]) -> str:
    """Return how many test examples separate the two best pretrained models; empty if that is not known."""
    needed = findings.examples_to_separate
    if needed is None:
        return ""
    has_control = any(has_random_weights(row.model, models) for row in findings.standings[:2])
    which = "top two pretrained models" if has_control else "top two"
    return f"Telling the {which} apart takes {needed_text(needed)} test examples"


def needed_text(needed: NeededExamples) -> str:
    """Return the interval of a number of test examples.

    >>> needed_text(NeededExamples(505, 20_321)), needed_text(NeededExamples(29, None))
    ('510 to 21,000', '29 or many more')
    """
    low = f"{two_digits(needed.low):,}"
    return f"{low} or many more" if needed.high is None else f"{low} to {two_digits(needed.high):,}"


def _controls(findings: TaskFindings, models: Mapping[str, ModelRow]) -> str:
    """Return a warning if random weights may be as good as pretrained ones."""
    random = [row for row in findings.standings if has_random_weights(row.model, models)]
    if not any(row.may_be_best for row in random):
        return ""
    if random[0].value > pretrained(findings.standings, models)[0].value:
        which = f"have the {'lowest' if findings.shown_negated else 'highest'} value"
    else:
        which = "may be as good"
    return f"Warning: random weights {which}: this test does not show that pretraining helps on this task."


def _estimate(findings: TaskFindings, chosen: Standing, models: Mapping[str, ModelRow]) -> str:
    """Return the value of an estimate, with its caveats."""
    negated = findings.shown_negated
    value = value_text(chosen.value, negated=negated)
    if chosen.interval is not None:
        value += f", {interval_text(chosen.interval, negated=negated)}"
    best = "lowest" if negated else "highest"
    ranked = pretrained(findings.standings, models)
    among = plural(len(ranked), "pretrained model" if len(ranked) < len(findings.standings) else "model")
    equal = sum(row.value == chosen.value for row in ranked) - 1
    shared = f", shared with {plural(equal, 'other')}" if equal else ""
    scale = f" {UNITLESS}" if findings.decision and findings.measure == findings.decision.method else ""
    warning = _random_above(findings, chosen, models)
    return (
        f"it has the {best} {findings.measure} of {among} ({value}){shared}.{scale} "
        f"This is an estimate: nothing was trained. {warning}"
    ).rstrip()


def _random_above(findings: TaskFindings, chosen: Standing, models: Mapping[str, ModelRow]) -> str:
    """Return a warning if an estimate says that random weights are better."""
    above = findings.standings[: chosen.rank - 1]
    if not any(has_random_weights(row.model, models) for row in above):
        return ""
    which = "lower" if findings.shown_negated else "higher"
    return f"Random weights have a {which} one: this score is not reliable here."
