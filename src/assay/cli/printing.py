"""Prints lines of plain text with control characters escaped."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

from assay.core.escaping import shown


def say(text: object = "", *, file: TextIO | None = None) -> None:
    """Print a text and a line end, to standard output or a file."""
    print(shown(str(text)), file=file or sys.stdout)


def escape_log() -> None:
    """Let messages of logging that go to standard error be escaped as well."""
    if logging.lastResort is not None:
        logging.lastResort.addFilter(_escape)


def _escape(record: logging.LogRecord) -> bool:
    record.msg, record.args = shown(record.getMessage()), None
    return True
