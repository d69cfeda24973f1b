"""Several workers get the longest evaluations first, with the memory that they are expected to take."""

from __future__ import annotations

import shutil
from pathlib import Path

from assay import Study
from assay.core.result import Cost, Result, Status
from assay.engines.isolated import Isolated
from assay.engines.local import Local
from assay.engines.ray import Ray
from assay.run.job_order import largest_first, runs_several


def test_the_slowest_model_comes_first_and_its_longest_task_before_its_others(
    photos: Path, tmp_path: Path
) -> None:
    small = str(tmp_path / "small")
    shutil.copytree(photos, small, ignore=lambda _, names: [name for name in names if name[0] in "12"])
    study = Study(
        models=["zoo:colours", "zoo:noisy"],
        tasks=[small, str(photos)],
        methods=["logme"],
        store=tmp_path / "store",
        control=False,
    )
    planned = study.plan().evaluations
    seconds = {"zoo:colours": 1.0, "zoo:noisy": 50.0}
    results = [
        Result(job, Status.OK, 0.5, encode_seconds=seconds[job.model], cost=Cost(peak_bytes=int(1e9)))
        for evaluation in planned
        for job, _ in evaluation.jobs
        if evaluation.task.address.endswith(small)
    ]

    ordered = largest_first(planned, results)

    assert [(str(each.model), each.task.address.endswith(small)) for each in ordered] == [
        ("zoo:noisy", False),
        ("zoo:noisy", True),
        ("zoo:colours", False),
        ("zoo:colours", True),
    ]
    assert {each.expected_bytes for each in ordered} == {int(1e9)}
    assert {each.expected_bytes for each in largest_first(planned, [])} == {0}


def test_one_worker_keeps_the_order_of_the_study() -> None:
    assert [
        runs_several(engine) for engine in (Local(), Isolated(), Isolated(workers=2), Ray(), Ray(workers=1))
    ] == [
        False,
        False,
        True,
        True,
        False,
    ]
