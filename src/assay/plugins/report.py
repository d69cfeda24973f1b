"""The base class of reports, which write a comparison for a reader or a program."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from assay.findings.comparison import Comparison


class Report(ABC):
    """An output format for a comparison: one file in ``reports/``. Reports format; they do not compute.

    Attributes:
        suffix: The file extension, such as ``.html``.
        summary: A one-line description.
    """

    suffix: ClassVar[str]
    summary: ClassVar[str] = ""

    @abstractmethod
    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the whole comparison to ``path``, replacing an existing file."""
