"""Principal components, computed from the smaller of the two Gram matrices."""

from __future__ import annotations

import numpy as np

from assay.moments.scatter import Scatter


def principal_components(rows: np.ndarray, most: int, energy: float = 1.0) -> np.ndarray:
    """Return the leading principal components, examples x components.

    The largest loading of each component is positive, as in scikit-learn.

    Args:
        rows: Examples x width, in double precision.
        most: Most components; directions without variance are left out.
        energy: Return the fewest components with more than this share of the variance; 1 for all.
    """
    shift = rows.mean(axis=0)
    basis = Scatter.of(rows - shift, shift).basis
    kept = min(most, len(basis.values))
    if energy < 1.0 and kept:
        shares = np.cumsum(basis.values) / basis.values.sum()
        kept = min(kept, int(np.searchsorted(shares, energy, side="right")) + 1)
    loadings = basis.expand(np.eye(len(basis.values), kept))
    signs = np.sign(loadings[np.abs(loadings).argmax(axis=0), np.arange(kept)])
    if basis.rows is not None:
        return np.asarray(basis.scores(np.eye(len(basis.values), kept)) * signs)
    return np.asarray((rows - shift) @ (loadings * signs))
