"""Converts between database rows and Python objects."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np

from assay.core.errors import StoreError
from assay.core.estimate import Interval
from assay.core.job import Job
from assay.core.keys import OpenedParts, features_key
from assay.core.model import ModelFacts, ModelSource
from assay.core.result import Cause, Cost, Result, Status
from assay.core.slices import SliceColumn
from assay.core.task import Modality, TaskKind
from assay.core.validation import all_of, checked, is_usable
from assay.findings.facts import ModelRow, TaskFacts
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.plugins.registry import Registry
from assay.store.files import is_key

COLUMNS = (  # of the results table, in the order of ``result_of`` and ``written_result``
    "key, model, task, method, seed, fingerprint, status, value, metrics, tuned, notes, reason, seconds, "
    "encode_seconds, interval, metric, cost, train_rows, dtype, val_value, cause"
)

_STATUSES = {status.value: status for status in Status}  # faster than calling the type
_OF_TUNED = float | str | bool | None
_DAMAGED = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)


def written_result(result: Result) -> tuple[object, ...]:
    """Return the columns of a result."""
    job = result.job
    return (
        job.key, job.model, job.task, job.method, job.seed, job.fingerprint,
        result.status.value, result.value,
        *(json.dumps(part) for part in (dict(result.metrics), dict(result.tuned), result.notes)),
        result.reason, result.seconds, result.encode_seconds,
        None if result.interval is None else json.dumps(asdict(result.interval)), result.metric,
        json.dumps(asdict(result.cost)), job.train_rows, result.dtype, result.val_value,
        result.cause.value if result.status is Status.FAILED else None,
    )  # fmt: skip


def result_of(row: tuple[Any, ...]) -> Result:
    """Return the result in a row of the results table; raise ``StoreError`` if it is damaged."""
    try:  # without a context manager, as there may be 100,000 rows
        return _result_of(row)
    except _DAMAGED as error:
        raise _damaged("result", row[0], error) from error


def _result_of(row: tuple[Any, ...]) -> Result:
    key, model, task, method, seed, fingerprint, status, value, *rest = row
    metrics, tuned, notes, reason, seconds, encode_seconds, interval, metric, cost, *rest = rest
    train_rows, dtype, val_value, cause = rest
    for amount in (seed, train_rows or 0, seconds, encode_seconds):
        if not 0 <= amount < math.inf:
            raise ValueError(f"a count or time is {amount!r:.60}")
    if val_value is not None and not is_usable(val_value):
        raise ValueError(f"val_value is {val_value}")
    return Result(  # by position, which is faster
        Job(model, task, method, seed, key, fingerprint, train_rows),
        _STATUSES.get(status) or Status(status),
        value,
        {} if metrics == "{}" else _values(metrics, float, "metrics"),
        {} if tuned == "{}" else _values(tuned, _OF_TUNED, "tuned"),
        () if notes == "[]" else tuple(map(str, json.loads(notes))),
        reason,
        seconds,
        encode_seconds,
        None if interval is None else _interval(interval),
        metric or "",
        _cost(cost or "{}"),
        dtype or "float32",
        val_value,
        Cause(cause) if cause else Cause.MODEL,
    )


def _values(text: str, kind: Any, name: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(text)
    all_of(kind, values, name)
    return values


def _interval(text: str) -> Interval:
    interval = checked(Interval(**json.loads(text)))
    if not (interval.low <= interval.high and 0 < interval.level < 1):
        raise ValueError(f"the interval is {text:.60}")
    return interval


@lru_cache  # many jobs have the same
def _cost(text: str) -> Cost:
    return checked(Cost(**json.loads(text)))


def task_facts_of(text: str) -> TaskFacts:
    """Return the task facts in JSON; raise ``StoreError`` if they are damaged."""
    with _undamaged("task", text[:60]):
        stored = json.loads(text)
        typed = {
            "kind": TaskKind(stored["kind"]),
            "modality": Modality(stored["modality"]),
            "classes": tuple(stored["classes"]),
            "notes": tuple(stored["notes"]),
            "slices": tuple(stored.get("slices", ())),
            "warnings": tuple(stored.get("warnings", ())),
        }
        facts = checked(TaskFacts(**{**stored, **typed}))
        if not is_key(facts.fingerprint):  # it names files
            raise ValueError(f"fingerprint is {facts.fingerprint!r:.60}")
        return facts


def model_row_of(address: str, identity: str, facts: str) -> ModelRow:
    """Return the facts about a model in a row; raise ``StoreError`` if they are damaged."""
    with _undamaged("model", address):
        return ModelRow(address, identity, checked(ModelFacts(**json.loads(facts))), None)


@contextmanager
def _undamaged(what: str, name: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise _damaged(what, name, error) from error


def _damaged(what: str, name: str, error: Exception) -> StoreError:
    return StoreError(
        f"The {what} '{name}' in results.sqlite is damaged ({error}). Restore the file from a copy, or "
        "name another folder: --store other-folder."
    )


def slices_written(slices: Iterable[SliceColumn]) -> dict[str, list[str | None]]:
    """Return the value of each example by column, as JSON; null if the value is missing."""
    return {
        column.column: [column.names[number] if number >= 0 else None for number in column.positions.tolist()]
        for column in slices
    }


def slices_of(written: Mapping[str, list[str | None]], columns: Iterable[str]) -> tuple[SliceColumn, ...]:
    """Return the requested columns that are stored."""
    slices = []
    for column in columns:
        values = written.get(column, [])
        names = sorted({value for value in values if value is not None})
        number = {None: -1} | {name: number for number, name in enumerate(names)}
        if names:
            positions = np.array([number[value] for value in values])
            slices.append(SliceColumn(column, tuple(names), positions))
    return tuple(slices)


@lru_cache  # loading looks for the packages of the source every time
def _class_of(source: str, known: Registry[ModelSource]) -> type[ModelSource] | None:
    return known.load(source) if source in known.names() else None


def key_of_features(model: ModelRow, fingerprint: str) -> str:
    """Return the key of the features of a model on the task with this fingerprint."""
    facts = model.facts
    source = _class_of(Address.parse(model.address).source, families().models)
    encoding = source.encoding_version if source else 1
    parts = OpenedParts(model.identity, facts.fingerprint, facts.preprocessing, encoding, facts.dtype)
    return features_key(parts, fingerprint)
