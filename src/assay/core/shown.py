"""An example of a task as a reader sees it: a small picture or the beginning of a text, and its label."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShownExample:
    """One example of train.

    Attributes:
        name: What a user would call it: a path, or a row number.
        label: Its class, classes or number in words.
        text: The beginning of a text; else empty.
        picture: A ``data:`` address that holds a small picture, of a sound its spectrogram; empty for texts.
    """

    name: str
    label: str
    text: str = ""
    picture: str = ""
