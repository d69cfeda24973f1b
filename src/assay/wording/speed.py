"""Sentences about the speed of models: latencies as text, and why one is unreliable."""

from __future__ import annotations

from collections.abc import Iterable

from assay.core.limits import Limits
from assay.core.result import Speed
from assay.core.text import few, plural
from assay.findings.facts import ModelRow
from assay.wording.numbers import duration

_AGAIN = "'assay measure STORE' measures again"
_MOST_NAMES = 3


def latency_text(row: ModelRow | None) -> str:
    """Return the latency of a model as text, with a mark if it is not reliable; empty if it is unknown."""
    text = duration(row.latency_seconds) if row else ""
    return f"{text} (unreliable)" if row and row.latency_warning else text


def measured_once(speed: Speed, cores: int | None) -> str:
    """Return that a single measurement does not count: the machine was loaded, or its load is unknown."""
    if speed.load is None or cores is None:
        return "measured once, and the load of the machine is unknown"
    return f"measured once, on a loaded machine (load {speed.load:.1f} on {plural(cores, 'core')})"


def measurements_disagree(least: float, other: float) -> str:
    """Return that the least latency of a model was not reached at another time, both in seconds."""
    return f"its measurements disagree ({duration(least)} and {duration(other)})"


def runs_vary(spread: float) -> str:
    """Return that the runs of a measurement vary, by their spread as in ``Speed``."""
    return f"its runs vary (a quarter took at least {100 * spread:.0f} % longer than the fastest)"


def architectures_disagree(own: float, other: float, model: str) -> str:
    """Return that a model of the same architecture has another latency, both in seconds."""
    return f"it took {duration(own)}, and {model}, which has the same architecture, {duration(other)}"


def measured_elsewhere(machine: str | None) -> str:
    """Return that a model was not measured on the machine of the other models."""
    return f"measured on another machine than the other models ({machine or 'which one is unknown'})"


def unreliable_latencies(models: Iterable[ModelRow]) -> str:
    """Return a sentence that names the models whose latency is not reliable; empty if there are none."""
    doubtful = [row for row in models if row.latency_warning]
    if not doubtful:
        return ""
    names, why = few([row.address for row in doubtful], _MOST_NAMES), doubtful[0].latency_warning
    if len(doubtful) == 1:
        return f"The latency of {names} is unreliable ({why}). {_AGAIN}."
    return f"The latencies of {names} are unreliable ({doubtful[0].address}: {why}). {_AGAIN}."


def limited_by_unreliable(limits: Limits, models: Iterable[ModelRow]) -> tuple[str, ...]:
    """Return a note if a limit on latency was applied to latencies that are not reliable."""
    if limits.max_latency_seconds is None:
        return ()
    sentence = unreliable_latencies(models)
    return (f"{sentence} The limit on latency was applied nevertheless.",) if sentence else ()
