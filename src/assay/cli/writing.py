"""Writes a report where the user wants it, or says why that cannot be."""

from __future__ import annotations

from pathlib import Path

from assay.core.errors import UsageError
from assay.findings.comparison import Comparison
from assay.plugins.report import Report


def write(report: Report, comparison: Comparison, path: Path) -> None:
    """Write a report; folders above it are made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        report.render(comparison, path)
    except OSError as error:
        raise UsageError(f"Cannot write '{path}': {error.strerror}. Write another path.") from error


def write_text(text: str, path: Path) -> None:
    """Write a text; folders above it are made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"Cannot write '{path}': {error.strerror}. Write another path.") from error


def must_be_writable(path: Path) -> None:
    """Raise ``UsageError`` for a path that could not be written later."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        path.open("ab").close()
        if is_new:
            path.unlink()
    except OSError as error:
        raise UsageError(f"Cannot write '{path}': {error.strerror}. Write another path.") from error
