"""Renders the templates to one self-contained page, with the scripts that draw its charts."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import metadata
from typing import Any

import jinja2

from assay.analysis.scores.filtering import with_useful_agreements
from assay.core.escaping import shown
from assay.core.paths import regular_bytes
from assay.core.text import plural
from assay.environment.atomic_file import written_whole
from assay.environment.cache import cache_folder
from assay.findings.comparison import Comparison
from assay.reports.html.chart import Chart
from assay.reports.html.names import breakable
from assay.reports.html.views import page_view
from assay.wording.across_tasks import similarity_title
from assay.wording.error_analysis import ARROW, separation_text
from assay.wording.facts import preprocessing_text
from assay.wording.names import model_addresses
from assay.wording.numbers import count, duration, interval_text, macs_text, value_text
from assay.wording.screen import pending_line
from assay.wording.search import searched_line
from assay.wording.short_names import CONTROL, short_names
from assay.wording.speed import latency_text

_MOST_MISSING = 1_000  # rows of the table of what has no result
_MOST_REASONS = 20  # why models have no result, under a leaderboard
_DIGITS = 5  # of numbers in charts: more than a screen resolves


def page(comparison: Comparison, *, refresh_seconds: float | None = None) -> str:
    """Return a comparison as one self-contained HTML page.

    Args:
        comparison: All findings of a study.
        refresh_seconds: Interval at which the page reloads itself; None for a static page.
    """
    comparison = with_useful_agreements(comparison)
    view = page_view(comparison)
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("assay", "reports/html/templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    names = view.names
    templates.filters |= {
        "value": value_text,
        "interval": interval_text,
        "duration": duration,
        "latency": latency_text,
    }
    templates.filters |= {"count": count, "macs": macs_text, "plural": plural}
    templates.filters |= {
        "link": names.link,
        "linked": names.linked,
        "label": names.label,
        "breakable": breakable,
        "task": names.task,
        "similarity_title": similarity_title,
        "separation": separation_text,
        "preprocessing": preprocessing_text,
    }
    text = templates.get_template("page.html").render(
        page=view,
        comparison=comparison,
        refresh_seconds=refresh_seconds,
        pending=_pending(comparison, is_running=refresh_seconds is not None),
        charts=_packed(view.charts.values()),
        vega=_vega_programs() if view.charts else "",
        control=CONTROL,
        arrow=ARROW.replace("->", "→"),
        most_missing=_MOST_MISSING,
        most_reasons=_MOST_REASONS,
    )
    return shown(text)


def _pending(comparison: Comparison, *, is_running: bool) -> str:
    if comparison.search is not None:
        return searched_line(comparison.search)
    if comparison.pending is None:
        return ""
    line = pending_line(comparison.pending, short_names(model_addresses(comparison)))
    return line.removesuffix(" Run the study again to finish it.") if is_running else line


def _packed(charts: Iterable[Chart]) -> Mapping[str, Any]:
    """Return unique ``specs``, and for each anchor the position of its spec, ``columns`` and ``rows``."""
    specs: list[Mapping[str, Any]] = []
    by_anchor = {}
    for chart in charts:
        if chart.spec not in specs:
            specs.append(chart.spec)
        columns = list(chart.rows[0])
        rows: Sequence[Any] = [[_rounded(row[name]) for name in columns] for row in chart.rows]
        by_anchor[chart.anchor] = {"spec": specs.index(chart.spec), "columns": columns, "rows": rows}
    return {"specs": specs, "charts": by_anchor}


def _rounded(value: float | str | bool | None) -> float | str | bool | None:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


@cache
def _vega_programs() -> str:
    """Return Vega, Vega-Lite and vega-embed, gzipped, as base64; cached on disk, as it takes seconds."""
    path = cache_folder() / f"vega-{metadata.version('vl-convert-python')}.js.gz"
    with suppress(OSError):
        return base64.b64encode(regular_bytes(path)).decode("ascii")
    import vl_convert

    programs = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # the stub lacks the default
    compressed = gzip.compress(programs.encode("utf-8"), mtime=0)
    with suppress(OSError), written_whole(path) as file:  # without a cache it is made again next time
        file.write(compressed)
    return base64.b64encode(compressed).decode("ascii")
