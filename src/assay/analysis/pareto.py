"""Which models no other beats in both value and latency."""

from __future__ import annotations

from collections.abc import Mapping


def pareto_front(values: Mapping[str, float], latencies: Mapping[str, float | None]) -> tuple[str, ...]:
    """Return the models that no other beats in both, fastest first.

    Args:
        values: The value of each model; higher is better.
        latencies: Seconds for one example; a model without one is left out.

    >>> pareto_front({"small": 0.8, "large": 0.9, "slow": 0.7}, {"small": 0.01, "large": 0.1, "slow": 0.2})
    ('small', 'large')
    """
    timed = [
        (latency, -values[model], model)
        for model, latency in latencies.items()
        if latency is not None and model in values
    ]
    front: list[str] = []
    best: float | None = None
    for _, negative, model in sorted(timed):
        if best is None or negative < best:
            best = negative
            front.append(model)
    return tuple(front)
