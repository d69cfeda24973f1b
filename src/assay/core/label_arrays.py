"""From arrays that a user holds to features and labels that fit each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.core.errors import UsageError
from assay.core.task import Kind, Labels

IGNORED = -100  # the label of tokens that do not count, as in PyTorch and transformers
_FEW = 20  # distinct whole floats up to which it is open whether they are classes or numbers


def labels_of(values: Any, kind: Kind | None = None) -> Labels:
    """Return the labels that an array means.

    Args:
        values: Classes as whole numbers, texts or truth values (examples); 0 and 1 (examples x classes);
            numbers as floats (examples, or examples x columns).
        kind: What they are, where the array leaves it open.

    Raises:
        UsageError: It cannot be told, or a value is missing.
    """
    array = np.asarray(values)
    if array.ndim not in {1, 2} or array.dtype.kind not in "biufUOS":
        raise UsageError(
            f"Labels have shape {array.shape} and type {array.dtype}. "
            "Give one class or number for each example, or examples x columns."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UsageError("Some labels are NaN or infinite. Leave those examples out.")
    chosen = kind or _guessed(array)
    if chosen is Kind.REGRESSION:
        if array.dtype.kind not in "biuf":
            raise UsageError(
                "Labels for regression are numbers; these are texts. Write kind='classification'."
            )
        return Labels(chosen, array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array)
    if chosen is Kind.MULTILABEL:
        if array.ndim != 2 or array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
            raise UsageError(
                "Labels for multilabel are examples x classes, 1 where a class applies and 0 where not."
            )
        return Labels(chosen, array, tuple(map(str, range(array.shape[1]))))
    if array.ndim != 1:
        raise UsageError(
            f"Labels for classification are one class for each example; got shape {array.shape}."
        )
    classes, positions = np.unique(array, return_inverse=True)
    return Labels(chosen, positions, tuple(map(str, classes.tolist())))


def flat_tokens(features: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens that count as examples, from sentences x tokens x width and sentences x tokens."""
    matrix, values = np.asarray(features), np.asarray(labels)
    if matrix.shape[:2] != values.shape:
        raise UsageError(
            f"Features of tokens have shape {matrix.shape} and their labels {values.shape}. "
            "Give sentences x tokens x width and sentences x tokens."
        )
    counts = values != IGNORED
    return matrix[counts], values[counts]


def matrix_of(features: Any, what: str = "Features") -> np.ndarray:
    """Return a matrix of examples x columns, checked: a wrong shape or a missing value stops here."""
    matrix = np.asarray(features)
    if matrix.ndim != 2 or matrix.dtype.kind not in "biuf" or 0 in matrix.shape:
        raise UsageError(
            f"{what} have shape {matrix.shape} and type {matrix.dtype}. Give numbers, examples x columns."
        )
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        raise UsageError(f"{what} of example {int(np.argmin(finite))} are NaN or infinite. Leave it out.")
    return matrix


def _guessed(array: np.ndarray) -> Kind:
    if array.ndim == 2:
        binary = array.dtype.kind in "biu" and np.isin(array, (0, 1)).all()
        return Kind.MULTILABEL if binary else Kind.REGRESSION
    if array.dtype.kind != "f":
        return Kind.CLASSIFICATION
    distinct = np.unique(array)
    if len(distinct) <= _FEW and (distinct == np.round(distinct)).all():
        raise UsageError(
            f"Labels are floats with {len(distinct)} distinct whole values: classes or numbers? "
            "Write kind='classification' or kind='regression'."
        )
    return Kind.REGRESSION
