"""Findings of a search of forty models on the first task of simulated ones."""

from dataclasses import replace

from assay.core.estimate import Interval
from assay.findings.comparison import Comparison
from assay.findings.search import MissBound, ScreenedModel, SearchFindings, StopReason, UntriedModel

FLAGGED = "timm:resnet50_finetuned_satellite"


def searched(comparison: Comparison, **changes) -> Comparison:
    """Return the findings on one task as those of a search, in which some models were left."""
    findings = comparison.tasks[0]
    task = findings.task.address
    finished = [row.model for row in findings.standings[:4]][::-1]
    untried = [f"timm:vit_small_patch{number}_224.augreg_in21k_ft_in1k" for number in range(32)]
    search = SearchFindings(
        candidates=41,
        finished=tuple(finished),
        screened=(
            ScreenedModel(
                "timm:mobilenetv3_small_100.lamb_in1k", 512, {task: (0.61, Interval(0.55, 0.67))}, True
            ),
            ScreenedModel(FLAGGED, 128, {task: (0.91, Interval(0.8, 0.99))}, False),
            ScreenedModel("timm:tinynet_e.in1k", 128, {task: (0.5, Interval(0.4, 0.6))}, True),
        ),
        failed={"timm:broken": "Out of memory at <batch 1>", "timm:other": "Out of memory at <batch 1>"},
        left_out={"have more than 30,000,000 parameters (--max-parameters)": 1311},
        untried=tuple(untried),
        stop=StopReason.BUDGET,
        seconds=1800.0,
        curve=((210.0, (0.7,)), (480.0, (0.88,)), (900.0, (0.88,)), (1400.0, (0.93,))),
        expected_regret={task: 0.004},
        past_tasks=24,
        bound=MissBound(0.021, 4, 24),
        contaminated=(FLAGGED,),
        contaminated_by={FLAGGED: ("satellite",)},
        tasks=(task,),
        promising=tuple(
            UntriedModel(model, {task: (0.94 - 0.01 * number, 0.03)})
            for number, model in enumerate(untried[:30])
        ),
    )
    return replace(
        comparison,
        tasks=(findings,),
        cells=tuple(cell for cell in comparison.cells if cell.task == task),
        decisions={findings.task.modality.value: findings.decision},
        search=replace(search, **changes),
    )
