"""Orders evaluations for several workers, longest first, so that all workers finish at similar times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from assay.core.result import Result
from assay.plugins.engine import Engine
from assay.run.catalogue import entry_of
from assay.run.evaluation import Evaluation
from assay.run.predicted_cost import predicted_cost

_LIBRARIES = 1 << 30  # bytes that a process takes before it opens a model
_BYTES = 4  # of a weight


def runs_several(engine: Engine) -> bool:
    """Return whether an engine may run several evaluations at once."""
    return getattr(engine, "workers", 1) != 1


def largest_first(evaluations: Sequence[Evaluation], results: Iterable[Result]) -> tuple[Evaluation, ...]:
    """Return evaluations by predicted time, those of one model together, with the memory that they may take.

    Args:
        evaluations: The evaluations.
        results: Results of the store, from whose times and memory those of the evaluations follow.
    """
    known = tuple(results)
    seconds = predicted_cost(evaluations, known).seconds
    of_model: dict[str, float] = {}
    for evaluation, each in zip(evaluations, seconds, strict=True):
        of_model[str(evaluation.model)] = of_model.get(str(evaluation.model), 0.0) + each
    models = {model: place for place, model in enumerate(sorted(of_model, key=lambda one: -of_model[one]))}
    order = sorted(
        range(len(evaluations)),
        key=lambda position: (models[str(evaluations[position].model)], -seconds[position]),
    )
    memory = _memory(evaluations, known)
    return tuple(
        replace(evaluations[position], expected_bytes=memory[str(evaluations[position].model)])
        for position in order
    )


def _memory(evaluations: Sequence[Evaluation], results: Iterable[Result]) -> dict[str, int]:
    """Return the bytes that each model takes: the most measured, else by its weights; 0 if unknown."""
    models = {str(evaluation.model): evaluation.model for evaluation in evaluations}
    weights = {model: entry_of(named).parameters or 0 for model, named in models.items()}
    expected = {model: _LIBRARIES + _BYTES * count if count else 0 for model, count in weights.items()}
    measured: dict[str, int] = {}
    for result in results:
        if result.job.model in expected and result.cost.peak_bytes:
            measured[result.job.model] = max(measured.get(result.job.model, 0), result.cost.peak_bytes)
    return expected | measured
