"""Which measurement of a model's speed counts, and whether its latency is reliable."""

from __future__ import annotations

from collections.abc import Sequence

from assay.analysis.speeds import with_speeds
from assay.core.model import ModelFacts
from assay.core.result import Speed
from assay.findings.facts import Measurement, ModelRow

LAPTOP, SERVER = "a processor, 2 cores", "a processor, 16 cores, an accelerator"


def measured(
    model: str,
    latency: float | None,
    machine: str | None = LAPTOP,
    *,
    load: float | None = 0.5,
    spread: float | None = 0.1,
    identity: str = "1",
) -> Measurement:
    throughput = None if latency is None else 2 / latency
    speed = Speed(latency, spread, throughput, load, machine)
    return Measurement(model, identity, speed, "2026-11-30T00:00:00")


def rows(measurements: Sequence[Measurement], macs: int | None = None) -> dict[str, ModelRow]:
    models = [
        ModelRow(
            model,
            "1",
            ModelFacts(8, 10, macs, 40, "3 x 224 x 224", "", 0, "drawn", model),
            latency_seconds=9.0,
        )
        for model in dict.fromkeys(one.model for one in measurements)
    ]
    return {row.address: row for row in with_speeds(models, measurements)}


def latencies(*measurements: Measurement) -> dict[str, float | None]:
    return {model: row.latency_seconds for model, row in rows(measurements).items()}


def warning(*measurements: Measurement) -> str:
    return rows(measurements)["a"].latency_warning


def test_the_fastest_of_several_measurements_counts_for_latency_and_throughput():
    row = rows([measured("a", 0.5), measured("a", 0.25), measured("a", 0.5)])["a"]

    assert (row.latency_seconds, row.throughput) == (0.25, 8.0)


def test_a_measurement_of_an_earlier_identity_does_not_count():
    assert latencies(measured("a", 0.5), measured("a", 0.25, identity="0")) == {"a": 0.5}
    assert latencies(measured("a", 0.25, identity="0")) == {"a": None}


def test_models_are_compared_on_the_machine_on_which_most_were_measured():
    assert latencies(measured("a", 0.5), measured("b", 0.25), measured("b", 0.01, SERVER)) == {
        "a": 0.5,
        "b": 0.25,
    }
    assert latencies(measured("a", 0.5), measured("a", 0.01, SERVER), measured("b", 0.02, SERVER)) == {
        "a": 0.01,
        "b": 0.02,
    }


def test_of_machines_with_as_many_models_the_latest_counts():
    assert latencies(measured("a", 0.5, None), measured("a", 0.75, SERVER)) == {"a": 0.75}
    assert latencies(measured("a", 0.75, SERVER), measured("a", 0.5, None)) == {"a": 0.5}


def test_a_model_that_was_not_measured_there_has_its_own_speed_which_is_unreliable():
    others = (measured("b", 0.5), measured("c", 0.5))

    assert latencies(measured("a", 0.1, SERVER), *others)["a"] == 0.1
    assert warning(measured("a", 0.1, SERVER), *others) == (
        f"measured on another machine than the other models ({SERVER})"
    )


def test_a_model_without_a_latency_has_none_and_no_warning():
    row = rows([measured("a", None, load=9.0)])["a"]

    assert (row.latency_seconds, row.latency_warning) == (None, "")


def test_a_model_measured_once_on_an_idle_machine_is_reliable():
    assert warning(measured("a", 0.05)) == ""
    assert warning(measured("a", 0.05, load=2.0)) == ""  # as many processes as cores
    assert warning(measured("a", 2.0, spread=None)) == ""  # a slow model runs once


def test_a_model_measured_once_on_a_loaded_machine_is_not():
    assert warning(measured("a", 0.05, load=3.5)) == (
        "measured once, on a loaded machine (load 3.5 on 2 cores)"
    )


def test_a_measurement_before_schema_4_was_measured_once():
    for one in (measured("a", 0.05, None, load=None, spread=None), measured("a", 0.05, load=None)):
        assert warning(one) == "measured once, and the load of the machine is unknown"


def test_measurements_at_other_times_confirm_one_on_a_loaded_machine():
    assert warning(measured("a", 0.05, load=3.5), measured("a", 0.06, load=4.0)) == ""
    assert warning(measured("a", 0.05, load=None), measured("a", 0.06, load=None)) == ""


def test_minima_that_differ_by_more_than_a_quarter_disagree():
    text = "its measurements disagree (50.0 ms and 64.0 ms)"

    assert warning(measured("a", 0.064), measured("a", 0.05), measured("a", 0.14)) == text
    assert warning(measured("a", 0.064, load=9.0), measured("a", 0.05, load=9.0)) == text
    assert warning(measured("a", 0.0625), measured("a", 0.05)) == ""


def test_a_slow_measurement_does_not_count_against_those_that_agree():
    assert warning(measured("a", 0.776), measured("a", 0.051), measured("a", 0.05)) == ""


def test_a_slow_measurement_under_load_does_not_contradict_one_without():
    assert warning(measured("a", 0.776, load=9.0), measured("a", 0.05)) == ""


def test_runs_that_vary_make_a_latency_unreliable_unless_a_steady_measurement_agrees():
    assert warning(measured("a", 0.05, spread=0.8)) == (
        "its runs vary (a quarter took at least 80 % longer than the fastest)"
    )
    assert warning(measured("a", 0.05, spread=0.8), measured("a", 0.06, spread=0.3)).startswith(
        "its runs vary"
    )
    assert warning(measured("a", 0.05, spread=0.8), measured("a", 0.06, spread=0.2)) == ""


def test_identical_architectures_that_differ_are_both_unreliable():
    of_both = rows([measured("timm:a", 0.065), measured("timm:b", 0.27)], macs=1000)

    assert of_both["timm:a"].latency_warning == (
        "it took 65.0 ms, and timm:b, which has the same architecture, 270 ms"
    )
    assert of_both["timm:b"].latency_warning == (
        "it took 270 ms, and timm:a, which has the same architecture, 65.0 ms"
    )


def test_of_identical_architectures_those_that_agree_with_the_fastest_are_reliable():
    of_all = rows([measured("x:a", 0.065), measured("x:b", 0.27), measured("x:c", 0.07)], macs=1000)

    assert [model for model, row in of_all.items() if row.latency_warning] == ["x:b"]


def test_a_twin_that_is_unreliable_itself_is_no_evidence_against_the_faster_one():
    of_both = rows([measured("x:a", 0.065), measured("x:b", 0.27, load=9.0)], macs=1000)

    assert of_both["x:a"].latency_warning == ""
    assert of_both["x:b"].latency_warning.startswith("measured once, on a loaded machine")


def test_a_slower_twin_is_unreliable_even_where_the_faster_one_is():
    of_both = rows([measured("x:a", 0.065, load=9.0), measured("x:b", 0.27)], macs=1000)

    assert all(row.latency_warning for row in of_both.values())


def test_models_of_other_frameworks_or_unknown_size_are_not_identical():
    pair = [measured("timm:a", 0.065), measured("onnx:a", 0.27)]
    unknown = [measured("vectors:a", 0.065), measured("vectors:b", 0.27)]

    assert not any(row.latency_warning for row in rows(pair, macs=1000).values())
    assert not any(row.latency_warning for row in rows(unknown, macs=None).values())


def test_identical_architectures_on_different_machines_are_not_compared():
    of_both = rows([measured("x:a", 0.065, SERVER), measured("x:b", 0.27)], macs=1000)

    assert of_both["x:b"].latency_warning == ""
