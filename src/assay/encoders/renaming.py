"""Renames prefixes of weights in a checkpoint, and suggests such renamings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from assay.core.errors import UsageError

Value = TypeVar("Value")
Rename = tuple[tuple[str, str | None], ...]

_MOST = 3  # maximum number of suggested pairs


def check_rename(pairs: Sequence[object]) -> None:
    """Raise ``UsageError`` unless the setting is a list of pairs."""
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
            raise UsageError(
                f"Setting 'rename' is {tuple(pairs)!r}; write pairs of what names begin with, as in "
                "rename=(('backbone.', ''), ('fc.', 'classifier.'), ('projector.', None))."
            )


def renamed(state: Mapping[str, Value], pairs: Rename) -> dict[str, Value]:
    """Return a checkpoint with renamed weights, by the first pair whose left side is a prefix of the name.

    Args:
        state: By name.
        pairs: What a name begins with, and what replaces it; None leaves those names out.
    """
    mapped: dict[str, Value] = {}
    for name, value in state.items():
        old, new = next(((old, new) for old, new in pairs if name.startswith(old)), ("", ""))
        if new is not None:
            mapped[new + name.removeprefix(old)] = value
    return mapped


def suggested(missing: Mapping[str, object], unexpected: Mapping[str, object]) -> Rename:
    """Return pairs that would make names of a checkpoint those that are missing; none where none fits.

    Args:
        missing: The shape that is needed, by name.
        unexpected: The shape that is there, by name.
    """
    pairs: list[tuple[str, str | None]] = []
    missing, unexpected = dict(missing), dict(unexpected)
    while missing and unexpected and len(pairs) < _MOST:
        endings: dict[str, list[str]] = {}
        for name in missing:
            for rest in _rests(name):
                endings.setdefault(rest, []).append(name)
        counts = Counter(
            (name.removesuffix(rest), missing_name.removesuffix(rest))
            for name, shape in unexpected.items()
            for rest in _rests(name)
            for missing_name in endings.get(rest, ())
            if missing[missing_name] == shape
        )
        if not counts:
            break
        # the pair that explains most names; ties go to the shortest
        best = min(counts, key=lambda pair: (-counts[pair], len(pair[0]) + len(pair[1])))
        pairs.append(best)
        for name in [name for name in unexpected if name.startswith(best[0])]:
            if missing.pop(best[1] + name.removeprefix(best[0]), None) is not None:
                del unexpected[name]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))  # the first that fits is applied


def _rests(name: str) -> list[str]:
    """Return a name and its suffixes after removing the first module, the first two modules, ..."""
    parts = name.split(".")
    return [".".join(parts[start:]) for start in range(len(parts))]
