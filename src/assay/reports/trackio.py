"""Writes results as local runs of trackio: one for each model, task and method."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import ClassVar

from assay.core.errors import MissingPackage
from assay.environment.atomic_file import replacing_text
from assay.findings.comparison import Comparison
from assay.plugins.report import Report
from assay.wording.exported import exported_runs, receipt


class Trackio(Report):
    """Runs in a project called as the file, which lists them; nothing is uploaded.

    They are in ``TRACKIO_DIR``, by default in the cache of Hugging Face; ``trackio show`` shows them.

    >>> Trackio().suffix  # assay export assay-store study.trackio
    '.trackio'
    """

    suffix: ClassVar[str] = ".trackio"
    summary: ClassVar[str] = "local runs of trackio; the file lists them"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the runs, and their list to ``path``, replacing any existing file."""
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # before it is imported
        try:
            import trackio
        except ImportError as error:
            raise MissingPackage("trackio", "trackio") from error
        runs = exported_runs(comparison)
        for run in runs:
            with contextlib.redirect_stdout(io.StringIO()):  # it says of each local run that it uploads it
                trackio.init(
                    project=path.stem,
                    name=f"{run.name} ({run.key})",
                    config=run.config,
                    embed=False,
                    auto_log_gpu=False,
                    auto_log_cpu=False,
                ).log(run.metrics)
                trackio.finish()  # unlike finish() of the run, not once more when the process ends
        with replacing_text(path) as file:
            file.write(receipt("trackio", runs))
