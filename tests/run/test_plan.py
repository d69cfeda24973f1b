"""From what a user wrote to jobs with keys."""

from __future__ import annotations

from itertools import permutations

import pytest

from assay.core.errors import UnknownName, UsageError
from assay.run.plan import model_address, resolve_methods, resolve_models, resolve_tasks
from assay.run.study import Study


@pytest.fixture
def study(photos, tmp_path):
    def make(**changes):
        given = {"models": ["zoo:colours"], "tasks": [str(photos)], "methods": ["knn", "logme"], **changes}
        return Study(store=tmp_path / "store", **given)

    return make


def keys(study):
    return frozenset(study.plan().jobs)


def test_the_order_of_what_is_named_changes_no_key(study):
    methods = ("knn", "logme", "linear_probe")

    assert len({keys(study(methods=order)) for order in permutations(methods)}) == 1


def test_naming_a_model_twice_plans_it_once(study):
    assert keys(study(models=["zoo:colours", "zoo:colours()"])) == keys(study())


@pytest.mark.parametrize(
    "changes",
    [
        {"models": ["zoo:colours(width=8)"]},
        {"models": ["zoo:noisy"]},
        {"methods": ["knn(k=3)", "logme(max_steps=5)"]},
        {"seed": 1},
    ],
)
def test_whatever_decides_a_number_is_in_its_key(study, changes):
    assert keys(study(**changes)).isdisjoint(keys(study()))


def test_writing_a_default_out_changes_no_key(study):
    assert keys(study(methods=["logme(max_steps=11)"])) == keys(study(methods=["logme"]))


def test_where_and_how_it_runs_is_in_no_key(study, tmp_path):
    assert keys(study(batch_size=3, device="cpu")) == keys(study())


def test_changing_an_example_changes_every_key(study, photos):
    before = keys(study())
    (photos / "red" / "00.png").write_bytes((photos / "red" / "01.png").read_bytes())

    assert keys(study()).isdisjoint(before)


def test_a_pattern_names_every_model_that_fits():
    assert [str(model) for model in resolve_models(["zoo:b*"])] == ["zoo:blind", "zoo:broken"]


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (["zoo:colors"], "No model of 'zoo' called 'colors'. Did you mean: colours"),
        (["zoo:x*"], "No model of 'zoo' called"),
        (["tim:resnet50"], "No model source called 'tim'. Did you mean: timm"),
        ([], "No models. Name at least one"),
    ],
)
def test_a_model_that_cannot_be_named_says_what_to_write(models, message):
    with pytest.raises(UsageError, match=message):
        resolve_models(models)


def test_a_method_that_does_not_exist_gets_a_suggestion():
    with pytest.raises(UnknownName, match="No method called 'linear_prob'. Did you mean: linear_probe"):
        resolve_methods(["linear_prob"])


def test_a_path_that_is_not_there_says_what_to_write(tmp_path):
    with pytest.raises(UsageError, match="there is no such folder, and it is not a table"):
        resolve_tasks([str(tmp_path / "nothing")], 0)


def test_a_metric_of_another_kind_of_task_is_refused(photos):
    with pytest.raises(UsageError, match=r"'rmse' does not judge classification .* \(metric='accuracy'\)"):
        resolve_tasks([f"folder:{photos}(metric='rmse')"], 0)


def test_a_metric_of_two_classes_is_refused_for_three(photos):
    with pytest.raises(UsageError, match=r"'f1' does not judge 'folder:.*macro_f1 is for more"):
        resolve_tasks([f"folder:{photos}(metric='f1')"], 0)


def test_one_text_instead_of_a_list_is_refused(photos):
    with pytest.raises(UsageError, match=r"Write a list: models=\['zoo:colours'\]"):
        Study(models="zoo:colours", tasks=[str(photos)])


def test_ranking_by_a_method_that_is_not_run_is_refused(study):
    with pytest.raises(UnknownName, match="No method of this study called 'linear_probe'"):
        study(ranked_by="linear_probe").plan()


def test_writing_a_default_out_names_nothing_twice(study):
    jobs = study(methods=["knn", "knn(k=None)"], models=["zoo:colours", "zoo:colours(seed=0)"]).plan().jobs

    assert [(job.model, job.method) for job in jobs.values()] == [("zoo:colours", "knn")]


def test_a_setting_that_a_model_refuses_names_the_model():
    with pytest.raises(UsageError, match=r"^torch:torch.nn:Identity\(channels=4\): Images have 3 channels"):
        resolve_models(["torch:torch.nn:Identity(channels=4)"])


def test_a_file_named_as_a_model_says_how_data_and_models_are_named(tmp_path):
    (tmp_path / "numbers.csv").write_text("a,b\n1,2\n")

    with pytest.raises(UsageError, match="is a file. If it holds data, 'assay rank .*numbers.csv --dry-run'"):
        model_address(str(tmp_path / "numbers.csv"))
