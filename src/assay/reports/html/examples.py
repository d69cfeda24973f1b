"""Which examples of a task a page has room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.core.shown import ShownExample

ROOM = 260_000  # letters for the examples of all tasks: 2 MB hold 50 models x 20 tasks with everything else


def fitting(examples: Mapping[str, Sequence[ShownExample]]) -> dict[str, tuple[ShownExample, ...]]:
    """Return as many examples of each task as fit into its share of the room, in order."""
    found = {}
    for task, shown in examples.items():
        left = ROOM // len(examples)
        kept = []
        for example in _evenly(shown, left):
            left -= _size(example)
            if left < 0:
                break
            kept.append(example)
        found[task] = tuple(kept)
    return found


def _evenly(shown: Sequence[ShownExample], room: int) -> Sequence[ShownExample]:
    """Return every second or third example where not all fit, so that classes at the end are seen too."""
    whole = sum(map(_size, shown))
    return shown[:: -(-whole // room)] if whole else shown


def _size(example: ShownExample) -> int:
    return len(example.picture) + len(example.text) + len(example.name) + len(example.label)
