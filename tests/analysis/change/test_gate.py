from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from markdown_it import MarkdownIt
from tests.reports.test_hostile_names import NAMES, UNSEEN, renamed

from assay.analysis.change.change import Pair, change
from assay.analysis.change.gate import gate, regression_from
from assay.core.errors import UsageError
from assay.core.estimate import Interval
from assay.findings.change import Verdict
from assay.reports.terminal.gate import as_junit
from assay.reports.terminal.gate_markdown import as_markdown

LITE, VIT = "packaged:efficientnet_lite0", "timm:vit_small_patch14_reg4_dinov2.lvd142m"
TWIN = "timm:tf_efficientnet_lite0.in1k"
FLOOR = "timm:resnet18(pretrained=False)"


def changed(study, before, after):
    return change(study, Pair(before, after, "linear_probe"))


@pytest.fixture(scope="module")
def one(study):
    return changed(study, LITE, VIT)


def with_interval(change, low, high):
    task = replace(change.tasks[0], difference=(low + high) / 2, interval=Interval(low, high))
    return replace(change, tasks=(task,))


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.004, 0.02, Verdict.PASS),
        (0.01, 0.03, Verdict.PASS),
        (-0.03, -0.006, Verdict.FAIL),
        (-0.03, 0.02, Verdict.UNDECIDED),
        (-0.0051, 0.02, Verdict.UNDECIDED),
    ],
)
def test_the_whole_interval_decides(one, low, high, verdict):
    assert gate(with_interval(one, low, high), "0.5pt").verdict is verdict


def test_it_says_how_many_examples_would_decide(one):
    count = one.tasks[0].flips.examples
    result = gate(with_interval(one, -0.02, 0.04), "0.5pt").tasks[0]

    assert result.examples_needed == pytest.approx(count * (0.03 / 0.015) ** 2, rel=0.1)
    assert "would exclude a loss above 0.5 points" in result.reason


def test_one_task_that_fails_fails_the_gate(one):
    bad = replace(one.tasks[0], difference=-0.2, interval=Interval(-0.3, -0.1))

    result = gate(replace(one, tasks=(*one.tasks, bad)), "0.5pt")

    assert result.verdict is Verdict.FAIL


def test_without_predictions_nothing_is_decided(one):
    lost = replace(one, tasks=(replace(one.tasks[0], interval=None),))

    assert gate(lost, "50pt").verdict is Verdict.UNDECIDED


def test_few_examples_never_pass(one):
    few = with_interval(one, 0.0, 0.01)
    few = replace(few, tasks=(replace(few.tasks[0], flips=replace(few.tasks[0].flips, examples=29)),))

    assert gate(few, "0.5pt").verdict is Verdict.UNDECIDED


def test_a_model_as_bad_as_allowed_rarely_passes_and_rarely_fails():
    from assay.analysis.change.change import share_difference

    rng = np.random.default_rng(0)
    result = []
    for _ in range(2000):
        draws = rng.choice([-1, 0, 1], p=[0.08, 0.87, 0.05], size=400)  # 3 points are lost
        result.append(share_difference(draws))

    assert np.mean([item.low >= -0.03 for item in result]) <= 0.035
    assert np.mean([item.high < -0.03 for item in result]) <= 0.035


@pytest.mark.parametrize("text", ["five", "0.5%", "-1pt", ""])
def test_what_cannot_be_read_says_what_to_write(text):
    with pytest.raises(UsageError, match="Write points, as in 0.5pt"):
        regression_from(text)


def test_a_metric_without_points_says_so(study):
    text = changed(study, "sentence:all-MiniLM-L6-v2", "vectors:./glove.6B.100d.txt")

    with pytest.raises(UsageError, match="which has no points"):
        gate(text, "0.5pt")
    assert gate(text, "0.5").max_regression == 0.5


def test_the_xml_counts_what_failed_and_what_is_open(one):
    named = replace(one.tasks[0], task=replace(one.tasks[0].task, address="a<b>\x00&'"))
    result = gate(replace(with_interval(one, -0.9, -0.8), tasks=(named, *one.tasks)), "0pt")

    suite = ElementTree.fromstring(as_junit(result))

    assert suite.attrib["tests"] == str(len(result.tasks)) == str(len(suite))
    assert suite[0].attrib["name"] == "a<b>\ufffd&'"
    verdicts = [task.verdict for task in result.tasks]
    assert int(suite.attrib["failures"]) == verdicts.count(Verdict.FAIL)
    assert int(suite.attrib["errors"]) == verdicts.count(Verdict.UNDECIDED)


@pytest.mark.parametrize("name", NAMES)
def test_names_in_junit_and_in_the_summary_of_a_build_are_text(one, name):
    found = gate(with_interval(one, -0.03, -0.006), "0.5pt")
    hostile = renamed(found, {LITE: name, VIT: f"new {name}", one.tasks[0].task.address: f"{name} task"})

    suite = ElementTree.fromstring(as_junit(hostile).encode())
    (case,) = suite
    markdown = as_markdown(hostile)
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(markdown)

    kinds = {inner.type for token in tokens for inner in (token, *(token.children or ()))}
    assert {suite.tag, case.tag, *(inner.tag for inner in case)} == {"testsuite", "testcase", "failure"}
    assert case.get("name") == "".join(
        letter if letter.isprintable() or letter in "\t\n\r\x85\u2028\u202e" else "\ufffd"
        for letter in f"{name} task"
    )
    assert not kinds & {"link_open", "image", "code_inline", "fence", "html_block", "html_inline", "em_open"}
    assert len([token for token in tokens if token.type == "tr_open"]) == 2
    assert not UNSEEN.search(markdown)
