"""How charts travel in a page: each specification once, each row without its names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assay.reports.html.charts import Chart

_DIGITS = 5  # more than a screen can show

Carried = Mapping[str, Sequence[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]]]


def carried(charts: Iterable[Chart]) -> Carried:
    """Return ``specs``, and for each place in the page its number of spec, ``columns`` and ``rows``."""
    specs: list[Mapping[str, Any]] = []
    places = {}
    for chart in charts:
        if chart.spec not in specs:
            specs.append(chart.spec)
        columns = list(chart.rows[0])
        rows = [[_short(row[name]) for name in columns] for row in chart.rows]
        places[chart.anchor] = {"spec": specs.index(chart.spec), "columns": columns, "rows": rows}
    return {"specs": specs, "charts": places}


def _short(value: float | str | bool | None) -> float | str | bool | None:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
