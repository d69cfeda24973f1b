"""Stores the predictions of a job on test: classes or numbers, and their probabilities if available."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import numpy as np

from assay.core.predictor import Predicted
from assay.core.task import LabelKind, Labels
from assay.plugins.families import families
from assay.store.arrays import Arrays

MOST_PROBS = 20_000_000  # probabilities of one job (80 MB); larger arrays are not stored


@final
class PredictionFiles:
    """The files ``predictions/<key>.npy`` and ``probs/<key>.npy`` of a store."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays

    def add(self, key: str, predicted: Predicted) -> None:
        """Store the predictions of a job."""
        self._arrays.write("predictions", key, predicted.values)
        if predicted.probs is not None and predicted.probs.size <= MOST_PROBS:
            self._arrays.write("probs", key, predicted.probs.astype(np.float32))

    def of(self, key: str, truth: Labels | None = None) -> Predicted | None:
        """Return the predictions of a job; None without, or if they do not fit the labels, which is noted."""
        values = self._arrays.read("predictions", key)
        if values is None:
            return None
        predicted = Predicted(values, self._arrays.read("probs", key))
        for shelf, reason in _misfits(predicted, truth):
            self._arrays.refuse(shelf, f"{key}.npy", reason)
            return None
        return predicted

    def is_lost(self, key: str, metrics: str, truth: Labels | None) -> bool:
        """Return whether a file of a finished job is missing or damaged, which is noted.

        Args:
            key: The key of the job.
            metrics: Its metrics in JSON; those of probabilities say that it had some.
            truth: The labels that it predicted; None if they are unknown.
        """
        predicted = self.of(key, truth)
        stored = {"predictions": predicted, "probs": predicted and predicted.probs}
        classes = 0 if truth is None else len(truth.classes)
        if predicted is None or len(predicted.values) * classes > MOST_PROBS or not _judge_probs(metrics):
            del stored["probs"]
        for shelf, array in stored.items():
            if array is None and f"{shelf}/{key}.npy" not in self._arrays.damaged:
                self._arrays.refuse(shelf, f"{key}.npy", "the file is missing")
        return not {f"predictions/{key}.npy", f"probs/{key}.npy"}.isdisjoint(self._arrays.damaged)


def _misfits(predicted: Predicted, truth: Labels | None) -> Iterator[tuple[str, str]]:
    """Yield the shelf of each file that holds no predictions of these labels, and why."""
    values, probs = predicted
    if values.dtype.kind not in "biuf" or not values.ndim or not np.isfinite(values).all():
        yield "predictions", f"it holds no predictions but {values.dtype} {values.shape}"
    elif truth is not None and values.shape != truth.values.shape:
        yield "predictions", f"its shape is {values.shape}"
    elif truth is not None and truth.classes and values.size and not _are_classes(values, truth):
        yield "predictions", f"it holds classes from {values.min()} to {values.max()}"
    elif probs is not None and (probs.dtype.kind not in "biuf" or len(probs.shape) < 1):
        yield "probs", f"it holds no probabilities but {probs.dtype} {probs.shape}"
    elif probs is not None and len(probs) != len(values):
        yield "probs", f"its shape is {probs.shape}"


def _are_classes(values: np.ndarray, truth: Labels) -> bool:
    most = 1 if truth.kind is LabelKind.MULTILABEL else len(truth.classes) - 1
    return bool(0 <= values.min() <= values.max() <= most)


def _judge_probs(metrics: str) -> bool:
    known = families().metrics
    return any(f'"{name}"' in metrics and known.load(name).judges_probs for name in known.names())
