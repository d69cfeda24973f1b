"""Names columns with more than a text or a class in their cells: spans of characters, and chats."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from assay.core.errors import UnreadableTask

_SPANS = re.compile(
    r'\[\s*(\[\s*\d+\s*,\s*\d+\s*,\s*"|\{[^{}]*"(start|start_offset|begin)"\s*:\s*\d)', re.IGNORECASE
)
_CHAT = re.compile(r'\[\s*\{[^{}]*"(role|from)"\s*:\s*"')


def refuse_structured(title: str, head: Mapping[str, Iterable[str]]) -> None:
    """Raise ``UnreadableTask`` if a column holds spans of characters, as doccano writes them, or chats.

    Args:
        title: The name of the table.
        head: The first cells of each column that may be a label or a text.

    >>> refuse_structured("a.jsonl", {"label": ['[[0, 3, "CITY"]]']})
    Traceback (most recent call last):
    assay.core.errors.UnreadableTask: 'label' in a.jsonl contains spans of characters, ...
    """
    for name, cells in head.items():
        filled = [cell for cell in cells if cell.strip() not in {"", "[]"}]
        if filled and all(_SPANS.match(cell.strip()) for cell in filled):
            raise UnreadableTask(
                f"'{name}' in {title} contains spans of characters, which are not read. Write each text as a "
                "list of words with a tag for each, as in "
                '{"words": ["Ada", "sings"], "tags": ["B-PER", "O"]}, or export it as CoNLL for conll:.'
            )
        if filled and all(_CHAT.match(cell.strip()) for cell in filled):
            raise UnreadableTask(
                f"'{name}' in {title} contains chats, which are not read. Write one text and one label a "
                'row, as in {"text": "...", "label": "..."}: for example what the user wrote, and the answer.'
            )
