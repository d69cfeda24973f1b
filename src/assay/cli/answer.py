"""Runs a study and prints its answer: what rank, run and demo share."""

from __future__ import annotations

import sys
from pathlib import Path

import typer
from rich.console import Console

from assay.cli.progress import failures, run_and_show
from assay.cli.writing import must_be_writable, write
from assay.reports.html import Html
from assay.reports.terminal import show
from assay.run.study import Study


def answer(
    study: Study, *, report: Path | None = None, retry_failed: bool = False, all_rows: bool = False
) -> None:
    """Run a study, print the findings, write the HTML report; a failed job makes the exit code 1."""
    console = Console()
    path = report or Path(study.store) / "report.html"
    if report is not None:
        must_be_writable(report)
    try:
        comparison = run_and_show(study, Console(stderr=True), retry_failed=retry_failed)
    except KeyboardInterrupt:
        print("\nStopped. What was finished is kept: the same command continues.", file=sys.stderr)
        raise typer.Exit(code=130) from None
    show(comparison, console, show_all=all_rows)
    write(Html(), comparison, path)
    console.print(f"Report: {path}", highlight=False, markup=False, soft_wrap=True)
    failed = failures(comparison)
    if failed:
        models = "1 model" if failed == 1 else f"{failed} models"
        console.print(f"{models} failed: the reasons stand above and in the report.", highlight=False)
        raise typer.Exit(code=1)
