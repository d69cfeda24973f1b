"""Predictions of the model's own head, without training: top-1 on ImageNet and its subsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.core.errors import NotApplicable
from assay.plugins.protocol import SourceProtocol
from assay.readers.imagenet_classes import imagenet_classes, synset_of

_BACKGROUND = 1  # TensorFlow heads have a background class 0


@dataclass(frozen=True, slots=True)
class OwnHead(SourceProtocol):
    """The most probable class of the model's own head, among the classes of the task.

    It is for heads of the 1,000 classes of ImageNet in their usual order, or of 1,001 with background first,
    and for tasks whose classes are named by WordNet numbers: ``imagenet:``, and folders such as n01440764. On
    a subset the model chooses among its classes only, as is usual for ImageNet-A and ImageNet-R.

    References:
        Natural Adversarial Examples (Hendrycks et al., 2021), https://arxiv.org/abs/1907.07174

    >>> OwnHead().class_positions(["n01440764", "n01443537"], head=1001)  # tench and goldfish
    array([1, 2])
    """

    def class_positions(self, classes: Sequence[str], head: int) -> np.ndarray:
        """Return the position in the head of each class of a task."""
        known = imagenet_classes()
        if head not in {len(known), len(known) + _BACKGROUND}:
            raise NotApplicable(f"its head has {head:,} classes, not the {len(known):,} of ImageNet")
        synsets = [synset_of(name) for name in classes]
        other = next(
            (name for name, synset in zip(classes, synsets, strict=True) if synset not in known), None
        )
        if other is not None:
            raise NotApplicable(
                f"the task's class '{other}' is none of ImageNet's 1,000, which are named as n01440764 is"
            )
        return np.array([known[synset] for synset in synsets if synset]) + (head - len(known))
