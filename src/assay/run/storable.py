"""Converts outputs of models and methods to values that can be stored: plain floats, strings and arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from assay.core.errors import AssayError, ModelError
from assay.core.estimate import Interval
from assay.core.model import ModelFacts
from assay.core.predictor import Predicted
from assay.core.result import Finished
from assay.core.validation import is_usable
from assay.run.failure import plain_text

_LARGEST = 2**63  # of integers in a database


def storable_facts(facts: object) -> ModelFacts:
    """Return facts about a model with plain values; raise ``ModelError`` where they are something else."""
    if not isinstance(facts, ModelFacts):
        raise ModelError(f"the facts of the model are of the type {type(facts).__name__}, not ModelFacts")
    values = {field.name: (field.type, getattr(facts, field.name)) for field in fields(ModelFacts)}
    plain: dict[str, Any] = {name: _fact(name, str(kind), value) for name, (kind, value) in values.items()}
    return ModelFacts(**plain)


def storable(finished: Finished) -> Finished:
    """Return a result with plain values.

    Raises:
        AssayError: The predictions are no numbers, or the probabilities are not those of the examples.
    """
    result = finished.result
    tuned, notes = _tuned(result.tuned)
    plain = replace(
        result,
        metrics={plain_text(name): float(value) for name, value in result.metrics.items()},
        tuned=tuned,
        notes=(*map(plain_text, result.notes), *notes),
        interval=_interval(result.interval),
        metric=plain_text(result.metric),
        cost=replace(result.cost, tune_seconds=storable_seconds(result.cost.tune_seconds)),
        val_value=None if result.val_value is None else _finite_or(None, result.val_value),
    )
    predictions = None if finished.predictions is None else _predicted(finished.predictions)
    return replace(finished, result=plain, predictions=predictions)


def storable_seconds(seconds: float) -> float:
    """Return a time, or 0 if it is impossible, such as that of a clock that a model has changed."""
    return float(seconds) if 0 <= seconds < math.inf else 0.0


def _fact(name: str, kind: str, value: Any) -> object:
    if value is None and "None" in kind:
        return None
    try:
        if kind.startswith("str"):
            return str.encode(value, "utf-8", "backslashreplace").decode("utf-8")
        if kind.startswith("bool"):
            return bool(value)
        if kind.startswith("float"):
            return _finite_or(None, value)
        number = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelError(f"'{name}' among the facts of the model is {plain_text(repr(value))}") from error
    if number >= _LARGEST:
        raise ModelError(f"'{name}' among the facts of the model is a number of {number.bit_length()} bits")
    if number < 0:
        raise ModelError(f"'{name}' among the facts of the model is below 0; 0 says that it is unknown")
    return number


def _tuned(tuned: Mapping[str, Any]) -> tuple[dict[str, Any], Iterable[str]]:
    """Return the tuned values that can be stored, and a note for each other one."""
    kept: dict[str, Any] = {}
    notes = []
    for name, value in tuned.items():
        plain = value.item() if isinstance(value, np.generic) else value
        if isinstance(plain, float) and not is_usable(plain):
            notes.append(f"the tuned value '{plain_text(name)}' is {plain} and is left out")
        elif type(plain) in {bool, int, float, type(None)}:
            kept[plain_text(name)] = plain
        else:
            kept[plain_text(name)] = plain_text(plain)
    return kept, notes


def _interval(interval: Interval | None) -> Interval | None:
    if interval is None:
        return None
    ends = [float(end) for end in (interval.low, interval.high, interval.level)]
    is_one = all(map(is_usable, ends)) and ends[0] <= ends[1] and 0 < ends[2] < 1
    return Interval(*ends) if is_one else None


def _predicted(predicted: Predicted) -> Predicted:
    values = _numbers("predictions", predicted.values)
    if predicted.probs is None:
        return Predicted(values)
    probs = _numbers("probabilities", predicted.probs)
    if len(probs) != len(values):
        raise AssayError(f"{len(probs)} rows of probabilities for {len(values)} predictions")
    return Predicted(values, probs)


def _numbers(what: str, array: object) -> np.ndarray:
    plain = np.asarray(array)
    if plain.dtype.kind not in "biuf" or not plain.ndim:
        raise AssayError(f"the {what} are of the type {plain.dtype} and the shape {plain.shape}: not numbers")
    return plain


def _finite_or(other: float | None, value: Any) -> Any:
    number = float(value)
    return number if is_usable(number) else other
