"""The laws of reports, for each report in the folder."""

from __future__ import annotations

import pytest

from assay.plugins.families import BUILT_IN
from assay.plugins.report import Report
from assay.testing.reports import ReportContract


class TestEveryReport(ReportContract):
    @pytest.fixture(params=BUILT_IN.reports.names())
    def report(self, request: pytest.FixtureRequest) -> Report:
        if request.param in {"mlflow", "trackio", "wandb"}:  # names of packages too
            pytest.importorskip(request.param)
        return BUILT_IN.reports.load(request.param)()
