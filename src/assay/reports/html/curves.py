"""Learning curves: charts of protocols that ran on several sizes of train.

This module needs the packages of the extra ``html``; import it only if they are installed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from assay.findings.comparison import Comparison
from assay.findings.per_task import Cell, TaskFindings
from assay.plugins.address import Address, Literal
from assay.reports.html.chart import Chart, Row
from assay.reports.html.names import Names
from assay.reports.html.vega import learning_curves
from assay.wording.numbers import as_shown, decimals

_PARTIAL = "few_shot"  # the protocol that trains on a subset
_SIZES = {"k": "examples of each class", "examples": "examples"}  # its settings for the size of the subset


def curve_charts(comparison: Comparison, findings: TaskFindings, names: Names, anchor: str) -> list[Chart]:
    """Return learning curves: a chart for each protocol that ran on at least two train sizes."""
    cells_by_method: dict[tuple[str, str], list[tuple[int, Cell]]] = {}
    for cell in comparison.cells:
        if cell.task == findings.task.address and cell.value is not None:
            parsed = _size_of_train(cell.method)
            if parsed is not None:
                method, setting, size = parsed
                cells_by_method.setdefault((method, setting), []).append((size, cell))
    charts: list[Chart] = []
    for (method, setting), cells in cells_by_method.items():
        if len({size for size, _ in cells}) > 1:
            caption = f"{method} by number of {_SIZES[setting]}"
            charts.append(_curve(findings, names, f"{anchor}-{len(charts) + 1}", caption, cells))
    return charts


@cache  # many cells have the same method
def _size_of_train(method: str) -> tuple[str, str, int] | None:
    """Return the method without its size setting, the name of the setting and the size; None without."""
    address = Address.parse(method)
    settings: dict[str, Literal] = dict(address.settings)
    for setting in _SIZES if address.name == _PARTIAL else ():
        size = settings.get(setting)
        if isinstance(size, int):
            del settings[setting]
            return str(replace(address, settings=tuple(settings.items()))), setting, size
    return None


def _curve(
    findings: TaskFindings, names: Names, anchor: str, caption: str, cells: list[tuple[int, Cell]]
) -> Chart:
    ordered = sorted(cells, key=lambda pair: (pair[1].model, pair[0]))
    largest = {cell.model: size for size, cell in ordered}
    rows: list[Row] = [
        {
            "model": names.label(cell.model),
            "size": size,
            "value": as_shown(cell.value or 0.0, negated=findings.shown_negated),
            "spread": cell.spread,
            "highlighted": cell.model == findings.recommended,
            "last": size == largest[cell.model],
        }
        for size, cell in ordered
    ]
    spec = learning_curves(findings.task.metric, decimals(cell.value or 0.0 for _, cell in cells), height=300)
    caption = f"{caption}; means over draws. Thick: the recommended model."
    return Chart(anchor, caption, spec, rows, height=300)
