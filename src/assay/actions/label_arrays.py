"""Validates arrays from the user and converts them to features and labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.core.errors import UsageError
from assay.core.task import LabelKind, Labels

IGNORED = -100  # the label of tokens that do not count, as in PyTorch and transformers
_SMALL, _LARGE = 1e-60, 1e60  # fourth powers of features must stay finite
_FEW = 20  # up to so many distinct whole floats may be classes or numbers


def labels_of(values: Any, kind: LabelKind | None = None) -> Labels:
    """Convert an array to labels; the kind is inferred from its type and shape.

    Args:
        values: Classes as whole numbers, strings or booleans (examples); 0 and 1 (examples x classes);
            numbers as floats (examples, or examples x columns).
        kind: The kind, if the array is ambiguous.

    Raises:
        UsageError: The kind is ambiguous, or a value is missing.
    """
    array = _checked(values)
    kind = kind or _inferred_kind(array)
    if kind is LabelKind.REGRESSION:
        return _numbers(array)
    if kind is LabelKind.MULTILABEL:
        return _several(array)
    if array.ndim != 1:
        raise UsageError(f"Labels of classes are one for each example; got shape {array.shape}.")
    classes, positions = np.unique(array, return_inverse=True)
    return Labels(kind, positions, tuple(map(str, classes.tolist())))


def _checked(values: Any) -> np.ndarray:
    """Return labels as one or several columns; raise if a value is missing."""
    array = _as_array(values, "Labels")
    array = _from_objects(array) if array.dtype.kind == "O" else array
    if array.ndim not in {1, 2} or array.dtype.kind not in "biufUS" or 0 in array.shape:
        raise UsageError(
            f"Labels have shape {array.shape} and type {array.dtype}. "
            "Give one class or number for each example, or examples x columns."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UsageError("Some labels are NaN or infinite. Leave those examples out.")
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _numbers(array: np.ndarray) -> Labels:
    if array.dtype.kind not in "biuf":
        raise UsageError("Labels for regression are numbers; these are texts. Write kind='classification'.")
    return Labels(LabelKind.REGRESSION, array)


def _several(array: np.ndarray) -> Labels:
    if array.ndim != 2 or array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise UsageError(
            "Labels for multilabel are examples x classes, 1 where a class applies and 0 where not."
        )
    return Labels(LabelKind.MULTILABEL, array, tuple(map(str, range(array.shape[1]))))


def flat_tokens(features: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Flatten sentences x tokens (x width) to the tokens that are not ignored."""
    matrix, values = np.asarray(features), np.asarray(labels)
    if matrix.shape[:2] != values.shape:
        raise UsageError(
            f"Features of tokens have shape {matrix.shape} and their labels {values.shape}. "
            "Give sentences x tokens x width and sentences x tokens."
        )
    counts = values != IGNORED
    return matrix[counts], values[counts]


def matrix_of(features: Any, what: str = "Features") -> np.ndarray:
    """Return a matrix of examples x columns; raise for a wrong shape or missing values."""
    matrix = _as_array(features, what)
    if matrix.ndim != 2 or matrix.dtype.kind not in "biuf" or 0 in matrix.shape:
        raise UsageError(
            f"{what} have shape {matrix.shape} and type {matrix.dtype}. Give numbers, examples x columns."
        )
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        raise UsageError(f"{what} of example {int(np.argmin(finite))} are NaN or infinite. Leave it out.")
    largest = max(abs(float(matrix.max())), abs(float(matrix.min())))
    if not _SMALL < largest < _LARGE and largest > 0:
        raise UsageError(
            f"{what} reach {largest:.0e}, whose squares are beyond double precision. Divide them by it first."
        )
    return matrix


def _as_array(values: Any, what: str) -> np.ndarray:
    """Convert a list, frame or tensor to an array."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise UsageError(f"{what} have masked values. Leave those examples out.")
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"{what} are not an array: {error}. Give numbers as numpy.asarray takes them."
        ) from error


def _from_objects(array: np.ndarray) -> np.ndarray:
    """Convert labels of mixed Python objects to strings or numbers; raise if one is missing."""
    if not all(isinstance(value, (str, int, float, np.generic)) for value in array.ravel()):
        raise UsageError("Labels are Python objects, some of them neither texts nor numbers. Leave None out.")
    if any(isinstance(value, str) for value in array.ravel()):
        return array.astype(str)
    return np.array(array.tolist())


def _inferred_kind(array: np.ndarray) -> LabelKind:
    if array.ndim == 1 and array.dtype.kind != "f":
        return LabelKind.CLASSIFICATION
    distinct = np.unique(array)
    is_binary = array.dtype.kind in "biuf" and bool(np.isin(distinct, (0, 1)).all())
    if array.ndim == 2 and array.dtype.kind in "biu" and is_binary:
        return LabelKind.MULTILABEL
    whole = array.dtype.kind != "f" or bool((distinct == np.round(distinct)).all())
    if whole and (array.ndim == 2 or len(distinct) <= _FEW):
        options = ("multilabel" if is_binary else "classification") if array.ndim == 2 else "classification"
        raise UsageError(
            f"Labels of shape {array.shape} have {len(distinct)} distinct whole values: classes or numbers? "
            f"Write kind='{options}' or kind='regression'."
        )
    return LabelKind.REGRESSION
