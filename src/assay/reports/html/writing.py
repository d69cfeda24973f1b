"""Fills the templates: one text that holds everything a page needs."""

from __future__ import annotations

import jinja2

from assay.findings.comparison import Comparison
from assay.reports.html.carried import carried
from assay.reports.html.vega import vega_bundle
from assay.reports.html.views import page_view
from assay.wording.numbers import count, duration, interval_text, plural, value_text


def page(comparison: Comparison, *, refresh_seconds: float | None = None) -> str:
    """Return a comparison as one HTML page that needs nothing beside it.

    Args:
        comparison: What was found.
        refresh_seconds: How often the page loads itself again; None for a page that stays.
    """
    view = page_view(comparison)
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("assay", "reports/html/templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    words = {"value": value_text, "interval": interval_text, "duration": duration, "count": count}
    names = {
        "link": view.names.link,
        "told": view.names.told,
        "label": view.names.label,
        "task": view.names.task,
    }
    templates.filters |= {**words, **names, "plural": plural}
    return templates.get_template("page.html").render(
        page=view,
        comparison=comparison,
        refresh_seconds=refresh_seconds,
        charts=carried(view.charts),
        vega=vega_bundle() if view.charts else "",
    )
