"""How fast a model encodes: one example at a time, and in batches."""

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
_LONG = 1.0  # seconds of one batch after which it is not repeated

_STANDARD: dict[Modality, Example] = {
    Modality.IMAGE: np.full((256, 256, 3), 127, dtype=np.uint8),
    Modality.TEXT: "A sentence of some twenty words, as long as most that people write, to take the time by.",
    Modality.AUDIO: Sound(np.sin(np.arange(5 * 16_000) / 16).astype(np.float32), 16_000),
}


class Speed(NamedTuple):
    """What was measured; None where the model failed."""

    latency_seconds: float | None  # the median of one standard example at batch 1
    throughput: float | None  # standard examples a second in batches


def measured_speed(model: Model, modality: Modality) -> Speed:
    """Measure a model on a standard example, the same for every model and task, after a warm-up.

    Outputs are in the memory of the CPU, so an accelerator has finished when the clock stops.
    """
    example = _STANDARD[modality]
    try:
        _seconds(model, [example])
        latency = statistics.median(_seconds(model, [example]) for _ in range(_RUNS))
        batch = min(_seconds(model, [example] * _BATCH) for _ in range(1 if _BATCH * latency > _LONG else 2))
        return Speed(latency, _BATCH / batch)
    except Exception:  # the same error comes again, with its row, when the split is encoded
        logger.info("cannot measure the speed", exc_info=True)
        return Speed(None, None)


def _seconds(model: Model, examples: list[Example]) -> float:
    start = time.perf_counter()
    model.encode(examples)
    return time.perf_counter() - start
