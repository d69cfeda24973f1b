"""Facts about models as people read them; stores and keys hold them in the words of their first version."""

from __future__ import annotations

_TERMS = {"scaled to length 1": "L2-normalised", "pairs apart": "text pairs encoded separately"}


def preprocessing_text(preprocessing: str) -> str:
    """Return the preprocessing of a model in the usual terms.

    >>> preprocessing_text("pooling mean; scaled to length 1; pairs apart")
    'pooling mean; L2-normalised; text pairs encoded separately'
    """
    return "; ".join(_TERMS.get(part, part) for part in preprocessing.split("; "))
