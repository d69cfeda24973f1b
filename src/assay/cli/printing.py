"""Prints lines of plain text with control characters escaped."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import textwrap
from typing import TextIO

from assay.core.escaping import shown


def say(text: object = "", *, file: TextIO | None = None) -> None:
    """Print a text and a line end, to standard output or a file."""
    print(shown(str(text)), file=file or sys.stdout)


def say_fitted(text: str, *, indent: int = 0, file: TextIO | None = None) -> None:
    """Print a text that is wrapped at spaces to the terminal, or to ``COLUMNS``; to a pipe, one line.

    Args:
        text: The text.
        indent: Spaces before the second and further lines.
        file: Where to print, by default standard output.
    """
    width = width_of_output(file or sys.stdout)
    lines = [text]
    if width is not None:
        gap = " " * min(indent, width // 2)
        lines = textwrap.wrap(
            shown(text), width, subsequent_indent=gap, break_long_words=False, break_on_hyphens=False
        )
    say("\n".join(lines), file=file)


def width_of_output(file: TextIO) -> int | None:
    """Return the columns of a terminal, or those that ``COLUMNS`` names; None for a pipe."""
    if file.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return None


def escape_log() -> None:
    """Let messages of logging that go to standard error be escaped as well."""
    if logging.lastResort is not None:
        logging.lastResort.addFilter(_escape)


def _escape(record: logging.LogRecord) -> bool:
    record.msg, record.args = shown(record.getMessage()), None
    return True
