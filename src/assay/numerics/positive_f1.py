"""F1 of the positive class of two."""

from __future__ import annotations

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.task import Labels


def positive_f1(truth: Labels, predicted: np.ndarray) -> float:
    """Return the harmonic mean of precision and recall of the second class; 0.0 if it never occurs.

    Raises:
        NotApplicable: There are more than two classes.
    """
    if len(truth.classes) > 2 or max(truth.values.max(), predicted.max()) > 1:
        raise NotApplicable("F1 judges two classes; macro_f1 is for more")
    named = int(truth.values.sum()) + int(predicted.sum())
    return 2 * int(truth.values @ predicted) / named if named else 0.0
