"""Finds entities in tagged words: start, end and type."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assay.core.task import Labels

_LAST = frozenset("ESLUW")  # letters of words that end an entity
_FIRST = frozenset("BSUW")  # letters of words that begin one
_LETTERS = "BIESLUMW"  # of IOB, IOBES, BILOU and BMES (or BMEW)
_SEGMENTS = frozenset("BMES")  # tags of word segmentation, where no word is outside


class Tag(NamedTuple):
    """What a tag says: a letter of its scheme and a type, which may be empty; ("O", "") is outside."""

    letter: str
    type: str


_OUTSIDE = Tag("O", "")


def entity_tags(classes: tuple[str, ...]) -> tuple[Tag, ...] | None:
    """Parse tags as parts of entities; None for other tags, such as parts of speech.

    Schemes are IOB, IOBES, BILOU and BMES, in capitals or small letters, with the type behind or before the
    letter (``B-PER``, ``B_PER``, ``PER-B``) or without one (``B``).

    >>> entity_tags(("O", "PER-B")), entity_tags(("NOUN", "VERB"))
    ((Tag(letter='O', type=''), Tag(letter='B', type='PER')), None)
    """
    for letters in (_LETTERS, _LETTERS.lower()):
        outside = {"O", "o"} if letters.islower() else {"O"}
        inside = [tag for tag in classes if tag not in outside]
        tags = _typed(inside, letters) or _bare(inside, letters, has_outside=len(inside) < len(classes))
        if tags:
            return tuple(tags.get(tag, _OUTSIDE) for tag in classes)
    return None


def _typed(inside: Sequence[str], letters: str) -> dict[str, Tag] | None:
    """Parse tags with a letter and a type; None if there is another tag."""
    for pattern in (rf"(?P<letter>[{letters}])[-_](?P<type>.+)", rf"(?P<type>.+)[-_](?P<letter>[{letters}])"):
        found = {tag: match for tag in inside if (match := re.fullmatch(pattern, tag))}
        if inside and len(found) == len(inside):
            return {tag: Tag(match["letter"].upper(), match["type"]) for tag, match in found.items()}
    return None


def _bare(inside: Sequence[str], letters: str, *, has_outside: bool) -> dict[str, Tag] | None:
    """Parse letters without a type; None if there is another tag, or no sign of a scheme."""
    tags = {tag: Tag(tag.upper(), "") for tag in inside if len(tag) == 1 and tag in letters}
    found = {tag.letter for tag in tags.values()}
    is_scheme = found >= _SEGMENTS or (has_outside and not found.isdisjoint("BI"))
    return tags if len(tags) == len(inside) and is_scheme else None


def names_entities(classes: tuple[str, ...]) -> bool:
    """Return whether tags are entity tags (O, B-TYPE, I-TYPE, ...), unlike parts of speech."""
    return entity_tags(classes) is not None


def entities(labels: Labels) -> np.ndarray:
    """Return a number for each entity that encodes its start, end and type.

    Args:
        labels: Entity tags in any scheme of ``entity_tags``; an entity ends with its text at the latest.
    """
    tags = entity_tags(labels.classes) or ()
    lengths = labels.lengths if labels.lengths is not None else np.array([len(labels)])
    new_text = np.zeros(len(labels) + 1, dtype=bool)
    new_text[np.cumsum(lengths)] = True
    types = sorted({(tag.letter != "O", tag.type) for tag in tags})
    kinds = np.array([types.index((tag.letter != "O", tag.type)) for tag in tags])[labels.values]
    last, first, outside = (
        np.array([tag.letter in letters for tag in tags])[labels.values] for letters in (_LAST, _FIRST, "O")
    )
    cut = new_text[1:-1] | last[:-1] | first[1:] | (kinds[1:] != kinds[:-1])  # between a word and the next
    starts = np.flatnonzero(np.append(True, cut) & ~outside)
    ends = np.flatnonzero(np.append(cut, True) & ~outside)
    return np.asarray((starts * len(labels) + ends) * len(types) + kinds[starts])
