"""Tables of models and tasks on the command line."""

from __future__ import annotations

import pytest

TABLE = "model,a,b,c\nsmall,0.7,0.8,0.6\nlarge,0.9,0.7,0.8\nbroken,0.5,out of memory,0.4\n"


@pytest.fixture
def table(tmp_path):
    (tmp_path / "board.csv").write_text(TABLE)
    return "board.csv"


def test_a_table_is_compared_and_guesses_are_reported(assay, table):
    code, out, _ = assay("across", table)

    assert code == 0
    assert "board.csv: 3 x 3 values, rows are models (the file calls one side 'model')" in out
    assert "broken has a value on 2 of 3 tasks (not b)" in " ".join(out.split())
    assert out.index("large") < out.index("small") < out.index("broken")


def test_lower_is_better_turns_the_order(assay, table):
    out = assay("across", table, "--lower-is-better", "*")[1]

    assert out.index("small") < out.index("large")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.csv",), "There is no file 'nowhere.csv'"),
        (("board.csv", "--rows", "cats"), "Rows are 'cats'. Write models or tasks."),
        (("board.csv", "--lower-is-better", "d"), "No task of the matrix called 'd'. Known: a, b, c."),
        (("board.csv", "--method", "logme"), "has no matrix called 'logme'. It has: board."),
        (("one.csv",), "No two models of 'one.csv' have values on the same two tasks"),
    ],
)
def test_a_wrong_request_says_what_to_write(assay, table, tmp_path, arguments, message):
    (tmp_path / "one.csv").write_text("model,a\nx,1\ny,2\n")

    code, _, err = assay("across", *arguments)

    assert code == 2
    assert message in err
