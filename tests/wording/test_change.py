from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from assay.analysis.change.change import Pair, change
from assay.core.estimate import Interval
from assay.reports.terminal.change import show_change
from assay.testing.simulated_study import simulate_study
from assay.wording.change import change_remarks, verdict_reason

LITE, VIT = "packaged:efficientnet_lite0", "timm:vit_small_patch14_reg4_dinov2.lvd142m"


@pytest.fixture(scope="module")
def whole():
    return change(simulate_study(), Pair(LITE, VIT, "linear_probe"))


def test_without_predictions_nothing_is_significant(whole):
    tasks = tuple(replace(task, p_value=None) for task in whole.tasks)

    first = change_remarks(replace(whole, tasks=tasks), 0.05)[0]

    assert first == f"No predictions are stored, so differences between {VIT} and {LITE} were not tested."


def test_a_reason_states_the_change_the_allowed_loss_and_the_needed_examples(whole):
    task = replace(whole.tasks[0], difference=-0.02, interval=Interval(-0.05, 0.01))

    assert verdict_reason(task, 0.005, 200, 1500) == (
        f"{task.measure} worse by 0.020 (change −0.050 to 0.010); allowed loss: 0.00500; "
        "a decision needs about 1,500 test examples, not 200"
    )
    assert "predictions are not stored" in verdict_reason(replace(task, interval=None), 0.005, 200, None)


@pytest.mark.parametrize(("width", "is_wide"), [(70, False), (200, True)])
def test_notes_explain_the_columns_that_are_shown_and_speeds_in_doubt_are_marked(whole, width, is_wide):
    console = Console(width=width, record=True, file=StringIO())

    before = replace(whole.before, latency_warning="its runs vary", throughput=21.6)
    show_change(replace(whole, before=before), console)

    text = " ".join(console.export_text().split())
    assert ("p: Holm-corrected over tasks; now wrong: right before" in text) is is_wide
    assert "change: after minus before" in text
    assert "21.6 (unreliable)" in text
    assert text.count("(unreliable)") == 2  # the latency as well, and nothing of the other model
