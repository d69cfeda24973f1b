"""The search on a page: the stage of each model, what was expected of the others, and two charts a task.

The charts need the packages of the extra ``html``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.core.estimate import Interval
from assay.core.text import plural
from assay.findings.comparison import Comparison
from assay.findings.per_task import TaskFindings
from assay.findings.search import ScreenedModel, SearchFindings
from assay.reports.html.chart import Chart, Row
from assay.reports.html.names import Names
from assay.wording.numbers import as_shown, decimals, interval_text, shown_interval, value_text
from assay.wording.search import LevelRow, contaminated_sentences, level_rows, missed_lines

_MOST_NAMES = 2000  # of models that were not tried: the rest is in the JSON
_MOST_BELIEFS = 15  # in a chart: the table has all
_ROW = 21  # pixels


@dataclass(frozen=True, slots=True)
class SearchedModel:
    """A row of a table: a model with a text for each task.

    Attributes:
        state: How far it came, or how much was seen of it.
        is_flagged: It may have been trained on the data of a task.
    """

    model: str
    state: str
    texts: tuple[str, ...]
    is_flagged: bool


@dataclass(frozen=True, slots=True)
class SearchView:
    """What a page says of a search.

    Attributes:
        sentences: What may have been missed.
        contaminated: Which models may have been trained on the data, and the answer without them.
        screened: Models that were tried on a part of train, with estimates.
        promising: Models that were not tried, with what is expected of them.
        untried: The names of the models that were not tried.
        hidden: The number of further ones.
    """

    levels: tuple[LevelRow, ...]
    sentences: tuple[str, ...]
    contaminated: tuple[str, ...]
    tasks: tuple[str, ...]
    screened: tuple[SearchedModel, ...]
    promising: tuple[SearchedModel, ...]
    untried: tuple[str, ...]
    hidden: int


def search_view(comparison: Comparison) -> SearchView | None:
    """Return what a page says of a search; None if every model was run."""
    search = comparison.search
    if search is None:
        return None
    by_task = {findings.task.address: findings for findings in comparison.tasks}
    tasks = [by_task[task] for task in search.tasks if task in by_task]
    return SearchView(
        levels=tuple(level_rows(search)),
        sentences=tuple(missed_lines(search, tasks)),
        contaminated=tuple(contaminated_sentences(comparison, search)),
        tasks=tuple(findings.task.address for findings in tasks),
        screened=tuple(_screened(search, tasks)),
        promising=tuple(_promising(search, tasks)),
        untried=search.untried[:_MOST_NAMES],
        hidden=max(0, len(search.untried) - _MOST_NAMES),
    )


def _screened(search: SearchFindings, tasks: list[TaskFindings]) -> Iterator[SearchedModel]:
    """Yield the models that were tried on a part of train, the best first."""

    def highest(one: ScreenedModel) -> float:
        return max((value for value, _ in one.values.values()), default=float("-inf"))

    for one in sorted(search.screened, key=highest, reverse=True):
        texts = tuple(
            _estimate(findings, *one.values[findings.task.address])
            if findings.task.address in one.values
            else "–"
            for findings in tasks
        )
        state = "ruled out" if one.is_ruled_out else "only tried"
        seen = f"{state}, {plural(one.examples, 'example')}"
        yield SearchedModel(one.model, seen, texts, one.model in search.contaminated)


def _estimate(findings: TaskFindings, value: float, interval: Interval) -> str:
    negated = findings.shown_negated
    return f"{value_text(value, negated=negated)} ({interval_text(interval, negated=negated)})"


def _promising(search: SearchFindings, tasks: list[TaskFindings]) -> Iterator[SearchedModel]:
    for one in search.promising:
        texts = []
        for findings in tasks:
            mean, deviation = one.beliefs[findings.task.address]
            places = decimals([mean])
            text = value_text(mean, negated=findings.shown_negated, places=places)
            texts.append(f"{text} ± {value_text(deviation, places=places)}")
        yield SearchedModel(one.model, "", tuple(texts), one.model in search.contaminated)


def search_charts(comparison: Comparison, names: Names) -> Iterator[Chart]:
    """Yield the best value so far against cost, and what is expected of models left, for each task."""
    search = comparison.search
    if search is None:
        return
    numbers = {task: number for number, task in enumerate(search.tasks)}
    for findings in comparison.tasks:
        number = numbers.get(findings.task.address)
        if number is None or findings.task.address not in search.expected_regret:
            continue  # no finished model has a value on it
        named = f" on {names.task(findings.task.address)}" if len(search.tasks) > 1 else ""
        if len(search.curve) > 1:
            yield _progress(search, findings, number, named, names)
        if len(search.promising) > 1:
            yield _beliefs(search, findings, number, named)


def _progress(search: SearchFindings, findings: TaskFindings, number: int, named: str, names: Names) -> Chart:
    from assay.reports.html.vega import progress

    rows: list[Row] = []
    best = float("-inf")
    for model, (seconds, values) in zip(search.finished, search.curve, strict=True):
        rows.append(
            {
                "model": names.label(model),
                "seconds": seconds,
                "value": as_shown(values[number], negated=findings.shown_negated),
                "better": values[number] > best,
                "priority": len(rows),
            }
        )
        best = values[number]
    if search.seconds > search.curve[-1][0]:
        rows.append({**rows[-1], "model": "", "seconds": search.seconds, "better": False})
    caption = (
        f"Best expected {findings.measure} so far{named} against the time of all steps; "
        f"{'lower' if findings.shown_negated else 'higher'} is better. A dot: a model finished; filled: it "
        "was the best by then. Estimated from train and val, not from test."
    )
    spec = progress(f"expected {findings.measure}", decimals([best]), 280)
    return Chart(f"search-progress-{number + 1}", caption, spec, rows, 280)


def _beliefs(search: SearchFindings, findings: TaskFindings, number: int, named: str) -> Chart:
    from assay.reports.html.vega import dots

    task, negated = findings.task.address, findings.shown_negated
    best = search.curve[-1][1][number]
    rows: list[Row] = []
    for one in search.promising[:_MOST_BELIEFS]:
        mean, deviation = one.beliefs[task]
        ends = shown_interval(Interval(mean - deviation, mean + deviation), negated=negated)
        rows.append(
            {
                "model": one.model,
                "value": as_shown(mean, negated=negated),
                "low": ends.low,
                "high": ends.high,
                "filled": mean > best,
            }
        )
    places = decimals(mean for mean, _ in (one.beliefs[task] for one in search.promising))
    caption = (
        f"What is expected of the {len(rows)} most promising models not tried{named}, with one standard "
        f"deviation either way; {'left' if negated else 'right'} is better. A belief from past results, "
        "names and the models tried, not a measurement. Filled: above the best that finished."
    )
    spec = dots("value", f"expected {findings.measure}", places, _ROW * len(rows))
    return Chart(f"search-belief-{number + 1}", caption, spec, rows, _ROW * len(rows))
