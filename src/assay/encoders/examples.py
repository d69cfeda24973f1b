"""Checks that examples have the type that a model reads: texts, words, images or audio."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

from assay.core.errors import ModelError, NotApplicable
from assay.core.task import Example, Sound, Words

Kind = TypeVar("Kind")
Text = str | tuple[str, str]


def as_texts(examples: Iterable[Example]) -> list[Text]:
    """Return the examples as texts; raise unless all are single texts or all are pairs."""
    texts: list[Text] = []
    for example in examples:
        if isinstance(example, Words):
            raise NotApplicable("this model has features of whole texts, not of their words")
        if not isinstance(example, (str, tuple)):
            raise ModelError(f"This model reads texts; it was given a {type(example).__name__}.")
        texts.append(example)
    if len({type(text) for text in texts}) > 1:
        raise ModelError("A batch mixes single texts and pairs. Give all examples two texts, or all one.")
    return texts


def are_words(examples: Sequence[Example]) -> bool:
    """Return whether a batch contains texts split into words."""
    return bool(examples) and isinstance(examples[0], Words)


def as_words(examples: Sequence[Example]) -> list[Words]:
    """Return the examples as texts split into words; raise for other types."""
    texts = [example for example in examples if isinstance(example, Words)]
    if len(texts) < len(examples):
        raise ModelError("A batch mixes texts of words and others. Give all examples words, or none.")
    return texts


def as_images(examples: Iterable[Example]) -> list[np.ndarray]:
    """Return the examples as RGB images, height x width x 3, uint8."""
    return _all_of(np.ndarray, examples, "images")


def as_sounds(examples: Iterable[Example]) -> list[Sound]:
    """Return the examples as audio."""
    return _all_of(Sound, examples, "sounds")


def _all_of(kind: type[Kind], examples: Iterable[Example], what: str) -> list[Kind]:
    checked: list[Kind] = []
    for example in examples:
        if not isinstance(example, kind):
            raise ModelError(f"This model reads {what}; it was given a {type(example).__name__}.")
        checked.append(example)
    return checked


def distinct(texts: Sequence[Text]) -> tuple[list[Text], np.ndarray]:
    """Return each text once, in order of first appearance, and the position of every text among these."""
    positions = {text: position for position, text in enumerate(dict.fromkeys(texts))}
    return list(positions), np.array([positions[text] for text in texts], dtype=np.int64)
