"""Collects all content of a page before templates run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import util

from assay.core.task import Modality
from assay.core.text import few
from assay.findings.across import Across
from assay.findings.comparison import Comparison
from assay.findings.facts import ModelRow, ShownExample
from assay.findings.per_task import TaskFindings
from assay.findings.similarity import Similarity
from assay.reports.html.chart import Chart
from assay.reports.html.hardest import HardExamples, hard_examples
from assay.reports.html.heat_map import HeatMap, heat_maps
from assay.reports.html.leaderboard import Leaderboard, leaderboard, rows_of_each
from assay.reports.html.names import Names
from assay.reports.html.search import SearchView, search_view
from assay.reports.html.tables import (
    ClassAccuracy,
    MethodTable,
    MissingValue,
    SliceTable,
    class_accuracies,
    method_tables,
    missing_on_task,
    missing_values,
    slice_tables,
)
from assay.wording.screen_warnings import better_protocol

_CHART_PACKAGES = ("altair", "vl_convert")  # packages of the extra html
_MOST_CHOICES = 8  # the answer must fit on a screen; the tables below have all models
_TITLED = 2  # tasks that the title names
MOST_EXAMPLE_LETTERS = 260_000  # of all tasks: keeps a page of 50 models x 20 tasks below 2 MB
_MOST_HARDEST_LETTERS = 260_000  # the same of the hardest test examples


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that is recommended, cheaper, or may be the best, with its cost.

    Attributes:
        word: Which of these it is.
        is_smallest: No other choice has fewer parameters.
    """

    address: str
    model: ModelRow | None
    word: str
    is_smallest: bool

    @property
    def is_recommended(self) -> bool:
        """Whether it is the recommended model."""
        return self.word == "recommended"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer for one modality: a sentence, then the models to choose from, the recommended first.

    Attributes:
        choices: The first few choices, and the smallest model.
        hidden: Number of further models that may be the best.
    """

    sentence: str
    choices: tuple[ListedModel, ...]
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class TaskView:
    """Everything that the page shows about one task."""

    anchor: str
    findings: TaskFindings
    leaderboard: Leaderboard
    missing: tuple[MissingValue, ...]
    classes: tuple[ClassAccuracy, ...]
    methods: MethodTable | None
    examples: tuple[ShownExample, ...]
    hardest: tuple[HardExamples, ...]
    slices: tuple[SliceTable, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageView:
    """Everything that the page shows.

    Attributes:
        tasks_named: The names of the first tasks, for the title.
        across: For each modality with several tasks the heat map of them, and the findings over them.
        models: Facts about each model of the study by address; None for a model that could not be opened.
        charts: Charts by anchor; empty if ``can_draw`` is false, and the page then says what to install.
        similarities: Similar tasks and models, with charts, for each modality.
        search: How the models were searched; None if every one was run.
    """

    names: Names
    tasks_named: str
    answers: tuple[Answer, ...]
    across: tuple[tuple[HeatMap, Across | None], ...]
    tasks: tuple[TaskView, ...]
    missing: tuple[MissingValue, ...]
    models: Mapping[str, ModelRow | None]
    charts: Mapping[str, Chart]
    can_draw: bool
    similarities: tuple[tuple[Similarity, list[Chart]], ...]
    search: SearchView | None

    @property
    def has_seeds(self) -> bool:
        """Whether some value is a mean over seeds."""
        return any(task.leaderboard.seeds > 1 for task in self.tasks)

    def charts_at(self, *anchors: str) -> list[Chart]:
        """Return the existing charts at some anchors; ``anchor-*`` matches numbered ones."""
        return [
            chart
            for name, chart in self.charts.items()
            if name in anchors or f"{name.rpartition('-')[0]}-*" in anchors
        ]


def page_view(comparison: Comparison) -> PageView:
    """Collect everything that a page shows of a comparison."""
    names = Names.of(comparison)
    models = {row.address: row for row in comparison.models}
    methods = method_tables(comparison)
    examples = examples_that_fit(comparison.examples)
    across = {findings.modality: findings for findings in comparison.across}
    maps = heat_maps(comparison)
    can_draw = all(util.find_spec(name) is not None for name in _CHART_PACKAGES)
    charts: dict[str, Chart] = {}
    if can_draw:
        from assay.reports.html.charts import charts_of

        charts = charts_of(comparison, names, maps)
    return PageView(
        names=names,
        tasks_named=few([names.task(findings.task.address) for findings in comparison.tasks], _TITLED)
        if comparison.tasks
        else "",
        answers=tuple(_answers(comparison)),
        across=tuple(
            (heat_map, across.get(heat_map.modality))
            for heat_map in maps
            if len(heat_map.tasks) > 1 or heat_map.modality in across
        ),
        tasks=tuple(
            TaskView(
                f"task-{number}",
                findings,
                leaderboard(findings, models, rows_of_each(len(comparison.tasks))),
                missing_on_task(findings),
                class_accuracies(findings),
                methods.get(findings.task.address),
                examples.get(findings.task.address, ()),
                hard_examples(
                    findings.error_analysis,
                    comparison.hardest.get(findings.task.address, {}),
                    _MOST_HARDEST_LETTERS // len(comparison.tasks),
                ),
                slices,
                _notes(comparison, findings),
            )
            for number, (findings, slices) in enumerate(
                zip(comparison.tasks, slice_tables(comparison.tasks), strict=True), start=1
            )
        ),
        missing=missing_values(comparison),
        models={address: models.get(address) for address in names.numbers},
        charts=charts,
        can_draw=can_draw,
        similarities=tuple(_similarities(comparison, charts)),
        search=search_view(comparison),
    )


def _similarities(
    comparison: Comparison, charts: Mapping[str, Chart]
) -> Iterator[tuple[Similarity, list[Chart]]]:
    for similarity in comparison.similarities:
        kind = similarity.modality or "all"
        anchors = [f"alike-{what}-{kind}" for what in ("tasks", "errors", "features")]
        shown = [charts[anchor] for anchor in anchors if anchor in charts]
        if similarity.remarks or shown:
            yield similarity, shown


def _answers(comparison: Comparison) -> list[Answer]:
    """Return the answers, in the order of the headline."""
    studied = {findings.task.modality for findings in comparison.tasks}
    modalities = [modality for modality in Modality if modality in studied]
    answers = []
    for modality, sentence in zip(modalities, comparison.headline, strict=False):  # an empty one has none
        decision = comparison.decisions.get(modality.value)
        if decision is None:
            answers.append(Answer(sentence, ()))
            continue
        words = {decision.recommended: "recommended"}
        if decision.cheaper is not None:
            words[decision.cheaper] = "cheaper"
        for model in _may_be_best(comparison, modality):
            words.setdefault(model, "may be best")
        choices = _choices(comparison, words)
        shown = choices[:_MOST_CHOICES]
        if not any(choice.is_smallest for choice in shown):
            shown += [choice for choice in choices if choice.is_smallest][:1]
        answers.append(Answer(sentence, tuple(shown), len(choices) - len(shown)))
    return answers


def _notes(comparison: Comparison, findings: TaskFindings) -> tuple[str, ...]:
    better = better_protocol(comparison, findings, comparison.names)
    return (*findings.task.notes, *([better] if better else ()))


def _may_be_best(comparison: Comparison, modality: Modality) -> list[str]:
    """Return the pretrained models that may be the best: across tasks, or on the only task."""
    tasks = [findings for findings in comparison.tasks if findings.task.modality == modality]
    across = [part for part in comparison.across if part.modality == modality]
    rows = [row for part in across for row in part.models] if across else list(tasks[0].standings)
    if len(tasks) > 1 and not across:
        rows = []
    random = {row.address for row in comparison.models if row.facts.is_random}
    return [row.model for row in rows if row.may_be_best and row.model not in random]


def _choices(comparison: Comparison, words: Mapping[str, str]) -> list[ListedModel]:
    models = {row.address: row for row in comparison.models}
    smallest = min((models[model].facts.parameters for model in words if model in models), default=0)
    return [
        ListedModel(
            address,
            models.get(address),
            word,
            is_smallest=address in models and models[address].facts.parameters == smallest,
        )
        for address, word in words.items()
    ]


def examples_that_fit(
    examples: Mapping[str, Sequence[ShownExample]],
) -> dict[str, tuple[ShownExample, ...]]:
    """Return as many examples of each task as fit into its share of the page size.

    If not all fit, every second or third is used, so that the last classes are shown too.
    """
    kept = {}
    for task, shown in examples.items():
        left = share = MOST_EXAMPLE_LETTERS // len(examples)
        step = -(-sum(example.letters for example in shown) // share) or 1
        fitting: list[ShownExample] = []
        for example in shown[::step]:
            left -= example.letters
            if left < 0:
                break
            fitting.append(example)
        kept[task] = tuple(fitting)
    return kept
