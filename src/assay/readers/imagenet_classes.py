"""The classes of ImageNet: their WordNet numbers in the order of heads, and their names."""

from __future__ import annotations

import functools
import re
from pathlib import Path

_SYNSET = re.compile(r"n\d{8}(?!\d)")


def synset_of(name: str) -> str | None:
    """Return the WordNet number that a class, a folder or a file is named by; None without one.

    >>> synset_of("n01440764_tench.JPEG"), synset_of("tench")
    ('n01440764', None)
    """
    match = _SYNSET.match(name)
    return match[0] if match else None


@functools.cache
def imagenet_classes() -> dict[str, int]:
    """Return the position of each class in heads for ImageNet-1k: its 1,000 WordNet numbers in order."""
    return {synset: position for position, synset in enumerate(_names())}


def class_name(synset: str) -> str:
    """Return what a class is called: its number, and the first words for it, if it is one of the 1,000.

    >>> class_name("n01440764")
    'n01440764 tench'
    """
    words = _names().get(synset, "").partition(",")[0]
    return f"{synset} {words}".rstrip()


@functools.cache
def _names() -> dict[str, str]:
    lines = Path(__file__).with_name("imagenet_classes.tsv").read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines)
