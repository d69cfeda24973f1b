"""Writes files that the user named; a path that cannot be written is a user error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.core.errors import UsageError
from assay.environment.atomic_file import replacing_text
from assay.findings.comparison import Comparison
from assay.plugins.report import Report


def write(report: Report, comparison: Comparison, path: Path) -> None:
    """Write a report; create parent folders."""
    with writing(path):
        report.render(comparison, path)


def write_text(text: str, path: Path) -> None:
    """Write a text file; create parent folders."""
    with writing(path), replacing_text(path) as file:
        file.write(text)


def must_be_writable(path: Path) -> None:
    """Raise ``UsageError`` if a path cannot be written."""
    with writing(path):
        is_new = not path.exists()
        path.open("ab").close()
        if is_new:
            path.unlink()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Create the parent folders of a file; raise ``UsageError`` if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise UsageError(f"Cannot write '{path}': {error.strerror}. Write another path.") from error
