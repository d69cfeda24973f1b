"""Follows a running study: its page is written again whenever the store has changed."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from rich.console import Console

from assay.cli.writing import write
from assay.core.limits import Limits
from assay.findings.comparison import Comparison
from assay.reports.html import Html
from assay.run.study import compare_store
from assay.store.results import Store
from assay.wording.numbers import plural

SECONDS = 3.0  # between two looks at the store


def follow(store: Store, path: Path, console: Console, *, ranked_by: str | None, limits: Limits) -> None:
    """Write the page of a store, and again after each change, until Ctrl-C; an open page reloads itself."""
    seen = -1

    def write_page(report: Html) -> int:
        return _write(compare_store(store, ranked_by=ranked_by, limits=limits), path, report)

    try:
        while True:
            version = store.version()
            if version != seen:
                results = write_page(Html(refresh_seconds=SECONDS))
                now = datetime.now().astimezone().strftime("%H:%M:%S")
                console.print(f"{now}  {plural(results, 'result')}: {path}", highlight=False, soft_wrap=True)
                seen = version
            time.sleep(SECONDS)
    except KeyboardInterrupt:
        write_page(Html())


def _write(comparison: Comparison, path: Path, report: Html) -> int:
    """Write the page beside its place and move it there whole; return how many results it tells of."""
    unfinished = path.with_name(f".{path.name}")
    write(report, comparison, unfinished)
    unfinished.replace(path)
    return len(comparison.cells)
