"""What each protocol made of each model, with the interval over draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from assay.analysis.compare import Evidence, compare
from assay.analysis.per_task.by_protocol import by_protocol, seed_error
from assay.findings.comparison import Comparison


def with_curve(study: Evidence, draws: int) -> Comparison:
    """Every linear probe again, as few-shot runs that lose something at random."""
    rng = np.random.default_rng(0)
    more = []
    for result in study.results:
        if (result.job.method, result.job.seed) == ("linear_probe", 0) and result.value is not None:
            for k in (2, 16):
                for seed in range(draws):
                    job = replace(
                        result.job, method=f"few_shot(k={k})", seed=seed, key=f"{result.job.key}{k}-{seed}"
                    )
                    more.append(replace(result, job=job, value=result.value - rng.uniform(0, 1 / k)))
    return compare(replace(study, results=[*study.results, *more]), ranked_by="linear_probe", seed=0)


@pytest.fixture(scope="module")
def curve(study: Evidence) -> Comparison:
    return with_curve(study, draws=5)


def test_sizes_stand_in_their_order(curve: Comparison) -> None:
    result = by_protocol(curve, curve.tasks[0])

    assert result is not None
    assert [name for name, _ in result.rows][:2] == ["few_shot(k=2)", "few_shot(k=16)"]


def test_the_interval_over_draws_is_that_of_scipy(curve: Comparison) -> None:
    result = by_protocol(curve, curve.tasks[0])
    assert result is not None
    wanted = ("few_shot(k=2)", result.models[0], curve.tasks[0].task.address)
    cell = next(cell for cell in curve.cells if (cell.method, cell.model, cell.task) == wanted)
    assert cell.spread is not None

    low, high = stats.t.interval(0.95, 4, scale=cell.spread / np.sqrt(5))

    assert result.rows[0][1][0] == cell
    assert seed_error(cell) == pytest.approx((high - low) / 2)


def test_one_run_has_no_interval_and_one_protocol_no_table(study: Evidence) -> None:
    once = with_curve(study, draws=1)
    alone = compare(
        replace(study, results=[result for result in study.results if result.job.method == "linear_probe"]),
        ranked_by=None,
        seed=0,
    )

    result = by_protocol(once, once.tasks[0])
    assert result is not None
    assert {seed_error(cell) for cell in result.rows[0][1] if cell} == {None}
    assert by_protocol(alone, alone.tasks[0]) is None
