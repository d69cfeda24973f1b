import numpy as np
import pytest

from assay.analysis.noise import noise_floor
from assay.core.result import Status
from assay.findings.per_task import Cell


def cell(values: np.ndarray) -> Cell:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Cell(
        "m", "t", "fine_tune", False, Status.OK, float(values.mean()), seeds=len(values), spread=spread
    )


def test_one_seed_has_no_noise_floor():
    assert noise_floor([cell(np.array([0.5])), cell(np.array([0.7]))]) is None


def test_the_floor_agrees_with_a_computation_by_hand():
    # variances 0.01 and 0.04 of two degrees of freedom each: 0.025; t of four is 2.776; three seeds
    cells = [cell(np.array([0.4, 0.5, 0.6])), cell(np.array([0.3, 0.5, 0.7])), cell(np.array([0.9]))]

    assert noise_floor(cells) == pytest.approx(2.776 * (2 * 0.025 / 3) ** 0.5, rel=1e-3)


def test_two_runs_of_one_model_exceed_it_in_one_case_of_twenty():
    rng = np.random.default_rng(0)
    exceeded = []
    for _ in range(2000):
        runs = rng.normal(0.8, 0.02, size=(4, 3))
        again = rng.normal(0.8, 0.02, size=3)
        exceeded.append(abs(runs[0].mean() - again.mean()) > noise_floor([cell(run) for run in runs]))

    assert np.mean(exceeded) == pytest.approx(0.05, abs=0.015)
