"""Shows what each protocol made of each model on one task."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from assay.analysis.per_task.by_protocol import by_protocol, cell_text
from assay.findings.comparison import Comparison
from assay.findings.per_task import TaskFindings
from assay.reports.terminal.tables import fitted
from assay.wording.names import model_labels, shorten
from assay.wording.numbers import decimals

_NAME = 24  # columns of the name of a model, which heads a column


def show_by_protocol(comparison: Comparison, findings: TaskFindings, console: Console) -> None:
    """Print the main metric of the best models by each protocol, where there are several."""
    found = by_protocol(comparison, findings)
    if found is None:
        return
    cells = [cell for _, of_all in found.rows for cell in of_all if cell is not None]
    places = decimals(cell.value for cell in cells if cell.value is not None)
    rows = [
        ("", method, "", *(cell_text(cell, negated=findings.shown_negated, places=places) for cell in of_all))
        for method, of_all in found.rows
    ]
    called = model_labels(comparison)
    names = shorten([called[model] for model in found.models], _NAME).values()
    titles = ("", f"{findings.measure} by protocol", "", *names)
    console.print()
    console.print(fitted(titles, rows, console.width))
    if any(cell.spread is not None for cell in cells):
        console.print(Text("± 95 % over draws or seeds", style="dim"))
