"""Computes scores of array files, and writes them as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from assay.actions.score import estimate, resolve_score, view_of, with_probs
from assay.core.errors import NotApplicable, UnknownName, UsageError
from assay.core.estimate import Estimate, Interval
from assay.plugins.array_view import ArrayView
from assay.plugins.method import ContrastScore, FactScore, FisherScore, Score, SourceScore, WeightScore
from assay.readers.named_arrays import read_named_arrays

_HOW = "Write it with np.savez('features.npz', features=F, labels=y)."


class Group(StrEnum):
    """What the value of a score says; the groups in the order in which they are printed."""

    EXPECTED = "Expected metric, by cross-validation on these examples"
    HELD_OUT = "Other values on held-out examples, each on its own scale; higher is better"
    RANKING = "Scores that only rank models, each on its own scale; higher is better"
    WITHOUT_LABELS = "Properties of the features; the labels are not used"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a score: an estimate, or the reason why there is none.

    Attributes:
        group: What the value says.
        seconds: Time of this score, without statistics that earlier scores had computed.
    """

    estimate: Estimate | None
    reason: str
    seconds: float
    group: Group = Group.RANKING

    @property
    def interval(self) -> Interval | None:
        """The interval of the estimate, if known."""
        return self.estimate.interval if self.estimate is not None else None

    @property
    def metric(self) -> str:
        """The metric that the score predicts; empty if the score is on another scale."""
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
        outcomes[name] = Outcome(value, reason, time.perf_counter() - start, _group(chosen, value))
    return outcomes


def _group(score: Score, value: Estimate | None) -> Group:
    if value is not None and value.metric:
        return Group.EXPECTED
    if value is not None and value.held_out is not None:
        return Group.HELD_OUT
    return Group.RANKING if score.needs_labels else Group.WITHOUT_LABELS


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
        arrays = read_named_arrays(Path(path))
    except OSError as error:
        raise UsageError(f"Cannot read '{path}': {error.strerror or error}. {_HOW}") from error
    except ValueError as error:
        if "Object arrays" in str(error):
            raise UsageError(
                f"An array in '{path}' contains Python objects. Save texts: labels=labels.astype(str)."
            ) from error
        raise UsageError(f"'{path}' is not a file of named arrays ({error}). {_HOW}") from error
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
