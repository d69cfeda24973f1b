"""The speed of a model is measured with its spread, the load and the machine."""

from __future__ import annotations

import numpy as np
import pytest
from tests.conftest import Zoo

from assay.core.model import Model
from assay.core.task import Modality
from assay.environment.machine import machine_name
from assay.run import speed
from assay.run.speed import measured_speed


@pytest.fixture
def model() -> Model:
    return Zoo("colours").open("cpu")


class Clock:
    """A clock whose runs take given times, in seconds."""

    def __init__(self, *runs: float) -> None:
        self.times = [time for run in runs for time in (0.0, run)]

    def perf_counter(self) -> float:
        return self.times.pop(0)


def test_latency_is_the_median_and_the_spread_is_of_the_third_quartile_over_the_least(model, monkeypatch):
    warm_up, singles, batches = 9.0, (0.03, 0.01, 0.02, 0.05, 0.04), (0.64, 0.32)
    monkeypatch.setattr(speed, "time", Clock(warm_up, *singles, *batches))

    measured = measured_speed(model, Modality.IMAGE, "cpu")

    assert measured.latency_seconds == 0.03
    assert measured.spread == pytest.approx((0.04 - 0.01) / 0.01)
    assert measured.throughput == 100
    assert measured.machine == machine_name("cpu")


def test_a_slow_batch_is_timed_once(model, monkeypatch):
    clock = Clock(*[0.1] * 6, 3.2)
    monkeypatch.setattr(speed, "time", clock)

    assert measured_speed(model, Modality.IMAGE, "cpu").throughput == 10
    assert clock.times == []


def test_equal_runs_have_no_spread(model, monkeypatch):
    monkeypatch.setattr(speed, "time", Clock(*[0.01] * 8))

    assert measured_speed(model, Modality.IMAGE, "cpu").spread == 0


def test_a_model_that_fails_has_no_speed(model):
    assert measured_speed(model, Modality.TEXT, "cpu") is None


def test_a_real_measurement_is_whole(model):
    measured = measured_speed(model, Modality.IMAGE, "cpu")

    assert np.isfinite([measured.latency_seconds, measured.spread, measured.throughput]).all()
    assert measured.spread >= 0
