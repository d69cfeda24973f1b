"""Chooses the speed of each model among all measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from assay.core.result import Speed


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement of the speed of a model.

    Attributes:
        identity: The identity of the model when it was measured.
        measured: The time in UTC, as ISO 8601; None before schema version 4.
    """

    model: str
    identity: str
    speed: Speed
    measured: str | None


class TypicalSpeed(NamedTuple):
    """The least latency and the greatest throughput of several measurements on one machine."""

    latency_seconds: float | None
    throughput: float | None


def typical_speeds(
    measurements: Iterable[Measurement], identities: Mapping[str, str]
) -> dict[str, TypicalSpeed]:
    """Return the speed of each model, by address.

    Only measurements of the current identity count. Models are compared on one machine: the one on which
    most of them were measured, the latest if several tie; a model that was not measured there has the speed
    of the machine where it was measured last. Of several measurements the fastest counts, because other
    processes only ever slow a model down.

    Args:
        measurements: All measurements, the earliest first.
        identities: The current identity of each model, by address.
    """
    by_machine: dict[str | None, dict[str, list[Speed]]] = {}
    for one in measurements:
        if identities.get(one.model) == one.identity:
            speeds = by_machine.pop(one.speed.machine, {})
            speeds.setdefault(one.model, []).append(one.speed)
            by_machine[one.speed.machine] = speeds  # at the end: the latest
    chosen: dict[str, TypicalSpeed] = {}
    latest_first = list(reversed(by_machine.values()))
    for speeds in sorted(latest_first, key=len, reverse=True)[:1] + latest_first:
        for model, own in speeds.items():
            chosen.setdefault(model, _fastest(own))
    return chosen


def _fastest(speeds: Iterable[Speed]) -> TypicalSpeed:
    speeds = list(speeds)
    latencies = [speed.latency_seconds for speed in speeds if speed.latency_seconds is not None]
    throughputs = [speed.throughput for speed in speeds if speed.throughput is not None]
    return TypicalSpeed(min(latencies, default=None), max(throughputs, default=None))
