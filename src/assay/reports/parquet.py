"""Writes a comparison as a Parquet table for further analysis: one row for each cell, flat columns."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from assay.environment.atomic_file import replacing
from assay.findings.comparison import Comparison
from assay.plugins.report import Report
from assay.wording.exported import exported_rows

_ARROW = {str: "string", float: "float64", int: "int64", bool: "bool_"}


class Parquet(Report):
    """One row for each model, task and method; empty cells say why in ``reason``.

    Values, floors and intervals are higher-is-better; ``shown_negated`` marks those that reports negate.

    >>> import io, pyarrow.parquet as pq
    >>> from assay.testing.reports import rendered
    >>> table = pq.read_table(io.BytesIO(rendered(Parquet())))
    >>> table.num_rows, table.column_names[:4]
    (87, ['model', 'task', 'method', 'is_score'])
    """

    suffix: ClassVar[str] = ".parquet"
    summary: ClassVar[str] = "one row for each model, task and method"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the whole comparison to ``path``, replacing any existing file."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = exported_rows(comparison)
        columns = {
            name: pa.array([row.get(name) for row in rows], getattr(pa, _ARROW[kind])())
            for name, kind in comparison.columns().items()
        }
        with replacing(path) as file:
            pq.write_table(pa.table(columns), file)
