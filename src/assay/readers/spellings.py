"""Finds classes that the official splits spell differently."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from assay.readers.escaped_names import shown_name


class Spellings(NamedTuple):
    """Names of classes that are nearly the same."""

    one: Mapping[str, str]  # the first spelling of each that different splits spell differently
    notes: tuple[str, ...]
    apart: Sequence[Sequence[str]]  # different names within a split, which stay apart


def folded(name: str) -> str:
    """Return the name of a class as splits may spell it: without case, separators or leading 0."""
    words = re.sub(r"(?<=[^\W_])[\s_-]+(?=[^\W_])", " ", shown_name(name).strip().casefold())
    return words.lstrip("0") or "0" if words.isdecimal() else words


def spelled_by_splits(splits: Sequence[set[str]]) -> Spellings:
    """Return which names are one class, where no split has two of them.

    Args:
        splits: The names of the classes in each split, train first.
    """
    variants: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(name for names in splits for name in sorted(names)):
        variants[folded(name)].append(name)
    several = [names for names in variants.values() if len(names) > 1]
    merged = [names for names in several if all(len(split.intersection(names)) < 2 for split in splits)]
    notes: tuple[str, ...] = ()
    if merged:
        first = " and ".join(f"'{name}'" for name in merged[0])
        notes = (f"{first} in different splits are one class ({len(merged)} such).",)
    one = {name: names[0] for names in merged for name in names}
    return Spellings(one, notes, [names for names in several if names not in merged])
