"""Writes tables of models x tasks in LaTeX (booktabs), for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from assay.core.escaping import shown
from assay.environment.atomic_file import replacing_text
from assay.findings.comparison import Comparison
from assay.plugins.report import Report
from assay.wording.result_table import Entry, ResultTable, result_tables

_ESCAPED = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
        "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
        ">": r"\textgreater{}", "[": "{[}", "]": "{]}", "*": "{*}",
        "−": r"$-$", "↑": r"$\uparrow$", "↓": r"$\downarrow$",
    }
)  # fmt: skip


class Latex(Report):
    """A table for each modality: the best is bold, those that may be the best underlined.

    >>> from assay.testing.reports import rendered
    >>> [line[1:] for line in rendered(Latex()).decode().splitlines() if line.endswith("rule")][:3]
    ['toprule', 'midrule', 'bottomrule']
    """

    suffix: ClassVar[str] = ".tex"
    summary: ClassVar[str] = "models by tasks, for a paper"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the tables to ``path``, replacing any existing file."""
        needs = "% needs \\usepackage{booktabs}; names in other scripts need XeLaTeX or LuaLaTeX"
        parts = [needs, *(_table(table) for table in result_tables(comparison))]
        with replacing_text(path) as file:
            file.write("\n\n".join(parts) + "\n")


def _table(table: ResultTable) -> str:
    heads = [
        _stacked(_escaped(task), _escaped(of)) for task, of in zip(table.tasks, table.measures, strict=True)
    ]
    heads += ["index"] if table.has_index else []
    rows = [" & ".join([_escaped(model), *map(_cell, entries)]) + r" \\" for model, entries in table.rows]
    caption = f"{_escaped(table.caption)} Bold: best; underlined: no model is significantly better."
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{caption}}}",
            rf"\begin{{tabular}}{{l{'r' * len(heads)}}}",
            r"\toprule",
            " & ".join(["model", *heads]) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _cell(entry: Entry) -> str:
    if not entry.value:
        return "--"
    value = _escaped(entry.value)
    if entry.is_best:
        value = rf"\textbf{{{value}}}"
    elif entry.may_be_best:
        value = rf"\underline{{{value}}}"
    return _stacked(value, rf"\scriptsize {_escaped(entry.interval)}") if entry.interval else value


def _stacked(above: str, below: str) -> str:
    return rf"\begin{{tabular}}[c]{{@{{}}r@{{}}}}{above}\\{below}\end{{tabular}}"


def _escaped(text: str) -> str:
    return shown(" ".join(text.split())).translate(_ESCAPED)
