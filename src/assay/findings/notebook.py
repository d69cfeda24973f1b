"""Renders findings for a notebook: the answer, and a table of the models of each task to sort and filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape
from types import MappingProxyType

from assay.core.estimate import Interval
from assay.findings.facts import ModelRow, has_random_weights
from assay.findings.per_task import Standing, TaskFindings, first_word, highest
from assay.findings.search import SearchFindings

SHOWN = 200  # models of a task, besides those that are recommended
_TITLES = (
    "rank", "model", "", "95 % CI", "vs best", "ranks", "index", "parameters", "MACs", "latency (ms)"
)  # fmt: skip
# a notebook runs handlers of elements where it is trusted; elsewhere the tables are still there
_SORT = """
const head = event.target.closest('th'); if (!head) return;
const body = head.closest('table').tBodies[0], at = head.cellIndex;
const up = head.getAttribute('aria-sort') !== 'ascending';
for (const other of head.parentNode.cells) other.removeAttribute('aria-sort');
head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
const text = row => row.cells[at].textContent.trim();
const isFirst = row => ['best', 'highest', 'lowest'].includes(text(row));
const number = row => isFirst(row) ? 0 : parseFloat(text(row).replaceAll(',', ''));
const order = (one, other) => at === 1 ? text(one).localeCompare(text(other)) : number(one) - number(other);
const empty = row => text(row) === '';
[...body.rows].sort((one, other) => empty(one) - empty(other) || (up ? 1 : -1) * order(one, other))
  .forEach(row => body.append(row));
"""
_FILTER = """
const words = event.target.value.toLowerCase().split(' ');
for (const row of event.currentTarget.querySelectorAll('tbody tr'))
  row.hidden = !words.every(word => row.cells[1].textContent.toLowerCase().includes(word));
"""
_FIELD = "<input type='search' placeholder='Filter models' aria-label='Filter models'>"


def notebook_html(
    headline: Iterable[str],
    tasks: Iterable[TaskFindings],
    models: Mapping[str, ModelRow],
    search: SearchFindings | None = None,
    names: Mapping[str, str] = MappingProxyType({}),
    *,
    is_estimate: bool = False,
) -> str:
    """Return HTML that needs no network; every name is escaped.

    A click on the head of a column sorts by it, and a field filters models by words of their names. This is
    done by two handlers that hold no name and no number; without them all rows are there.

    Args:
        headline: The answer.
        tasks: The findings on each task.
        models: The facts of the models, by address.
        search: How a search went; None if every model was run.
        names: The short names of models and tasks, by address; what has none is shown by its address.
        is_estimate: Whether nothing was trained, so that test was not looked at.
    """
    answer = "".join(f"<p><b>{escape(sentence)}</b></p>" for sentence in headline)
    tables = "".join(_task(findings, models, names, is_estimate=is_estimate) for findings in tasks)
    handlers = f'onclick="{escape(_SORT)}" oninput="{escape(_FILTER)}"'
    return answer + _search(search) + (f"<div {handlers}>{_FIELD}{tables}</div>" if tables else "")


def _search(search: SearchFindings | None) -> str:
    if search is None:
        return ""
    counts = Counter(str(status) for _, status in search.statuses())
    told = ", ".join(f"{count:,} {status}" for status, count in counts.items())
    return f"<p>Searched {search.candidates:,} models: {told}.</p>"


def _task(
    findings: TaskFindings, models: Mapping[str, ModelRow], names: Mapping[str, str], *, is_estimate: bool
) -> str:
    facts, decision = findings.task, findings.decision
    direction = "lower is better" if findings.shown_negated else "higher is better"
    chosen = {decision.recommended, decision.cheaper} if decision else set()
    shown = [row for at, row in enumerate(findings.standings) if at < SHOWN or row.model in chosen]
    hidden = len(findings.standings) - len(shown)
    more = f"<p>{hidden:,} more</p>" if hidden else ""
    size = f"{facts.train_count:,} train" if is_estimate else f"{facts.test_count:,} test"
    titles = (escape(title or findings.measure) for title in _TITLES)
    rows = "".join(_row(row, findings, models, names) for row in shown)
    return (
        f"<table><caption>{escape(names.get(facts.address, facts.address))}: {escape(findings.measure)}, "
        f"{direction}; {size} examples</caption>"
        f"<thead><tr>{''.join(f'<th title=Sort>{title}</th>' for title in titles)}</tr></thead>"
        f"<tbody>{rows}</tbody></table>{more}"
    )


def _row(
    standing: Standing, findings: TaskFindings, models: Mapping[str, ModelRow], names: Mapping[str, str]
) -> str:
    sign, best = (-1 if findings.shown_negated else 1), findings.standings[0]
    against = ""
    if standing.rank == 1:
        against = (
            highest(findings) if has_random_weights(standing.model, models) else first_word(findings, models)
        )
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
        _count(None if row is None else row.facts.parameters),
        _count(None if row is None else row.facts.macs),
        f"{1000 * row.latency_seconds:.3g}" if row is not None and row.latency_seconds is not None else "",
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


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _ends(interval: Interval | None, sign: int) -> str:
    if interval is None:
        return ""
    low, high = sorted((sign * interval.low, sign * interval.high))
    return f"{low:.3g} to {high:.3g}"
