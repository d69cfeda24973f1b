"""Writes a comparison as CSV: the rows of the Parquet table, for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from assay.environment.atomic_file import replacing_text
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
        columns = comparison.columns()
        texts = [position for position, kind in enumerate(columns.values()) if kind is str]
        harmless = _Harmless()

        def written(row: Mapping[str, Value]) -> list[Value]:
            values = list(map(row.get, columns))
            for position in texts:
                values[position] = harmless[values[position]]
            return values

        with replacing_text(path) as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(map(written, exported_rows(comparison)))


class _Harmless(dict[Value, Value]):
    """What is written of each text; most are repeated in many rows."""

    def __missing__(self, value: Value) -> Value:
        is_formula = isinstance(value, str) and value.startswith(_FORMULA)
        self[value] = f"'{value}" if is_formula else value
        return self[value]
