"""An example of a task as reports show it: a small image or the beginning of a text, and its label."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShownExample:
    """One example of train.

    Attributes:
        name: What a user would call it: a path, or a row number.
        label: Its class, classes or number in words.
        text: The beginning of a text; else empty.
        picture: A small image as a ``data:`` URL, of audio its spectrogram; empty for texts.
    """

    name: str
    label: str
    text: str = ""
    picture: str = ""
