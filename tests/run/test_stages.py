"""The stages of a search: parts of train first, then what the study asks for, training last."""

from __future__ import annotations

import pytest

from assay.run.plan import resolve_methods, resolve_tasks, runs_of
from assay.run.search.stages import stages_of


def methods_of(tmp_path, *names: str) -> list[tuple[list[str], int | None, bool]]:
    """Return the methods of each stage, its number of examples, and whether it counts."""
    table = tmp_path / "texts.csv"
    table.write_text("text,label\n" + "".join(f"text {row},{'ab'[row % 2]}\n" for row in range(1000)))
    tasks = resolve_tasks([f"table:{table}"], 0)
    stages = stages_of(tasks, runs_of(resolve_methods(names), 3))
    return [([str(run.method) for run in stage.runs], stage.rows[0], stage.counts) for stage in stages]


def test_long_training_comes_after_a_short_one_on_a_part_of_train(tmp_path):
    stages = methods_of(tmp_path, "linear_probe", "fine_tune(learning_rate=0.001)")

    short = "fine_tune(epochs=2, learning_rate=0.001, refit=False, trials=1)"
    assert stages == [
        (["ridge_cv"], 64, False),
        (["ridge_cv"], 256, False),
        (["linear_probe", "ridge_cv"], None, True),
        ([short], 256, False),
        (["fine_tune(learning_rate=0.001)"] * 3, None, True),
    ]


@pytest.mark.parametrize("method", ["fine_tune(epochs=1)", "sgd"])
def test_training_that_is_short_itself_is_one_stage(tmp_path, method):
    *_, screen, (methods, rows, counts) = methods_of(tmp_path, method)

    assert screen == (["ridge_cv"], 256, False)
    assert (set(methods), rows, counts) == ({method}, None, True)
