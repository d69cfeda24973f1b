"""Reports: what was found, written down for a reader or a program."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from assay.findings.comparison import Comparison


class Report(ABC):
    """A way to write a comparison down: one file in ``reports/``. It formats; it does not compute.

    Attributes:
        suffix: How the name of its file ends, as in ``.html``.
        summary: What it is, in one line.
    """

    suffix: ClassVar[str]
    summary: ClassVar[str] = ""

    @abstractmethod
    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the whole comparison to ``path``, replacing what was there."""
