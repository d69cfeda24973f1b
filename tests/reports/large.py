"""Makes findings of any size out of simulated ones, with long addresses and pictures."""

import base64
import random
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from assay.analysis.compare import compare
from assay.core.task import Modality
from assay.findings.comparison import Comparison
from assay.findings.error_analysis import SliceFindings, SliceValue
from assay.findings.facts import ShownExample
from assay.findings.per_task import Standing
from assay.testing.simulated_study import simulate_study


@cache
def _small() -> Comparison:
    return compare(simulate_study(more_models=13), ranked_by=None, seed=0)


def large(models: int, tasks: int) -> Comparison:
    """Return findings of some models on some tasks: those of 20 models on one task, again and again."""
    study = _small()
    first, across = (
        study.tasks[0],
        next(findings for findings in study.across if findings.modality is Modality.IMAGE),
    )
    numbers = range(models)
    standings = [_again(first.standings, number) for number in numbers]
    general = [across.models[number % len(across.models)] for number in numbers]
    rows = {row.address: row for row in study.models}
    scores = [cell for cell in study.cells if cell.task == first.task.address and cell.value is not None]
    decision = study.decisions["image"]
    addresses = [f"folder:./data/task_{number:02}" for number in range(tasks)]
    rng = random.Random(0)
    return replace(
        study,
        headline=(f"Recommended for images: {standings[0].model}: it is the first.",),
        decisions={"image": replace(decision, recommended=standings[0].model, cheaper=None)},
        tasks=tuple(
            replace(
                first,
                task=replace(first.task, address=address),
                standings=tuple(standings),
                missing=(),
                recommended=standings[0].model,
                costs={
                    cost: _again_by_cost(of, first.standings, standings) for cost, of in first.costs.items()
                },
                fronts={"latency": (standings[0].model,)},
                smallest=standings[0].model,
                error_analysis=None,
                slices=_sliced(standings),
            )
            for address in addresses
        ),
        models=tuple(
            replace(rows[first.standings[number % len(first.standings)].model], address=standing.model)
            for number, standing in enumerate(standings)
        ),
        across=(
            replace(
                across,
                models=tuple(
                    replace(model, model=standing.model, worst_task=addresses[-1])
                    for model, standing in zip(general, standings, strict=True)
                ),
            ),
        ),
        agreement=(),
        similarities=(),
        cells=tuple(
            replace(cell, model=standing.model, task=address, method=f"{cell.method}{copy}")
            for address in addresses
            for number, standing in enumerate(standings)
            for cell in scores
            for copy in ("", "_too")
            if cell.model == first.standings[number % len(first.standings)].model
        ),
        examples={address: _pictures(rng) for address in addresses},
    )


def _again_by_cost(
    of: Mapping[str, float], before: tuple[Standing, ...], after: list[Standing]
) -> dict[str, float]:
    """Return the cost of each model: that of the one it was made from."""
    sources = [before[number % len(before)].model for number in range(len(after))]
    return {standing.model: of[model] for standing, model in zip(after, sources, strict=True) if model in of}


def _sliced(standings: list[Standing]) -> tuple[SliceFindings, ...]:
    values = tuple(SliceValue(standing.model, standing.value, standing.interval) for standing in standings)
    return tuple(
        SliceFindings("language", f"language {number}", 100 + number, values) for number in range(20)
    )


def _again(standings: tuple[Standing, ...], number: int) -> Standing:
    return replace(standings[number % len(standings)], model=_long(f"network_{number:03}_in1k"))


def _long(name: str) -> str:
    settings = f"arguments=('{name}',), checkpoint='weights/{name}/model.pth', mean=(0.485, 0.456, 0.406)"
    return f"torch:nets:build({settings})"


def _pictures(rng: random.Random) -> tuple[ShownExample, ...]:
    noise = [base64.b64encode(rng.randbytes(2_000)).decode() for _ in range(12)]
    return tuple(
        ShownExample(f"cats/{number}.jpg", "cat", picture=f"data:image/webp;base64,{content}")
        for number, content in enumerate(noise)
    )
