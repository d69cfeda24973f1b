"""The families of plug-ins, one registry each."""

from __future__ import annotations

from assay.core.engine import Engine
from assay.core.method import FeatureProtocol, Score
from assay.core.metric import Metric
from assay.core.model import ModelSource
from assay.core.registry import Registry
from assay.core.report import Report
from assay.core.task import TaskSource

MODELS: Registry[ModelSource] = Registry("models", ModelSource, "model source")
TASKS: Registry[TaskSource] = Registry("tasks", TaskSource, "task source")
SCORES: Registry[Score] = Registry("scores", Score, "score")
PROTOCOLS: Registry[FeatureProtocol] = Registry("protocols", FeatureProtocol, "protocol")
METRICS: Registry[Metric] = Registry("metrics", Metric, "metric")
REPORTS: Registry[Report] = Registry("reports", Report, "report")
ENGINES: Registry[Engine] = Registry("engines", Engine, "engine")
