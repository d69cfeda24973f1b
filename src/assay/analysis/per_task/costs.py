"""What models cost on a task, and which of them no other beats in both value and a cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.analysis.per_task.recommendation import is_floor
from assay.core.limits import Limits
from assay.findings.facts import ModelRow
from assay.findings.per_task import Cell, Standing

COSTS = ("latency", "parameters", "macs", "bytes", "memory", "seconds")


def costs(
    cells: Sequence[Cell], others: Sequence[Cell], rows: Mapping[str, ModelRow]
) -> dict[str, dict[str, float]]:
    """Return each cost of each model for which it is known.

    Args:
        cells: Of the ranking method on the task.
        others: All cells of the task: they say who encoded.
        rows: The models by address.

    Returns:
        By cost: ``latency`` (seconds of one example at batch 1), ``parameters``, ``macs``
        (multiply-accumulates of one example), ``bytes`` (of weights), ``memory`` (most bytes held while the
        method ran, on the accelerator where there is one), ``seconds`` (to encode the task and to run the
        method; not known where the features were there already).
    """
    encoding: dict[str, float] = {}
    for cell in others:
        encoding[cell.model] = encoding.get(cell.model, 0.0) + cell.encode_seconds
    found: dict[str, dict[str, float]] = {name: {} for name in COSTS}
    for cell in cells:
        spent = encoding.get(cell.model, 0.0)
        memory = cell.cost.device_bytes or cell.cost.peak_bytes
        row = rows.get(cell.model)
        known = {
            "latency": row.latency_seconds if row else None,
            "parameters": row.facts.parameters if row else None,
            "macs": row.facts.macs if row else None,
            "bytes": row.facts.bytes if row else None,
            "memory": memory,
            "seconds": cell.seconds + spent if spent else None,
        }
        for name, number in known.items():
            if number is not None:
                found[name][cell.model] = float(number)
    return found


def fronts(
    standings: Sequence[Standing], of_models: Mapping[str, Mapping[str, float]], rows: Mapping[str, ModelRow]
) -> dict[str, tuple[str, ...]]:
    """Return for each cost the models that no other beats in both, cheapest first; floors do not count."""
    values = {one.model: one.value for one in standings if not is_floor(one.model, rows)}
    found = {name: pareto_front(values, known) for name, known in of_models.items()}
    return {name: front for name, front in found.items() if front}


def smallest(models: Sequence[str], rows: Mapping[str, ModelRow]) -> str | None:
    """Return the model with the fewest parameters, then the fastest; None where no size is known."""
    known = [
        (rows[model].facts.parameters, rows[model].latency_seconds or float("inf"), model)
        for model in models
        if model in rows
    ]
    return min(known)[2] if known else None


def refused(limits: Limits, rows: Mapping[str, ModelRow]) -> dict[str, str]:
    """Return the models that are not ranked, each with the reason."""
    told = {model: limits.refusal(row.facts, row.latency_seconds) for model, row in rows.items()}
    return {model: reason for model, reason in told.items() if reason}


def pareto_front(values: Mapping[str, float], costs: Mapping[str, float]) -> tuple[str, ...]:
    """Return the models that no other beats in both, cheapest first.

    Args:
        values: The value of each model; higher is better.
        costs: Of each model for which it is known.

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
