"""The laws of metrics, for each metric in the folder."""

from __future__ import annotations

import pytest

from assay.core.metric import Metric
from assay.plugins.registry import Registry
from assay.testing.metrics import MetricContract

METRICS = Registry("metrics", Metric, "metric")


class TestEveryMetric(MetricContract):
    @pytest.fixture(params=METRICS.names())
    def metric(self, request: pytest.FixtureRequest) -> Metric:
        return METRICS.load(request.param)()
