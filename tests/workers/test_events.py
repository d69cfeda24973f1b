"""Events as messages: plain values arrive, and nothing else comes in."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from enum import Enum

import numpy as np
import pytest

from assay.core.estimate import Estimate
from assay.core.job import Job
from assay.core.result import Finished, Result, Status
from assay.plugins.engine import Stage
from assay.workers.channel import Message
from assay.workers.evaluating import events
from assay.workers.evaluating.events import message_of, value_of

JOB = Job("model", "task", "knn", 0, "key", "data")
LEAVES = {str, int, float, bool, type(None), np.ndarray, tuple, Mapping, Ellipsis}


def leaves_of(hint: typing.Any) -> set[typing.Any]:
    """Return the types that an annotation names."""
    arguments = typing.get_args(hint)
    origin = typing.get_origin(hint)
    own = {origin} if origin in LEAVES or origin is Mapping else set() if arguments else {hint}
    return own.union(*map(leaves_of, arguments))


def test_all_that_an_event_can_hold_can_be_sent() -> None:
    plain = events._plain_types()
    held = {
        leaf
        for kind in plain.values()
        if not issubclass(kind, Enum)
        for hint in typing.get_type_hints(kind).values()
        for leaf in leaves_of(hint)
    }

    assert {
        "Finished",
        "Result",
        "Job",
        "Status",
        "Opened",
        "ModelFacts",
        "Predicted",
        "Stage",
    } <= plain.keys()
    assert {leaf for leaf in held if leaf not in LEAVES and leaf not in plain.values()} == set()


def test_values_of_derived_classes_arrive_as_plain_ones() -> None:
    value = Estimate(0.5, None, "accuracy")

    arrived = value_of(message_of("event", Finished(Result(JOB, Status.OK, value))))

    assert arrived == Finished(Result(JOB, Status.OK, 0.5))
    assert type(arrived.result.value) is float


def test_what_is_not_plain_is_not_sent() -> None:
    with pytest.raises(TypeError, match="a set is not a plain value"):
        message_of("event", Finished(Result(JOB, Status.OK, 0.5, tuned={"l2": {1}})))  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "value",
    [
        {"type": "Popen", "fields": {"args": "true"}},
        {"type": "Result", "fields": {}},
        {"type": "Result", "fields": []},
        {"type": "Status", "fields": "unknown"},
        {"array": "0"},
        {"pairs": [1]},
        {},
    ],
)
def test_what_is_no_event_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not an event|unknown"):
        value_of(Message({"is": "event", "value": value}))


def test_a_message_that_holds_something_else_is_no_event() -> None:
    assert value_of(message_of("progress", Stage("m", "t", "open"))) == Stage("m", "t", "open")
    with pytest.raises(ValueError, match="not an event"):
        value_of(Message({"is": "event", "value": [1, 2]}))
