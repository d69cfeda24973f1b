"""Checks that a model encodes each example independently and in order, before its results are used."""

from __future__ import annotations

import logging

import numpy as np

from assay.core.errors import ModelError
from assay.core.keys import FLOAT32
from assay.core.model import Model
from assay.core.task import Example, Modality, Sound
from assay.environment.process_state import mend_after_call
from assay.run.failure import raise_if_interrupted

logger = logging.getLogger(__name__)

COUNT = 32  # examples that ``sample_examples`` returns
_USED = 3
_TOLERANCE = (
    0.02  # relative to the largest feature: benchmarks/limits.py finds at most 7e-7 on the CPU, where
)
_TOLERANCE_HALF = 0.1  # 16 bits differ by 0, and 0.28 or more in training mode; other devices are in between
_EQUAL = 1e-4

_TEXTS = (
    "A short text.",
    "Which pretrained model fits my task?",
    "Ein Satz mit Umlauten: größer, schöner, über.",
    "The quick brown fox jumps over the lazy dog, again and again, until the dog wakes up and barks.",
)


def must_be_consistent(model: Model, modality: Modality) -> None:
    """Raise ``ModelError`` if features depend on the other examples of a batch, on chance, or on order.

    What else is wrong is left to the evaluation, where it recurs.
    """
    if model.names is not None:
        return
    examples = sample_examples(modality)[-_USED:][::-1]  # the longest text first: sorting would move it
    try:
        together, alone = _encoded(model, examples), _encoded(model, examples[:1])
    except BaseException as error:
        raise_if_interrupted(error)
        logger.info("cannot check the model on sample examples", exc_info=True)
        return
    is_matrix = together.ndim == 2 and together.shape == (_USED, *alone.shape[1:]) and together.size
    if not is_matrix or len(alone) != 1 or not np.isfinite([*together, *alone]).all():
        return  # the evaluation names the example
    scale = float(np.abs(together).max()) or 1.0
    distances = np.abs(together - alone).max(axis=1) / scale
    if distances[0] <= (_TOLERANCE if model.facts.dtype == FLOAT32 else _TOLERANCE_HALF):
        return
    if distances.min() <= _EQUAL:
        raise ModelError("the model returned the features of a batch in another order than its examples")
    raise ModelError(
        "the features of an example depend on the others in its batch, or on chance: is the model in "
        "evaluation mode?"
    )


def sample_examples(modality: Modality) -> list[Example]:
    """Return small, distinct examples of a modality."""
    if modality is Modality.TEXT:
        texts = [*_TEXTS, *(text[::-1] for text in _TEXTS)]
        return [
            f"{text} {'(once more) ' * more}".strip() for more in range(COUNT // len(texts)) for text in texts
        ]
    rng = np.random.default_rng(0)
    if modality is Modality.AUDIO:
        pitches = np.outer(np.linspace(0.05, 0.5, COUNT), np.arange(8_000))
        pitches += rng.normal(0, 0.1, pitches.shape)
        return [Sound(np.sin(phases).astype(np.float32), 16_000) for phases in pitches]
    ramp = np.linspace(0, 255, 96)[:, None, None] * rng.random((COUNT, 1, 96, 3))
    return [np.clip(image + rng.normal(0, 20, image.shape), 0, 255).astype(np.uint8) for image in ramp]


def _encoded(model: Model, examples: list[Example]) -> np.ndarray:
    try:
        return np.array(model.encode(examples).features, np.float64)
    finally:
        mend_after_call()
