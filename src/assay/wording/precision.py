"""Sentences about the precision of encoding."""

from __future__ import annotations

from collections.abc import Iterable

from assay.core.text import few


def mixed_precision(encoded: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return a warning where models of one table encode in several precisions; nothing where all are equal.

    >>> mixed_precision([("timm:a", "float32"), ("timm:b", "bfloat16")])[0].partition(":")[0]
    'models encode in different precision'

    Args:
        encoded: The model and the dtype of each result.
    """
    models: dict[str, set[str]] = {}
    for model, dtype in encoded:
        models.setdefault(dtype, set()).add(model)
    if len(models) < 2:
        return ()
    parts = "; ".join(f"{dtype}: {few(sorted(of), 2)}" for dtype, of in sorted(models.items()))
    return (f"models encode in different precision: {parts}. Set dtype='float32' for all of them.",)
