"""Learning curves: what models make of more and more examples, where a study has runs on parts of train."""

from __future__ import annotations

from collections.abc import Mapping

from assay.findings.comparison import Comparison
from assay.findings.per_task import Cell, TaskFindings
from assay.plugins.address import Address
from assay.reports.html.charts import Chart, Row
from assay.reports.html.drawings import curves
from assay.reports.html.names import Names
from assay.wording.numbers import decimals, shown

_PROTOCOL = "few_shot"
_SIZES = {"k": "examples of each class", "examples": "examples"}


def curve_charts(comparison: Comparison, findings: TaskFindings, names: Names, anchor: str) -> list[Chart]:
    """Return a chart for each protocol that was run on two sizes or more."""
    found: dict[tuple[str, str], list[tuple[int, Cell]]] = {}
    for cell in comparison.cells:
        if cell.task == findings.task.address and cell.value is not None:
            sized = _sized(cell.method)
            if sized is not None:
                found.setdefault(sized[:2], []).append((sized[2], cell))
    charts: list[Chart] = []
    for (rest, setting), cells in found.items():
        if len({size for size, _ in cells}) > 1:
            place = f"{anchor}-{len(charts) + 1}"
            charts.append(_curve(findings, names, place, f"{rest} on more and more {_SIZES[setting]}", cells))
    return charts


def _sized(method: str) -> tuple[str, str, int] | None:
    """Return the method without its size, the setting that says the size, and the size; None without one."""
    address = Address.parse(method)
    if address.name != _PROTOCOL:
        return None
    settings: Mapping[str, object] = dict(address.settings)
    for setting in _SIZES:
        size = settings.get(setting)
        if isinstance(size, int):
            rest = tuple((key, value) for key, value in address.settings if key != setting)
            return str(Address(address.source, address.name, rest)), setting, size
    return None


def _curve(
    findings: TaskFindings, names: Names, anchor: str, told: str, cells: list[tuple[int, Cell]]
) -> Chart:
    largest = {cell.model: max(size for size, one in cells if one.model == cell.model) for _, cell in cells}
    rows: list[Row] = [
        {
            "model": names.label(cell.model),
            "size": size,
            "value": shown(cell.value or 0.0, negated=findings.shown_negated),
            "spread": cell.spread,
            "take": cell.model == findings.recommended,
            "last": size == largest[cell.model],
        }
        for size, cell in sorted(cells, key=lambda pair: (pair[1].model, pair[0]))
    ]
    places = decimals(cell.value or 0.0 for _, cell in cells)
    spec = curves(findings.task.metric, places)
    return Chart(anchor, f"{told}; means over draws. Thick: the model to take.", spec, rows, height=300)
