"""The families of plug-ins, one registry each."""

from __future__ import annotations

from pathlib import Path

from assay.core.errors import UsageError
from assay.core.metric import Metric
from assay.core.model import ModelSource
from assay.core.task import TaskSource
from assay.plugins.engine import Engine
from assay.plugins.function_score import score_of_function
from assay.plugins.method import Score
from assay.plugins.protocol import Protocol
from assay.plugins.registry import Registry
from assay.plugins.report import Report

MODELS: Registry[ModelSource] = Registry("models", ModelSource, "model source")
TASKS: Registry[TaskSource] = Registry("tasks", TaskSource, "task source")
SCORES: Registry[Score] = Registry("scores", Score, "score", score_of_function)
PROTOCOLS: Registry[Protocol] = Registry("protocols", Protocol, "protocol")
METRICS: Registry[Metric] = Registry("metrics", Metric, "metric")
REPORTS: Registry[Report] = Registry("reports", Report, "report")
ENGINES: Registry[Engine] = Registry("engines", Engine, "engine")


def add_plugin(path: str | Path) -> None:
    """Add what a Python file of the user's own defines: a class of any family, or a function that scores."""
    families = (MODELS, TASKS, PROTOCOLS, METRICS, REPORTS, ENGINES, SCORES)
    if not any(registry.add_file(Path(path)) for registry in families):
        raise UsageError(
            f"The plug-in '{path}' defines nothing. Write one public function such as "
            "'def my_score(features, labels): ...', or one class that derives from one such as MomentScore."
        )
