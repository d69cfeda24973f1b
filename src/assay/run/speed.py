"""Measures the latency and the throughput of a model."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable

import numpy as np

from assay.core.model import Model
from assay.core.result import Speed
from assay.core.task import Example, Modality, Sound
from assay.environment.machine import load_average, machine_name
from assay.environment.process_state import mend_after_call
from assay.run.failure import raise_if_interrupted

logger = logging.getLogger(__name__)

_LOWER = 0.03  # a minimum that falls by less is stable
_PATIENCE = 4  # runs of one example that must leave the minimum stable
_SINGLE_SECONDS = 0.5  # for all runs of one example; a slower model runs once
LARGEST_BATCH = 32
_BATCH_PATIENCE = 1
_BATCH_SECONDS = 1.0  # for all batches
_LONGEST_BATCH = 4.0  # seconds; slower models get smaller batches

_STANDARD: dict[Modality, Example] = {
    Modality.IMAGE: np.full((256, 256, 3), 127, dtype=np.uint8),
    Modality.TEXT: "A sentence of some twenty words, as long as most that people write, to take the time by.",
    Modality.AUDIO: Sound(np.sin(np.arange(5 * 16_000) / 16).astype(np.float32), 16_000),
}

Clock = Callable[[], float]


def measured_speed(model: Model, modality: Modality, device: str) -> Speed | None:
    """Return the speed of a model, or None if it failed: see ``measure_speed``."""
    try:
        return measure_speed(model, modality, device)
    except BaseException as error:  # it recurs when a split is encoded and is recorded there
        raise_if_interrupted(error)
        logger.info("cannot measure the speed", exc_info=True)
        return None


def measure_speed(model: Model, modality: Modality, device: str, clock: Clock = time.perf_counter) -> Speed:
    """Measure a model on the same standard example for every model and task, after a warm-up.

    It runs until four more runs do not lower the least time by more than 3 %, for half a second at most.
    Outputs are in CPU memory, so an accelerator has finished when the timer stops.

    Args:
        model: The opened model; its errors are raised.
        modality: The modality of its input.
        device: The device on which it runs.
        clock: Returns the time in seconds.
    """
    load = load_average()

    def seconds(count: int) -> float:
        examples = _examples(modality, count)
        start = clock()
        model.encode(examples)
        elapsed = clock() - start
        mend_after_call()
        return elapsed

    seconds(1)
    runs = _until_stable(lambda: seconds(1), _PATIENCE, _SINGLE_SECONDS)
    latency = max(min(runs), 1e-9)  # a clock may stand still during a very short run
    batch = max(1, min(LARGEST_BATCH, int(_LONGEST_BATCH / latency)))
    batches = _until_stable(lambda: seconds(batch), _BATCH_PATIENCE, _BATCH_SECONDS) if batch > 1 else runs
    return Speed(latency, _spread(runs), batch / max(min(batches), 1e-9), load, machine_name(device))


def _examples(modality: Modality, count: int) -> list[Example]:
    """Return the standard example; of texts its words in other orders, for identical texts are read once."""
    example = _STANDARD[modality]
    if not isinstance(example, str):
        return [example] * count
    words, rng = example.split(), np.random.default_rng(0)
    return [example, *(" ".join(rng.permutation(words)) for _ in range(count - 1))]


def _until_stable(run: Callable[[], float], patience: int, budget: float) -> list[float]:
    """Return the times of runs, at least one, until the least is stable or the next exceeds the budget.

    Args:
        run: Runs once and returns its time in seconds.
        patience: The number of runs that must not lower the least time by more than 3 %.
        budget: Seconds for all runs.
    """
    times = [run()]
    stable = 0
    while stable < patience and sum(times) + min(times) <= budget:
        least = min(times)
        times.append(run())
        stable = 0 if times[-1] < (1 - _LOWER) * least else stable + 1
    return times


def _spread(runs: list[float]) -> float | None:
    """Return how far the third quartile of the runs is above the least, as a share of the least."""
    if len(runs) < 2 or min(runs) <= 0:
        return None
    third = statistics.quantiles(runs, n=4, method="inclusive")[2]
    return (third - min(runs)) / min(runs)
