from dataclasses import replace

import pytest

from assay.analysis.compare import compare
from assay.core.result import Status
from assay.core.task import Modality
from assay.findings.per_task import Cell
from assay.testing.simulated_study import simulate_study
from assay.wording.recommendation import answer, because, nothing


@pytest.fixture(scope="module")
def comparison():
    return compare(simulate_study(), ranked_by=None, seed=0)


def failed(model: str, reason: str) -> Cell:
    return Cell(model, "digits", "linear_probe", False, Status.FAILED, reason=reason)


def test_the_two_main_causes_are_named_and_the_others_counted():
    cells = [failed("a", "out of memory"), failed("b", "out of memory"), failed("c", "no weights.")]

    message = nothing([*cells, failed("d", "too old")])

    assert message == (
        "4 models have no value: out of memory (2 models); no weights (1 model), and 1 other cause."
    )
    assert nothing([]) == "No model reads what this task holds."


def test_a_task_that_no_model_learns_says_what_to_check(comparison):
    task = replace(comparison.tasks[0], beats_floor=False, recommended=comparison.tasks[0].standings[0].model)

    message = because(task, {row.address: row for row in comparison.models}, None)

    assert message.startswith("No model is surely better than guessing")
    assert message.endswith("Check the labels, or use more examples.")


def test_a_modality_without_a_usable_task_has_no_model_to_take(comparison):
    task = comparison.tasks[0]

    message = answer(Modality.IMAGE, [task], [], None, "linear_probe")

    assert message == (
        f"For images, take none of these models: none is surely better than guessing on {task.task.address}."
    )
