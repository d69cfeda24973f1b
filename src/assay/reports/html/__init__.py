"""Writes a comparison as one self-contained HTML file that needs no network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from assay.environment.atomic_file import replacing_text
from assay.findings.comparison import Comparison
from assay.plugins.report import Report


@dataclass(frozen=True, slots=True)
class Html(Report):
    """One page: the answer, the models across tasks, each task, the scores, and what did not work.

    Attributes:
        refresh_seconds: Interval at which an open page reloads while a study runs.

    >>> from assay.testing.reports import rendered
    >>> page = rendered(Html()).decode()
    >>> page[:15], page.count("<h2>")
    ('<!doctype html>', 10)
    """

    refresh_seconds: float | None = None

    suffix: ClassVar[str] = ".html"
    summary: ClassVar[str] = "one page that opens without a network"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the whole comparison to ``path``, replacing any existing file."""
        from assay.reports.html.page import page

        content = page(comparison, refresh_seconds=self.refresh_seconds)
        with replacing_text(path) as file:
            file.write(content)
