"""assay score, as a researcher uses it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest


@pytest.fixture
def features(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    matrix = rng.standard_normal((60, 8)) + labels[:, None]
    np.savez(tmp_path / "near.npz", features=matrix, labels=labels)
    np.savez(tmp_path / "far.npz", features=matrix + 3 * labels[:, None], labels=labels)
    return tmp_path


def test_one_file_shows_values_intervals_and_units(assay, features):
    code, out, _ = assay("score", "near.npz", "--method", "ridge_cv", "--method", "logme")

    assert code == 0
    assert "60 examples x 8 features, classification into 3 classes" in out
    assert "accuracy" in next(line for line in out.splitlines() if line.startswith("ridge_cv"))


def test_files_stand_side_by_side(assay, features):
    _, out, _ = assay("score", "near.npz", "far.npz", "--method", "logme")

    row = next(line for line in out.splitlines() if line.startswith("logme")).split()
    assert float(row[2]) > float(row[1])


def test_many_files_become_rows(assay, features):
    for copy in "abc":
        (features / f"{copy}.npz").write_bytes((features / "near.npz").read_bytes())

    _, out, _ = assay("score", "near.npz", "far.npz", "a.npz", "b.npz", "c.npz", "--method", "logme")

    table = out.splitlines()
    first = next(number for number, line in enumerate(table) if line.split() == ["file", "logme"])
    assert [line.split()[0] for line in table[first + 1 : first + 6]] == ["near", "far", "a", "b", "c"]


def test_many_scores_of_many_files_fit_the_terminal_in_several_tables(assay, features, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for copy in "ab":
        (features / f"{copy}.npz").write_bytes((features / "near.npz").read_bytes())

    asked = (
        "ridge_cv",
        "lda_cv",
        "logme",
        "h_score",
        "h_score_regularised",
        "label_cka",
        "energy",
        "lfc",
        "parc",
    )
    options = [word for name in asked for word in ("--method", name)]
    _, out, _ = assay("score", "near.npz", "far.npz", "a.npz", "b.npz", *options)

    *tables, _ = out.splitlines()
    assert max(map(len, tables)) <= 80
    assert {name for line in tables if line.startswith("file") for name in line.split()[1:]} == set(asked)
    assert [line.split()[0] for line in tables if line].count("far") > 2


def test_scores_are_in_groups_those_on_held_out_examples_first(assay, features):
    asked = ("width", "logme", "loo_knn", "ridge_cv")

    _, out, _ = assay("score", "near.npz", *(word for name in asked for word in ("--method", name)))

    lines = out.splitlines()
    heads = [
        next(at for at, line in enumerate(lines) if line.startswith(head))
        for head in ("Expected accuracy", "Other values", "Scores", "Prop")
    ]
    rows = {name: next(at for at, line in enumerate(lines) if line.split()[:1] == [name]) for name in asked}
    assert heads[0] < rows["ridge_cv"] < heads[1] < rows["loo_knn"]
    assert rows["loo_knn"] < heads[2] < rows["logme"] < heads[3] < rows["width"]


def test_a_value_in_units_of_a_metric_and_its_interval_have_three_decimals(assay, features):
    _, out, _ = assay("score", "near.npz", "--method", "ridge_cv")

    row = next(line for line in out.splitlines() if line.startswith("ridge_cv"))
    assert re.match(r"ridge_cv  \d\.\d{3}  \d\.\d{3} to \d\.\d{3}  accuracy ", row)


def test_the_verdict_says_which_estimate_it_uses_and_why(assay, features):
    ridge, lda = ("--method", "ridge_cv"), ("--method", "lda_cv")

    named = assay("score", "near.npz", *lda, *ridge)[1].splitlines()[-1]
    default = assay("score", "near.npz")[1].splitlines()[-1]

    assert named.endswith("by lda_cv (the first named).")
    assert default.endswith("by ridge_cv (as in assay rank --estimate).")


def test_no_line_is_wider_than_80_columns(assay, features, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    _, out, _ = assay("score", "near.npz", "far.npz")

    assert max(map(len, out.splitlines())) <= 80
    assert "Expected accuracy, by cross-validation on these examples" in out


def test_the_last_line_is_a_verdict_of_the_first_estimate_of_a_metric(assay, features):
    one = assay("score", "near.npz", "--method", "logme", "--method", "ridge_cv")[1].splitlines()
    two = assay("score", "near.npz", "far.npz", "--method", "logme", "--method", "ridge_cv")[1].splitlines()
    none = assay("score", "near.npz", "far.npz", "--method", "logme")[1].splitlines()

    assert re.match(r"Verdict: expected accuracy 0\.\d+ \(.* to .*\) by ridge_cv\.", one[-1])
    assert re.match(r"Verdict: (near|far) is (best|first), expected accuracy .* by ridge_cv; ", two[-1])
    assert none[-1].startswith("Verdict: none, because these scores estimate no metric")
    order = [line.split()[0] for line in one if line]
    assert order.index("ridge_cv") < order.index("logme")


def test_files_with_different_labels_are_not_compared_in_silence(assay, features):
    np.savez(
        features / "other.npz", features=np.random.default_rng(0).random((30, 4)), labels=np.arange(30) % 2
    )

    _, out, _ = assay("score", "near.npz", "other.npz", "--method", "logme")

    assert "The files have different labels" in out
    assert out.splitlines()[-1] == "Verdict: none, because the files have different labels."


@pytest.mark.parametrize("columns", ["40", "60", "200"])
def test_values_are_whole_in_any_terminal(assay, features, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)

    _, out, _ = assay(
        "score", "near.npz", "--method", "logme", "--method", "h_score_regularised", "--method", "ridge_cv"
    )

    assert "…" not in out
    assert len(re.findall(r"\d\.\d{3,4}\b", out)) >= 3


def test_a_score_without_a_value_shows_its_reason_and_stops_no_other(assay, features):
    code, out, _ = assay("score", "near.npz", "--method", "leep", "--method", "logme")

    assert code == 0
    assert "leep: it reads the probabilities of a source head" in " ".join(out.split())


def test_a_plug_in_that_breaks_is_a_reason(assay, features):
    (features / "own_breaking.py").write_text("def own_breaking(features, labels):\n    return 1 / 0\n")

    code, out, _ = assay(
        "score", "near.npz", "--method", "own_breaking", "--method", "logme", "--plugin", "own_breaking.py"
    )

    assert code == 0
    assert "own_breaking: failed: ZeroDivisionError" in out


def test_a_value_of_zero_is_a_value(assay, features):
    (features / "own_zero.py").write_text("def own_zero(features, labels):\n    return 0.0\n")

    code, out, _ = assay("score", "near.npz", "--method", "own_zero", "--plugin", "own_zero.py")

    assert code == 0
    assert "own_zero" in out


def test_the_exit_code_is_1_where_no_score_has_a_value(assay, features):
    code, out, _ = assay("score", "near.npz", "--method", "leep")

    assert code == 1
    assert out.splitlines()[-1] == "Verdict: none, because no score has a value."
    assert "leep: it reads" in " ".join(out.split())


def test_all_scores_are_those_that_the_file_allows_and_that_take_seconds(assay, features):
    code, out, _ = assay("score", "near.npz")

    shown = {line.split()[0] for line in out.splitlines() if line}
    assert code == 0
    assert {"logme", "ridge_cv", "sfda", "parc"} <= shown
    assert not {"leep", "kite", "parameters", "task2vec", "nleep"} & shown
    assert "they may take minutes: lead, nleep. To run them: --method lead --method nleep." in out


def test_a_plug_in_is_among_all_scores(assay, features):
    (features / "own_sum.py").write_text("def own_sum(features, labels):\n    return features.sum()\n")

    _, listed, _ = assay("list", "scores", "--plugin", "own_sum.py")

    assert "own_sum" in listed


def test_values_are_written_as_json(assay, features):
    _, out, _ = assay(
        "score", "near.npz", "--method", "ridge_cv", "--method", "leep", "--json", "scores.json"
    )

    assert out.splitlines()[-1].startswith("Verdict: expected accuracy")
    scores = json.loads((features / "scores.json").read_text())["near"]
    assert (
        scores["ridge_cv"]["interval"][0] <= scores["ridge_cv"]["value"] <= scores["ridge_cv"]["interval"][1]
    )
    assert scores["leep"]["value"] is None
    assert scores["leep"]["reason"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("score", "nothing.npz"), "Cannot read 'nothing.npz': No such file"),
        (("score", "text.npz"), "'text.npz' is not a file of named arrays"),
        (("score", "near.npz", "--labels", "label"), "Did you mean: labels"),
        (("score", "near.npz", "--method", "logm"), "Did you mean: logme"),
        (("score", "objects.npz"), "labels=labels.astype(str)"),
        (("score", "near.npz", "nan.npz"), "'nan.npz': Features of example 0 are NaN"),
        (("score", "near.npz", "--json", "/proc/nowhere/x.json"), "Cannot write"),
        (("score", "near.npz", "--plugin", "nothing.py"), "Cannot read the plug-in 'nothing.py'"),
    ],
)
def test_what_cannot_be_is_one_sentence(assay, features, arguments, message):
    (features / "text.npz").write_text("not arrays")
    np.savez(features / "objects.npz", features=np.ones((2, 2)), labels=np.array(["a", None], dtype=object))
    np.savez(features / "nan.npz", features=np.full((2, 2), np.nan), labels=[0, 1])

    code, _, complaint = assay(*arguments)

    assert code == 2
    assert message in complaint
