"""Tables of past tasks: from stores and from files, with what is mended, left out or refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from assay.core.errors import StoreError, UsageError
from assay.core.job import Job
from assay.core.model import ModelFacts
from assay.core.result import Finished, Opened, Result, Status
from assay.core.task import Modality, TaskKind
from assay.findings.facts import TaskFacts
from assay.run.past_tables import PastReading, past_tables_of, task_names
from assay.search.past import Match, past_for
from assay.store.results import Store

BIRDS, SKY, WORDS = "folder:/home/me/birds", "folder:/home/me/sky", "table:/home/me/words.csv"
IMAGES = PastReading(modality=Modality.IMAGE)


def stored(
    root: Path, results: Mapping[tuple[str, str, str], tuple[float, float | None]], random: str = ""
) -> Path:
    """Make a store with these results: (model, task, method) -> values on test and on val."""
    store = Store(root)
    kinds = {BIRDS: Modality.IMAGE, SKY: Modality.IMAGE, WORDS: Modality.TEXT}
    with store.writing():
        for task in dict.fromkeys(task for _, task, _ in results):
            facts = TaskFacts(
                task,
                TaskKind.CLASSIFICATION,
                kinds[task],
                "accuracy",
                ("a", "b"),
                9,
                3,
                3,
                0.5,
                Path(task).stem,
            )
            store.database.write("INSERT INTO tasks VALUES (?,?)", (task, json.dumps(asdict(facts))))
        for number, ((model, task, method), (value, on_val)) in enumerate(results.items()):
            job = Job(model, task, method, 0, f"key-{number}", Path(task).stem)
            scored = {} if method == "logme" else {"accuracy": value}
            store.add(Finished(Result(job, Status.OK, value, scored, val_value=on_val)))
        if random:
            facts = ModelFacts(1, 1, 1, 1, "", "", 0, "random", "", is_random=True)
            store.add_model(Opened(random, "identity", facts))
    store.close()
    return root


def test_a_store_gives_what_its_leading_protocol_reached_on_val(tmp_path):
    probe = {("timm:a", BIRDS, "linear_probe"): (0.9, 0.8), ("timm:b", BIRDS, "linear_probe"): (0.7, 0.6)}
    others = {("timm:a", BIRDS, "knn"): (0.1, 0.2), ("timm:a", BIRDS, "logme"): (5.0, None)}

    (table,), notes = past_tables_of(stored(tmp_path / "mine", probe | others))

    assert table.values == {"birds": {"timm:a": 0.8, "timm:b": 0.6}}
    assert table.metrics == {"birds": "accuracy on val"}
    assert (table.name, table.modality) == ("mine", Modality.IMAGE)
    assert notes == ("values are those of linear_probe",)


def test_a_task_is_never_of_val_for_one_model_and_of_test_for_another(tmp_path):
    results = {("timm:a", BIRDS, "knn"): (0.9, 0.8), ("timm:b", BIRDS, "knn"): (0.7, None)}

    (table,), _ = past_tables_of(stored(tmp_path / "mine", results))

    assert table.values == {"birds": {"timm:a": 0.9, "timm:b": 0.7}}
    assert table.metrics == {"birds": "accuracy on test"}


def test_random_weights_and_tasks_of_one_model_are_left_out(tmp_path):
    values = dict.fromkeys(("timm:a", "timm:b", "timm:b(pretrained=False)"), (0.5, None))
    results = {(model, BIRDS, "knn"): value for model, value in values.items()} | {
        ("timm:a", SKY, "knn"): (0.5, None)
    }

    (table,), _ = past_tables_of(stored(tmp_path / "mine", results, random="timm:b(pretrained=False)"))

    assert table.values == {"birds": {"timm:a": 0.5, "timm:b": 0.5}}


def test_one_model_under_two_aliases_with_two_values_has_their_mean_and_a_note(tmp_path):
    results = {
        ("timm:a(alias='x')", BIRDS, "knn"): (0.5, None),
        ("timm:a", BIRDS, "knn"): (0.7, None),
        ("timm:b", BIRDS, "knn"): (0.2, None),
    }

    (table,), notes = past_tables_of(stored(tmp_path / "mine", results))

    assert table.values["birds"] == {"timm:a": pytest.approx(0.6), "timm:b": 0.2}
    assert "1 value is a mean" in notes[1]


def test_a_store_of_images_and_texts_gives_one_table_for_each(tmp_path):
    results = {
        (f"{kind}:{name}", task, "knn"): (0.5, None)
        for kind, task in (("timm", BIRDS), ("hf", WORDS))
        for name in "ab"
    }

    tables, _ = past_tables_of(stored(tmp_path / "mine", results))

    assert {table.name: tuple(table.values) for table in tables} == {
        "mine image": ("birds",),
        "mine text": ("words",),
    }


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({("timm:a", BIRDS, "logme"): (1.0, None), ("timm:b", BIRDS, "logme"): (2.0, None)}, "but estimates"),
        ({("timm:a", BIRDS, "knn"): (1.0, None)}, "two models or more"),
        ({}, "no results yet"),
    ],
)
def test_a_store_without_anything_to_learn_says_what_is_missing(tmp_path, results, message):
    with pytest.raises(UsageError, match=message):
        past_tables_of(stored(tmp_path / "mine", results))


def test_tasks_are_named_after_their_data_and_stay_apart():
    tasks = ["docstrings:default", "./data/train.csv", "table:a/data.tsv", "folder:b/a", "x:y(alias='mine')"]

    names = task_names([*tasks, "folder:/home/me/鳥"])

    assert list(names.values()) == ["docstrings", "train.csv", *tasks[2:4], "mine", "鳥"]


def test_a_folder_that_is_no_store_says_so(tmp_path):
    with pytest.raises(StoreError, match="no store"):
        past_tables_of(tmp_path)


def test_what_a_store_holds_is_found_for_the_same_models_under_other_names(tmp_path):
    results = {
        ("timm:resnet50.a1_in1k", BIRDS, "knn"): (0.9, None),
        ("torch:nets:net(checkpoint='/home/me/net.pth')", BIRDS, "knn"): (0.7, None),
    }
    tables, _ = past_tables_of(stored(tmp_path / "mine", results))

    models = ("hf:timm/resnet50.a1_in1k", "torch:nets:net(checkpoint='/home/me/net.pth')", "timm:resnet50d")
    past = past_for(models, Modality.IMAGE, histories=tables)

    assert past.history.values[0, :2].tolist() == [0.9, 0.7]
    assert list(past.matched.values()) == [Match.EXACT, Match.EXACT, Match.NONE]


def written(tmp_path: Path, text: str, name: str = "results.csv", encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def test_a_table_with_missing_values_and_a_mixed_zoo_is_read(tmp_path):
    path = written(
        tmp_path, "model,birds,sky,sea\ntimm:a,0.9,,0.1\n模型,0.7,n/a,out of memory\nnet é,0.5,0.2,\n"
    )

    (table,), _ = past_tables_of(path, IMAGES)

    assert table.values == {"birds": {"timm:a": 0.9, "模型": 0.7, "net é": 0.5}}
    assert table.name == "results"


def test_several_values_of_a_model_on_a_task_are_averaged_with_a_note(tmp_path):
    path = written(tmp_path, "model,task,value\na,birds,0.5\na,birds,0.7\nb,birds,0.1\nb,birds,0.1\n")

    (table,), notes = past_tables_of(path, IMAGES)

    assert table.values == {"birds": {"a": pytest.approx(0.6), "b": pytest.approx(0.1)}}
    assert "(1 time, first 'a' on 'birds')" in notes[1]


def test_errors_are_negated_so_that_higher_is_better(tmp_path):
    path = written(tmp_path, "model,birds,error\na,0.5,3\nb,0.7,2\n")

    (table,), _ = past_tables_of(path, PastReading(modality=Modality.IMAGE, lower_is_better=("error",)))

    assert table.values["error"] == {"a": -3.0, "b": -2.0}
    assert table.metrics == {"birds": "value", "error": "negative value"}


def test_the_modality_is_that_of_the_public_models_in_a_table(tmp_path):
    path = written(tmp_path, "model,birds\ntimm:resnet50.a1_in1k,0.5\nmine,0.7\n")

    assert past_tables_of(path)[0][0].modality is Modality.IMAGE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "results.csv"),
        ("model,birds\n", "nothing to learn|no rows|results.csv"),
        ("model,birds\na,\nb,x\n", "nothing to learn|no numbers|results.csv"),
        ("model,birds\na,0.5\n", "two models or more"),
        ("model,birds\na,0.5\nb,inf\n", "inf"),
        ("model,birds\na,0.5\na,0.7\n", "two rows called 'a'"),
        ("model,birds\na,50%\nb,0.7\n", "percent"),
        ("model,task,method,value\na,birds,knn,1\nb,birds,knn,2\na,birds,probe,1\n", "2 matrices"),
        ("\0\0\0", "results.csv"),
        ("".join(map(chr, range(128))) * 4, "results.csv"),
        ("model;birds\na;0,5\nb;0,7\n", "'birds' holds no numbers"),
    ],
)
def test_a_table_that_says_nothing_or_two_things_is_refused(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        past_tables_of(written(tmp_path, text), IMAGES)


def test_a_table_of_unknown_models_asks_for_the_modality(tmp_path):
    with pytest.raises(UsageError, match="--modality image, text or audio"):
        past_tables_of(written(tmp_path, "model,birds\na,0.5\nb,0.7\n"))


@pytest.mark.parametrize(
    "changed",
    [
        {"modality": "smell"},
        {"table": {"birds": {"a": "high", "b": 1}}},
        {"table": {"birds": {"a": float("nan"), "b": 1}}},
        {"table": {"birds": {"a": True, "b": 1}}},
        {"table": [1, 2]},
        {"metrics": {}},
        {"groups": None},
    ],
)
def test_an_exported_file_that_was_changed_by_hand_is_refused(tmp_path, changed):
    facts = dict.fromkeys(("name", "title", "source", "licence", "date"), "x")
    table = {"table": {"birds": {"a": 1.0, "b": 2.0}}, "metrics": {"birds": "accuracy"}, "groups": {}}
    content = json.dumps({**facts, "modality": "image", **table, **changed})

    with pytest.raises(UsageError, match="cannot be read"):
        past_tables_of(written(tmp_path, content, "history.json"))


def test_a_file_that_is_nested_too_deeply_is_refused(tmp_path):
    with pytest.raises(UsageError, match="nested too deeply"):
        past_tables_of(written(tmp_path, "[" * 100_000, "deep.json"), IMAGES)


def test_control_characters_of_another_users_table_do_not_reach_the_terminal(tmp_path):
    facts = dict.fromkeys(("name", "title", "source", "licence", "date"), "\x1b[31mred")
    table = {"table": {"birds": {"a": 1, "b": 2}}, "metrics": {"birds": "accuracy"}, "groups": {}}
    path = written(tmp_path, json.dumps({**facts, "modality": "image", **table}), "theirs.json")

    (read,), _ = past_tables_of(path)

    assert (read.name, read.source) == ("?[31mred", "?[31mred")
