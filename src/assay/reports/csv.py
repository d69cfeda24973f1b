"""Writes a comparison as CSV: the rows of the Parquet table, for spreadsheets."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import ClassVar

from assay.findings.comparison import Comparison
from assay.findings.frames import Value
from assay.plugins.report import Report
from assay.wording.exported import exported_rows

# prefixes that a spreadsheet would execute, in wide letters too; applies to strings only
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Csv(Report):
    """One row for each model, task and method, in UTF-8.

    A string that a spreadsheet would execute as a formula is prefixed with an apostrophe.

    >>> from assay.testing.reports import rendered
    >>> print(rendered(Csv()).decode().partition(",status")[0])
    model,task,method,is_score,is_ranking
    """

    suffix: ClassVar[str] = ".csv"
    summary: ClassVar[str] = "one row for each model, task and method, for spreadsheets"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the whole comparison to ``path``, replacing any existing file."""
        names = list(comparison.columns())
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows(
                [_no_formula(row.get(name)) for name in names] for row in exported_rows(comparison)
            )


def _no_formula(value: Value) -> Value:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
