"""Which models no other beats in both value and a cost."""

from __future__ import annotations

from collections.abc import Mapping


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
