"""Evaluations of a part of train: methods see its examples alone, and its results stand beside the others."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from tests.conftest import Zoo

from assay.core.errors import UsageError
from assay.core.result import Finished, Status
from assay.plugins.families import BUILT_IN
from assay.readers.train_order import train_order
from assay.run.evaluation import Evaluation
from assay.run.evaluator import Evaluator
from assay.run.plan import Plan, plan, resolve_methods, resolve_models, resolve_tasks, runs_of
from assay.run.study import Study
from assay.store.arrays import Arrays
from assay.store.results import Store

METHODS = ("knn", "nearest_mean", "logme", "ridge_cv", "lda_cv", "loo_knn", "leep")


@pytest.fixture
def planned(photos: Path, tmp_path: Path):
    def make(train_rows: int | None) -> Plan:
        evaluation = partial(Evaluation, arrays=Arrays(tmp_path / "store"), device="cpu", batch_size=8)
        models, tasks = resolve_models(["zoo:headed"]), resolve_tasks([str(photos)], 0)
        return plan(models, tasks, runs_of(resolve_methods(METHODS), 1), evaluation, train_rows=train_rows)

    return make


def finished_of(ready: Plan) -> list[Finished]:
    evaluator = Evaluator()
    events = [event for evaluation in ready.evaluations for event in evaluator(evaluation, lambda _: None)]
    evaluator.close()
    return [event for event in events if isinstance(event, Finished)]


def test_all_of_train_by_its_number_is_all_of_train(planned):
    assert planned(54).jobs.keys() == planned(None).jobs.keys() == planned(1000).jobs.keys()
    assert {job.train_rows for job in planned(54).jobs.values()} == {None}


def test_each_part_of_train_has_keys_of_its_own(planned):
    keys = [planned(rows).jobs.keys() for rows in (None, 30, 31)]

    assert len(set().union(*keys)) == sum(map(len, keys))
    assert {job.train_rows for job in planned(30).jobs.values()} == {30}


@pytest.mark.parametrize("rows", [0, -3])
def test_a_part_without_examples_is_refused(planned, rows):
    with pytest.raises(UsageError, match="Write 1 or more"):
        planned(rows)


@pytest.mark.parametrize("rows", [9, 30])
def test_every_kind_of_method_works_on_a_part(planned, rows):
    found = finished_of(planned(rows))

    assert {event.result.status for event in found} == {Status.OK}
    assert {event.result.job.train_rows for event in found} == {rows}
    assert {len(event.predictions.values) for event in found if event.predictions} == {18}


def test_held_out_predictions_on_a_part_name_rows_of_all_of_train(planned):
    ready = planned(30)
    train = ready.evaluations[0].task.train

    held_out = [event.held_out for event in finished_of(ready) if event.held_out]

    assert len(held_out) == 3
    for each in held_out:
        assert each.rows.tolist() == sorted(train_order(train)[:30])
        assert train.labels.take(each.rows).values.tolist() == each.truth.values.tolist()


def test_methods_see_the_first_examples_of_the_order_alone(planned, tmp_path, monkeypatch):
    seen = []
    knn = BUILT_IN.protocols.load("knn")
    fit = knn.fit
    monkeypatch.setattr(
        knn,
        "fit",
        lambda self, train, val, metric: (seen.append(train.labels.values), fit(self, train, val, metric))[1],
    )

    finished_of(planned(30))

    assert [len(labels) for labels in seen] == [30]
    assert [(seen[0] == position).sum() for position in range(3)] == [10, 10, 10]


def test_a_result_of_a_part_does_not_replace_that_of_all(planned, photos, tmp_path):
    study = Study(
        models=["zoo:headed"],
        tasks=[str(photos)],
        methods=METHODS,
        store=tmp_path / "store",
        control=False,
        device="cpu",
        batch_size=8,
    )
    before = {(cell.method, cell.value) for cell in study.run().cells}

    store = Store(tmp_path / "store")
    try:
        with store.writing():
            for event in finished_of(planned(9)):
                store.add(event)
        assert {(result.job.method, result.value) for result in store.results()} == before
        assert len(store.results(on_subsets=True)) == 2 * len(store.results())
    finally:
        store.close()
    assert study.left(study.plan()).evaluations == ()
    assert {(cell.method, cell.value) for cell in study.compare().cells} == before


def test_a_part_after_all_encodes_nothing_again(planned):
    everything, part = finished_of(planned(None)), finished_of(planned(30))

    assert sum(event.result.encode_seconds for event in everything) > 0
    assert sum(event.result.encode_seconds for event in part) == 0


def test_features_of_a_later_encoding_version_are_found(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(Zoo, "encoding_version", 2)
    study = Study(
        models=["zoo:colours"], tasks=[str(photos)], methods=["knn"], store=tmp_path / "store", device="cpu"
    )
    study.run()

    store = Store(tmp_path / "store")
    try:
        model, fingerprint = store.models()[0], store.tasks()[0].fingerprint
        assert store.features(model, fingerprint) is not None
        monkeypatch.setattr(Zoo, "encoding_version", 1)
        assert store.features(model, fingerprint) is None
    finally:
        store.close()
    assert study.left(study.plan()).evaluations != ()
