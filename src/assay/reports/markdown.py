"""Writes tables of models x tasks in Markdown, for an issue, a wiki or a model card."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from assay.core.escaping import in_markdown
from assay.environment.atomic_file import replacing_text
from assay.findings.comparison import Comparison
from assay.plugins.report import Report
from assay.wording.result_table import Entry, ResultTable, result_tables
from assay.wording.search import searched_line


class Markdown(Report):
    """The answer, then a table for each modality: the best is bold, = marks models that may be the best.

    >>> from assay.testing.reports import rendered
    >>> print(next(line for line in rendered(Markdown()).decode().splitlines() if line.startswith("| -")))
    | --- | ---: | ---: | ---: |
    """

    suffix: ClassVar[str] = ".md"
    summary: ClassVar[str] = "models by tasks, for an issue or a model card"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the answer and the tables to ``path``, replacing any existing file."""
        parts = [in_markdown(sentence) for sentence in comparison.answers]
        if comparison.search is not None:
            parts.append(in_markdown(searched_line(comparison.search)))
        parts += [in_markdown(f"Warning: {warning}") for warning in comparison.warnings]
        parts += [_table(table) for table in result_tables(comparison)]
        with replacing_text(path) as file:
            file.write("\n\n".join(parts) + "\n")


def _table(table: ResultTable) -> str:
    heads = [
        "model",
        *(
            f"{in_markdown(task)}<br>{in_markdown(measure)}"
            for task, measure in zip(table.tasks, table.measures, strict=True)
        ),
    ]
    heads += ["index"] if table.has_index else []
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    lines += [
        f"| {in_markdown(model)} | {' | '.join(map(_cell, entries))} |" for model, entries in table.rows
    ]
    return f"{in_markdown(table.caption)} **Best**; = no model is significantly better.\n\n" + "\n".join(
        lines
    )


def _cell(entry: Entry) -> str:
    if not entry.value:
        return "–"
    value = f"**{entry.value}**" if entry.is_best else f"{entry.value}{' =' if entry.may_be_best else ''}"
    return f"{value}<br>{entry.interval}" if entry.interval else value
