"""How often a model runs to be timed, and which times are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat

import numpy as np
import pytest

from assay.core.features import Encoded
from assay.core.model import Model, ModelFacts
from assay.core.task import Example, Modality
from assay.run import speed
from assay.run.speed import measure_speed, measured_speed


@pytest.fixture(autouse=True)
def _usual_batch(monkeypatch):
    monkeypatch.setattr(speed, "LARGEST_BATCH", 32)


class Timed(Model):
    """A model that takes given seconds for each single example, and others for each example of a batch."""

    def __init__(self, single: Iterator[float], of_batch: float = 0.001) -> None:
        self._single, self._of_batch = single, of_batch
        self.now = 0.0
        self.batches: list[int] = []
        self.last: Sequence[Example] = ()

    @property
    def facts(self) -> ModelFacts:
        return ModelFacts(1, 1, 1, 4, "3 x any x any", "none", 0, "none", "timed")

    def encode(self, examples: Sequence[Example]) -> Encoded:
        self.batches.append(len(examples))
        self.last = examples
        self.now += next(self._single) if len(examples) == 1 else len(examples) * self._of_batch
        return Encoded(np.zeros((len(examples), 1), dtype=np.float32), None)

    def close(self) -> None:
        """Keep nothing."""

    @property
    def single_runs(self) -> int:
        return self.batches.count(1)


def clocked(model: Timed):
    return measure_speed(model, Modality.IMAGE, "cpu", clock=lambda: model.now)


def test_the_least_time_counts_and_the_warm_up_does_not():
    model = Timed(chain([0.001], [0.010, 0.012, 0.020, 0.013, 0.016], repeat(1.0)))

    speed = clocked(model)

    assert speed.latency_seconds == pytest.approx(0.010)
    assert speed.spread == pytest.approx(0.6)  # the third quartile is 0.016


def test_a_steady_model_runs_five_times_and_a_warm_up():
    model = Timed(repeat(0.010))

    assert clocked(model).spread == pytest.approx(0.0)
    assert model.single_runs == 6


def test_a_model_runs_until_its_minimum_is_stable():
    model = Timed(chain([0.5], [0.030, 0.020, 0.025, 0.010], repeat(0.0099)))

    assert clocked(model).latency_seconds == pytest.approx(0.0099)
    assert model.single_runs == 1 + 4 + 4  # four runs after the last that was clearly faster


def test_a_model_that_gets_faster_and_faster_stops_at_half_a_second():
    model = Timed(0.1 * 0.9**run for run in range(1000))

    clocked(model)

    assert sum(0.1 * 0.9**run for run in range(1, model.single_runs)) <= 0.5


@pytest.mark.parametrize(("seconds", "runs"), [(0.2, 2), (0.3, 1), (3.0, 1)])
def test_a_slow_model_is_timed_once_or_twice(seconds, runs):
    model = Timed(repeat(seconds), of_batch=seconds)

    speed = clocked(model)

    assert model.single_runs == 1 + runs
    assert (speed.spread is None) == (runs == 1)
    assert speed.throughput == pytest.approx(1 / seconds)


def test_a_slow_model_gets_a_smaller_batch():
    model = Timed(repeat(1.0), of_batch=0.5)

    assert clocked(model).throughput == pytest.approx(2.0)
    assert max(model.batches) == 4


def test_a_fast_model_is_timed_with_32_examples_twice():
    model = Timed(repeat(0.010), of_batch=0.004)

    assert clocked(model).throughput == pytest.approx(250.0)
    assert model.batches.count(32) == 2


def test_a_clock_that_stands_still_gives_finite_numbers():
    model = Timed(repeat(0.0), of_batch=0.0)

    speed = clocked(model)

    assert speed.latency_seconds > 0
    assert np.isfinite(speed.throughput)


def test_load_and_machine_are_kept():
    speed = clocked(Timed(repeat(0.01)))

    assert speed.machine
    assert speed.load is None or speed.load >= 0


def test_the_error_of_a_model_is_raised_or_leaves_it_without_a_speed():
    with pytest.raises(StopIteration):
        clocked(Timed(iter(())))
    assert measured_speed(Timed(iter(())), Modality.IMAGE, "cpu") is None


def test_a_batch_of_texts_holds_no_text_twice_for_that_would_be_encoded_once():
    model = Timed(repeat(0.001))

    measure_speed(model, Modality.TEXT, "cpu", clock=lambda: model.now)

    assert len(set(model.last)) == len(model.last) > 1
    assert len({len(text) for text in model.last}) == 1
