"""Prints and writes findings: the first screen, reports, text files, and the page of a running study."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

from assay.cli.printing import say
from assay.cli.writing import must_be_writable, write, writing
from assay.core.errors import UsageError
from assay.core.result import Status
from assay.core.text import plural
from assay.environment.atomic_file import replacing
from assay.findings.comparison import Comparison
from assay.reports.html import Html
from assay.reports.terminal.console import console as new_console
from assay.reports.terminal.details import show
from assay.reports.terminal.next_commands import StudyPlace
from assay.reports.terminal.screen import screen_lines
from assay.store.results import Store
from assay.wording.names import model_addresses
from assay.wording.screen import watched_line
from assay.wording.short_names import short_names

if TYPE_CHECKING:
    from assay.run.study import Study

_HEADING = re.compile(r"(Recommended|Cheaper|Confidence|Warning|Next):")
_BROWSER = ("python", "-m", "webbrowser")
SECONDS = 3.0  # interval between polls of the store


def answer(
    study: Study,
    *,
    report: Path | None = None,
    retry_failed: bool = False,
    details: bool = False,
    dry_run: bool = False,
) -> None:
    """Run a study, write the HTML report and print the answer; exit with 1 if a job failed."""
    from assay.cli.planned import show_plan  # with all that a run needs
    from assay.cli.progress import run_and_show

    if dry_run:
        show_plan(study, new_console(), details=details)
        return
    if report is not None:
        must_be_writable(report)
    with stopping():
        comparison = run_and_show(study, new_console(stderr=True), retry_failed=retry_failed, details=details)
    store = Path(study.store)
    place = place_of(store, map(Path, study.plugins))
    show_and_write(comparison, report or store / "report.html", place, details=details)
    failed, search = failed_models(comparison), comparison.search
    if failed or (search is not None and not search.finished):
        raise typer.Exit(code=1)


@contextmanager
def stopping() -> Iterator[None]:
    """Say after Ctrl-C that what was finished is kept, and exit with its code."""
    try:
        yield
    except KeyboardInterrupt:
        say("\nStopped. What was finished is kept: the same command continues.", file=sys.stderr)
        raise typer.Exit(code=130) from None


def failed_models(comparison: Comparison) -> int:
    """Return how many models failed; if any did, say what to do."""
    searched = comparison.search.failed if comparison.search is not None else ()
    failed = len({*searched, *(cell.model for cell in comparison.cells if cell.status is Status.FAILED)})
    if failed:
        say(
            f"{plural(failed, 'model')} failed (reasons: --details). The same command retries what a\n"
            "network, file, package, memory or --time-limit stopped; --retry-failed retries all.",
            file=sys.stderr,
        )
    return failed


def show_and_write(
    comparison: Comparison, path: Path, place: StudyPlace, *, details: bool, needs_page: bool = True
) -> None:
    """Write the HTML report, and print the first screen; where the report lies is said on standard error.

    Args:
        comparison: The findings.
        path: The file of the HTML report.
        place: Where the study lies.
        details: Print all findings instead of the first screen.
        needs_page: Whether it is an error if the file cannot be written; otherwise a line says so.
    """
    try:
        write(Html(), comparison, path)
        place = replace(place, page=str(path))
        say(f"Report: {path}", file=sys.stderr)
    except UsageError as error:
        if needs_page:
            raise
        reason = str(error).removesuffix(" Write another path.")
        say(f"No page: {reason} Name another file with --html.", file=sys.stderr)
    console = new_console()
    if details:
        show(comparison, console, show_all=True)
        return
    for line in screen_lines(comparison, place, console.width):
        heading = _HEADING.match(line)
        text = Text(line)
        text.stylize("bold", 0, heading.end() if heading else 0)
        console.print(text, soft_wrap=True)


def place_of(store: Path, plugins: Iterable[Path]) -> StudyPlace:
    """Return where a study lies, with the command of this machine that opens a page."""
    openers = {"darwin": ("open",), "win32": ("start", "")}
    opener = openers.get(sys.platform) or (("xdg-open",) if which("xdg-open") else _BROWSER)
    options = tuple(word for path in plugins for word in ("--plugin", str(path)))
    return StudyPlace(str(store), options, opener=opener)


def follow(store: Store, path: Path, console: Console, compare: Callable[[Store], Comparison]) -> None:
    """Rewrite the page of a store after each change until Ctrl-C; an open page reloads itself."""
    from assay.reports.html.page import page

    def write_page(refresh_seconds: float | None = None) -> str:
        """Write the page atomically; return how far the study is, and which model leads."""
        comparison = compare(store)
        content = page(comparison, refresh_seconds=refresh_seconds).encode()
        with writing(path), replacing(path) as file:
            file.write(content)
        return watched_line(comparison, short_names(model_addresses(comparison)))

    seen = -1
    try:
        while True:
            version = store.version()
            if version != seen:
                state = write_page(refresh_seconds=SECONDS)
                now = datetime.now().astimezone().strftime("%H:%M:%S")
                console.print(f"{now}  {state} ({path})", highlight=False, soft_wrap=True)
                seen = version
            time.sleep(SECONDS)
    except KeyboardInterrupt:
        write_page()
