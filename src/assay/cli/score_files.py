"""Computes scores of array files; prints them as a table or writes them as JSON."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from assay.actions.score import estimate, resolve_score, size_notes, view_of, with_probs
from assay.core.errors import NotApplicable, UnknownName, UsageError
from assay.core.estimate import Estimate, Interval
from assay.plugins.array_view import ArrayView
from assay.plugins.method import ContrastScore, FactScore, FisherScore, Score, SourceScore, WeightScore
from assay.wording.numbers import count, duration, plural

_HOW = "Write it with np.savez('features.npz', features=F, labels=y)."
_WIDE, _NARROW = 66, 54  # smallest terminal widths for four and for three columns
_SIDE_BY_SIDE = 3  # most files that are shown as columns; more of them become rows


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a score: an estimate, or the reason why there is none.

    Attributes:
        seconds: Time of this score, without statistics that earlier scores had computed.
    """

    estimate: Estimate | None
    reason: str
    seconds: float

    @property
    def interval(self) -> Interval | None:
        """The interval of the estimate, if known."""
        return self.estimate.interval if self.estimate is not None else None

    @property
    def metric(self) -> str:
        """The metric that the score predicts; empty if the score has a scale of its own."""
        return self.estimate.metric if self.estimate is not None else ""


Outcomes = Mapping[str, Mapping[str, Outcome]]  # by file, then by score


def score_all(
    view: ArrayView, names: Iterable[str], metric: str | None, *, interval: bool, asked: bool
) -> dict[str, Outcome]:
    """Return the outcome of each score; a failing score does not stop the others.

    Args:
        view: The arrays of a file.
        names: Names of scores, with optional settings.
        metric: The metric of scores that predict one.
        interval: Add intervals to scores that have none.
        asked: The user named the scores, so scores that do not apply are listed as well.
    """
    outcomes = {}
    for name in names:
        chosen = resolve_score(name)
        if not asked and not _has_input(view, chosen):
            continue
        start = time.perf_counter()
        try:
            value: Estimate | None = estimate(with_probs(view, chosen), chosen, metric, interval=interval)
            reason = ""
        except NotApplicable as why:
            value, reason = None, str(why)
        except UsageError:
            raise
        except Exception as error:  # a user-defined score may raise anything
            value, reason = None, f"failed: {type(error).__name__}: {error}"
        outcomes[name] = Outcome(value, reason, time.perf_counter() - start)
    return outcomes


