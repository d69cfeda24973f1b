"""A replay of a matrix on the command line."""

from __future__ import annotations

import re

import numpy as np
import pytest


@pytest.fixture
def board(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    skills = rng.normal(size=12)
    lines = ["model," + ",".join(f"t{task}" for task in range(11))]
    values = 0.5 + 0.05 * (skills + 0.3 * rng.normal(size=(11, 12)))
    lines += [f"m{model}," + ",".join(f"{value:.4f}" for value in values[:, model]) for model in range(12)]
    (tmp_path / "board.csv").write_text("\n".join(lines))
    (tmp_path / "costs.csv").write_text(
        "\n".join(["model,seconds", *(f"m{model},{model + 1}" for model in range(12))])
    )
    (tmp_path / "one.csv").write_text("model,a\nx,1\ny,2\nz,3\n")
    (tmp_path / "few.csv").write_text("model,seconds\nm0,3\n")
    (tmp_path / "facts.csv").write_text(
        "\n".join(["model,size,source", *(f"m{model},{model},{-model}" for model in range(12))])
    )
    (tmp_path / "search.csv").write_text("model,search\nm0,3\n")
    (tmp_path / "free.csv").write_text(
        "\n".join(["model,seconds", *(f"m{model},{model}" for model in range(12))])
    )
    (tmp_path / "equal.csv").write_text("model,a,b\nx,1,2\ny,1,2\nz,1,2\n")
    (tmp_path / "empty.csv").write_text("model,a,b\nx,1,\ny,2,\nz,3,\n")
    (tmp_path / "twice.csv").write_text("task,data set\nt0,x\nt1,x\nt0,y\n")
    (tmp_path / "same.csv").write_text("\n".join(["task,set", *(f"t{task},x" for task in range(11))]))
    (tmp_path / "groups.csv").write_text("task,data set\nt0,x\nt1,x\n")
    return tmp_path


def test_each_rule_is_replayed_and_the_bound_is_checked(assay, board):
    code, out, _ = assay("simulate", "board.csv", "--trials", "1,3", "--bound", "3", "--groups", "groups.csv")

    assert code == 0
    assert "11 tasks of 10 data sets, 12 models" in out
    assert [
        line.split()[0] for line in out.splitlines() if line[:6] in {"search", "static", "portfo", "random"}
    ][:4] == ["search", "static", "portfolio", "random"]
    assert "k=1" in out
    assert "The 90 % bound on what is missed after 3 models held on" in out.replace("\n", " ")


def test_costs_and_scores_are_read(assay, board):
    code, out, _ = assay(
        "simulate", "board.csv", "--costs", "costs.csv", "--scores", "board.csv", "--trials", "1"
    )

    assert code == 0
    assert re.search(r"board +0\.000", out)  # the truth as a score finds the best model at once


def test_facts_scores_and_their_join_are_rules_and_are_drawn(assay, board):
    short = [",".join(line.split(",")[:8]) for line in (board / "board.csv").read_text().splitlines()]
    (board / "short.csv").write_text("\n".join(short))
    lines = ["model,task,method,value"]
    for row in short[1:]:
        model, *values = row.split(",")
        lines += [f"{model},t{task},good,{value}" for task, value in enumerate(values)]
        lines += [f"{model},t{task},bad,{len(model) + task % 3}" for task in range(len(values))]
    (board / "long.csv").write_text("\n".join(lines))

    code, out, _ = assay(
        *("simulate", "short.csv", "--facts", "facts.csv", "--scores", "long.csv", "--costs", "costs.csv"),
        *("--trials", "1", "--plot", "regret.svg"),
    )

    assert code == 0
    for rule in ("size", "source", "good", "bad", "halving", "joined", "search joined"):
        assert re.search(rf"^{rule} +\d", out, re.MULTILINE), rule
    assert re.search(r"joined +0\.000", out)  # the truth as one of the scores
    assert "Regret after this share of the cost of all models" in out
    drawn = (board / "regret.svg").read_text()
    assert drawn.startswith("<svg")
    assert "search joined" in drawn


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("one.csv",), "No task of 'one.csv' can be replayed: it has one data set, 'a', and no past"),
        (("equal.csv",), "on each, fewer than three models have a value, or all values are equal"),
        (("empty.csv",), "No task of 'empty.csv' can be replayed"),
        (("board.csv", "--groups", "twice.csv"), "puts 't0' in 'x' and in 'y'. Name one data set"),
        (("board.csv", "--groups", "same.csv"), "it has one data set, 'x', and no past"),
        (("board.csv", "--costs", "free.csv"), "for 1 of 12 models, such as 'm0'"),
        (("board.csv", "--facts", "one.csv"), "has no number for a model of the matrix"),
        (("board.csv", "--facts", "search.csv"), "is called 'search', as another rule is"),
        (("board.csv", "--plot", "regret.png"), "Write a file that ends in .html or .svg"),
        (("board.csv", "--trials", "0"), "The trials are '0'. Write numbers of models from 1"),
        (
            ("board.csv", "--costs", "few.csv"),
            "no cost above 0 in column 'seconds' for 11 of 12 models, such as 'm1'",
        ),
        (("board.csv", "--scores", "one.csv"), "Both tables must use the same names"),
        (("board.csv", "--top", "0.1"), "Write --top 0."),
        (("board.csv", "--groups", "one.csv"), "names the task 'x', which the matrix does not have"),
        (("board.csv", "--groups", "board.csv"), "has 12 columns. Write two"),
    ],
)
def test_wrong_use_says_what_to_write(assay, board, arguments, message):
    code, _, complaint = assay("simulate", *arguments)

    assert code == 2
    assert message in complaint.replace("\n", " ")


def test_too_few_data_sets_have_no_bound_and_the_output_says_so(assay, board):
    (board / "short.csv").write_text(
        "\n".join(",".join(line.split(",")[:5]) for line in (board / "board.csv").read_text().splitlines())
    )

    out = assay("simulate", "short.csv", "--bound", "2", "--trials", "2")[1]

    assert "No bound on what is missed: it needs nine past data sets" in out.replace("\n", " ")


def test_a_table_without_numbers_is_no_matrix(assay, tmp_path):
    (tmp_path / "words.csv").write_text("model,birds\na,yes\nb,no\n", encoding="utf-8")

    code, _, complaint = assay("simulate", "words.csv")

    assert code == 2
    assert "'words.csv' has no numbers" in complaint
