"""The first screen: it fits at any size, names the answer, and its commands can be pasted."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from tests.reports.large import large
from wcwidth import wcswidth

from assay.analysis.compare import compare
from assay.analysis.evidence import Evidence
from assay.core.result import Result, Status
from assay.findings.comparison import Comparison, Pending
from assay.findings.per_task import NOT_RUN
from assay.reports.terminal.next_commands import StudyPlace
from assay.reports.terminal.screen import screen_lines
from assay.testing.simulated_study import simulate_study
from assay.wording.names import model_addresses
from assay.wording.numbers import value_text
from assay.wording.screen import watched_line
from assay.wording.screen_warnings import warnings
from assay.wording.short_names import short_names

PLACE = StudyPlace(page="assay-store/report.html")
GOLDEN = Path(__file__).parent / "screens"


def on_tasks(study: Evidence, *positions: int) -> Evidence:
    return replace(study, tasks=[study.tasks[position] for position in positions])


def renamed(comparison: Comparison, name: str) -> Comparison:
    """Return findings whose first task has another name."""
    first = comparison.tasks[0]
    return replace(
        comparison,
        tasks=(replace(first, task=replace(first.task, address=name)), *comparison.tasks[1:]),
    )


def everything_failed() -> Comparison:
    study = on_tasks(simulate_study(), 0)
    results = [
        Result(result.job, Status.FAILED, reason="Out of memory at batch 1.\nTraceback ...")
        for result in study.results
    ]
    return compare(replace(study, results=results, scores=frozenset()), ranked_by="linear_probe", seed=0)


def nothing_above_chance() -> Comparison:
    study = on_tasks(simulate_study(), 0)
    tasks = [replace(study.tasks[0], floor=0.999)]
    return compare(replace(study, tasks=tasks), ranked_by=None, seed=0)


def one_model() -> Comparison:
    study = on_tasks(simulate_study(), 0)
    results = [result for result in study.results if result.job.model == "timm:resnet50.a1_in1k"]
    return compare(replace(study, results=results), ranked_by=None, seed=0)


def partial() -> Comparison:
    waiting = {
        f"timm:{'a_model_with_a_long_name_' * 4}{number}": ("folder:./photos",) for number in range(10)
    }
    return replace(compare(simulate_study(), ranked_by=None, seed=0), pending=Pending(12, waiting))


def with_warnings() -> Comparison:
    study = simulate_study()
    tasks = [replace(task, warnings=("results may be optimistic " * 8,)) for task in study.tasks]
    found = compare(replace(study, tasks=tasks), ranked_by=None, seed=0)
    return replace(found, warnings=("Damaged predictions of everything " * 5, "日本語の警告。" * 30))


SIZES = {
    "one model": one_model,
    "three tasks, two modalities": lambda: compare(simulate_study(), ranked_by=None, seed=0),
    "30 models": lambda: compare(on_tasks(simulate_study(more_models=20), 0), ranked_by=None, seed=0),
    "200 models, long addresses": lambda: large(200, 1),
    "200 models, 20 tasks": lambda: large(200, 20),
    "1 model, 20 tasks": lambda: large(1, 20),
    "2 tasks": lambda: compare(on_tasks(simulate_study(), 0, 1), ranked_by=None, seed=0),
    "a task with a long Japanese name": lambda: renamed(
        compare(on_tasks(simulate_study(), 0), ranked_by=None, seed=0), f"folder:./{'衛星画像の分類' * 12}"
    ),
    "an estimate": lambda: compare(simulate_study(), ranked_by="ridge_cv", seed=0),
    "everything failed": everything_failed,
    "nothing above chance": nothing_above_chance,
    "a partial store": partial,
    "many long warnings": with_warnings,
    "nothing at all": lambda: replace(one_model(), tasks=(), cells=(), models=(), decisions={}),
}


@pytest.fixture(scope="module", params=SIZES, ids=[name.replace(" ", "_") for name in SIZES])
def comparison(request: pytest.FixtureRequest) -> Comparison:
    found: Comparison = SIZES[request.param]()
    return found


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_screen_has_at_most_24_lines_of_the_width_of_the_terminal(comparison, width):
    lines = screen_lines(comparison, PLACE, width)

    assert 0 < len(lines) <= 24
    assert max(map(wcswidth, lines)) <= min(80, width)


def test_a_screen_names_every_recommended_and_every_cheaper_model(comparison):
    text = "\n".join(screen_lines(comparison, PLACE))
    names = short_names(model_addresses(comparison))

    for decision in comparison.decisions.values():
        assert f"Recommended: {names[decision.recommended]}" in text
        assert (", so far" in text) == (comparison.pending is not None)
        assert decision.cheaper is None or f"Cheaper:     {names[decision.cheaper]}" in text


def test_a_screen_without_a_recommendation_says_why(comparison):
    text = " ".join(" ".join(screen_lines(comparison, PLACE)).split())

    assert comparison.decisions or "No recommendation: " in text or "Nothing has a result yet." in text


def test_the_last_lines_are_the_commands_to_go_on_with(comparison):
    store = "my store of 'photos'"
    lines = screen_lines(comparison, StudyPlace(store, ("--plugin", "a b.py"), page=f"{store}/report.html"))
    start = next((number for number, line in enumerate(lines) if line.startswith("Next:")), None)

    if start is None:
        assert not comparison.tasks
        return
    pasted = "\n".join([lines[start].removeprefix("Next:"), *lines[start + 1 :]])
    commands = [shlex.split(line) for line in pasted.replace("\\\n", "").splitlines()]
    assert {command[0] for command in commands} <= {"assay", "xdg-open"}
    for command in commands:
        assert store in command or f"{store}/report.html" in command


@pytest.mark.parametrize("name", ["one task", "several tasks", "estimates"])
def test_the_main_screens_are_as_written(name):
    study = simulate_study()
    found = {
        "one task": SIZES["30 models"],
        "several tasks": lambda: compare(on_tasks(study, 0, 1), ranked_by=None, seed=0),
        "estimates": lambda: compare(on_tasks(study, 0), ranked_by="ridge_cv", seed=0),
    }[name]()

    written = (GOLDEN / f"{name.replace(' ', '_')}.txt").read_text("utf-8")

    assert "\n".join(screen_lines(found, PLACE)) + "\n" == written


@pytest.mark.parametrize("ranked_by", [None, "ridge_cv"])
def test_a_lone_model_is_compared_with_nothing_on_several_tasks_as_on_one(ranked_by):
    study = on_tasks(simulate_study(), 0, 1)
    results = [result for result in study.results if result.job.model == "timm:resnet50.a1_in1k"]
    found = compare(replace(study, results=results), ranked_by=ranked_by, seed=0)
    text = " ".join(screen_lines(found, PLACE))

    for said in (text, found.headline[0]):
        assert "nly one pretrained model has a value on each task" in " ".join(said.split())
        assert not re.search("xpected to be|xpected regret|may be (the )?best on|Cheaper:", said)


def test_warnings_over_several_tasks_name_the_tasks_that_they_are_about():
    control = "timm:resnet18(pretrained=False)"
    found = compare(on_tasks(simulate_study(), 0, 1), ranked_by=None, seed=0)
    first, second = found.tasks
    best = [replace(row, ranks=(1, 9)) if row.model == control else row for row in first.standings]
    found = replace(
        found,
        tasks=(replace(first, standings=tuple(best)), second),
        models=tuple(
            replace(row, facts=replace(row.facts, is_random=row.address == control)) for row in found.models
        ),
        names={first.task.address: "photos"},
    )

    said = warnings(found, short_names(model_addresses(found)))[0]
    assert "on photos: random weights may be as good: pretraining may not help here." in said
    text = "\n".join(screen_lines(found, PLACE))
    assert "random weights (control)" in text or "random (control)" in text  # whole at any width


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (
            0.015,
            "With few_shot(k=5), resnet50.a1_in1k reaches 0.988 (linear_probe 0.973): "
            "--method 'few_shot(k=5)'",
        ),
        (0.005, ""),
    ],
)
def test_a_protocol_that_is_better_by_more_than_the_margin_is_named(gain, said):
    found = compare(on_tasks(simulate_study(), 0), ranked_by=None, seed=0)
    best = found.tasks[0].decision.recommended
    cell = next(cell for cell in found.cells if (cell.model, cell.method) == (best, "linear_probe"))
    more = replace(cell, method="few_shot(k=5)", value=cell.value + gain)

    texts = warnings(replace(found, cells=(*found.cells, more)), short_names(model_addresses(found)))[0]

    assert [text.partition(" ranks by that.")[0] for text in texts if "reaches" in text] == [said] * bool(
        said
    )


def test_few_models_show_no_hidden_ones_and_many_show_eight_at_most():
    few = screen_lines(one_model(), PLACE)
    many = screen_lines(large(200, 1), PLACE)
    table = many.index("") + 2

    assert not any("more (--details)" in line and line.startswith("...") for line in few)
    hidden = next(number for number, line in enumerate(many) if line.startswith("... "))
    assert hidden - table <= 8


def test_a_partial_store_says_how_many_models_finished_and_which_are_pending():
    text = " ".join(" ".join(screen_lines(partial(), PLACE)).split())

    assert "2 of 12 models finished; pending: " in text


def test_a_running_study_says_how_far_it_is_and_which_model_leads():
    study = on_tasks(simulate_study(), 0)
    found = replace(compare(study, ranked_by=None, seed=0), pending=Pending(12, {"timm:slow": ("photos",)}))
    names = short_names(model_addresses(found))
    best = next(row for row in found.tasks[0].standings if not row.model.endswith("!random"))

    value = value_text(best.value, negated=found.tasks[0].shown_negated)
    assert watched_line(found, names) == (
        f"11 of 12 models finished; pending: slow; leader: {names[best.model]} {value}"
    )
    assert "leader" not in watched_line(everything_failed(), names)


def test_a_running_study_of_several_modalities_has_a_leader_for_each():
    found = compare(simulate_study(), ranked_by=None, seed=0)

    line = watched_line(found, short_names(model_addresses(found)))

    assert line.count("leader for ") == 2


def test_when_everything_failed_the_line_after_the_task_says_what():
    lines = screen_lines(everything_failed(), PLACE)

    assert lines[2].startswith("No recommendation: ")
    assert "(Out of memory at batch 1)" in " ".join(" ".join(lines).split())
    assert "Next:        assay report assay-store --details" in lines


def test_models_that_did_not_run_yet_have_short_names_and_no_warning_of_their_own():
    address = "torch:zoo:build(arguments=('wide',), checkpoint='weights/wide/model.pth', size=128)"
    found = compare(simulate_study(), ranked_by=None, seed=0)
    first = found.tasks[0]
    cell = next(cell for cell in found.cells if cell.task == first.task.address)
    left = replace(cell, model=address, value=None, status=Status.SKIPPED, reason=f"linear_probe {NOT_RUN}")
    tasks = (replace(first, missing=(left,)), *(replace(task, missing=()) for task in found.tasks[1:]))
    found = replace(found, tasks=tasks, pending=Pending(12, {address: ("photos",)}))

    text = " ".join(screen_lines(found, PLACE))

    assert "pending: build." in text
    assert "checkpoint" not in text
    assert "No result" not in text


def test_a_warning_names_its_task_and_loses_its_example_before_its_count():
    found = compare(on_tasks(simulate_study(), 0, 1), ranked_by=None, seed=0)
    example = "(first: a/very/long/name/of/a/file.png)"
    sentence = f"4 test examples are near-duplicates of train examples {example}: results may be optimistic."
    first = replace(found.tasks[0], task=replace(found.tasks[0].task, warnings=(sentence,)), missing=())
    second = replace(found.tasks[1], missing=())

    text = "\n".join(screen_lines(replace(found, tasks=(first, second)), PLACE))

    name = found.names[first.task.address]
    assert (
        f"On {name}: 4 test examples are near-duplicates of train examples: results may be optimistic"
        in " ".join(text.split())
    )


def test_a_screen_without_any_result_proposes_no_page_of_nothing(comparison):
    lines = screen_lines(comparison, PLACE)

    assert comparison.tasks or not any("report.html" in line for line in lines)


def test_a_control_above_all_others_is_not_called_the_best():
    study = on_tasks(simulate_study(), 0)
    models = [
        replace(row, facts=replace(row.facts, is_random="resnet50" in row.address)) for row in study.models
    ]

    lines = screen_lines(compare(replace(study, models=models), ranked_by="linear_probe", seed=0), PLACE)

    assert any("vs highest" in line for line in lines)
    assert any("random weights (control)" in line and " highest " in line for line in lines)
    assert not any(" best " in line and "0.9" in line for line in lines)
    assert "no other pretrained model" in " ".join(" ".join(lines).split())


def test_controls_alone_on_several_tasks_are_trained_models_judged_on_test():
    study = simulate_study()
    models = [replace(row, facts=replace(row.facts, is_random=True)) for row in study.models]
    found = compare(replace(study, models=models), ranked_by="linear_probe", seed=0)

    text = "\n".join(screen_lines(found, PLACE))

    assert "mean accuracy (linear_probe)" in text
    assert "nothing was trained" not in text
    assert " train examples" not in found._repr_html_()


def test_a_long_warning_ends_with_a_whole_sentence():
    comparison = SIZES["30 models"]()
    first, rest = "Test repeats examples: 48 have 36 different contents.", "Values count each of them, " * 6

    lines = screen_lines(replace(comparison, warnings=(f"{first} {rest}",)), PLACE)

    text = " ".join(" ".join(lines).split())
    assert first.removesuffix(".") in text
    assert "Values count" not in text
