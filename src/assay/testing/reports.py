"""Contract tests of reports: derive from ``ReportContract`` and override the fixture ``report``."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from assay.analysis.compare import compare
from assay.findings.comparison import Comparison
from assay.plugins.report import Report
from assay.testing.simulated_study import simulate_study


@cache
def simulated_comparison() -> Comparison:
    """Return a comparison with ties, failed and skipped rows, long names and non-Latin scripts."""
    study = simulate_study(0)
    return compare(study, ranked_by=None, seed=0)


def rendered(report: Report) -> bytes:
    """Return the output of a report for the simulated comparison."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"report{report.suffix}"
        report.render(simulated_comparison(), path)
        return path.read_bytes()


@contextmanager
def _full_disk() -> Iterator[None]:
    """Let no byte be written to a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)


class ReportContract:
    """The contract tests of reports.

    class TestMine(ReportContract):
        @pytest.fixture
        def report(self):
            return Mine()
    """

    @pytest.fixture
    def report(self) -> Report:
        raise NotImplementedError("Override the fixture `report`.")

    def test_the_same_findings_give_the_same_file(self, report: Report, tmp_path: Path) -> None:
        comparison = simulated_comparison()

        report.render(comparison, tmp_path / "a")
        report.render(comparison, tmp_path / "b")

        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != b""

    def test_an_older_file_is_replaced(self, report: Report, tmp_path: Path) -> None:
        path = tmp_path / f"report{report.suffix}"
        report.render(simulated_comparison(), path)
        whole = path.read_bytes()
        path.write_bytes(whole + b"what stood there before")

        report.render(simulated_comparison(), path)

        assert path.read_bytes() == whole

    def test_an_older_file_stays_where_a_new_one_cannot_be_written_whole(
        self, report: Report, tmp_path: Path
    ) -> None:
        path = tmp_path / f"report{report.suffix}"
        path.write_bytes(b"what stood there before")

        with _full_disk(), pytest.raises(OSError, match="File too large"):
            report.render(simulated_comparison(), path)

        assert path.read_bytes() == b"what stood there before"
        assert [each.name for each in tmp_path.iterdir()] == [path.name]

    def test_findings_without_any_result_are_a_report_too(self, report: Report, tmp_path: Path) -> None:
        empty = replace(
            simulated_comparison(), headline=(), tasks=(), models=(), across=(), agreement=(), cells=()
        )

        report.render(empty, tmp_path / "empty")

        assert (tmp_path / "empty").stat().st_size
