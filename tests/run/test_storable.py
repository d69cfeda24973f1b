"""What models and methods return becomes plain values, or an error of their own."""

from __future__ import annotations

import json

import numpy as np
import pytest

from assay.core.errors import AssayError, ModelError
from assay.core.estimate import Interval
from assay.core.job import Job
from assay.core.model import ModelFacts
from assay.core.predictor import Predicted
from assay.core.result import Cost, Finished, Opened, Result, Status
from assay.run.storable import storable, storable_facts, storable_seconds
from assay.store.results import Store, open_existing

JOB = Job("zoo:caf\udce9", "task", "knn", 0, "key", "data")
FACTS = {
    "width": 3, "parameters": 9, "macs": None, "bytes": 36, "input": "", "preprocessing": "",
    "source_classes": 0, "weights": "", "fingerprint": "",
}  # fmt: skip


def test_values_of_numpy_and_text_of_any_kind_can_be_stored_and_read(tmp_path):
    result = Result(
        JOB,
        Status.OK,
        0.5,
        metrics={"accuracy": np.float32(0.5)},
        tuned={"k": np.int64(5), "penalty": float("nan"), "kernel": np.str_("rbf"), "grid": (1, 2)},
        notes=(np.str_("caf\udce9"), 7),
        interval=Interval(np.float32(0.25), float("inf")),
        metric="accuracy",
    )
    store = Store(tmp_path)

    with store.writing():
        store.add(storable(Finished(result, Predicted([0, 1], np.eye(2, dtype=np.float16)))))

    (kept,) = store.results({"key"})
    assert kept.job.model == r"zoo:caf\udce9"
    assert kept.metrics == {"accuracy": 0.5}
    assert kept.tuned == {"k": 5, "kernel": "rbf", "grid": "(1, 2)"}
    assert kept.notes == (r"caf\udce9", "7", "the tuned value 'penalty' is nan and is left out")
    assert kept.interval is None
    assert store.predictions(["key"])["key"].values.tolist() == [0, 1]
    store.close()


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        (Predicted(np.array([None, 1])), "the predictions are of the type object"),
        (Predicted(np.array(["a", "b"])), "the predictions are of the type <U1"),
        (Predicted(np.array([0, 1]), np.array([[object()]])), "the probabilities are of the type object"),
        (Predicted(np.array([0, 1]), np.ones((3, 2))), "3 rows of probabilities for 2 predictions"),
    ],
)
def test_predictions_that_are_no_numbers_are_an_error(predicted, message):
    with pytest.raises(AssayError, match=message):
        storable(Finished(Result(JOB, Status.OK, 0.5), predicted))


def test_facts_of_numpy_and_invalid_text_can_be_stored_and_read(tmp_path):
    facts = storable_facts(
        ModelFacts(
            **{**FACTS, "parameters": np.int64(9), "input": np.str_("caf\udce9")},
            is_random=np.bool_(True),
            source_accuracy=float("nan"),
        )
    )
    store = Store(tmp_path)

    with store.writing():
        store.add_model(Opened("zoo:caf\udce9", "identity \udce9", facts))
    store.close()

    (row,) = open_existing(tmp_path).models()
    assert (row.address, row.identity) == (r"zoo:caf\udce9", r"identity \udce9")
    assert row.facts == ModelFacts(**{**FACTS, "input": r"caf\udce9"}, is_random=True)
    assert type(facts.parameters) is int
    assert json.loads(json.dumps(facts.input)) == r"caf\udce9"


def test_times_of_a_clock_that_a_model_changed_can_be_stored_and_read(tmp_path):
    cost = Cost(tune_seconds=float("-inf"))
    times = [storable_seconds(seconds) for seconds in (float("nan"), float("inf"), -2.0, 1.5)]
    store = Store(tmp_path)

    with store.writing():
        store.add(storable(Finished(Result(JOB, Status.OK, 0.5, cost=cost))))
    store.close()

    assert times == [0.0, 0.0, 0.0, 1.5]
    (kept,) = open_existing(tmp_path).results({"key"})
    assert kept.cost.tune_seconds == 0.0


@pytest.mark.parametrize("interval", [Interval(0.9, 0.1), Interval(0.1, 0.9, 0.0), Interval(0.1, 0.9, 95)])
def test_an_interval_that_is_none_is_left_out(interval):
    assert storable(Finished(Result(JOB, Status.OK, 0.5, interval=interval))).result.interval is None


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"width": 3}, "of the type dict, not ModelFacts"),
        (ModelFacts(**{**FACTS, "width": None}), "'width' among the facts of the model is None"),
        (ModelFacts(**{**FACTS, "bytes": float("inf")}), "'bytes' among the facts of the model is inf"),
        (
            ModelFacts(**{**FACTS, "bytes": 2**70}),
            "'bytes' among the facts of the model is a number of 71 bits",
        ),
        (ModelFacts(**{**FACTS, "macs": -1}), "'macs' among the facts of the model is below 0"),
        (ModelFacts(**{**FACTS, "weights": b"x"}), "'weights' among the facts of the model is b'x'"),
    ],
)
def test_facts_that_are_something_else_are_an_error_of_the_model(facts, message):
    with pytest.raises(ModelError, match=message):
        storable_facts(facts)
