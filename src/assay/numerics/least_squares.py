"""The training error of linear regression, computed from Moments."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.task import LabelKind
from assay.moments.moments import Moments
from assay.moments.spectrum import Spectrum


class Inputs(NamedTuple):
    """Texts about the inputs for the reasons of ``NotApplicable``."""

    name: str
    constant: str  # the whole reason if the inputs are constant
    instead: str  # the scores to use if any labels can be fitted


FEATURES = Inputs("features", "All features are constant on train.", "lin_mse(penalty=1.0), or ridge_cv")


def require_residual(rank: int, count: int, inputs: Inputs, penalty: float = 0.0) -> None:
    """Raise ``NotApplicable`` if the inputs are constant, or if they can fit any labels."""
    if rank == 0:
        raise NotApplicable(inputs.constant)
    if rank >= count - 1 and penalty == 0:
        raise NotApplicable(
            f"{rank} independent {inputs.name} fit any labels of {count} examples. Use {inputs.instead}."
        )


def regression_error(
    total: Moments, spectrum: Spectrum, kind: LabelKind, inputs: Inputs, penalty: float, *, add_penalty: bool
) -> float:
    """Return min mean((y - Ax - b)^2) + penalty |A|^2, averaged over label columns with examples."""
    values, cross = spectrum
    used = np.full(len(total.target_sum), True) if kind is LabelKind.REGRESSION else total.target_sum > 0
    energy = float(total.centred_target_square()[used].sum())
    if energy <= 1e-12 * float(total.target_square.sum()):
        raise NotApplicable("All labels of train are the same.")
    require_residual(len(values), total.count, inputs, penalty)
    inside = np.square(cross[:, used]).sum(axis=1) / values  # target energy along each direction
    outside = 0.0 if len(values) >= total.count - 1 else max(energy - float(inside.sum()), 0.0)
    left = total.count * penalty / (values + total.count * penalty)
    error = outside + float((left if add_penalty else np.square(left)) @ inside)
    return error / (total.count * int(used.sum()))
