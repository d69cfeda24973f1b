"""Stores the predictions of a job on test: classes or numbers, and their probabilities where it has them."""

from __future__ import annotations

from typing import final

import numpy as np

from assay.core.predictor import Predicted
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

    def of(self, key: str) -> Predicted | None:
        """Return the predictions of a job; None without."""
        values = self._arrays.read("predictions", key)
        return None if values is None else Predicted(values, self._arrays.read("probs", key))

    def is_lost(self, key: str, metrics: str, classes: int) -> bool:
        """Return whether a file of a finished job is missing or damaged, which is noted.

        Args:
            key: The key of the job.
            metrics: Its metrics in JSON; those of probabilities say that it had some.
            classes: The number of classes of its task.
        """
        stored = {shelf: self._arrays.read(shelf, key) for shelf in ("predictions", "probs")}
        values = stored["predictions"]
        if values is None or len(values) * classes > MOST_PROBS or not _judge_probs(metrics):
            del stored["probs"]
        for shelf, array in stored.items():
            if array is None and f"{shelf}/{key}.npy" not in self._arrays.damaged:
                self._arrays.refuse(shelf, f"{key}.npy", "the file is missing")
        return not {f"predictions/{key}.npy", f"probs/{key}.npy"}.isdisjoint(self._arrays.damaged)


def _judge_probs(metrics: str) -> bool:
    known = families().metrics
    return any(f'"{name}"' in metrics and known.load(name).judges_probs for name in known.names())
