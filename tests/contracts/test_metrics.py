"""The laws of metrics, for each metric in the folder."""

from __future__ import annotations

from collections.abc import Mapping

from assay.core.metric import Metric
from assay.plugins.registry import Registry
from assay.testing.metrics import MetricContract

METRICS = Registry("metrics", Metric, "metric")


class TestEveryMetric(MetricContract):
    @classmethod
    def plugins(cls) -> Mapping[str, Metric]:
        return {name: METRICS.load(name)() for name in METRICS.names()}
