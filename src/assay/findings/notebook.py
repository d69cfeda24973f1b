"""Renders findings for a notebook: the answer, and the best models of each task as on the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape
from types import MappingProxyType

from assay.core.estimate import Interval
from assay.findings.facts import ModelRow, has_random_weights
from assay.findings.per_task import Standing, TaskFindings
from assay.findings.search import SearchFindings

SHOWN = 10  # models of a task, besides those that are recommended
_TITLES = ("rank", "model", "", "95 % interval", "vs best", "ranks", "index", "parameters")


def notebook_html(
    headline: Iterable[str],
    tasks: Iterable[TaskFindings],
    models: Mapping[str, ModelRow],
    search: SearchFindings | None = None,
    names: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return HTML without scripts or styles; every name is escaped.

    Args:
        headline: The answer.
        tasks: The findings on each task.
        models: The facts of the models, by address.
        search: How a search went; None if every model was run.
        names: The short names of models and tasks, by address; what has none is shown by its address.
    """
    answer = "".join(f"<p><b>{escape(sentence)}</b></p>" for sentence in headline)
    return answer + _search(search) + "".join(_task(findings, models, names) for findings in tasks)


def _search(search: SearchFindings | None) -> str:
    if search is None:
        return ""
    counts = Counter(str(status) for _, status in search.statuses())
    told = ", ".join(f"{count:,} {status}" for status, count in counts.items())
    return f"<p>Searched {search.candidates:,} models: {told}.</p>"


def _task(findings: TaskFindings, models: Mapping[str, ModelRow], names: Mapping[str, str]) -> str:
    facts, decision = findings.task, findings.decision
    direction = "lower is better" if findings.shown_negated else "higher is better"
    chosen = {decision.recommended, decision.cheaper} if decision else set()
    shown = [row for at, row in enumerate(findings.standings) if at < SHOWN or row.model in chosen]
    hidden = len(findings.standings) - len(shown)
    more = f"<p>{hidden:,} more</p>" if hidden else ""
    size = f"{facts.train_count:,} train" if findings.beats_floor is None else f"{facts.test_count:,} test"
    titles = (escape(title or findings.measure) for title in _TITLES)
    rows = "".join(_row(row, findings, models, names) for row in shown)
    return (
        f"<table><caption>{escape(names.get(facts.address, facts.address))}: {escape(findings.measure)}, "
        f"{direction}; {size} examples</caption>"
        f"<thead><tr>{''.join(f'<th>{title}</th>' for title in titles)}</tr></thead>"
        f"<tbody>{rows}</tbody></table>{more}"
    )


def _row(
    standing: Standing, findings: TaskFindings, models: Mapping[str, ModelRow], names: Mapping[str, str]
) -> str:
    sign, best = (-1 if findings.shown_negated else 1), findings.standings[0]
    against = "best" if standing.rank == 1 else ""
    if not against and standing.difference is not None:
        lost = f"{sign * (standing.value - best.value):+.3g}"
        against = f"{lost} ({_ends(standing.difference, sign)})"
    row = models.get(standing.model)
    cells = (
        str(standing.rank),
        _name(names.get(standing.model, standing.model), standing, findings, models),
        f"{sign * standing.value:.4g}",
        _ends(standing.interval, sign),
        against,
        "–".join(map(str, dict.fromkeys(standing.ranks or ()))),
        "" if standing.index is None else f"{standing.index:.3f}",
        f"{row.facts.parameters:,}" if row is not None and row.facts.parameters is not None else "",
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _name(short: str, standing: Standing, findings: TaskFindings, models: Mapping[str, ModelRow]) -> str:
    """Return a short name, and what the model is: recommended, cheaper, a control, possibly the best."""
    decision = findings.decision
    marks = {
        "recommended": standing.model == findings.recommended,
        "cheaper": decision is not None and standing.model == decision.cheaper,
        "random weights, a control": has_random_weights(standing.model, models),
        "may be best": standing.may_be_best,
    }
    name = escape(short)
    name = f"<b>{name}</b>" if marks["recommended"] else name
    return " ".join([name, *(f"<i>({mark})</i>" for mark, is_so in marks.items() if is_so)])


def _ends(interval: Interval | None, sign: int) -> str:
    if interval is None:
        return ""
    low, high = sorted((sign * interval.low, sign * interval.high))
    return f"{low:.3g} to {high:.3g}"
