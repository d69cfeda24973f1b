"""Takes examples for what a model reads, or says that they are something else."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from assay.core.errors import ModelError, NotApplicable
from assay.core.task import Example, Words

Text = str | tuple[str, str]


def as_texts(examples: Iterable[Example]) -> list[Text]:
    """Return the examples as texts; all must be single texts, or all pairs."""
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


def as_images(examples: Iterable[Example]) -> list[np.ndarray]:
    """Return the examples as RGB pictures, height x width x 3, uint8."""
    images: list[np.ndarray] = []
    for example in examples:
        if not isinstance(example, np.ndarray):
            raise ModelError(f"This model reads images; it was given a {type(example).__name__}.")
        images.append(example)
    return images
