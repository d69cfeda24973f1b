"""All that a page shows, gathered and frozen before any template runs."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.shown import ShownExample
from assay.findings.across import Across
from assay.findings.agreement import Agreements
from assay.findings.comparison import Comparison
from assay.findings.facts import ModelRow
from assay.findings.per_task import TaskFindings
from assay.findings.similarity import Likeness
from assay.reports.html.boards import Board, Methods, OfClass, board, classes_of, methods_of
from assay.reports.html.charts import (
    Chart,
    agreement_chart,
    alike_chart,
    cost_chart,
    heat_chart,
    index_chart,
    place_chart,
    profile_chart,
)
from assay.reports.html.curves import curve_charts
from assay.reports.html.decision import Decision, decisions
from assay.reports.html.examples import fitting
from assay.reports.html.heat import HeatMap, heat_maps
from assay.reports.html.missing_values import Hole, TaskHole, holes, task_holes
from assay.reports.html.names import Names
from assay.reports.html.slices import SliceTable, slice_tables
from assay.reports.html.vega import charts_can_be_drawn


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task."""

    anchor: str
    findings: TaskFindings
    missing: tuple[TaskHole, ...]
    board: Board
    classes: tuple[OfClass, ...]
    methods: Methods | None
    chart: Chart | None
    curves: tuple[Chart, ...]
    examples: tuple[ShownExample, ...]
    slices: tuple[SliceTable, ...]


@dataclass(frozen=True, slots=True)
class AcrossView:
    """Models across the tasks of one modality."""

    heat: HeatMap
    heat_chart: Chart | None
    across: Across | None
    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class AgreementView:
    """How well scores predicted one measured outcome."""

    findings: Agreements
    chart: Chart | None


@dataclass(frozen=True, slots=True)
class LikenessView:
    """Which tasks and which models of one modality are alike."""

    findings: Likeness
    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A model that the study names, and what is known of it once it was opened."""

    address: str
    row: ModelRow | None


@dataclass(frozen=True, slots=True)
class PageView:
    """The whole page.

    Attributes:
        has_charts: Charts can be drawn; else the page says what to install.
    """

    comparison: Comparison
    names: Names
    decisions: tuple[Decision, ...]
    tasks: tuple[TaskView, ...]
    across: tuple[AcrossView, ...]
    agreements: tuple[AgreementView, ...]
    likeness: tuple[LikenessView, ...]
    missing: tuple[Hole, ...]
    models: tuple[Known, ...]
    has_charts: bool

    @property
    def charts(self) -> list[Chart]:
        """All charts of the page."""
        found = [chart for one in self.across for chart in (one.heat_chart, *one.charts)]
        found += [chart for task in self.tasks for chart in (task.chart, *task.curves)]
        found += [agreement.chart for agreement in self.agreements]
        found += [chart for one in self.likeness for chart in one.charts]
        return [chart for chart in found if chart is not None]


def page_view(comparison: Comparison) -> PageView:
    """Gather what a page shows of a comparison."""
    names = Names.of(comparison)
    models = {row.address: row for row in comparison.models}
    anchors = {one.task.address: f"task-{place}" for place, one in enumerate(comparison.tasks, start=1)}
    methods = methods_of(comparison)
    examples = fitting(comparison.examples)
    is_drawn = charts_can_be_drawn()
    tasks = tuple(
        TaskView(
            anchors[one.task.address],
            one,
            task_holes(one),
            board(one, models),
            classes_of(one),
            methods.get(one.task.address),
            cost_chart(one, names, f"{anchors[one.task.address]}-cost") if is_drawn else None,
            tuple(curve_charts(comparison, one, names, f"{anchors[one.task.address]}-curve"))
            if is_drawn
            else (),
            examples.get(one.task.address, ()),
            slices,
        )
        for one, slices in zip(comparison.tasks, slice_tables(comparison.tasks), strict=True)
    )
    return PageView(
        comparison=comparison,
        names=names,
        decisions=tuple(decisions(comparison, names)),
        tasks=tasks,
        across=tuple(
            _across_view(comparison, heat, names, is_drawn=is_drawn) for heat in heat_maps(comparison)
        ),
        agreements=tuple(
            AgreementView(one, agreement_chart(one, f"agreement-{place}") if is_drawn else None)
            for place, one in enumerate(comparison.agreement, start=1)
            if one.overall
        ),
        likeness=tuple(_likeness_view(one, names, is_drawn=is_drawn) for one in comparison.likeness),
        missing=holes(comparison),
        models=tuple(Known(address, models.get(address)) for address in names.numbers),
        has_charts=is_drawn,
    )


def _across_view(comparison: Comparison, heat: HeatMap, names: Names, *, is_drawn: bool) -> AcrossView:
    across = next((one for one in comparison.across if one.modality == heat.modality), None)
    charts: list[Chart | None] = []
    if across is not None and is_drawn:
        charts.append(index_chart(across, names, f"index-{heat.modality}"))
        charts.append(place_chart(across, names, f"places-{heat.modality}"))
        charts.append(profile_chart(across, names, f"profiles-{heat.modality}"))
    has_map = is_drawn and heat.has_index and len(heat.tasks) > 1
    return AcrossView(
        heat=heat,
        heat_chart=heat_chart(heat, names, f"heat-{heat.modality}") if has_map else None,
        across=across,
        charts=tuple(chart for chart in charts if chart is not None),
    )


def _likeness_view(found: Likeness, names: Names, *, is_drawn: bool) -> LikenessView:
    kind = found.modality or "all"
    parts = (
        (found.tasks, names.task, "Tasks: 1 orders models the same (Spearman).", f"alike-tasks-{kind}"),
        (found.errors, names.label, "Models: 1 errs on the same examples (kappa).", f"alike-errors-{kind}"),
        (found.features, names.label, "Models: 1 sees the same (linear CKA).", f"alike-features-{kind}"),
    )
    charts = [
        alike_chart(alike, calls, told, anchor)
        for alike, calls, told, anchor in parts
        if alike is not None and is_drawn
    ]
    return LikenessView(found, tuple(chart for chart in charts if chart is not None))
