"""How far the value of one model moves when only the seed changes: what is closer than that is equal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import stats

from assay.analysis.ties import ALPHA
from assay.findings.per_task import Cell


def noise_floor(cells: Sequence[Cell]) -> float | None:
    """Return the difference that two runs of one model exceed in 5 of 100 cases; None without several seeds.

    The spread over seeds is pooled over models, as each has few; a run is the mean of as many seeds as the
    model with fewest of them has. Student's t pays for how few they are.

    Args:
        cells: One for each model of a task.
    """
    spread = [(cell.seeds - 1, cell.spread) for cell in cells if cell.spread is not None]
    freedom = sum(free for free, _ in spread)
    if not freedom:
        return None
    variance = sum(free * of_model**2 for free, of_model in spread) / freedom
    seeds = min(free for free, _ in spread) + 1
    return float(stats.t.ppf(1 - ALPHA / 2, freedom)) * math.sqrt(2 * variance / seeds)
