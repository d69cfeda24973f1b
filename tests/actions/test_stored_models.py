"""What a user calls the models of a store, of which some failed or did not run yet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.actions.compare_models import compare_models, other_model
from assay.actions.measure import named_models
from assay.actions.stored_models import address_of_model, models_called
from assay.core.errors import UnknownName, UsageError
from assay.core.job import Job
from assay.core.model import ModelFacts
from assay.core.result import Finished, Opened, Result, Status
from assay.core.task import InMemoryExamples, LabelKind, Labels, Modality, Split, Task, TaskKind
from assay.run.task_facts import task_facts
from assay.store.last_run import write_jobs
from assay.store.results import Store

GOOD, OTHER = "torch:good:build(arguments=('a',))", "torch:good:load"
BROKEN, SKIPPED, WAITING = "torch:broken:build", "torch:reader:load", "torch:slow:start"
FACTS = ModelFacts(12, 36, 36, 144, "3 x any x any", "mean colour / 255", 0, "drawn", "a hash")
TASK = Task(
    "folder:photos", TaskKind.REGRESSION, Modality.TEXT, "r2", (),
    *(Split(InMemoryExamples(["a"], ["a"]), Labels(LabelKind.REGRESSION, np.array([1.0]))) for _ in range(3)),
    fingerprint="data",
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of two models with a value, one that failed, one without modality, and one that waits."""
    store = Store(tmp_path / "store")
    store.add_task(task_facts(TASK), TASK)
    for model in (GOOD, OTHER):
        store.add_model(Opened(model, model, FACTS))
    for model, status in {BROKEN: Status.FAILED, SKIPPED: Status.SKIPPED, GOOD: Status.OK}.items():
        given = {"value": 0.5} if status is Status.OK else {"reason": "shape mismatch in layer 3"}
        store.add(Finished(Result(Job(model, TASK.address, "knn", 0, status.value, "data"), status, **given)))
    write_jobs(store.arrays, [("w", WAITING, TASK.address)])
    return store


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("build", BROKEN),
        ("broken:build", BROKEN),
        ("good:build", GOOD),
        ("good:load", OTHER),
        ("reader:load", SKIPPED),
        ("start", WAITING),
    ],
)
def test_a_name_means_the_model_that_reports_call_so_whatever_became_of_it(store, name, address):
    assert models_called([name], store) == (address,)


@pytest.mark.parametrize(
    "ask",
    [
        lambda store, name: compare_models(store.root, GOOD, name),
        lambda store, name: compare_models(store.root, name, "good:build"),
        lambda store, name: named_models(store, [name]),
        lambda store, name: address_of_model(name, store),
    ],
)
def test_a_model_without_values_is_refused_with_its_reason_by_every_command(store, ask):
    with pytest.raises(UsageError, match=r"'torch:broken:build' failed on folder:photos.* layer 3\. Name"):
        ask(store, "build")
    with pytest.raises(UsageError, match=r"'torch:reader:load' did not run on folder:photos"):
        ask(store, "reader:load")
    with pytest.raises(UsageError, match=r"'torch:slow:start' has not run yet"):
        ask(store, "start")


def test_a_name_of_several_models_or_of_none_is_an_error(store):
    with pytest.raises(UsageError, match="may be torch:good:load or torch:reader:load"):
        models_called(["load"], store)
    with pytest.raises(UnknownName, match="Did you mean: good:load"):
        models_called(["torch:good:lod"], store)
    assert address_of_model("torch:new:net", store) == "torch:new:net"


def test_models_are_measured_by_the_names_of_reports(store):
    assert [row.address for row in named_models(store, ["good:build", "torch:*load"])] == [GOOD, OTHER]


def test_the_only_other_model_is_one_with_values(store):
    assert other_model(store.root, "good:build") == OTHER


def test_a_model_with_random_weights_is_not_the_other_model_but_may_be_named(store):
    control = "timm:net(pretrained=False)"
    store.add_model(Opened(control, control, replace(FACTS, is_random=True)))

    assert other_model(store.root, "good:build") == OTHER
    assert models_called(["random weights (control)"], store) == (control,)
    with pytest.raises(UnknownName, match=r"random weights \(control\) \[net\(pretrained=False\)\]"):
        models_called(["nothing"], store)
    with pytest.raises(UsageError, match=r"contains good:build and good:load\. Name the model to judge"):
        other_model(store.root, control)


def test_a_store_of_one_pretrained_model_has_no_other(store, tmp_path):
    alone = Store(tmp_path / "alone")
    alone.add_model(Opened(GOOD, GOOD, FACTS))

    with pytest.raises(UsageError, match=r"contains no other pretrained model\. Name the model"):
        other_model(alone.root, GOOD)
