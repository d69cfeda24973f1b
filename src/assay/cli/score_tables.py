"""Prints the scores of array files in groups, as tables that fit into the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from assay.actions.score import size_notes
from assay.cli.score_files import Group, Outcome, Outcomes, have_same_labels
from assay.core.text import plural
from assay.plugins.array_view import ArrayView
from assay.wording.numbers import decimals, duration

_SIDE_BY_SIDE = 3  # most files that are shown as columns; more of them become rows
_GAP = 2  # columns between columns
_LEFT = ("score", "file", "estimates")  # titles of columns of words

Rows = Sequence[Sequence[str]]


def show(outcomes: Outcomes, views: Mapping[str, ArrayView], console: Console) -> None:
    """Print the contents of each file, the values in groups, and why some scores have none."""
    for name, view in views.items():
        width = "no features" if view.matrix is None else plural(view.matrix.shape[1], "feature")
        classes = f" into {plural(len(view.labels.classes), 'class')}" if view.labels.classes else ""
        contents = f"{plural(len(view.labels), 'example')} x {width}, {view.kind}{classes}"
        console.print(Text.assemble((name, "bold"), f": {contents}"), soft_wrap=True)
        for note in size_notes(view):
            console.print(Text(f"  {note}", style="yellow"), soft_wrap=True)
    if not have_same_labels(list(views.values())):
        console.print(
            Text("The files have different labels: compare no values between them.", style="yellow")
        )
    for group in Group:
        scores = _scores_of(outcomes, group)
        if scores:
            console.print(Text(f"\n{_title(outcomes, group)}", style="bold"), soft_wrap=True)
            for line in _lines(outcomes, scores, console.width):
                console.print(Text(line), soft_wrap=True)
    console.print()
    for score, reason in _reasons(outcomes).items():
        console.print(Text.assemble((score, "bold"), f": {reason}", style="dim"), soft_wrap=True)


def value_with_interval(outcome: Outcome) -> str:
    """Return the value of a score, with its interval if it has one."""
    return f"{_value(outcome)} ({_interval(outcome)})" if outcome.interval else _value(outcome)


def _title(outcomes: Outcomes, group: Group) -> str:
    """Return the title of a group, which names the metric if all scores estimate one."""
    metrics = {outcome.metric for of_file in outcomes.values() for outcome in of_file.values()} - {""}
    return group.replace("metric", metrics.pop()) if len(metrics) == 1 else str(group)


def _scores_of(outcomes: Outcomes, group: Group) -> list[str]:
    """Return the scores of a group that have a value for a file."""
    found = {
        score: None
        for of_file in outcomes.values()
        for score, outcome in of_file.items()
        if outcome.estimate is not None and outcome.group is group
    }
    return list(found)


def _lines(outcomes: Outcomes, scores: Sequence[str], width: int) -> list[str]:
    """Return the table of a group: files side by side, or else as rows, on as many tables as it takes."""
    if len(outcomes) == 1:
        return _aligned(_kept(_single(scores, next(iter(outcomes.values()))), width))
    cells = {
        name: [value_with_interval(of_file[score]) if score in of_file else "–" for score in scores]
        for name, of_file in outcomes.items()
    }
    beside = [("score", *outcomes), *zip(scores, *cells.values(), strict=True)]
    if len(outcomes) <= _SIDE_BY_SIDE and sum(_widths(beside)) + _GAP * len(outcomes) <= width:
        return _aligned(beside)
    lines: list[str] = []
    whole = [("file", *scores), *((name, *row) for name, row in cells.items())]
    first, *widths = _widths(whole)
    column = 1
    while column <= len(scores):
        end, used = column, first
        while end <= len(scores) and (end == column or used + widths[end - 1] + _GAP <= width):
            used += widths[end - 1] + _GAP
            end += 1
        lines += [""] * bool(lines) + _aligned([(row[0], *row[column:end]) for row in whole])
        column = end
    return lines


def _single(scores: Sequence[str], outcomes: Mapping[str, Outcome]) -> Rows:
    rows = [("score", "value", "95 % interval", "estimates", "time")]
    for score in scores:
        outcome = outcomes[score]
        rows.append((score, _value(outcome), _interval(outcome), outcome.metric, duration(outcome.seconds)))
    return rows


def _kept(rows: Rows, width: int) -> Rows:
    """Return the columns that have a cell and fit; the first two always do."""
    kept = [number for number, column in enumerate(zip(*rows[1:], strict=True)) if any(column)]
    while (
        len(kept) > 2 and sum(_widths([[row[at] for at in kept] for row in rows])) + _GAP * len(kept) > width
    ):
        kept.pop()
    return [[row[at] for at in kept] for row in rows]


def _widths(rows: Rows) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(*rows, strict=True)]


def _aligned(rows: Rows) -> list[str]:
    """Return rows as lines: columns of words to the left, of numbers to the right."""
    widths = _widths(rows)
    lines = []
    for row in rows:
        cells = []
        for text, title, width in zip(row, rows[0], widths, strict=True):
            space = " " * (width - cell_len(text))
            cells.append(text + space if title in _LEFT else space + text)
        lines.append((" " * _GAP).join(cells).rstrip())
    return lines


def _reasons(outcomes: Outcomes) -> dict[str, str]:
    """Return scores without a value, grouped by reason."""
    by_reason: dict[str, list[str]] = {}
    for name, of_file in outcomes.items():
        for score, outcome in of_file.items():
            if outcome.reason:
                where = f"{name} {score}" if len(outcomes) > 1 else score
                by_reason.setdefault(outcome.reason, []).append(where)
    return {", ".join(dict.fromkeys(scores)): reason for reason, scores in by_reason.items()}


def _value(outcome: Outcome) -> str:
    return "–" if outcome.estimate is None else _number(float(outcome.estimate), outcome)


def _interval(outcome: Outcome) -> str:
    interval = outcome.interval
    return f"{_number(interval.low, outcome)} to {_number(interval.high, outcome)}" if interval else ""


def _number(value: float, outcome: Outcome) -> str:
    """Return a value or an end of its interval; all of one outcome have the same number of decimals."""
    size, interval = abs(float(outcome.estimate or 0.0)), outcome.interval
    if outcome.metric:
        ends = [interval.low, interval.high] if interval else []
        return f"{value:.{decimals([size, *ends])}f}"
    if 0 < size < 1e-3 or size >= 1e6:
        return f"{value:.3e}"
    is_count = interval is None and size >= 1 and size == round(size)
    return f"{value:.0f}" if is_count else f"{value:.4f}"
