"""What charts show of findings."""

from __future__ import annotations

import numpy as np
import pytest

from assay.analysis.across_tasks.generality import across
from assay.findings.matrix import Matrix
from assay.reports.html.charts import profile_chart
from assay.reports.html.names import Names

pytest.importorskip("altair")

RNG = np.random.default_rng(0)
MODELS = tuple(f"timm:net_{place:02}" for place in range(25))


def matrix(tasks: int) -> Matrix:
    skill = np.linspace(0.6, 0.9, len(MODELS))[:, None]
    names = tuple(f"task {place}" for place in range(tasks))
    return Matrix(MODELS, names, np.clip(skill + RNG.normal(0, 0.05, size=(len(MODELS), tasks)), 0, 1))


def test_profiles_are_those_of_the_findings_for_the_first_models():
    found = across(matrix(12), {f"task {place}": 0.1 for place in range(12)})

    chart = profile_chart(found, Names({}, {}), "profiles")

    best = found.models[0]
    of_best = [row for row in chart.rows if row["model"] == best.model]
    assert [row["share"] for row in of_best] == list(best.profile)
    assert [row["index"] for row in of_best] == list(found.thresholds)
    assert {row["model"] for row in chart.rows} == {one.model for one in found.models[:20]}
    assert {row["model"] for row in chart.rows if row["take"]} == {best.model}


def test_few_tasks_have_no_profiles():
    found = across(matrix(4), {f"task {place}": 0.1 for place in range(4)})

    assert profile_chart(found, Names({}, {}), "profiles") is None
