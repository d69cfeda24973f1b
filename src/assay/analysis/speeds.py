"""Chooses the speed of each model from all measurements, and decides whether its latency is reliable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from assay.analysis.per_task.decision import EQUALLY_CHEAP
from assay.core.result import Speed
from assay.environment.machine import cores_of
from assay.findings.facts import Measurement, ModelRow
from assay.wording.speed import (
    architectures_disagree,
    measured_elsewhere,
    measured_once,
    measurements_disagree,
    runs_vary,
)

_WIDE = EQUALLY_CHEAP - 1  # of the spread of the runs


def with_speeds(models: Sequence[ModelRow], measurements: Iterable[Measurement]) -> tuple[ModelRow, ...]:
    """Return the models with their latency and throughput, and why the latency is not reliable.

    Only measurements of the current identity count. Models are compared on one machine: the one on which
    most of them were measured, the latest if several tie; a model that was not measured there has the speed
    of the machine where it was measured last. Of several measurements the fastest counts, because other
    processes only ever slow a model down.

    A latency is not reliable in these cases, where "differ" is by more than 25 %:

    - it was measured once, on a loaded machine or with unknown load;
    - the two fastest measurements differ (slow ones on a loaded machine do not count);
    - a quarter of the runs took at least 25 % longer than the fastest, in every measurement that agrees;
    - models of the same architecture differ;
    - the other models were measured on another machine.

    Args:
        models: The models; their own speeds are ignored.
        measurements: All measurements, the earliest first.
    """
    identities = {row.address: row.identity for row in models}
    by_machine: dict[str | None, dict[str, list[Speed]]] = {}
    for one in measurements:
        if identities.get(one.model) == one.identity:
            speeds = by_machine.pop(one.speed.machine, {})
            speeds.setdefault(one.model, []).append(one.speed)
            by_machine[one.speed.machine] = speeds  # at the end: the latest
    latest_first = list(reversed(by_machine.values()))
    here = max(latest_first, key=len, default={})
    warnings = _warnings([row for row in models if row.address in here], here)
    rows = []
    for row in models:
        own = next((speeds[row.address] for speeds in (here, *latest_first) if row.address in speeds), [])
        warning = warnings.get(row.address, "")
        if own and row.address not in here:
            warning = measured_elsewhere(own[0].machine)
        rows.append(_with_speed(row, own, warning))
    return tuple(rows)


def _with_speed(row: ModelRow, speeds: Sequence[Speed], warning: str) -> ModelRow:
    throughputs = [speed.throughput for speed in speeds if speed.throughput is not None]
    latencies = _latencies(speeds)
    return replace(
        row,
        latency_seconds=min(latencies, default=None),
        throughput=max(throughputs, default=None),
        latency_warning=warning if latencies else "",
    )


def _latencies(speeds: Iterable[Speed]) -> list[float]:
    return sorted(speed.latency_seconds for speed in speeds if speed.latency_seconds is not None)


def _warnings(rows: Sequence[ModelRow], speeds: Mapping[str, Sequence[Speed]]) -> dict[str, str]:
    """Return why latencies are not reliable, by model; the models were measured on one machine."""
    own = {row.address: _own_warning(speeds[row.address]) for row in rows}
    alike: dict[object, dict[str, float]] = {}
    for row in rows:
        facts, latencies = row.facts, _latencies(speeds[row.address])
        if facts.macs is not None and latencies:
            source = row.address.partition(":")[0]  # another framework may run the same architecture faster
            key = (source, facts.parameters, facts.macs, facts.input, facts.dtype)
            alike.setdefault(key, {})[row.address] = latencies[0]
    others = {model: text for group in alike.values() for model, text in _disagreeing(group, own).items()}
    return {model: warning or others.get(model, "") for model, warning in own.items()}


def _own_warning(speeds: Iterable[Speed]) -> str:
    """Return why the measurements of a model alone do not make its latency reliable; else empty."""
    known = [(speed.latency_seconds, speed) for speed in speeds if speed.latency_seconds is not None]
    if not known:
        return ""
    known.sort(key=lambda pair: pair[0])
    (least, fastest), others = known[0], known[1:]
    agreeing = [speed for latency, speed in known if latency <= EQUALLY_CHEAP * least]
    if len(agreeing) == 1:
        of_idle = [latency for latency, speed in others if _is_loaded(speed) is not True]
        disagreeing = [latency for latency, _ in others] if _is_loaded(fastest) else of_idle
        if disagreeing:
            return measurements_disagree(least, disagreeing[0])
        if _is_loaded(fastest) is not False:
            return measured_once(fastest, cores_of(fastest.machine))
    spread = min((speed.spread for speed in agreeing if speed.spread is not None), default=0.0)
    return runs_vary(spread) if spread > _WIDE else ""


def _is_loaded(speed: Speed) -> bool | None:
    """Return whether more processes wanted to run than there are cores; None if it is unknown."""
    cores = cores_of(speed.machine)
    return None if speed.load is None or cores is None else speed.load > cores


def _disagreeing(latencies: Mapping[str, float], own: Mapping[str, str]) -> dict[str, str]:
    """Return a warning for models of one architecture that are slower than the fastest of them.

    The fastest is included if no other is as fast, unless the slower ones are not reliable themselves.
    """
    fastest = min(latencies, key=lambda model: latencies[model])
    slower = {model: time for model, time in latencies.items() if time > EQUALLY_CHEAP * latencies[fastest]}
    warnings = {
        model: architectures_disagree(time, latencies[fastest], fastest) for model, time in slower.items()
    }
    trusted = [model for model in slower if not own[model]]
    if trusted and len(slower) == len(latencies) - 1:
        nearest = min(trusted, key=lambda model: slower[model])
        warnings[fastest] = architectures_disagree(latencies[fastest], slower[nearest], nearest)
    return warnings
