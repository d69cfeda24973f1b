"""Prints and writes findings: the answer, reports, text files, and the page of a running study."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import typer
from rich.console import Console

from assay.cli.progress import run_and_show
from assay.core.errors import UsageError
from assay.core.result import Status
from assay.environment.atomic_file import written_whole
from assay.findings.comparison import Comparison
from assay.plugins.report import Report
from assay.reports.html import Html
from assay.reports.terminal import show
from assay.run.study import Study
from assay.store.results import Store
from assay.wording.numbers import plural

SECONDS = 3.0  # interval between polls of the store


def answer(
    study: Study, *, report: Path | None = None, retry_failed: bool = False, all_rows: bool = False
) -> None:
    """Run a study, print the findings and write the HTML report; exit with 1 if a job failed."""
    console = Console()
    if report is not None:
        must_be_writable(report)
    try:
        comparison = run_and_show(study, Console(stderr=True), retry_failed=retry_failed)
    except KeyboardInterrupt:
        print("\nStopped. What was finished is kept: the same command continues.", file=sys.stderr)
        raise typer.Exit(code=130) from None
    show_and_write(comparison, report or Path(study.store) / "report.html", console, all_rows=all_rows)
    failed = len({cell.model for cell in comparison.cells if cell.status is Status.FAILED})
    if failed:
        console.print(
            f"{plural(failed, 'model')} failed: the reasons stand above and in the report.", highlight=False
        )
        raise typer.Exit(code=1)


def show_and_write(
    comparison: Comparison, path: Path, console: Console, *, all_rows: bool, needs_page: bool = True
) -> None:
    """Print the findings and write the HTML report.

    Args:
        comparison: The findings.
        path: The file of the HTML report.
        console: Where to print.
        all_rows: Whether to print every model.
        needs_page: Whether it is an error if the file cannot be written; otherwise a line says so.
    """
    show(comparison, console, show_all=all_rows)
    try:
        write(Html(), comparison, path)
    except UsageError as error:
        if needs_page:
            raise
        line = f"No page: {str(error).removesuffix(' Write another path.')} Name another file with --html."
        console.print(line, highlight=False, markup=False, soft_wrap=True)
        return
    console.print(f"Report: {path}", highlight=False, markup=False, soft_wrap=True)


def follow(store: Store, path: Path, console: Console, compare: Callable[[Store], Comparison]) -> None:
    """Rewrite the page of a store after each change until Ctrl-C; an open page reloads itself."""
    from assay.reports.html.page import page

    def write_page(refresh_seconds: float | None = None) -> int:
        """Write the page atomically; return the number of results it shows."""
        comparison = compare(store)
        with _writing(path), written_whole(path) as file:
            file.write(page(comparison, refresh_seconds=refresh_seconds).encode())
        return len(comparison.cells)

    seen = -1
    try:
        while True:
            version = store.version()
            if version != seen:
                results = write_page(refresh_seconds=SECONDS)
                now = datetime.now().astimezone().strftime("%H:%M:%S")
                console.print(f"{now}  {plural(results, 'result')}: {path}", highlight=False, soft_wrap=True)
                seen = version
            time.sleep(SECONDS)
    except KeyboardInterrupt:
        write_page()


def write(report: Report, comparison: Comparison, path: Path) -> None:
    """Write a report; create parent folders."""
    with _writing(path):
        report.render(comparison, path)


def write_text(text: str, path: Path) -> None:
    """Write a text file; create parent folders."""
    with _writing(path):
        path.write_text(text, encoding="utf-8")


def must_be_writable(path: Path) -> None:
    """Raise ``UsageError`` if a path cannot be written."""
    with _writing(path):
        is_new = not path.exists()
        path.open("ab").close()
        if is_new:
            path.unlink()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise UsageError(f"Cannot write '{path}': {error.strerror}. Write another path.") from error
