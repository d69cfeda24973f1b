"""Tables of scores beside a table of results, on the command line."""

from __future__ import annotations

import pytest

TRUTH = "model,a,b,c\nsmall,0.70,0.60,0.65\nmiddle,0.80,0.70,0.75\nlarge,0.90,0.80,0.70\n"
SCORES = "method,model,task,value\n" + "\n".join(
    f"{score},{model},{task},{sign * rank}"
    for score, sign in (("good", 1), ("bad", -1))
    for task in "abc"
    for rank, model in enumerate(("small", "middle", "large"))
)


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "truth.csv").write_text(TRUTH)
    (tmp_path / "scores.csv").write_text(SCORES)
    (tmp_path / "models.csv").write_text("model,parameters,notes\nsmall,5,x\nmiddle,20,y\nlarge,80,z\n")
    return "scores.csv", "truth.csv"


def test_scores_stand_beside_rankings_that_look_at_no_target(assay, tables):
    code, out, _ = assay("agreement", *tables, "--facts", "models.csv")
    names = [line.split("  ")[0].strip() for line in out.splitlines()]

    assert code == 0
    assert names.index("good") < names.index("> random") < names.index("bad")
    assert {"> parameters", "> static"} <= set(names)


def test_where_lower_is_better_the_score_is_turned(assay, tables):
    plain = assay("agreement", *tables, "--method", "good")[1]
    turned = assay("agreement", *tables, "--method", "bad", "--lower-is-better-score", "bad")[1]

    assert turned.replace("bad", "good").split() == plain.split()


def test_each_task_is_shown_where_asked_for(assay, tables):
    plain, by_task = (assay("agreement", *tables, *more)[1] for more in ((), ("--details",)))

    assert by_task.startswith(plain)
    assert [line.split()[0] for line in by_task[len(plain) :].splitlines() if " good " in line] == list("abc")


def test_names_in_only_one_table_are_reported(assay, tables, tmp_path):
    (tmp_path / "truth.csv").write_text(TRUTH + "huge,0.9,0.9,0.9\n")

    assert "1 model has no score: huge" in assay("agreement", *tables)[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("truth.csv",), "'truth.csv' is the only table. Write the scores first: scores.csv truth.csv."),
        (("scores.csv", "truth.csv", "--method", "goood"), "No score of these tables called 'goood'"),
        (("models.csv", "truth.csv"), "have no task with three models in common"),
        (("scores.csv", "truth.csv", "--rows", "cats"), "Rows are 'cats'. Write models or tasks."),
    ],
)
def test_a_wrong_request_says_what_to_write(assay, tables, arguments, message):
    code, _, err = assay("agreement", *arguments)

    assert code == 2
    assert message in err
