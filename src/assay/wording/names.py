"""Shortens names to a width, and keeps names that differ apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_HEAD_SHARES = (0.45, 0.3, 0.6, 0.15, 0.8)  # how much of a long name its beginning keeps


def width_of(text: str) -> int:
    """Return how many columns a text takes: two for a wide letter, none for a combining mark.

    >>> width_of("abc"), width_of("模型")
    (3, 4)
    """
    return sum(_letter_width(letter) for letter in text)


def shorten(names: Sequence[str], width: int) -> dict[str, str]:
    """Return every name in at most ``width`` columns; the middle goes, and names that differ stay so.

    >>> shorten(["timm:vit_small_patch14.lvd142m", "timm:vit"], 16)
    {'timm:vit_small_patch14.lvd142m': 'timm:vi….lvd142m', 'timm:vit': 'timm:vit'}
    """
    for share in _HEAD_SHARES:
        short = {name: _cut(name, width, share) for name in names}
        if len(set(short.values())) == len(short):
            return short
    return {name: _cut(f"{number} {name}", width, 0.45) for number, name in enumerate(names, start=1)}


def _letter_width(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _cut(name: str, width: int, share: float) -> str:
    name = " ".join(name.split())
    if width_of(name) <= width:
        return name
    head = _beginning(name, max(1, round((width - 1) * share)))
    tail = _beginning(name[::-1], width - 1 - width_of(head))[::-1]
    return f"{head}…{tail}"


def _beginning(text: str, width: int) -> str:
    used = 0
    for place, letter in enumerate(text):
        used += _letter_width(letter)
        if used > width:
            return text[:place]
    return text
