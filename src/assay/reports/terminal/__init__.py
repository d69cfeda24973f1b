"""Shows a comparison in a terminal, or as plain text, at any width."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from assay.environment.atomic_file import replacing_text
from assay.findings.comparison import Comparison
from assay.plugins.report import Report


@dataclass(frozen=True, slots=True)
class Terminal(Report):
    """Plain text: the answer, then each task as a table.

    Attributes:
        width: Columns of the text.
        show_all: Show every model, not only the best twenty of each task.

    >>> from assay.testing.reports import rendered
    >>> lines = rendered(Terminal(width=60)).decode().splitlines()
    >>> max(map(len, lines)) <= 60, "photos" in lines
    (True, True)
    """

    width: int = 110
    show_all: bool = False

    suffix: ClassVar[str] = ".txt"
    summary: ClassVar[str] = "plain text, as the terminal shows it"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the whole comparison to ``path``, replacing any existing file."""
        from assay.reports.terminal.console import console as new_console
        from assay.reports.terminal.details import show

        with replacing_text(path) as file:
            console = new_console(file, width=self.width, color_system=None, force_terminal=False)
            show(comparison, console, show_all=self.show_all)
