"""A test may be skipped for what the machine lacks, and for nothing else: another skip is a failure."""

from __future__ import annotations

from collections.abc import Generator

import pytest

ENVIRONMENT = (  # how the reason of a skip begins
    "could not import ",  # pytest.importorskip
    "needs the package ",
    "needs no package ",
    "needs a GPU",
    "needs chromium ",
    "needs two BLAS libraries",
    "needs data beside the checkout: ",
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _allowed((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _allowed((yield))


def _allowed(report):
    """Return the report; that of a skip without a reason of the environment as a failure."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return report
    reason = report.longrepr[2].removeprefix("Skipped: ")
    if not reason.startswith(ENVIRONMENT):
        report.outcome = "failed"
        report.longrepr = (
            f"Skipped: {reason}\nOnly what the machine lacks may skip a test. Collect the test where it "
            f"applies, or begin the reason with one of: {', '.join(map(repr, ENVIRONMENT))}."
        )
    return report