def read_arrays(path: str | Path, labels: str, *, kind: str | None, sample: int | None) -> ArrayView:
    """Read the arrays of a file for scores.

    Args:
        path: An ``.npz`` file with ``features``, or ``source_probs``, or both.
        labels: The name of its array of labels.
        kind: The kind of the labels, if it is ambiguous.
        sample: Most examples for scores that compare examples; None for all.

    Raises:
        UsageError: The file is not a valid ``.npz`` file, or an array is missing.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except OSError as error:
        raise UsageError(f"Cannot read '{path}': {error.strerror or error}. {_HOW}") from error
    except (ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        if "Object arrays" in str(error):
            raise UsageError(
                f"An array in '{path}' holds Python objects. Save texts as texts: labels=labels.astype(str)."
            ) from error
        raise UsageError(f"'{path}' is no file of named arrays. {_HOW}") from error
    if labels not in arrays:
        raise UnknownName(f"array in '{path}'", labels, arrays)
    if "features" not in arrays and "source_probs" not in arrays:
        raise UnknownName(f"array in '{path}'", "features", arrays)
    try:
        return view_of(
            arrays.get("features"),
            arrays[labels],
            source_probs=arrays.get("source_probs"),
            random_features=arrays.get("random_features"),
            kind=kind,
            sample=sample,
        )
    except UsageError as error:
        raise UsageError(f"'{path}': {error}") from error


def _has_input(view: ArrayView, score: Score) -> bool:
    """Return whether a fast score can read these arrays and labels."""
    missing = (
        (FactScore, view.known is None),
        (WeightScore, not view.matrices),
        (ContrastScore, view.random is None),
        (SourceScore, view.probs is None),
        (FisherScore, view.informed is None),
    )
    return (
        view.kind in score.kinds
        and not score.is_slow
        and not any(isinstance(score, kind) and is_missing for kind, is_missing in missing)
    )


def show(outcomes: Outcomes, views: Mapping[str, ArrayView], console: Console) -> None:
    """Print the contents of each file, the values, and why some scores have none."""
    for name, view in views.items():
        width = "no features" if view.matrix is None else f"{count(view.matrix.shape[1])} features"
        classes = f" into {count(len(view.labels.classes))} classes" if view.labels.classes else ""
        holds = f"{plural(len(view.labels), 'example')} x {width}, {view.kind}{classes}"
        console.print(Text.assemble((name, "bold"), f": {holds}"), soft_wrap=True)
        for note in size_notes(view):
            console.print(Text(f"  {note}", style="yellow"), soft_wrap=True)
    if not have_same_labels(list(views.values())):
        console.print(
            Text("The files have different labels: compare no values between them.", style="yellow")
        )
    outcomes = {name: _grouped(of_file) for name, of_file in outcomes.items()}
    console.print(_table(outcomes, console.width))
    for score, reason in _reasons(outcomes).items():
        console.print(Text.assemble((score, "bold"), f": {reason}", style="dim"), soft_wrap=True)


def _grouped(outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """Return the scores that estimate a metric first, then those that only rank models."""
    return dict(sorted(outcomes.items(), key=lambda pair: not pair[1].metric))


def as_json(outcomes: Outcomes) -> str:
    """Return the values, intervals and reasons as JSON, by file and score."""
    rows = {
        name: {score: _fields(outcome) for score, outcome in of_file.items()}
        for name, of_file in outcomes.items()
    }
    return json.dumps(rows, indent=1, ensure_ascii=False)


def _fields(outcome: Outcome) -> dict[str, object]:
    interval, value = outcome.interval, outcome.estimate
    return {
        "value": None if value is None else float(value),
        "interval": None if interval is None else [interval.low, interval.high],
        "metric": outcome.metric,
        "notes": [] if value is None else list(value.notes),
        "reason": outcome.reason,
        "seconds": outcome.seconds,
    }


def have_same_labels(views: list[ArrayView]) -> bool:
    """Return whether files hold the same labels, so that their values may be compared."""
    first = views[0].labels
    return all(
        view.labels.kind is first.kind and np.array_equal(view.labels.values, first.values)
        for view in views[1:]
    )


def _table(outcomes: Outcomes, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    scores = list(
        dict.fromkeys(
            score for of_file in outcomes.values() for score in of_file if of_file[score].estimate is not None
        )
    )
    if len(outcomes) == 1:
        _fill_single(table, next(iter(outcomes.values())), width)
    elif len(outcomes) <= _SIDE_BY_SIDE:
        _fill(table, "score", list(outcomes), scores, lambda score, name: outcomes[name][score])
    else:
        _fill(table, "file", scores, list(outcomes), lambda name, score: outcomes[name][score])
    return table


def _fill_single(table: Table, outcomes: Mapping[str, Outcome], width: int) -> None:
    columns: list[tuple[str, Callable[[Outcome], str]]] = [
        ("value", _value),
        ("95 % interval", _interval),
        ("estimates", lambda outcome: outcome.metric),
        ("time", lambda outcome: duration(outcome.seconds)),
    ]
    kept = columns[: 4 if width >= _WIDE else 3 if width >= _NARROW else 2]
    table.add_column("score", overflow="fold")
    for title, _ in kept:
        table.add_column(title, justify="left" if title == "estimates" else "right", overflow="fold")
    for score, outcome in outcomes.items():
        if outcome.estimate is not None:
            table.add_row(Text(score), *(text(outcome) for _, text in kept))


def _fill(
    table: Table, title: str, columns: list[str], rows: list[str], cell: Callable[[str, str], Outcome]
) -> None:
    table.add_column(title, overflow="fold")
    for column in columns:
        table.add_column(Text(column), justify="right", overflow="fold")
    for row in rows:
        texts = [value_with_interval(cell(row, column)) for column in columns]
        table.add_row(Text(row), *texts)


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
    if outcome.estimate is None:
        return "–"
    value = float(outcome.estimate)
    small = value != 0 and abs(value) < 1e-3
    return f"{value:.3e}" if small or abs(value) >= 1e6 else f"{value:.4f}"


def _interval(outcome: Outcome) -> str:
    interval = outcome.interval
    return f"{interval.low:.4g} to {interval.high:.4g}" if interval else ""


def value_with_interval(outcome: Outcome) -> str:
    """Return the value of a score, with its interval if it has one."""
    return f"{_value(outcome)} ({_interval(outcome)})" if outcome.interval else _value(outcome)
