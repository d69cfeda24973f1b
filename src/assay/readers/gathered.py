"""What a source found in files, before it is split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.core.slicing import Slicing
from assay.core.task import Examples, Labels, Modality


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a source found, before it is split.

    Attributes:
        digests: A hash of the content of each example (uint64: 64 bits keep ten million examples apart).
        labels: Their labels; the classes are sorted.
        given: The official split of each example (values of ``Part``); None without one.
        sketches: What ``near_repeats`` compares, where files were read already.
        notes: What was guessed or left out so far.
        slices: The columns by which results are to be told apart.
    """

    examples: Examples
    digests: np.ndarray
    labels: Labels
    modality: Modality
    given: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    sketches: np.ndarray | None = None
    slices: tuple[Slicing, ...] = ()
