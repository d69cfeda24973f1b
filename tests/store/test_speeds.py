"""Which measurement of a model's speed counts."""

from __future__ import annotations

from assay.core.result import Speed
from assay.store.speeds import Measurement, typical_speeds


def measured(
    model: str, latency: float | None, machine: str | None = "laptop", identity: str = "1"
) -> Measurement:
    speed = Speed(latency, throughput=None if latency is None else 2 / latency, machine=machine)
    return Measurement(model, identity, speed, "2026-11-30T00:00:00")


def latencies(*measurements: Measurement) -> dict[str, float | None]:
    identities = {one.model: "1" for one in measurements}
    return {model: speed.latency_seconds for model, speed in typical_speeds(measurements, identities).items()}


def test_the_fastest_of_several_measurements_counts_for_latency_and_throughput():
    speeds = typical_speeds([measured("a", 0.5), measured("a", 0.25), measured("a", 0.5)], {"a": "1"})

    assert speeds == {"a": (0.25, 8.0)}


def test_a_measurement_of_an_earlier_identity_does_not_count():
    assert latencies(measured("a", 0.5), measured("a", 0.25, identity="0")) == {"a": 0.5}
    assert latencies(measured("a", 0.25, identity="0")) == {}


def test_models_are_compared_on_the_machine_on_which_most_were_measured():
    assert latencies(measured("a", 0.5), measured("b", 0.25), measured("b", 0.01, "server")) == {
        "a": 0.5,
        "b": 0.25,
    }
    assert latencies(measured("a", 0.5), measured("a", 0.01, "server"), measured("b", 0.02, "server")) == {
        "a": 0.01,
        "b": 0.02,
    }


def test_of_machines_with_as_many_models_the_latest_counts():
    assert latencies(measured("a", 0.5, None), measured("a", 0.75, "server")) == {"a": 0.75}
    assert latencies(measured("a", 0.75, "server"), measured("a", 0.5, None)) == {"a": 0.5}


def test_a_model_that_was_not_measured_there_has_its_own_speed():
    assert latencies(measured("a", 0.5), measured("b", 0.5), measured("c", 0.1, "server"))["c"] == 0.1


def test_a_model_without_a_latency_has_none():
    assert latencies(measured("a", None)) == {"a": None}
