"""Entity F1: precision and recall of whole entities in tagged texts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind
from assay.numerics.entities import entities, names_entities


@dataclass(frozen=True, slots=True)
class EntityF1(Metric):
    """The F1 of entities, from 0 to 1; beginning, end and type must match a true entity.

    Tags are ``O``, or a letter and a type such as ``B-PER``, in IOB1, IOB2, IOBES, BILOU or BMES, also in
    small letters, as ``PER-B`` or without a type; texts are separated by the lengths of the labels. It equals
    conlleval and seqeval, and is fast enough for a bootstrap.

    References:
        Introduction to the CoNLL-2000 Shared Task: Chunking (Tjong Kim Sang and Buchholz, 2000),
        https://aclanthology.org/W00-0726

    >>> from assay.core.task import LabelKind
    >>> truth = Labels(LabelKind.CLASSIFICATION, np.array([1, 2, 0, 1]), ("O", "B-PER", "I-PER"))
    >>> EntityF1()(truth, np.array([1, 2, 0, 0])).__round__(4)
    0.6667
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.TOKENS})

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return F1; raise ``NotApplicable`` if the tags are not entity tags or there are no entities."""
        if not names_entities(truth.classes):
            raise NotApplicable("tags are not O, B-TYPE and I-TYPE")
        wanted, named = entities(truth), entities(replace(truth, values=predicted))
        if not len(wanted) and not len(named):
            raise NotApplicable("no text has an entity")
        hits = len(np.intersect1d(wanted, named, assume_unique=True))
        return 2 * hits / (len(wanted) + len(named))
