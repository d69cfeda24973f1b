"""Measures the latency and the throughput of a model."""

from __future__ import annotations

import logging
import statistics
import time

import numpy as np

from assay.core.model import Model
from assay.core.result import Speed
from assay.core.task import Example, Modality, Sound
from assay.environment.machine import load_average, machine_name

logger = logging.getLogger(__name__)

_BATCH = 32
_RUNS = 5
_LONG = 1.0  # seconds; a slower batch is timed only once

_STANDARD: dict[Modality, Example] = {
    Modality.IMAGE: np.full((256, 256, 3), 127, dtype=np.uint8),
    Modality.TEXT: "A sentence of some twenty words, as long as most that people write, to take the time by.",
    Modality.AUDIO: Sound(np.sin(np.arange(5 * 16_000) / 16).astype(np.float32), 16_000),
}


def measured_speed(model: Model, modality: Modality, device: str) -> Speed | None:
    """Measure a model on the same standard example for every model and task, after a warm-up.

    Outputs are in CPU memory, so an accelerator has finished when the timer stops.

    Args:
        model: The opened model.
        modality: The modality of its input.
        device: The device on which it runs.

    Returns:
        The speed, or None if the model failed.
    """
    example, load = _STANDARD[modality], load_average()
    try:
        _seconds(model, [example])
        runs = [_seconds(model, [example]) for _ in range(_RUNS)]
        latency = statistics.median(runs)
        batch = min(_seconds(model, [example] * _BATCH) for _ in range(1 if _BATCH * latency > _LONG else 2))
        return Speed(latency, _spread(runs), _BATCH / batch, load, machine_name(device))
    except Exception:  # the error recurs when a split is encoded and is recorded there
        logger.info("cannot measure the speed", exc_info=True)
        return None


def _spread(runs: list[float]) -> float:
    """Return how far the third quartile of the runs is above the least, as a share of the least."""
    third = statistics.quantiles(runs, n=4, method="inclusive")[2]
    return (third - min(runs)) / min(runs)


def _seconds(model: Model, examples: list[Example]) -> float:
    start = time.perf_counter()
    model.encode(examples)
    return time.perf_counter() - start
