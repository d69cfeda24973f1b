"""Sentences with the short names of models and tasks."""

from __future__ import annotations

import re
from collections.abc import Mapping


def with_short_names(sentence: str, names: Mapping[str, str]) -> str:
    """Return a sentence in which every address is its short name.

    >>> with_short_names("timm:resnet18 is better on ./photos.", {"timm:resnet18": "resnet18"})
    'resnet18 is better on ./photos.'
    """
    if not names:
        return sentence
    longest_first = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.sub(rf"(?<!\w)({longest_first})(?!\w)", lambda found: names[found[1]], sentence)
