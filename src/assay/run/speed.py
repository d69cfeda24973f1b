"""Measures the latency and the throughput of a model."""

from __future__ import annotations

import logging
import statistics
import time
from typing import NamedTuple

import numpy as np

from assay.core.model import Model
from assay.core.task import Example, Modality, Sound

logger = logging.getLogger(__name__)

_BATCH = 32
_RUNS = 5
_LONG = 1.0  # seconds; a slower batch is timed only once

_STANDARD: dict[Modality, Example] = {
    Modality.IMAGE: np.full((256, 256, 3), 127, dtype=np.uint8),
    Modality.TEXT: "A sentence of some twenty words, as long as most that people write, to take the time by.",
    Modality.AUDIO: Sound(np.sin(np.arange(5 * 16_000) / 16).astype(np.float32), 16_000),
}


class Speed(NamedTuple):
    """Measured speed; None if the model failed."""

    latency_seconds: float | None  # median for one standard example at batch size 1
    throughput: float | None  # standard examples per second in batches


def measured_speed(model: Model, modality: Modality) -> Speed:
    """Measure a model on the same standard example for every model and task, after a warm-up.

    Outputs are in CPU memory, so an accelerator has finished when the timer stops.
    """
    example = _STANDARD[modality]
    try:
        _seconds(model, [example])
        latency = statistics.median(_seconds(model, [example]) for _ in range(_RUNS))
        batch = min(_seconds(model, [example] * _BATCH) for _ in range(1 if _BATCH * latency > _LONG else 2))
        return Speed(latency, _BATCH / batch)
    except Exception:  # the error recurs when a split is encoded and is recorded there
        logger.info("cannot measure the speed", exc_info=True)
        return Speed(None, None)


def _seconds(model: Model, examples: list[Example]) -> float:
    start = time.perf_counter()
    model.encode(examples)
    return time.perf_counter() - start
