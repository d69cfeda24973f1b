"""Moments in the store, so that a later score need not sum the features again."""

from __future__ import annotations

from io import BytesIO

import numpy as np

from assay.core.keys import content_key
from assay.moments.folded import FoldedMoments
from assay.moments.stream import FOLDS_VERSION, SUMS_VERSION
from assay.plugins.train_view import FOLDS, SEED
from assay.run.seen_train import SeenTrain
from assay.store.arrays import Arrays


class KeptMoments:
    """The Moments of train by one model, in one file.

    Args:
        arrays: The store.
        features: The key of the features.
        seen: The examples of train that they are summed over, and their folds.
    """

    def __init__(self, arrays: Arrays, features: str, seen: SeenTrain) -> None:
        self._arrays = arrays
        version = content_key(folds=(FOLDS, SEED, FOLDS_VERSION), sums=SUMS_VERSION)[:8]
        regrouped = f"-{seen.regrouped}" if seen.regrouped else ""
        self._key = f"{features}-{seen.part or 'all'}-{version}{regrouped}"

    def read(self) -> FoldedMoments | None:
        """Return the Moments, equal to the last bit to those that were written, or None."""
        content = self._arrays.read("moments", self._key)
        return None if content is None else FoldedMoments.load(BytesIO(content.tobytes()))

    def write(self, moments: FoldedMoments, features_bytes: int) -> None:
        """Write the Moments if they are smaller than the features that they sum."""
        if moments.size_in_bytes >= features_bytes:
            return
        file = BytesIO()
        moments.save(file)
        self._arrays.write("moments", self._key, np.frombuffer(file.getbuffer(), np.uint8)[None])  # one block
