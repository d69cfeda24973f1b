"""All splits of a task, encoded by one model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assay.core.features import Features, LabelledFeatures
from assay.core.metric import Metric
from assay.core.task import Modality, SplitName, Task
from assay.encoders.batches import Batches, Progress
from assay.run.encoder import Encoder, LearningTask
from assay.run.opened_model import OpenedModel
from assay.run.train_subset import TrainSubset
from assay.store.arrays import Arrays

_TEXTS_FOR_ONE = 16  # batch size factor for texts: encoders group texts of equal length


class Encodings:
    """All splits of a task as encoded by one model: the inputs of protocols.

    Attributes:
        task: The task, including test, with the train that methods see; scores receive a view of the
            encoder, which has no test.
        metric: The main metric of the task.
        encoder: The encoder, which holds only train and val.
    """

    def __init__(
        self,
        opened: OpenedModel,
        task: Task,
        metric: Metric,
        arrays: Arrays,
        batches: Batches,
        *,
        train_rows: int | None = None,
    ) -> None:
        seen = TrainSubset(task.train, train_rows)
        self.task = task if seen.is_whole else replace(task, train=seen.split)
        self.metric = metric
        learning = LearningTask(seen, task.val, metric, task.modality, task.fingerprint, len(task.test))
        self.encoder = Encoder(opened, learning, arrays, batches)

    def features(self, name: SplitName) -> Features:
        """Return the features of a split."""
        return self.encoder.features(name, self.task.split(name))

    def labelled(self, name: SplitName) -> LabelledFeatures:
        """Return the features of a split with its labels."""
        return LabelledFeatures(self.features(name), self.task.split(name).labels)

    def source_probs(self, name: SplitName) -> np.ndarray:
        """Return the source probabilities of a split, examples x source classes."""
        return self.encoder.source_probs(name, self.task.split(name))


def batches_of(task: Task, batch_size: int, report: Progress) -> Batches:
    """Return the batch encoder for a task."""
    return Batches(batch_size * (_TEXTS_FOR_ONE if task.modality is Modality.TEXT else 1), report)
