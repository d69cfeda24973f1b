"""Computes the costs of models, Pareto fronts, the smallest good model, and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.core.limits import Limits
from assay.findings.facts import ModelRow
from assay.findings.per_task import Cell, Standing, pretrained

COSTS = ("latency", "parameters", "macs", "bytes", "memory", "seconds")


def may_be_best(standings: Sequence[Standing], rows: Mapping[str, ModelRow]) -> list[str]:
    """Return the pretrained models that may be the best: no model is significantly better."""
    return [standing.model for standing in pretrained(standings, rows) if standing.may_be_best]


def costs(
    cells: Sequence[Cell], others: Sequence[Cell], rows: Mapping[str, ModelRow]
) -> dict[str, dict[str, float]]:
    """Return each known cost of each model.

    Args:
        cells: Cells of the ranking method on the task.
        others: All cells of the task, which hold the encoding time.
        rows: The models by address.

    Returns:
        Cost -> model -> value: ``latency`` (seconds for one example at batch 1), ``parameters``, ``macs``
        (multiply-accumulates for one example), ``bytes`` (of weights), ``memory`` (peak bytes of the method,
        on the accelerator if there is one), ``seconds`` (to encode the task and to run the method; unknown
        if the features were cached).
    """
    encoding: dict[str, float] = {}
    for cell in others:
        encoding[cell.model] = encoding.get(cell.model, 0.0) + cell.encode_seconds
    by_cost: dict[str, dict[str, float]] = {name: {} for name in COSTS}
    for cell in cells:
        spent = encoding.get(cell.model, 0.0)
        row = rows.get(cell.model)
        known = {
            "latency": row.latency_seconds if row else None,
            **{name: getattr(row.facts, name) if row else None for name in ("parameters", "macs", "bytes")},
            "memory": cell.cost.device_bytes or cell.cost.peak_bytes,
            "seconds": cell.seconds + spent if spent else None,
        }
        for name, number in known.items():
            if number is not None:
                by_cost[name][cell.model] = float(number)
    return by_cost


def reliable(
    of_models: Mapping[str, Mapping[str, float]], rows: Mapping[str, ModelRow]
) -> dict[str, Mapping[str, float]]:
    """Return the costs without latencies that are not reliable."""
    latencies = of_models.get("latency", {})
    kept = {
        model: seconds
        for model, seconds in latencies.items()
        if not (model in rows and rows[model].latency_warning)
    }
    return {**of_models, "latency": kept}


def fronts(
    standings: Sequence[Standing], of_models: Mapping[str, Mapping[str, float]], rows: Mapping[str, ModelRow]
) -> dict[str, tuple[str, ...]]:
    """Return the Pareto front for each cost, cheapest first, among pretrained models.

    Models whose latency is not reliable are not on the front of latency, nor keep others from it.
    """
    values = {standing.model: standing.value for standing in pretrained(standings, rows)}
    unreliable = {row.address for row in rows.values() if row.latency_warning}
    reliable = {model: value for model, value in values.items() if model not in unreliable}
    by_cost = {
        name: pareto_front(reliable if name == "latency" else values, known)
        for name, known in of_models.items()
    }
    return {name: front for name, front in by_cost.items() if front}


def smallest(models: Sequence[str], rows: Mapping[str, ModelRow]) -> str | None:
    """Return the model with the fewest parameters; None if no size is known."""
    known = [(rows[model].facts.parameters, model) for model in models if model in rows]
    return min(known)[1] if known else None


def refused(limits: Limits, rows: Mapping[str, ModelRow]) -> dict[str, str]:
    """Return the models that the limits exclude from the ranking, each with the reason."""
    refusals = {model: row.refusal(limits) for model, row in rows.items()}
    return {model: reason for model, reason in refusals.items() if reason}


def pareto_front(values: Mapping[str, float], costs: Mapping[str, float]) -> tuple[str, ...]:
    """Return the Pareto-optimal models in value and cost, cheapest first.

    Args:
        values: The value of each model; higher is better.
        costs: The cost of each model, if known.

    >>> pareto_front({"small": 0.8, "large": 0.9, "slow": 0.7}, {"small": 0.01, "large": 0.1, "slow": 0.2})
    ('small', 'large')
    """
    priced = [(cost, -values[model], model) for model, cost in costs.items() if model in values]
    front: list[str] = []
    best: float | None = None
    for _, negative, model in sorted(priced):
        if best is None or negative < best:
            best = negative
            front.append(model)
    return tuple(front)
