"""An evaluator keeps a model open for as long as the next evaluation is of the same model."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace

import pytest
from tests.conftest import ZooModel

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import UsageError
from assay.core.result import Opened, Status
from assay.run.evaluator import Evaluator
from assay.run.study import Study


@pytest.fixture
def closed(monkeypatch):
    """The names of the zoo models that were closed, in order."""
    names = []
    close = ZooModel.close
    monkeypatch.setattr(ZooModel, "close", lambda self: (names.append(self._source.name), close(self)))
    return names


@pytest.fixture
def study(photos, tmp_path):
    def make(*models, **changes):
        tasks = [str(photos), f"folder:{photos}(metric='macro_f1')"]
        given = {"tasks": tasks, "methods": ("knn", "logme"), "store": tmp_path / "store", **changes}
        return Study(models=[f"zoo:{model}" for model in models], control=False, **given)

    return make


def test_a_model_opens_once_for_all_tasks(study, opened, closed):
    study("colours", "noisy").run()

    assert opened == ["colours", "noisy"]
    assert closed == ["colours", "noisy"]


def test_the_same_numbers_come_from_a_model_that_was_open_and_from_a_new_one(study, tmp_path):
    together = study("colours", "headed", methods=("knn", "leep", "linear_probe")).run()
    alone = [
        study(
            model,
            tasks=[study().tasks[task]],
            methods=("knn", "leep", "linear_probe"),
            store=tmp_path / f"{model}{task}",
        ).run()
        for model in ("colours", "headed")
        for task in (0, 1)
    ]

    def values(comparisons):
        return sorted((c.model, c.task, c.method, str(c.value)) for found in comparisons for c in found.cells)

    assert values([together]) == values(alone)


def test_a_model_is_measured_once_for_as_long_as_it_is_open(study):
    evaluate = Evaluator()

    events = [
        event for evaluation in study("colours").plan().evaluations for event in evaluate(evaluation, print)
    ]

    assert sum(isinstance(event, Opened) for event in events) == 1


def test_the_speed_of_an_open_model_is_measured_when_the_first_evaluation_needs_it(study, opened):
    evaluate = Evaluator()
    first, second = study("colours").plan().evaluations

    screened = list(evaluate(replace(first, measures_speed=False), print))
    finished = [event for one in (first, second) for event in evaluate(one, print)]

    assert screened[0].speed is None
    assert [event.speed.latency_seconds > 0 for event in finished if isinstance(event, Opened)] == [True]
    assert opened == ["colours"]


def test_a_limit_of_latency_needs_the_speed_in_every_evaluation(study):
    first, _ = study("colours", max_latency="1us").plan().evaluations

    events = list(Evaluator()(replace(first, measures_speed=False), print))

    assert [event.speed.latency_seconds > 1e-6 for event in events] == [True]


def test_a_model_that_failed_at_something_is_opened_again(study, opened, closed):
    comparison = study("nan").run()

    assert {cell.status for cell in comparison.cells} == {Status.FAILED}
    assert opened == closed == ["nan", "nan"]


def test_a_model_beyond_the_limits_is_opened_once_and_nothing_of_it_runs(study, opened, closed):
    comparison = study("colours", max_parameters=1).run()

    assert comparison.cells == ()
    assert opened == closed == ["colours"]


def test_a_run_that_is_stopped_closes_its_model(study, closed):
    def stop(stage):
        if stage.what == "logme":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study("colours").run(stop)

    assert closed == ["colours"]


def test_a_copy_for_another_process_has_no_model_open(study):
    evaluate = Evaluator()
    list(evaluate(study("colours").plan().evaluations[0], print))

    copy = pickle.loads(pickle.dumps(evaluate))

    assert isinstance(next(copy(study("colours").plan().evaluations[1], print)), Opened)


def test_a_model_says_its_precision_again_where_it_is_another_for_the_next_task(study, monkeypatch):
    chosen, read = iter(["float32", "bfloat16"]), []

    def settle_precision(self, examples):
        read.append(len(examples()))
        return next(chosen)

    monkeypatch.setattr(ZooModel, "settle_precision", settle_precision)
    evaluate = Evaluator()

    events = [
        event for evaluation in study("colours").plan().evaluations for event in evaluate(evaluation, print)
    ]

    assert [event.facts.dtype for event in events if isinstance(event, Opened)] == ["float32", "bfloat16"]
    assert all(0 < count <= 32 for count in read)


def test_a_study_within_little_memory_gives_the_same_values_and_leaves_no_file(study, tmp_path, monkeypatch):
    monkeypatch.setattr("assay.core.large_arrays._SHARE", 10**8)  # 200 bytes are large
    methods = ("knn", "linear_probe")
    plain = study("colours", methods=methods, store=tmp_path / "plain").run()
    bounded = study("colours", methods=methods, store=tmp_path / "bounded", memory="20GB").run()

    assert [(cell.method, cell.value) for cell in bounded.cells] == [
        (cell.method, cell.value) for cell in plain.cells
    ]
    assert len(list((tmp_path / "bounded").iterdir())) == len(list((tmp_path / "plain").iterdir()))


def test_a_model_without_room_fails_before_it_is_opened(study, opened, monkeypatch):
    monkeypatch.setattr(
        "assay.run.memory_check.ModelSource.entry",
        lambda self, address: CatalogueEntry(address, parameters=10**9),
    )
    found = study("colours", memory="2GB").run()

    assert not opened
    assert "4.0 GB, and there are 2.0 GB" in found.tasks[0].missing[0].reason


def test_a_process_that_holds_more_than_it_may_fails_the_jobs_with_the_reason(study):
    found = study("colours", memory="1MB").run()

    assert re.search(r"its process holds \d.*, and may hold 0\.0 GB", found.tasks[0].missing[0].reason)
    assert "may hold 0.0 GB: use a smaller batch size or model" in found.tasks[0].missing[0].reason


def test_a_memory_that_is_no_size_is_refused(study):
    with pytest.raises(UsageError, match="8GB|size"):
        study("colours", memory="much")
