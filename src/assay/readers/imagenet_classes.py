"""The classes of ImageNet: WordNet numbers in the order of pretrained heads, and class names."""

from __future__ import annotations

import functools
import re
from pathlib import Path

_SYNSET = re.compile(r"n\d{8}(?!\d)")


def synset_of(name: str) -> str | None:
    """Return the WordNet number at the start of the name of a class, folder or file, or None.

    >>> synset_of("n01440764_tench.JPEG"), synset_of("tench")
    ('n01440764', None)
    """
    match = _SYNSET.match(name)
    return match[0] if match else None


@functools.cache
def imagenet_classes() -> dict[str, int]:
    """Return the index of each class in ImageNet-1k heads, whose 1,000 WordNet numbers are sorted."""
    return {synset: position for position, synset in enumerate(_names())}


def class_name(synset: str) -> str:
    """Return a class's display name: its number, followed by words for the 1,000 classes.

    >>> class_name("n01440764")
    'n01440764 tench'
    """
    words = _names().get(synset, "").partition(",")[0]
    return f"{synset} {words}".rstrip()


@functools.cache
def _names() -> dict[str, str]:
    lines = Path(__file__).with_name("imagenet_classes.tsv").read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines)
