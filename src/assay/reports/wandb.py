"""Writes results as offline runs of Weights & Biases: one for each model, task and method."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from assay.core.errors import MissingPackage
from assay.environment.atomic_file import replacing_text
from assay.findings.comparison import Comparison
from assay.plugins.report import Report
from assay.wording.exported import exported_runs, receipt


class Wandb(Report):
    """Offline runs in a project called as the file, which lists them; nothing is uploaded.

    They are in ``wandb/`` beside the file, or below ``WANDB_DIR``; ``wandb sync wandb/offline-run-*`` uploads
    them. Runs with the same content have the same id.

    >>> Wandb().suffix  # assay export assay-store study.wandb
    '.wandb'
    """

    suffix: ClassVar[str] = ".wandb"
    summary: ClassVar[str] = "offline runs of Weights & Biases; the file lists them"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the runs, and their list to ``path``, replacing any existing file."""
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # before it is imported
        try:
            import wandb
        except ImportError as error:
            raise MissingPackage("wandb", "wandb") from error
        quiet = wandb.Settings(
            silent=True, console="off", disable_git=True, save_code=False, x_disable_meta=True,
            x_disable_stats=True,
        )  # fmt: skip
        folder = os.environ.get("WANDB_DIR") or str(path.resolve().parent)
        runs = exported_runs(comparison)
        for run in runs:
            logged = wandb.init(
                project=path.stem,
                name=run.name,
                id=run.key,
                dir=folder,
                mode="offline",
                config=run.config,
                settings=quiet,
                reinit="create_new",
            )
            logged.log(run.metrics)
            logged.finish()
        with replacing_text(path) as file:
            file.write(receipt("Weights & Biases", runs))
