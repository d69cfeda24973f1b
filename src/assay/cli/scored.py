"""Scores of a file of arrays: all of them, each with its value or its reason."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assay.actions.score import Given, estimate, resolve_score, view_of, with_probs
from assay.core.errors import NotApplicable, UnknownName, UsageError
from assay.core.estimate import Estimate
from assay.plugins.array_view import ArrayView
from assay.plugins.method import ContrastScore, FactScore, FisherScore, Score, SourceScore, WeightScore

_HOW = "Write it with np.savez('features.npz', features=F, labels=y)."


@dataclass(frozen=True, slots=True)
class Scored:
    """What became of one score: an estimate, or the reason why there is none.

    Attributes:
        seconds: What it took beyond what scores before it had computed.
    """

    estimate: Estimate | None
    reason: str
    seconds: float


def score_all(
    view: ArrayView, names: Iterable[str], metric: str | None, *, interval: bool, asked: bool
) -> dict[str, Scored]:
    """Return what became of each score; one that breaks does not stop the others.

    Args:
        view: The arrays of a file.
        names: Scores, with settings where there are any.
        metric: The metric of scores that foretell one.
        interval: Add intervals to scores that have none.
        asked: The user named the scores: those that cannot apply are told as well.
    """
    found = {}
    for name in names:
        chosen = resolve_score(name)
        if not asked and not _has_input(view, chosen):
            continue
        start = time.perf_counter()
        try:
            one: Estimate | None = estimate(with_probs(view, chosen), chosen, metric, interval=interval)
            reason = ""
        except NotApplicable as why:
            one, reason = None, str(why)
        except UsageError:
            raise
        except Exception as error:  # a score of the user's own may raise anything
            one, reason = None, f"failed: {type(error).__name__}: {error}"
        found[name] = Scored(one, reason, time.perf_counter() - start)
    return found


def read_arrays(path: str | Path, labels: str, given: Given) -> ArrayView:
    """Return the arrays of a file as scores read them.

    Args:
        path: An ``.npz`` file with ``features``, or ``source_probs``, or both.
        labels: The name of its array of labels.
        given: LabelKind and sample; arrays of the file take the place of what it has none of.

    Raises:
        UsageError: It is no such file, or an array is missing.
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
    extra = {name: arrays.get(name) for name in ("source_probs", "random_features")}
    try:
        return view_of(arrays.get("features"), arrays[labels], replace(given, **extra))
    except UsageError as error:
        raise UsageError(f"'{path}': {error}") from error


def _has_input(view: ArrayView, score: Score) -> bool:
    """Tell whether arrays hold what a score reads, and labels of its kind, and it takes seconds."""
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
        and not any(isinstance(score, kind) and gone for kind, gone in missing)
    )
