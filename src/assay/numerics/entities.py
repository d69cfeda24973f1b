"""Finds entities in tagged words: start, end and type."""

from __future__ import annotations

import numpy as np

from assay.core.task import Labels

_LAST = frozenset("ESO")  # prefixes that end an entity
_FIRST = frozenset("BS")  # prefixes that begin an entity


def names_entities(classes: tuple[str, ...]) -> bool:
    """Return whether tags are entity tags (O, B-TYPE, I-TYPE), unlike parts of speech."""
    tags = [tag for tag in classes if tag != "O"]
    return bool(tags) and all(tag[:1] in "BIES" and tag[1:2] == "-" and len(tag) > 2 for tag in tags)


def entities(labels: Labels) -> np.ndarray:
    """Return a number for each entity that encodes its start, end and type.

    Args:
        labels: Tags in IOB1, IOB2 or IOBES; an entity ends with its text at the latest.
    """
    lengths = labels.lengths if labels.lengths is not None else np.array([len(labels)])
    new_text = np.zeros(len(labels) + 1, dtype=bool)
    new_text[np.cumsum(lengths)] = True
    types = sorted({tag[2:] for tag in labels.classes})
    kinds = np.array([types.index(tag[2:]) for tag in labels.classes])[labels.values]
    last, first, outside = (
        np.array([tag[0] in prefixes for tag in labels.classes])[labels.values]
        for prefixes in (_LAST, _FIRST, "O")
    )
    cut = new_text[1:-1] | last[:-1] | first[1:] | (kinds[1:] != kinds[:-1])  # between a word and the next
    starts = np.flatnonzero(np.append(True, cut) & ~outside)
    ends = np.flatnonzero(np.append(cut, True) & ~outside)
    return np.asarray((starts * len(labels) + ends) * len(types) + kinds[starts])
