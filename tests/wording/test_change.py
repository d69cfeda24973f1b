from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from assay.analysis.change.change import Pair, change
from assay.core.estimate import Interval
from assay.findings.change import Gate, TaskVerdict, Verdict
from assay.reports.terminal.change import show_change
from assay.reports.terminal.gate import show_gate
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
        f"{task.measure} worse by 2.0 points (95 % CI of the change −5.0 to 1.0); allowed loss: 0.5 points; "
        "about 1,500 test examples (now 200) would show a loss above 0.5 points, if the change stays the same"
    )
    better = replace(task, difference=0.02, interval=Interval(-0.01, 0.05))
    assert "would exclude a loss above 1 point," in verdict_reason(better, 0.01, 200, 1500)
    assert "predictions are not stored" in verdict_reason(replace(task, interval=None), 0.005, 200, None)


def test_a_reason_has_the_unit_and_the_direction_of_an_error(whole):
    task = replace(whole.tasks[0], measure="rmse", shown_negated=True, difference=-0.2)

    reason = verdict_reason(replace(task, interval=Interval(-0.3, 0.1)), 0.05, 200, None)

    assert reason == "rmse worse by 0.200 (95 % CI of the change −0.100 to 0.300); allowed loss: 0.05"


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.PASS, "pass: b can replace a"),
        (Verdict.FAIL, "fail: b cannot replace a"),
        (Verdict.UNDECIDED, "not enough data to tell whether b can replace a"),
    ],
)
def test_the_gate_says_what_was_judged_and_which_interval_it_shows(whole, verdict, words):
    task = TaskVerdict("digits", verdict, -0.02, Interval(-0.05, 0.01), "worse", None)
    named = replace(whole, names={LITE: "a", VIT: "b"})
    console = Console(width=200, record=True, file=StringIO())

    show_gate(Gate(verdict, 0.005, (task,), named), console)

    lines = console.export_text().splitlines()
    assert lines[-1] == f"Result: {words}"
    assert "of this pair alone; 'vs best' of the report is adjusted for all pairs" in lines[-2]


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
