"""Logs results to MLflow: one run for each model, task and method."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import ClassVar

from assay.core.errors import MissingPackage
from assay.environment.atomic_file import replacing_text
from assay.findings.comparison import Comparison
from assay.plugins.report import Report
from assay.wording.exported import exported_runs, receipt

_KEY = "assay.key"
_LONGEST = 500  # characters of a parameter, in every version of MLflow
_NOT_IN_NAMES = re.compile(r"[^\w\-. /:]")  # other signs are refused in names of metrics


class MLflow(Report):
    """Runs in an experiment called as the file, which lists them.

    They go to ``MLFLOW_TRACKING_URI``, else to ``mlflow.db`` next to the file, for
    ``mlflow ui --backend-store-uri sqlite:///mlflow.db``. A run that is there already is not logged again.

    >>> MLflow().suffix  # assay export assay-store study.mlflow
    '.mlflow'
    """

    suffix: ClassVar[str] = ".mlflow"
    summary: ClassVar[str] = "runs in MLflow; the file lists them"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Log the runs, and write their list to ``path``, replacing any existing file."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # before it is imported
        try:
            from mlflow import MlflowClient
            from mlflow.entities import Metric, Param
        except ImportError as error:
            raise MissingPackage("mlflow", "mlflow") from error
        where = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{path.resolve().parent / 'mlflow.db'}"
        client = MlflowClient(tracking_uri=where)
        known = client.get_experiment_by_name(path.stem)
        experiment = client.create_experiment(path.stem) if known is None else known.experiment_id
        runs = exported_runs(comparison)
        for run in runs:
            if client.search_runs([experiment], f"tags.`{_KEY}` = '{run.key}'", max_results=1):
                continue
            logged = client.create_run(experiment, run_name=run.name, tags={_KEY: run.key}).info
            client.log_batch(
                logged.run_id,
                metrics=[
                    Metric(_NOT_IN_NAMES.sub("_", name), value, logged.start_time, 0)
                    for name, value in run.metrics.items()
                ],
                params=[Param(name, value[:_LONGEST]) for name, value in run.config.items()],
            )
            client.set_terminated(logged.run_id)
        with replacing_text(path) as file:
            file.write(receipt("MLflow", runs))
