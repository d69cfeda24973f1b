"""The stored files of held-out predictions: predictions and rows by job, labels by task."""

from __future__ import annotations

import hashlib

import numpy as np

from assay.core.held_out import HeldOutPredictions
from assay.core.job import Job
from assay.core.predictor import Predicted
from assay.core.task import LabelKind, Labels, TaskKind
from assay.findings.facts import TaskFacts
from assay.store.arrays import Arrays


class HeldOutFiles:
    """Writes and reads the held-out predictions of jobs; those with a damaged file count as absent."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays

    def add(self, job: Job, held_out: HeldOutPredictions) -> None:
        """Write the predictions of a job, and the labels if no job has these rows yet."""
        if held_out.rows is None:
            raise ValueError(f"The held-out predictions of {job} have no rows.")
        rows = np.asarray(held_out.rows, dtype=np.int64)
        truths = _truths_key(job.fingerprint, rows)
        if self._arrays.read("held_out_truths", truths) is None:
            if held_out.truth.lengths is not None:
                self._arrays.write("held_out_truths", f"{truths}-lengths", held_out.truth.lengths)
            self._arrays.write("held_out_truths", truths, _small(held_out.truth.values))
        if held_out.predicted.probs is not None:
            self._arrays.write("held_out", f"{job.key}-probs", held_out.predicted.probs.astype(np.float32))
        self._arrays.write("held_out", f"{job.key}-rows", rows)
        self._arrays.write("held_out", job.key, _small(held_out.predicted.values))  # last: all is there

    def of(self, key: str, task: TaskFacts) -> HeldOutPredictions | None:
        """Return the held-out predictions of the job with this key, or None."""
        values, rows = self._arrays.read("held_out", key), self._arrays.read("held_out", f"{key}-rows")
        if values is None or rows is None:
            return None
        truths = _truths_key(task.fingerprint, rows)
        truth = self._arrays.read("held_out_truths", truths)
        if truth is None:
            return None
        kind, lengths = task.kind.label_kind, self._arrays.read("held_out_truths", f"{truths}-lengths")
        if lengths is None and task.kind is TaskKind.TOKENS:
            return None
        if kind is not LabelKind.REGRESSION:
            values = values.astype(np.int64)
        predicted = Predicted(values, self._arrays.read("held_out", f"{key}-probs"))
        try:
            return HeldOutPredictions(predicted, Labels(kind, truth, task.classes, lengths), rows)
        except ValueError as error:
            self._arrays.refuse("held_out", f"{key}.npy", str(error))
            return None

    def is_damaged(self, key: str, fingerprint: str) -> bool:
        """Return whether a file of a job is damaged; without any, nothing was written."""
        rows = self._arrays.read("held_out", f"{key}-rows")
        names = [("held_out", name) for name in (key, f"{key}-rows", f"{key}-probs")]
        if rows is not None:
            truths = _truths_key(fingerprint, rows)
            names += [("held_out_truths", name) for name in (truths, f"{truths}-lengths")]
        for shelf, name in names:
            self._arrays.read(shelf, name)
        return any(f"{shelf}/{name}.npy" in self._arrays.damaged for shelf, name in names)


def _truths_key(fingerprint: str, rows: np.ndarray) -> str:
    digest = hashlib.blake2b(np.ascontiguousarray(rows, dtype="<i8").tobytes(), digest_size=16)
    return f"{fingerprint}-{digest.hexdigest()}"


def _small(values: np.ndarray) -> np.ndarray:
    """Return whole numbers in the smallest type that holds them."""
    if not np.issubdtype(values.dtype, np.integer) or not values.size:
        return values
    return values.astype(np.result_type(np.min_scalar_type(values.min()), np.min_scalar_type(values.max())))
