"""Prints scores of features, one row for each score and one column for each file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from assay.actions.score import regime
from assay.cli.scored import Scored
from assay.plugins.array_view import ArrayView
from assay.wording.numbers import count, duration, plural

_WIDE, _NARROW = 66, 54  # characters of a terminal that hold four columns, and three
_SIDE_BY_SIDE = 3  # files that a terminal holds as columns; more of them become rows
Found = Mapping[str, Mapping[str, Scored]]  # by file, then by score


def show(found: Found, views: Mapping[str, ArrayView], console: Console) -> None:
    """Print what was asked of each file, the values, and why some have none."""
    for name, view in views.items():
        width = "no features" if view.matrix is None else f"{count(view.matrix.shape[1])} features"
        told = f"{plural(len(view.labels), 'example')} x {width}"
        classes = f" into {count(len(view.labels.classes))} classes" if view.labels.classes else ""
        told += f", {view.kind}{classes}"
        console.print(Text.assemble((name, "bold"), f": {told}"), soft_wrap=True)
        for note in regime(view):
            console.print(Text(f"  {note}", style="yellow"), soft_wrap=True)
    if not _same_labels(list(views.values())):
        console.print(
            Text("The files have different labels: compare no values between them.", style="yellow")
        )
    console.print(_table(found, console.width))
    for score, reason in _reasons(found).items():
        console.print(Text.assemble((score, "bold"), f": {reason}", style="dim"), soft_wrap=True)


def as_json(found: Found) -> str:
    """Return the values, intervals and reasons as JSON, by file and score."""
    rows = {
        name: {
            score: {
                "value": None if one.estimate is None else float(one.estimate),
                "interval": _ends(one),
                "metric": one.estimate.metric if one.estimate is not None else "",
                "notes": list(one.estimate.notes) if one.estimate is not None else [],
                "reason": one.reason,
                "seconds": one.seconds,
            }
            for score, one in scored.items()
        }
        for name, scored in found.items()
    }
    return json.dumps(rows, indent=1, ensure_ascii=False)


def _same_labels(views: list[ArrayView]) -> bool:
    first = views[0].labels
    return all(
        one.labels.kind is first.kind and np.array_equal(one.labels.values, first.values) for one in views[1:]
    )


def _table(found: Found, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    if len(found) == 1:
        _fill_one(table, next(iter(found.values())), width)
    elif len(found) <= _SIDE_BY_SIDE:
        _fill(table, "score", list(found), _valued(found), lambda score, name: found[name][score])
    else:
        _fill(table, "file", _valued(found), list(found), lambda name, score: found[name][score])
    return table


def _fill_one(table: Table, scored: Mapping[str, Scored], width: int) -> None:
    columns = [("value", _value), ("95 % interval", _between), ("foretells", _metric), ("time", _time)]
    kept = columns[: 4 if width >= _WIDE else 3 if width >= _NARROW else 2]
    table.add_column("score", overflow="fold")
    for title, _ in kept:
        table.add_column(title, justify="left" if title == "foretells" else "right", overflow="fold")
    for score, one in scored.items():
        if one.estimate is not None:
            table.add_row(Text(score), *(cell(one) for _, cell in kept))


def _fill(
    table: Table, title: str, columns: list[str], rows: list[str], cell: Callable[[str, str], Scored]
) -> None:
    table.add_column(title, overflow="fold")
    for column in columns:
        table.add_column(Text(column), justify="right", overflow="fold")
    for row in rows:
        table.add_row(Text(row), *(_with_interval(cell(row, column)) for column in columns))


def _valued(found: Found) -> list[str]:
    """Return the scores that have a value for any file."""
    names = dict.fromkeys(score for scored in found.values() for score in scored)
    return [
        score
        for score in names
        if any(score in scored and scored[score].estimate is not None for scored in found.values())
    ]


def _reasons(found: Found) -> dict[str, str]:
    """Return why scores have no value, each reason with the scores that share it."""
    by_reason: dict[str, list[str]] = {}
    for name, scored in found.items():
        for score, one in scored.items():
            if one.reason:
                where = f"{name} {score}" if len(found) > 1 else score
                by_reason.setdefault(one.reason, []).append(where)
    return {", ".join(dict.fromkeys(scores)): reason for reason, scores in by_reason.items()}


def _value(one: Scored) -> str:
    if one.estimate is None:
        return "–"
    value = float(one.estimate)
    small = value != 0 and abs(value) < 1e-3
    return f"{value:.3e}" if small or abs(value) >= 1e6 else f"{value:.4f}"


def _between(one: Scored) -> str:
    ends = _ends(one)
    return f"{ends[0]:.4g} to {ends[1]:.4g}" if ends else ""


def _ends(one: Scored) -> list[float] | None:
    within = one.estimate.interval if one.estimate is not None else None
    return None if within is None else [within.low, within.high]


def _with_interval(one: Scored) -> str:
    between = _between(one)
    return f"{_value(one)} ({between})" if between else _value(one)


def _metric(one: Scored) -> str:
    return one.estimate.metric if one.estimate is not None else ""


def _time(one: Scored) -> str:
    return duration(one.seconds)
